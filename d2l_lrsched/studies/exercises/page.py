"""The exercises' answers as one page of Markdown: every table, from runs and samples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.tables import as_markdown, mean_and_sd
from d2l_lrsched.studies.chapter.verdicts import share_interval
from d2l_lrsched.studies.clipping.collapse import mcnemar_p
from d2l_lrsched.studies.clipping.measures import CONFIDENCE, MEASURES, paired
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises.experiments import EXERCISES, Exercise
from d2l_lrsched.studies.exercises.figures import DRAWINGS
from d2l_lrsched.studies.sampling import page as sgld_report
from d2l_lrsched.studies.sampling.figures import SGLD_FIGURE
from d2l_lrsched.studies.sampling.record import Record

ANSWER_HEADER = (
    *("experiment", "runs", "collapsed", "95 % interval of the share", "train loss"),
    *("test accuracy", "best run"),
)
DIFFERENCE_HEADER = ("compared", "pairs", "difference", "95 % interval", "")
SAVED_HEADER = (
    *("warmup", "pairs", "collapsed without", "of these saved", "trained without"),
    *("of these lost", "p"),
)


class Comparison(NamedTuple):
    """Two experiments whose runs of the same seed are compared, `other` minus `base`."""

    base: str
    other: str


#: Exercise -> what its table of differences compares.
COMPARISONS: dict[str, tuple[Comparison, ...]] = {
    exercises.EXPONENT.name: tuple(
        Comparison(exercises.UNLOWERED, name) for name in exercises.EXPONENT.names
    ),
    exercises.DEEPER.name: tuple(
        Comparison(name, "resnet-cosine")
        for name in exercises.DEEPER.names
        if name != "resnet-cosine"
    ),
    exercises.WARMUP.name: tuple(
        Comparison(exercises.warmup_name(0, peak), exercises.warmup_name(warmup, peak))
        for peak in exercises.PEAKS
        for warmup in exercises.WARMUPS
        if warmup
    ),
    exercises.PLATEAU.name: (
        Comparison(exercises.UNLOWERED, "plateau"),
        Comparison("plateau", "plateau-warmup"),
    ),
}


def answer_rows(runs: Iterable[Run], exercise: Exercise) -> list[tuple[str, ...]]:
    """Return one row of text an experiment of the exercise.

    Train loss and test accuracy are mean ± standard deviation, after the last epoch, of the runs
    that trained; runs that turned non-finite count as collapsed. The interval of the share is the
    exact one. The best run is the highest test accuracy after the last epoch of any run.
    """
    runs = list(runs)
    rows: list[tuple[str, ...]] = []
    for name in exercise.names:
        ours = [run for run in runs if run.experiment == name]
        if ours:
            trained = [run.final for run in ours if run.outcome == "trained"]
            lost = len(ours) - len(trained)
            low, high = share_interval(lost, len(ours), 1 - CONFIDENCE)
            rows.append(
                (
                    name,
                    str(len(ours)),
                    str(lost),
                    f"{low:.2f} to {high:.2f}",
                    mean_and_sd([final.train_loss for final in trained]),
                    mean_and_sd([final.test_acc for final in trained], 4),
                    f"{max(run.final.test_acc for run in ours):.4f}",
                )
            )
    return rows


def difference_rows(runs: Iterable[Run], exercise: Exercise) -> list[tuple[str, ...]]:
    """Return one row of text a comparison: the difference in test accuracy, seed by seed.

    Collapsed runs count with the accuracy that they have. The last column says which is higher
    where the interval, taken by itself, excludes 0.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.experiment, []).append(run)
    rows: list[tuple[str, ...]] = []
    for base, other in COMPARISONS.get(exercise.name, ()):
        if base in by_name and other in by_name:
            common = {run.seed for run in by_name[base]} & {run.seed for run in by_name[other]}
            before, after = (
                [run for run in by_name[name] if run.seed in common] for name in (base, other)
            )
            difference = paired(before, after, MEASURES["test accuracy"])
            said = "not decided"
            if difference.low > 0 or difference.high < 0:
                said = f"{other if difference.low > 0 else base} is higher"
            interval = "-"
            if not math.isnan(difference.low):
                interval = f"{difference.low:+.4f} to {difference.high:+.4f}"
            rows.append(
                (
                    f"{other} - {base}",
                    str(difference.n),
                    f"{difference.mean:+.4f}",
                    interval,
                    said,
                )
            )
    return rows


def saved_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text a length of warmup: what it did to the runs without a warmup.

    A pair is a peak rate and a seed, over all peaks; p is McNemar's exact two-sided test of the
    saved against the lost.
    """
    trained = {(run.experiment, run.seed): run.outcome == "trained" for run in runs}
    rows: list[tuple[str, ...]] = []
    for warmup in filter(None, exercises.WARMUPS):
        pairs = [
            (trained[without, seed], trained[name, seed])
            for peak in exercises.PEAKS
            for without in [exercises.warmup_name(0, peak)]
            for name, seed in trained
            if name == exercises.warmup_name(warmup, peak) and (without, seed) in trained
        ]
        if pairs:
            counts = Counter(pairs)
            saved, lost = counts[False, True], counts[True, False]
            rows.append(
                (
                    f"{100 * warmup:g} %",
                    str(len(pairs)),
                    str(saved + counts[False, False]),
                    str(saved),
                    str(lost + counts[True, True]),
                    str(lost),
                    f"{mcnemar_p(saved, lost):.4f}",
                )
            )
    return rows


def as_page(runs: Sequence[Run], samples: Sequence[Record]) -> str:
    """Return the page.

    Parameters
    ----------
    runs : sequence of Run
        Those of `experiments.EXERCISES`, each experiment's of one length and each seed once. An
        exercise without runs is left out.
    samples : sequence of sgld_records.Record
        Exercise 5's; may be empty.
    """
    names = {run.experiment for run in runs}
    parts = []
    for exercise in EXERCISES:
        if exercise == exercises.PLATEAU and samples:  # the summary's comes after exercise 5
            parts.append(_sampling(samples))
        if names.intersection(exercise.names):
            parts.append(_part(runs, exercise))
    commits = sorted({run.versions.get("commit", "unknown") for run in runs})
    made = f"\nThe runs were made by commit {', '.join(commits)}.\n" if commits else ""
    return f"""# The exercises of section 11.15.5, answered by experiments

Written by `d2l-lrsched exercises` from `exercises.jsonl` and `sgld.jsonl`; do not edit.

*Collapsed* is a network that gives every test image the same scores, to 1 %. Train loss and test
accuracy are mean ± standard deviation of the runs that trained, after the last epoch; the best run
is chosen by its test accuracy, and so flattered. Differences in test accuracy are taken between
runs of the same seed, collapsed ones as they are; each interval is taken by itself, and with so
few seeds only large differences can be told from none.

{"".join(parts)}{made}"""


def _part(runs: Sequence[Run], exercise: Exercise) -> str:
    differences = difference_rows(runs, exercise)
    table = f"\n{as_markdown(DIFFERENCE_HEADER, differences)}\n" if differences else ""
    if exercise == exercises.WARMUP:
        table += f"\n{as_markdown(SAVED_HEADER, saved_rows(runs))}\n"
    return f"""## {exercise.title}

{exercise.setting}

![{exercise.title}]({DRAWINGS[exercise.name].file})

{as_markdown(ANSWER_HEADER, answer_rows(runs, exercise))}
{table}
"""


def _sampling(samples: Sequence[Record]) -> str:
    return f"""## 5. Optimization and sampling

Stochastic gradient Langevin dynamics (Welling and Teh 2011) by MXNet's own SGLD optimizer, on a
posterior whose mean and variances, and those of every chain at every update, are known exactly.

![Samples against the exact posterior](../sampling/{SGLD_FIGURE})

{as_markdown(sgld_report.TABLE_HEADER, sgld_report.table_rows(samples))}

{as_markdown(sgld_report.AVERAGE_HEADER, sgld_report.average_rows(samples))}

{sgld_report.method(samples)} Beyond the limit of stability (fixed-unstable) the wide axis does not
agree: rounding, float64's and more so that of the records to 7 digits, leaks into it from the
narrow one, along which the chains run away.

"""
