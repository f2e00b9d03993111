"""A whole study that never took place."""

from __future__ import annotations

import random

import pytest

from d2l_lrsched.studies.choice.experiments import ARMS, jobs
from made_up import a_run, an_epoch


@pytest.fixture(scope="session")
def study():
    """All runs of 8 seeds, 2 to tune with.

    Every accuracy is highest at 0.3, the square root's at 1.5; above 0.45 runs collapse, of the
    constant rate also one in four at 0.3, unless they are clipped. All others are better.
    """
    draw = random.Random(0)

    def run(job):
        arm = ARMS[job.name]
        best = 1.5 if arm.schedule == "square-root" else 0.3
        off = abs(PEAKS.index(arm.peak) - PEAKS.index(best))
        collapsed = arm.peak > 1.6 * best or (
            arm.phase != "clipped" and arm.schedule == "constant" and job.seed % 4 == 1
        )
        accuracy = 0.88 - 0.008 * off - 0.02 * (arm.schedule == "constant") + 0.002 * draw.random()
        accuracies = [accuracy + 0.001 * (-1) ** k for k in range(10)]
        if collapsed:
            accuracies = [0.1] * 10
        clipping = {"norm_median": 1.0, "norm_max": 2.0, "clipped": 0.5, "skipped": 0}
        numbers = clipping if arm.phase == "clipped" else {}
        return a_run(
            job.name,
            job.seed,
            "collapsed" if collapsed else "trained",
            epochs=[an_epoch(test_acc=accuracy, **numbers) for accuracy in accuracies],
            settings=job.settings,
        )

    from d2l_lrsched.studies.choice.tuning import PEAKS

    runs, made = [], {}
    while len(asked := jobs(runs, seeds=8)) > len(runs):
        made = {job.key: made.get(job.key) or run(job) for job in asked}
        runs = list(made.values())
    return runs
