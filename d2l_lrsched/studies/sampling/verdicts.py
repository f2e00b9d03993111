"""What was sampled, tested against the exact prediction and against the posterior.

The chains of all seeds of a setting are independent and nearly Gaussian: their noise is Gaussian,
their gradient's a sum over many draws. Of M chains the mean is tested by its normal deviate, the
variance by chi-square with M - 1 degrees of freedom, a time average by its normal deviate with the
standard deviation found over chains. All tests of a family together, of predictions, of final
samples or of time averages, are at `stats.LEVEL`; settings share their seeds, which Bonferroni's
rule allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from d2l_lrsched.studies.sampling.record import Moments, Pooled

POSTERIOR = Moments(np.zeros(2), np.eye(2))


def prediction_ps(pooled: Pooled) -> np.ndarray:
    """Return p of every mean and variance, and of the time averages, against the prediction."""
    averages = [
        _mean_ps(found, exact, pooled.num_chains)
        for of_weights in pooled.averages.values()
        for found, exact in of_weights.values()
    ]
    moments = _moment_ps(pooled.found, pooled.exact, pooled.num_chains)
    return np.concatenate([moments, *averages])


def posterior_ps(pooled: Pooled) -> np.ndarray:
    """Return p of the last means and variances against the posterior's."""
    last = Moments(pooled.found.mean[-1], pooled.found.covariance[-1])
    return _moment_ps(last, POSTERIOR, pooled.num_chains)


def average_ps(pooled: Pooled, weights: str) -> np.ndarray:
    """Return p of the time averages, 'weighted' or 'plain', against the posterior's."""
    averages = pooled.averages[weights]
    truths = {"mean": POSTERIOR.mean, "square": POSTERIOR.variance}
    return np.concatenate(
        [_mean_ps(averages[name][0], truth, pooled.num_chains) for name, truth in truths.items()]
    )


def bonferroni(families: Sequence[np.ndarray]) -> list[float]:
    """Return the least p of each, times the number of tests of all, at most 1."""
    count = sum(map(len, families))
    return [min(1.0, count * float(ps.min())) for ps in families]


def sampling_errors(num_chains: int) -> dict[str, float]:
    r"""Return how far M draws from the posterior itself would be from it, root mean square.

    Of the mean in one direction :math:`1 / \sqrt{M}`, of a variance :math:`\sqrt{2 / (M - 1)}`,
    of the 2-Wasserstein distance of a Gaussian fit to them, to first order,
    :math:`\sqrt{7 / (2 M)}`: 1 for each mean, 1/2 for each variance and 1/2 for the covariance.
    """
    return {
        "mean": 1 / math.sqrt(num_chains),
        "variance": math.sqrt(2 / (num_chains - 1)),
        "W2": math.sqrt(3.5 / num_chains),
    }


def _moment_ps(found: Moments, expected: Moments, num_chains: int) -> np.ndarray:
    deviates = (found.mean - expected.mean) / np.sqrt(expected.variance / num_chains)
    spread = stats.chi2(num_chains - 1)
    scaled = (num_chains - 1) * found.variance / expected.variance
    tails = np.minimum(spread.cdf(scaled), spread.sf(scaled))
    return np.concatenate([2 * stats.norm.sf(np.abs(deviates)).ravel(), 2 * tails.ravel()])


def _mean_ps(found: Moments, expected: np.ndarray, num_chains: int) -> np.ndarray:
    deviates = (found.mean - expected) / np.sqrt(found.variance / num_chains)
    return 2 * stats.norm.sf(np.abs(deviates))
