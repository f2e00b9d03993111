"""The tables of what the schedules reached at their chosen peaks, and of how they differ."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import late_oscillation, of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.choice import tuning
from d2l_lrsched.studies.choice.experiments import PLAIN, SKIPPED, Arm, scores
from d2l_lrsched.studies.choice.verdicts import Compared, compare


def reached(runs: Collection[Run], phase: str) -> pd.DataFrame:
    """Return a row of texts a schedule that has runs, 'plain' or 'clipped', at its chosen peak.

    Good peaks are of tuning, which was without clipping, and so not said of clipped ones. Test
    accuracy and late oscillation are of the runs that trained, mean ± standard deviation and mean;
    in the median a run that did not train counts as 0.
    """
    table, found = of_runs(runs), scores(runs)
    rows = []
    for schedule, of_peaks in found.items():
        peak = tuning.best(of_peaks)
        ours = of_experiment(table, Arm(phase, schedule, peak).name)
        if ours.empty:
            continue
        trained, late = ours[ours.trained], ours.run[ours.trained].map(late_oscillation)
        rows.append(
            {
                "schedule": schedule,
                "peak": f"{peak:g}",
                **({"good peaks": _range(tuning.good(of_peaks))} if phase == PLAIN else {}),
                "collapsed": f"{len(ours) - len(trained)} of {len(ours)}",
                "test accuracy": stats.mean_sd(trained.test_acc, 4),
                "median": f"{tuning.score(ours.run):.4f}",
                "late oscillation": f"{late.mean():.4f}" if late.notna().any() else "-",
            }
        )
    return pd.DataFrame(rows)


def compared(runs: Collection[Run], phase: str) -> pd.DataFrame:
    """Return a row of texts a schedule: how it differs in a phase, see `verdicts.compare`.

    Of 'skipped' without the collapses, which an update more or less does not change.
    """
    chosen = {schedule: tuning.best(of_peaks) for schedule, of_peaks in scores(runs).items()}
    rows = []
    for schedule, found in compare(of_runs(runs), phase, chosen).items():
        n, mean, interval, _ = found.accuracy
        rows.append(
            {
                "schedule": schedule,
                "pairs": str(n),
                "difference": f"{mean:+.4f}" if n else "-",
                "95 % interval": f"{interval:+.4f}",
                "adjusted p": f"{found.p_accuracy:.4f}",
                "accuracy is": found.accuracy_is,
                **(_collapses(found) if phase != SKIPPED else {}),
            }
        )
    return pd.DataFrame(rows)


def _collapses(found: Compared) -> dict[str, str]:
    return {
        "adjusted p of collapses": f"{found.p_collapsed:.4f}",
        "collapses are": found.collapses_are,
    }


def _range(good: tuning.Range) -> str:
    low, high = f"{'≤ ' * good.open_low}{good.low:g}", f"{'≥ ' * good.open_high}{good.high:g}"
    more = "≥ " * (good.open_low or good.open_high)
    return f"{low} to {high} (x {more}{good.high / good.low:.2g})"
