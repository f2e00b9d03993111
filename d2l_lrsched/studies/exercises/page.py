"""The exercises' answers as one page of Markdown: every table, from runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from d2l_lrsched import drawing, stats
from d2l_lrsched.files import write_text
from d2l_lrsched.runs import frames
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.exercises import figures
from d2l_lrsched.studies.exercises.experiments import (
    DEEPER,
    EXERCISES,
    EXPONENT,
    PLATEAU,
    UNLOWERED,
    Exercise,
)

#: Exercise -> the pairs of experiments that its table of differences compares, the base first.
COMPARED: dict[str, list[tuple[str, str]]] = {
    EXPONENT.name: [(UNLOWERED, name) for name in EXPONENT.names],
    DEEPER.name: [(name, "resnet-cosine") for name in DEEPER.names if name != "resnet-cosine"],
    PLATEAU.name: [(UNLOWERED, "plateau"), ("plateau", "plateau-warmup")],
}


def write(runs: Sequence[Run], folder: Path) -> int:
    """Write figures and page into the folder; return the number of figures."""
    drawn = figures.draw_all(runs)
    for name, figure in drawn.items():
        drawing.save(figure, folder / name)
    write_text(folder / "README.md", as_page(runs))
    return len(drawn)


def as_page(runs: Sequence[Run]) -> str:
    """Return the page of runs, each experiment's of one length and each seed once.

    An exercise without runs is left out.
    """
    table = frames.of_runs(runs)
    known = set(table.index.get_level_values("experiment"))
    parts = [_part(table, exercise) for exercise in EXERCISES if known & set(exercise.names)]
    commits = sorted({run.versions.get("commit", "unknown") for run in runs})
    made = f"\nThe runs were made by commit {', '.join(commits)}.\n" if commits else ""
    return f"""# The exercises of section 11.15.5, answered by experiments

Written by `d2l-lrsched exercises` from `runs.jsonl`; do not edit.
[Exercise 5](../sampling/README.md), on sampling, has a page of its own.

*Collapsed* is a network whose class scores for any two test images differ by less than 0.01. Train
loss and test accuracy are mean ± standard deviation of the runs that trained, after the last epoch;
the best run is chosen by its test accuracy, and so flattered. Differences in test accuracy are
taken between runs of the same seed where both trained; each interval is Student's and taken by
itself, and with few seeds only large differences can be told from none.

{"".join(parts)}{made}"""


def _part(runs: pd.DataFrame, exercise: Exercise) -> str:
    tables = [answers(runs, exercise), differences(runs, exercise)]
    shown = "\n\n".join(frames.markdown(table) for table in tables if len(table))
    return f"""## {exercise.title}

{exercise.setting}

![{exercise.title}]({exercise.figure})

{shown}

"""


def answers(runs: pd.DataFrame, exercise: Exercise) -> pd.DataFrame:
    """Return a row of texts an experiment: who collapsed, and the numbers of those that trained.

    Train loss and test accuracy are mean ± standard deviation, after the last epoch; runs that
    turned non-finite count as collapsed. The interval of the share is the exact one. The best run
    is that of the highest test accuracy.
    """
    rows = []
    for name, ours in frames.of_each(runs, exercise.names).items():
        trained = ours[ours.trained]
        collapsed = len(ours) - len(trained)
        rows.append(
            {
                "experiment": name,
                "runs": len(ours),
                "collapsed": collapsed,
                "95 % interval of the share": f"{stats.share(collapsed, len(ours)):.2f}",
                "train loss": stats.mean_sd(trained.train_loss),
                "test accuracy": stats.mean_sd(trained.test_acc, 4),
                "best run": f"{ours.test_acc.max():.4f}",
            }
        )
    return pd.DataFrame(rows)


def differences(runs: pd.DataFrame, exercise: Exercise) -> pd.DataFrame:
    """Return a row of texts a comparison: the difference in test accuracy, seed by seed.

    Of the seeds with which both trained. The last column says which is higher where the interval,
    taken by itself, excludes 0.
    """
    rows = []
    for base, other in COMPARED.get(exercise.name, ()):
        pairs = _of_same_seeds(runs.test_acc[runs.trained], base, other)
        if len(pairs):
            found = pairs[other] - pairs[base]
            interval = stats.mean_interval(found)
            higher = other if interval.low > 0 else base if interval.high < 0 else None
            rows.append(
                {
                    "compared": f"{other} - {base}",
                    "pairs": len(pairs),
                    "difference": f"{found.mean():+.4f}",
                    "95 % interval": f"{interval:+.4f}",
                    "": f"{higher} is higher" if higher else "not decided",
                }
            )
    return pd.DataFrame(rows)


def _of_same_seeds(numbers: pd.Series, base: str, other: str) -> pd.DataFrame:
    """Return a row a seed of which there are both."""
    both = {name: frames.of_experiment(numbers, name) for name in (base, other)}
    return pd.concat(both, axis=1, join="inner")
