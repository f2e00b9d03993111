"""Intervals and tests: thin words over scipy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

#: Intervals are of 1 - LEVEL, and so are all claims together that a table adjusts together.
LEVEL = 0.05
#: All ways to set signs are tried where they are no more than this, else so many of them.
FLIPS = 100_000
#: Two sums that differ by so little of their terms' sum are equal.
ROUNDING = 1e-12
#: Spreads are pooled where the test of their equality gives at least this p-value: not the usual
#: 0.05, which would pool what merely cannot be told apart. Bancroft (1964), Biometrics 20:427-442.
ALIKE = 0.25


class Interval(NamedTuple):
    """Where a number lies; ``f"{interval:.2f}"`` says it, '-' where it is not known."""

    low: float
    high: float

    def __format__(self, digits: str) -> str:
        known = math.isfinite(self.low) or math.isfinite(self.high)
        return f"{self.low:{digits}} to {self.high:{digits}}" if known else "-"


class Paired(NamedTuple):
    """How two arms differ: pairs compared, mean difference, its interval and its p-value."""

    n: int
    mean: float
    interval: Interval
    p: float


def share(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Return the exact binomial (Clopper-Pearson) interval of a share, of 1 - level."""
    found = stats.binomtest(int(successes), n).proportion_ci(1 - level, method="exact")
    return Interval(float(found.low), float(found.high))


def fisher(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the two-sided p-value of Fisher's exact test of two (count, of how many)."""
    return float(stats.fisher_exact([[k, n - k] for k, n in (one, other)])[1])


def mean_interval(values: pd.Series) -> Interval:
    r"""Return the interval of a mean, :math:`\bar x \pm t_{0.975,\,n-1}\, s / \sqrt n`.

    nan of fewer than three values. Of equal values it has no width, which says that they do not
    vary here, not that the mean is known.
    """
    if len(values) < 3:
        return Interval(math.nan, math.nan)
    half = stats.t.ppf(1 - LEVEL / 2, len(values) - 1) * np.std(values, ddof=1)
    return _around(float(np.mean(values)), float(half / math.sqrt(len(values))))


def prediction(mean: float, n: int, spread: float, degrees: int, level: float) -> Interval:
    r"""Return where a new draw falls with probability 1 - level.

    :math:`\bar x \pm t_{1 - \alpha/2,\,\nu}\; s \sqrt{1 + 1/n}` with :math:`\nu` `degrees` of
    freedom of s.

    Notes
    -----
    Crawford and Howell (1998), *Comparing an individual's test score against norms derived from
    small samples*, The Clinical Neuropsychologist 12:482-486; Spence and Stanley (2016),
    *Prediction interval: what to expect when you're expecting ... a replication*, PLoS ONE
    11(9):e0162874.
    """
    half = stats.t.ppf(1 - level / 2, degrees) * spread * math.sqrt(1 + 1 / n)
    return _around(mean, float(half))


def _around(mean: float, half: float) -> Interval:
    return Interval(mean - half, mean + half)


def mean_sd(values: pd.Series, digits: int = 3) -> str:
    """Return mean ± standard deviation; the mean alone of one value, '-' of none."""
    if len(values) == 0:
        return "-"
    sd = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{sd}"


def spreads(groups: Mapping[str, pd.Series]) -> dict[str, tuple[float, int]]:
    """Return each group's standard deviation and its degrees of freedom.

    Pooled over all groups where Brown and Forsythe's test gives their equality a p-value above
    `ALIKE`, else each group's own. Groups of fewer than three join neither the test nor the pool.
    With ten draws a group the risk of a false alarm is what is claimed where the spreads are equal
    and where they clearly differ; in between, where one is twice the others, it is 7 % for 5 %.
    """
    able = {name: np.asarray(values) for name, values in groups.items() if len(values) > 2}
    with np.errstate(invalid="ignore", divide="ignore"):  # all values equal: no p-value, nan
        alike = len(able) < 2 or stats.levene(*able.values(), center="median").pvalue > ALIKE
    if not alike:
        return {name: (float(of.std(ddof=1)), len(of) - 1) for name, of in able.items()}
    degrees = sum(len(of) - 1 for of in able.values())
    pooled = sum((len(of) - 1) * of.var(ddof=1) for of in able.values()) / max(degrees, 1)
    return dict.fromkeys(able, (math.sqrt(pooled), degrees))


def paired(a: pd.Series, b: pd.Series) -> Paired:
    r"""Compare two arms, indexed by seed, by the differences b - a of the runs of one seed.

    Pairs of which one is nan are left out. If the arms do not differ, each difference is as likely
    with the other sign: p is the share of the :math:`2^n` ways to set the signs whose mean is as
    far from 0 as theirs. Without differences p is 1. The interval is that test's: of all shifts,
    the same for every pair, that taken off the differences leave a p-value above `LEVEL`. It is
    infinite where no p-value of so few pairs is as small. Of more than 16 pairs `FLIPS` ways stand
    for all, theirs and random ones, so that p is never below 1 / FLIPS.

    Raises
    ------
    ValueError
        If an arm has two runs of one seed, or a seed has a run in one arm only.

    Notes
    -----
    Fisher (1935), *The Design of Experiments*, section 21; Ernst (2004), *Permutation methods: a
    basis for exact inference*, Statistical Science 19:676-685. For the interval: Hartigan (1969),
    *Using subsample values as typical values*, JASA 64:1303-1317.
    """
    check_pairs(a, b)
    d = (b - a).dropna().to_numpy(dtype=float)
    if not len(d):
        return Paired(0, math.nan, Interval(math.nan, math.nan), 1.0)
    turned, size = _turned(len(d))
    of_turned = turned @ d
    sums = np.abs(d.sum() - 2 * of_turned)
    as_far = sums >= abs(d.sum()) - ROUNDING * np.abs(d).sum()
    return Paired(len(d), float(d.mean()), _not_refuted(d, of_turned, size), float(as_far.mean()))


@lru_cache(maxsize=4)
def _turned(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a row a way to set n signs, True where one is turned, and how many each way turns.

    All ways, or `FLIPS` of them.
    """
    if 2**n <= FLIPS:
        turned = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    else:
        turned = np.random.default_rng(0).random((FLIPS, n)) < 0.5
        turned[0] = False
    return turned, turned.sum(axis=1)


def check_pairs(a: pd.Series, b: pd.Series) -> None:
    """Raise ValueError unless two arms, indexed by seed, have the same seeds, each once."""
    for arm in (a, b):
        if not arm.index.is_unique:
            raise ValueError(f"two runs of seeds {sorted(set(arm.index[arm.index.duplicated()]))}")
    if alone := sorted(set(a.index) ^ set(b.index)):
        raise ValueError(f"runs without a partner in the other arm: seeds {alone}")


def _not_refuted(d: np.ndarray, of_subset: np.ndarray, size: np.ndarray) -> Interval:
    r"""Return the shifts of the differences d that the sign-flip test does not refute.

    Turn the signs of a subset: the mean of :math:`d - \delta` is then as far from 0 as without, if
    and only if :math:`\delta` lies between the subset's own mean of d and that of the others. So
    the p-value of a shift is the share of subsets whose two means enclose it. Each has a sum and a
    size.
    """
    n = len(d)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = of_subset / size, (d.sum() - of_subset) / (n - size)
    whole = (size == 0) | (size == n)  # as far from 0 whatever the shift
    low = np.sort(np.where(whole, -math.inf, np.minimum(*means)))
    high = np.sort(np.where(whole, math.inf, np.maximum(*means)))
    rank = math.floor(LEVEL * len(low))  # so many may lie beyond the end
    return Interval(float(low[rank]), float(high[-1 - rank]))


def holm(p_values: Sequence[float]) -> np.ndarray:
    r"""Return the p-values adjusted for their number, in the order given.

    The i-th smallest of m becomes :math:`\max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})`. It holds
    however the tests depend on one another. Holm (1979), *A simple sequentially rejective multiple
    test procedure*, Scandinavian Journal of Statistics 6:65-70.
    """
    order = np.argsort(p_values, kind="stable")
    left = np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(left * np.asarray(p_values)[order]))
    return adjusted
