"""What stands for the clipping paper's words, one number a run.

Stability, convergence and effectiveness head the columns of its table 4.4; overfitting and
oscillation are named in its section 4.3. The paper does not say how it measured them; these
definitions are ours. A run either trained or did not, which is `survival`; every other number is
of runs that trained, for a mean over both would describe no network.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from d2l_lrsched.runs.frames import LATE, WINDOW, late_oscillation, of_runs, window_means
from d2l_lrsched.runs.record import Run

#: The test accuracy that counts as converged.
GOAL = 0.85


@dataclass(frozen=True)
class Measure:
    """One number of a run that a claim is judged by; `better` is 'higher' or 'lower'."""

    name: str
    definition: str
    better: str


_ALL = (
    Measure(
        "survival",
        "1 if after its last epoch the run is neither collapsed nor non-finite (it may have been "
        "collapsed and recovered), else 0; all others are of runs that survived",
        "higher",
    ),
    Measure(
        "roughness",
        f"sum of all rises of the mean training loss (nats) from one window of {WINDOW} batches to "
        "the next, over the whole run",
        "lower",
    ),
    Measure(
        "late oscillation",
        f"standard deviation of the test accuracies after the last {LATE} epochs",
        "lower",
    ),
    Measure(
        f"epochs to {GOAL}",
        f"first epoch after which the test accuracy is at least {GOAL}; one more than the run's "
        "epochs if none is",
        "lower",
    ),
    Measure("final loss", "training loss (nats) of the last epoch", "lower"),
    Measure(
        "test accuracy",
        "share of the test images classified rightly after the last epoch",
        "higher",
    ),
    Measure(
        "overfitting",
        "training accuracy, averaged while the last epoch trained, minus the test accuracy after "
        "it, so that it may be below 0",
        "lower",
    ),
)
#: Name -> measure.
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}


def measure(runs: Iterable[Run]) -> pd.DataFrame:
    """Return every measure of every run: a row a run, by experiment and seed.

    nan where a measure makes no sense of the run, never infinite.
    """
    table = of_runs(runs)
    numbers = {
        "roughness": table.run.map(_roughness),
        "late oscillation": table.run.map(late_oscillation),
        f"epochs to {GOAL}": table.run.map(_epochs_to_goal),
        "final loss": table.train_loss,
        "test accuracy": table.test_acc,
        "overfitting": table.train_acc - table.test_acc,
    }
    of_trained = pd.DataFrame(numbers).astype(float).where(table.trained)
    of_trained.insert(0, "survival", table.trained.astype(float))
    return of_trained


def _roughness(run: Run) -> float:
    means = window_means(run)
    return float(np.maximum(np.diff(means), 0).sum()) if np.isfinite(means).all() else math.nan


def _epochs_to_goal(run: Run) -> int:
    reached = (i for i, epoch in enumerate(run.epochs, start=1) if epoch.test_acc >= GOAL)
    return next(reached, run.num_epochs + 1)
