"""Records as tables: one row a run, or one row an epoch; and tables of texts as they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pandas as pd

from d2l_lrsched.runs.record import Run
from d2l_lrsched.training.history import Epoch

KEY = ["experiment", "seed"]
_NUMBERS = [name for name in Epoch.__struct_fields__ if name != "seconds"]


def of_runs(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row a run, by experiment and seed: its outcome and its last epoch's numbers.

    `trained` is whether it neither collapsed nor turned non-finite, `seconds` the whole run's, and
    `run` the record itself.
    """
    rows = [
        {
            **msgspec.to_builtins(run.final),
            "experiment": run.experiment,
            "seed": run.seed,
            "outcome": run.outcome,
            "trained": run.outcome == "trained",
            "num_epochs": run.num_epochs,
            "seconds": run.seconds,
            "run": run,
        }
        for run in runs
    ]
    columns = [*KEY, "outcome", "trained", "num_epochs", "seconds", *_NUMBERS, "run"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"seed": int, "trained": bool}).set_index(KEY)


def of_epochs(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row an epoch, by experiment, seed and epoch, the first being 1."""
    rows = [
        {"experiment": run.experiment, "seed": run.seed, "epoch": n, **msgspec.to_builtins(epoch)}
        for run in runs
        for n, epoch in enumerate(run.epochs, start=1)
    ]
    columns = [*KEY, "epoch", *Epoch.__struct_fields__]
    return pd.DataFrame(rows, columns=columns).set_index([*KEY, "epoch"])


def of_experiment(table: Any, name: str) -> Any:
    """Return one experiment's rows of a frame or series, indexed by what is left; perhaps none."""
    return table[table.index.get_level_values("experiment") == name].droplevel("experiment")


def markdown(table: pd.DataFrame) -> str:
    """Return a table of texts in Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def text(table: pd.DataFrame) -> str:
    """Return a table of texts for the terminal, its columns aligned to the left."""
    cells = table.astype(str)
    padded = cells.apply(lambda column: column.str.ljust(column.str.len().max()))
    return padded.to_string(index=False, justify="left")
