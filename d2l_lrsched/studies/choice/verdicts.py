"""What follows from the runs at the chosen peaks.

The rules, fixed before the first run:

- Every schedule is compared with the constant rate, and every schedule with clipping with itself
  without: in test accuracy, and in how many runs collapse (non-finite ones counted).
- Accuracies are compared between runs of one seed where both trained, by the sign-flip test. A
  schedule that collapses more is so compared by its survivors.
- Collapses are compared as counts, by Fisher's exact test.
- The p-values are adjusted by Holm, of accuracies and of collapses each by themselves: the ten with
  the constant rate, and the eleven of clipping. Below 0.05 a difference is decided; what is not
  decided is not shown to be equal.

Added when all of these runs were known, and before those that it asks for: the last batch of an
epoch has 96 pictures, and the update by its noisier gradient comes right before the test. A reader
found, by runs of their own, that it costs the constant rate much. So the constant rate trains once
more with the same seeds, but for the very last update, and every schedule is compared with that in
the same way, the constant rate itself too: eleven p-values by themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import collapsed, of_experiment
from d2l_lrsched.studies.choice.experiments import (
    CLIPPED,
    CONSTANT,
    PLAIN,
    SCHEDULES,
    SKIPPED,
    Arm,
)

NOT_DECIDED = "not decided"


class Compared(NamedTuple):
    """How an experiment differs from another, its base, each with some runs of the same seeds.

    `accuracy` is its test accuracy minus the base's; `collapsed` and `collapsed_base` are
    (collapsed, runs). The p-values are adjusted for all that were compared together.
    """

    accuracy: stats.Paired
    p_accuracy: float
    collapsed: tuple[int, int]
    collapsed_base: tuple[int, int]
    p_collapsed: float

    @property
    def accuracy_is(self) -> str:
        """'higher', 'lower' or 'not decided'."""
        if self.p_accuracy >= stats.LEVEL:
            return NOT_DECIDED
        return "higher" if self.accuracy.mean > 0 else "lower"

    @property
    def collapses_are(self) -> str:
        """'more', 'fewer' or 'not decided'."""
        if self.p_collapsed >= stats.LEVEL:
            return NOT_DECIDED
        (ours, n), (theirs, m) = self.collapsed, self.collapsed_base
        return "more" if ours / n > theirs / m else "fewer"


def compare(table: pd.DataFrame, phase: str, chosen: dict[str, float]) -> dict[str, Compared]:
    """Return by schedule how it differs: clipped from itself, or plain from the constant rate.

    Parameters
    ----------
    table : DataFrame
        As `frames.of_runs` makes it.
    phase : {'plain', 'clipped', 'skipped'}
        By 'skipped' from the constant rate without the last update.
    chosen : dict
        Schedule -> peak. Where either has no runs, the schedule is left out.

    Raises
    ------
    ValueError
        If two that are compared have not the same seeds, each once.
    """
    accuracies: dict[str, stats.Paired] = {}
    counts: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
    for schedule in SCHEDULES:
        one, other = arms = {
            PLAIN: ((PLAIN, CONSTANT), (PLAIN, schedule)),
            CLIPPED: ((PLAIN, schedule), (CLIPPED, schedule)),
            SKIPPED: ((SKIPPED, CONSTANT), (PLAIN, schedule)),
        }[phase]
        if one == other or any(name not in chosen for _, name in arms):
            continue
        base, ours = (
            of_experiment(table, Arm(phase_, name, chosen[name]).name) for phase_, name in arms
        )
        if len(base) and len(ours):
            accuracies[schedule] = stats.paired(*(_of_trained(arm) for arm in (base, ours)))
            counts[schedule] = (collapsed(ours.trained), collapsed(base.trained))
    adjusted = zip(
        stats.holm([accuracy.p for accuracy in accuracies.values()]),
        stats.holm([stats.fisher(*pair) for pair in counts.values()]),
    )
    return {
        name: Compared(accuracies[name], float(p_accuracy), *counts[name], float(p_collapsed))
        for name, (p_accuracy, p_collapsed) in zip(counts, adjusted)
    }


def _of_trained(arm: pd.DataFrame) -> pd.Series:
    return arm.test_acc.where(arm.trained)
