"""What stands for the clipping paper's words, one number a run, and how two arms differ by it.

Stability, convergence and effectiveness head the columns of its table 4.4, overfitting is named in
its section 4.3. The paper does not say how it measured them; these definitions are ours.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy import stats

from d2l_lrsched.runs.frames import WINDOW, window_means
from d2l_lrsched.runs.record import Run

#: The test accuracy that counts as converged.
GOAL = 0.85
#: Of Fashion-MNIST. Guessing has the loss ln 10 and the accuracy 1/10.
CLASSES = 10
#: Of the intervals, each taken by itself: they are not corrected for the number of claims.
CONFIDENCE = 0.95
#: Up to this many pairs all 2^n flips of their signs are tried, above it so many random ones.
MOST_PAIRS, RANDOM_FLIPS = 16, 100_000


@dataclass(frozen=True)
class Measure:
    """One number of a run that a claim is judged by.

    Attributes
    ----------
    name : str
    definition : str
        In one line, with the unit.
    of : callable
        Run -> float; nan where the measure makes no sense of the run, never infinite.
    better : {'higher', 'lower'}
    """

    name: str
    definition: str
    of: Callable[[Run], float]
    better: str


def _survival(run: Run) -> float:
    return float(run.outcome == "trained")


def _roughness(run: Run) -> float:
    means = window_means(run)
    # A dead network's flat curve is not a smooth training.
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
MEASURES: Mapping[str, Measure] = MappingProxyType({measure.name: measure for measure in _ALL})


class Paired(NamedTuple):
    """How two arms differ: pairs compared, mean difference, its interval and p-value."""

    n: int
    mean: float
    low: float
    high: float
    p: float


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    r"""Return the mean and its 95 % interval, :math:`\bar x \pm t_{0.975,\,n-1}\, s / \sqrt n`.

    Fewer than three values have the interval nan, none the mean nan; of equal values the interval
    has no width, which says that they do not vary here, not that the mean is known.
    """
    n = len(values)
    mean = fmean(values) if n else math.nan
    if n < 3:
        return mean, math.nan, math.nan
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n)
    return mean, float(mean - half), float(mean + half)


def sign_flip_p(differences: Sequence[float]) -> float:
    r"""Return the exact two-sided p-value of a mean of paired differences.

    If the arms do not differ, each difference is as likely with the other sign: p is the share of
    the :math:`2^n` ways to set the signs whose mean is as far from 0 as the observed one. Above 16
    pairs it is :math:`(1 + k) / (1 + N)` with k of N = 100,000 random ways, always the same ones.
    Of differences that are only -1, 0 and 1, as of survival, this is McNemar's exact test. Without
    differences, p is 1.

    Notes
    -----
    Fisher (1935), *The Design of Experiments*, section 21; Ernst (2004), *Permutation methods: a
    basis for exact inference*, Statistical Science 19:676-685; for random ways Phipson and Smyth
    (2010), Stat. Appl. Genet. Mol. Biol. 9:39.
    """
    values = np.asarray(differences, dtype=float)
    sums = np.abs(_signs(len(values)) @ values)
    # The same sum in another order may round otherwise.
    as_far = sums >= abs(values.sum()) - 1e-9 * np.abs(values).sum()
    if len(values) > MOST_PAIRS:
        return float((1 + as_far.sum()) / (1 + len(sums)))
    return float(as_far.mean())


@functools.cache
def _signs(n: int) -> np.ndarray:
    if n > MOST_PAIRS:
        bits = np.random.default_rng(0).integers(0, 2, (RANDOM_FLIPS, n))
    else:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return 1.0 - 2.0 * bits


def paired(runs_a: Iterable[Run], runs_b: Iterable[Run], measure: Measure) -> Paired:
    """Compare two arms by the differences b - a of the runs of one seed.

    Pairs in which the measure of either run is nan are left out: of roughness and overfitting the
    result holds for seeds that trained in both arms. Interval and p-value are `mean_interval` and
    `sign_flip_p` of the differences; for survival, whose differences are -1, 0 and 1, the former
    is rough and the latter exact.

    Raises
    ------
    ValueError
        If an arm has two runs of one seed, or a seed has a run in one arm only.
    """
    a, b = _by_seed(runs_a), _by_seed(runs_b)
    if alone := sorted(a.keys() ^ b.keys()):
        names = (f"{(a.get(seed) or b[seed]).experiment} seed {seed}" for seed in alone)
        raise ValueError(f"runs without a partner in the other arm: {', '.join(names)}")
    differences = [measure.of(b[seed]) - measure.of(a[seed]) for seed in sorted(a)]
    differences = [difference for difference in differences if not math.isnan(difference)]
    return Paired(len(differences), *mean_interval(differences), sign_flip_p(differences))


def _by_seed(runs: Iterable[Run]) -> dict[int, Run]:
    found: dict[int, Run] = {}
    for run in runs:
        if run.seed in found:
            raise ValueError(f"two runs of {run.experiment} seed {run.seed}")
        found[run.seed] = run
    return found
