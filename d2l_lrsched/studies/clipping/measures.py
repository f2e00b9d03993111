"""What stands for the clipping paper's words, one number a run.

Stability, convergence and effectiveness head the columns of its table 4.4, overfitting is named in
its section 4.3. The paper does not say how it measured them; these definitions are ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from d2l_lrsched.runs.frames import WINDOW, of_runs, window_means
from d2l_lrsched.runs.record import Run

#: The test accuracy that counts as converged.
GOAL = 0.85
#: Of Fashion-MNIST. Guessing has the loss ln 10 and the accuracy 1/10.
CLASSES = 10


@dataclass(frozen=True)
class Measure:
    """One number of a run that a claim is judged by; `better` is 'higher' or 'lower'."""

    name: str
    definition: str
    better: str


_ALL = (
    Measure(
        "survival",
        "1 if the run neither collapsed nor turned non-finite, else 0",
        "higher",
    ),
    Measure(
        "roughness",
        f"sum of all rises of the mean training loss (nats) from one window of {WINDOW} batches to "
        "the next, over the whole run; only of a run that trained",
        "lower",
    ),
    Measure(
        f"epochs to {GOAL}",
        f"first epoch after which the test accuracy is at least {GOAL}; one more than the run's "
        "epochs if none is",
        "lower",
    ),
    Measure(
        "final loss",
        "training loss (nats) of the last epoch, collapsed runs as they are, non-finite ones as if "
        f"they guessed: ln {CLASSES}",
        "lower",
    ),
    Measure(
        "test accuracy",
        "share of the test images classified rightly after the last epoch, collapsed runs as they "
        f"are, non-finite ones as if they guessed: 1/{CLASSES}",
        "higher",
    ),
    Measure(
        "overfitting",
        "training accuracy, averaged while the last epoch trained, minus the test accuracy after "
        "it, so that it may be below 0; only of a run that trained",
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
    guessing = table.outcome == "non-finite"
    numbers = {
        "survival": table.trained,
        "roughness": table.run.map(_roughness),
        f"epochs to {GOAL}": table.run.map(_epochs_to_goal),
        "final loss": table.train_loss.mask(guessing, math.log(CLASSES)),
        "test accuracy": table.test_acc.mask(guessing, 1 / CLASSES),
        "overfitting": (table.train_acc - table.test_acc).where(table.trained),
    }
    return pd.DataFrame(numbers).astype(float)


def _roughness(run: Run) -> float:
    means = window_means(run)
    # A collapsed network's flat curve is not a smooth training.
    if run.outcome != "trained" or not np.isfinite(means).all():
        return math.nan
    return float(np.maximum(np.diff(means), 0).sum())


def _epochs_to_goal(run: Run) -> int:
    reached = (i for i, epoch in enumerate(run.epochs, start=1) if epoch.test_acc >= GOAL)
    return next(reached, run.num_epochs + 1)
