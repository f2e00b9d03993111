"""The exercises' answers as one page of Markdown: every table, from runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    FIXED,
    PLATEAU,
    UNLOWERED,
    WARMUP,
    WARMUPS,
    Exercise,
    warmup_name,
)

_NEIGHBOURS = list(zip(FIXED.names, FIXED.names[1:]))
#: Each warmup against the next shorter one and against none, at the peaks at which some survive.
_OF_WARMUPS = [
    (warmup_name(shorter, peak), warmup_name(warmup, peak))
    for peak in (0.5, 0.7)
    for i, warmup in enumerate(WARMUPS[1:])
    for shorter in dict.fromkeys((WARMUPS[0], WARMUPS[i]))
]
#: Exercise -> the pairs of experiments that its table of collapses compares, the base first; of
#: the rates only from the chapter's on.
COUNTED: dict[str, list[tuple[str, str]]] = {
    FIXED.name: [(base, other) for base, other in _NEIGHBOURS if base not in FIXED.names[:2]],
    WARMUP.name: _OF_WARMUPS,
}
#: Exercise -> the pairs of experiments that its table of differences compares, the base first.
COMPARED: dict[str, list[tuple[str, str]]] = {
    FIXED.name: _NEIGHBOURS,
    WARMUP.name: _OF_WARMUPS,
    EXPONENT.name: [(UNLOWERED, name) for name in EXPONENT.names],
    DEEPER.name: [(name, "resnet-cosine") for name in DEEPER.names if name != "resnet-cosine"],
    PLATEAU.name: [(UNLOWERED, "plateau"), ("plateau", "plateau-warmup")],
}
#: The first seed that had not been looked at when the rules were made: the seeds before it were all
#: that there were, and too few.
UNSEEN = 5
NOT_DECIDED = "not decided"


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

<!-- Written by `d2l-lrsched exercises` from `runs.jsonl`; do not edit. -->
[Exercise 5](../sampling/README.md), on sampling, has a page of its own.

*Collapsed* is a network whose class scores for any two test images differ by less than 0.01. Train
loss and test accuracy are mean ± standard deviation of the runs that trained, after the last epoch;
the best run is chosen by its test accuracy, and so flattered. Differences in test accuracy are
taken between runs of the same seed where both trained; each interval is Student's and taken by
itself, and with few seeds only large differences can be told from none. Who collapsed is compared
by counts: p is Fisher's, adjusted by Holm over its table, and decides below {stats.LEVEL}.
Seeds 0 to {UNSEEN - 1} had been looked at before the others were made. So each verdict stands
beside that of the seeds from {UNSEEN} on, and where they differ, only these count.

{"".join(parts)}{made}"""


def _part(runs: pd.DataFrame, exercise: Exercise) -> str:
    tables = [answers(runs, exercise), collapses(runs, exercise), differences(runs, exercise)]
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
    is that of the highest test accuracy, among those that trained.
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
                "best run": f"{trained.test_acc.max():.4f}" if len(trained) else "-",
            }
        )
    return pd.DataFrame(rows)


def collapses(runs: pd.DataFrame, exercise: Exercise) -> pd.DataFrame:
    """Return a row of texts a comparison: how many collapsed under each, non-finite ones counted.

    p is Fisher's exact, two-sided, adjusted by Holm over the table. Runs of the same seed are no
    pairs here: a seed does not decide who collapses. The last columns say under which experiment
    fewer collapse where the adjusted p is below `stats.LEVEL`: by all seeds, and by those from
    `UNSEEN` on.
    """
    return _with_unseen(_collapses, runs, COUNTED.get(exercise.name, ()))


def differences(runs: pd.DataFrame, exercise: Exercise) -> pd.DataFrame:
    """Return a row of texts a comparison: the difference in test accuracy, seed by seed.

    Of the seeds with which both trained. The last columns say which is higher where the interval,
    taken by itself, excludes 0: by all seeds, and by those from `UNSEEN` on.
    """
    return _with_unseen(_differences, runs, COMPARED.get(exercise.name, ()))


_Compare = Callable[[pd.DataFrame, Sequence[tuple[str, str]]], pd.DataFrame]


def _with_unseen(
    compare: _Compare, runs: pd.DataFrame, pairs: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    table = compare(runs, pairs)
    alone = compare(runs[runs.index.get_level_values("seed") >= UNSEEN], pairs)
    if alone.empty:
        return table
    words = dict(zip(alone["compared"], alone["verdict"]))
    return table.assign(
        **{f"seeds from {UNSEEN} on": [words.get(c, NOT_DECIDED) for c in table["compared"]]}
    )


def _collapses(runs: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    rows, p_values = [], []
    for pair in pairs:
        base, other = (frames.collapsed(frames.of_experiment(runs.trained, name)) for name in pair)
        if base[1] and other[1]:
            rows.append((pair, base, other))
            p_values.append(stats.fisher(base, other))
    return pd.DataFrame(
        {
            "compared": f"{pair[1]}, {pair[0]}",
            "collapsed": f"{other[0]} of {other[1]}, {base[0]} of {base[1]}",
            "p": f"{p:.4f}",
            "verdict": f"fewer under {_less(pair, base, other)}"
            if p < stats.LEVEL
            else NOT_DECIDED,
        }
        for (pair, base, other), p in zip(rows, stats.holm(p_values))
    )


def _less(pair: tuple[str, str], base: tuple[int, int], other: tuple[int, int]) -> str:
    """Return the one of a pair with the smaller share of (collapsed, runs)."""
    return min(zip((base, other), pair), key=lambda of: of[0][0] / of[0][1])[1]


def _differences(runs: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    rows = []
    for base, other in pairs:
        both = _of_same_seeds(runs.test_acc[runs.trained], base, other)
        if len(both):
            found = both[other] - both[base]
            interval = stats.mean_interval(found)
            higher = other if interval.low > 0 else base if interval.high < 0 else None
            rows.append(
                {
                    "compared": f"{other} - {base}",
                    "pairs": len(both),
                    "difference": f"{found.mean():+.4f}",
                    "95 % interval": f"{interval:+.4f}",
                    "verdict": f"{higher} is higher" if higher else NOT_DECIDED,
                }
            )
    return pd.DataFrame(rows)


def _of_same_seeds(numbers: pd.Series, base: str, other: str) -> pd.DataFrame:
    """Return a row a seed of which there are both."""
    both = {name: frames.of_experiment(numbers, name) for name in (base, other)}
    return pd.concat(both, axis=1, join="inner")
