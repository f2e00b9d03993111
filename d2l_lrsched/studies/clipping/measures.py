"""What stands for the clipping paper's words, one number a run.

Stability, convergence and effectiveness head the columns of its table 4.4, overfitting is named in
its section 4.3. The paper does not say how it measured them; these definitions are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
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
    """One number of a run that a claim is judged by; `better` is 'higher' or 'lower'.

    `of` gives nan where the measure makes no sense of the run, and never what is infinite.
    """

    name: str
    definition: str
    of: Callable[[Run], float]
    better: str


def _survival(run: Run) -> float:
    return float(run.outcome == "trained")


def _roughness(run: Run) -> float:
    means = window_means(run)
    # A collapsed network's flat curve is not a smooth training.
    if run.outcome != "trained" or not np.isfinite(means).all():
        return math.nan
    return float(np.maximum(np.diff(means), 0).sum())


def _epochs_to_goal(run: Run) -> float:
    reached = (i for i, epoch in enumerate(run.epochs, start=1) if epoch.test_acc >= GOAL)
    return float(next(reached, run.num_epochs + 1))


def _final_loss(run: Run) -> float:
    return math.log(CLASSES) if run.outcome == "non-finite" else run.final.train_loss


def _test_accuracy(run: Run) -> float:
    return 1 / CLASSES if run.outcome == "non-finite" else run.final.test_acc


def _overfitting(run: Run) -> float:
    if run.outcome != "trained":
        return math.nan
    return run.final.train_acc - run.final.test_acc


_ALL = (
    Measure(
        "survival",
        "1 if the run neither collapsed nor turned non-finite, else 0",
        _survival,
        "higher",
    ),
    Measure(
        "roughness",
        f"sum of all rises of the mean training loss (nats) from one window of {WINDOW} batches to "
        "the next, over the whole run; only of a run that trained",
        _roughness,
        "lower",
    ),
    Measure(
        f"epochs to {GOAL}",
        f"first epoch after which the test accuracy is at least {GOAL}; one more than the run's "
        "epochs if none is",
        _epochs_to_goal,
        "lower",
    ),
    Measure(
        "final loss",
        "training loss (nats) of the last epoch, collapsed runs as they are, non-finite ones as if "
        f"they guessed: ln {CLASSES}",
        _final_loss,
        "lower",
    ),
    Measure(
        "test accuracy",
        "share of the test images classified rightly after the last epoch, collapsed runs as they "
        f"are, non-finite ones as if they guessed: 1/{CLASSES}",
        _test_accuracy,
        "higher",
    ),
    Measure(
        "overfitting",
        "training accuracy, averaged while the last epoch trained, minus the test accuracy after "
        "it, so that it may be below 0; only of a run that trained",
        _overfitting,
        "lower",
    ),
)
#: Name -> measure.
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}


def measure(runs: Iterable[Run]) -> pd.DataFrame:
    """Return every measure of every run: a row a run, by experiment and seed."""
    table = of_runs(runs)
    return pd.DataFrame({m.name: table.run.map(m.of).astype(float) for m in MEASURES.values()})
