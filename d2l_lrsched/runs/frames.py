"""Records as tables, a row a run, an epoch or 50 batches; and tables of texts as they are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES, UPDATES_PER_EPOCH
from d2l_lrsched.runs.record import Run
from d2l_lrsched.training.history import DISPLAY_EVERY, Epoch

KEY = ["experiment", "seed"]
WINDOW = DISPLAY_EVERY  # batches from one point of a training curve to the next
#: An epoch's examples up to the end of each window. The last window ends with the epoch; it has 35
#: batches, the last of them with 96 examples.
_ENDS = np.append(np.arange(WINDOW, UPDATES_PER_EPOCH, WINDOW) * BATCH_SIZE, TRAIN_EXAMPLES)
#: Where in its epoch each window ends, as a share of the epoch.
WINDOW_ENDS = _ENDS / TRAIN_EXAMPLES
#: The epochs at the end of a run in which oscillation is late.
LATE = 5
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


def window_means(run: Run) -> np.ndarray:
    r"""Return the mean training loss of every window of 50 batches, in nats, first to last.

    A training curve holds averages since the epoch began: with :math:`a_k` after :math:`n_k`
    examples, the mean of window k alone is

    .. math:: \frac{a_k n_k - a_{k-1} n_{k-1}}{n_k - n_{k-1}}, \quad n_0 = 0.

    There are 5 windows an epoch; a mean is not finite where the curve is not.

    Raises
    ------
    ValueError
        If the run has not 4 points an epoch, or its epochs have not the whole training set, so that
        their windows end elsewhere.
    """
    if run.settings.get("held_out"):
        raise ValueError(
            f"{run.experiment}, seed {run.seed}: its epochs have not {TRAIN_EXAMPLES} examples"
        )
    shown = len(_ENDS) - 1
    if len(run.points) != shown * len(run.epochs):
        raise ValueError(
            f"{run.experiment}, seed {run.seed}: {len(run.points)} points in {len(run.epochs)} "
            f"epochs, not {shown} an epoch"
        )
    curve = np.array([loss for _, loss, _ in run.points]).reshape(len(run.epochs), shown)
    averages = np.column_stack([curve, [epoch.train_loss for epoch in run.epochs]])
    with np.errstate(invalid="ignore"):  # inf - inf, after a loss that overflowed
        return (np.diff(averages * _ENDS, prepend=0.0) / np.diff(_ENDS, prepend=0)).ravel()


def late_oscillation(run: Run) -> float:
    """Return the standard deviation of the test accuracies after the last `LATE` epochs.

    nan of a shorter run.
    """
    late = [epoch.test_acc for epoch in run.epochs[-LATE:]]
    return float(np.std(late, ddof=1)) if len(late) == LATE else math.nan


def of_windows(runs: Iterable[Run]) -> pd.Series:
    """Return `window_means` by experiment, seed and epoch, a fraction: where the window ends."""
    rows = [
        (run.experiment, run.seed, place, mean)
        for run in runs
        for place, mean in zip(
            np.add.outer(range(len(run.epochs)), WINDOW_ENDS).ravel(), window_means(run)
        )
    ]
    table = pd.DataFrame(rows, columns=[*KEY, "epoch", "train_loss"])
    return table.set_index([*KEY, "epoch"]).train_loss


def of_experiment(table: Any, name: str) -> Any:
    """Return one experiment's rows of a frame or series, indexed by what is left; perhaps none."""
    return table[table.index.get_level_values("experiment") == name].droplevel("experiment")


def collapsed(trained: pd.Series) -> tuple[int, int]:
    """Return (collapsed, runs) of a frame's column of that name; non-finite counts as collapsed."""
    return int((~trained).sum()), len(trained)


def of_each(table: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the rows of each of the experiments that has some, by its name, in this order."""
    return {name: of for name in names if len(of := of_experiment(table, name))}


def markdown(table: pd.DataFrame) -> str:
    """Return a table of texts in Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def text(table: pd.DataFrame) -> str:
    """Return a table of texts for the terminal, its columns aligned to the left."""

    def pad(column: pd.Series) -> pd.Series:
        return column.str.ljust(max(map(len, [str(column.name), *column])) + 1)

    lines = table.apply(pad).to_string(index=False, justify="left").splitlines()
    return "\n".join(line.rstrip() for line in lines)
