"""The table of what the schedules reached at their chosen peaks, without or with clipping."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import late_oscillation, of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.choice import tuning
from d2l_lrsched.studies.choice.experiments import CONSTANT, PLAIN, Arm, scores
from d2l_lrsched.studies.choice.verdicts import Compared, compare


def answers(runs: Collection[Run], phase: str) -> pd.DataFrame:
    """Return a row of texts a schedule that has runs, 'plain' or 'clipped', at its chosen peak.

    Test accuracy and late oscillation are of the runs that trained, mean ± standard deviation and
    mean; in the median a run that did not train counts as 0. The last two columns say how the
    schedule differs, see `verdicts`.
    """
    table, found = of_runs(runs), scores(runs)
    chosen = {schedule: tuning.best(of_peaks) for schedule, of_peaks in found.items()}
    differs = compare(table, phase, chosen)
    against = CONSTANT if phase == PLAIN else "without clipping"
    rows = []
    for schedule, peak in chosen.items():
        ours = of_experiment(table, Arm(phase, schedule, peak).name)
        if ours.empty:
            continue
        trained, late = ours[ours.trained], ours.run[ours.trained].map(late_oscillation)
        rows.append(
            {
                "schedule": schedule,
                "peak": f"{peak:g}",
                "good peaks": _range(tuning.good(found[schedule])),
                "collapsed": f"{len(ours) - len(trained)} of {len(ours)}",
                "test accuracy": stats.mean_sd(trained.test_acc, 4),
                "median": f"{tuning.score(ours.run):.4f}",
                "late oscillation": f"{late.mean():.4f}" if late.notna().any() else "-",
                f"accuracy against {against}": _accuracy(differs.get(schedule)),
                "collapses": _collapses(differs.get(schedule)),
            }
        )
    return pd.DataFrame(rows)


def _range(good: tuning.Range) -> str:
    low, high = f"{'≤ ' * good.open_low}{good.low:g}", f"{'≥ ' * good.open_high}{good.high:g}"
    more = "≥ " * (good.open_low or good.open_high)
    return f"{low} to {high} (x {more}{good.high / good.low:.2g})"


def _accuracy(found: Compared | None) -> str:
    if found is None:
        return "-"
    n, mean, interval, _ = found.accuracy
    measured = f"{mean:+.4f} ({interval:+.4f}; {n} pairs), " if n else ""
    return f"{measured}p {found.p_accuracy:.4f}: {found.accuracy_is}"


def _collapses(found: Compared | None) -> str:
    return "-" if found is None else f"p {found.p_collapsed:.4f}: {found.collapses_are}"
