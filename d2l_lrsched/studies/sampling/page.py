"""What was sampled against the exact prediction and against the posterior, tested and in tables.

The chains of all seeds of a setting are independent and nearly Gaussian: their noise is Gaussian,
their gradient's a sum over many draws. Of M chains the mean is tested by its normal deviate, the
variance by chi-square with M - 1 degrees of freedom, a time average by its normal deviate with the
standard deviation found over chains. Settings share their seeds, which Bonferroni's rule allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling.pool import Sampled, pool
from d2l_lrsched.studies.sampling.posterior import LangevinScheduler, Setting
from d2l_lrsched.studies.sampling.record import Record

#: Of all tests of a family together: of predictions, of final samples and of time averages.
LEVEL = 0.05
TABLE_HEADER = (
    *("setting", "step", "variance, narrow (exact)", "variance, wide (exact)"),
    *("mean off by (exact)", "W2 (exact)", "near from update", "lost"),
    *("agrees with the prediction", "agrees with the posterior"),
)
AVERAGE_HEADER = (
    *("setting", "weights", "mean off by (exact)", "square, narrow (exact)"),
    *("square, wide (exact)", "one chain's error: mean", "square", "agrees with the posterior"),
)


def prediction_ps(sampled: Sampled) -> np.ndarray:
    """Return p of every mean and variance, and of the time averages, against the prediction."""
    moments = _moment_ps(sampled, slice(None), sampled.exact_means, sampled.exact_variances)
    averages = [
        _average_ps(sampled, weights, sampled.exact_averages[weights])
        for weights in sampled.averages
    ]
    return np.concatenate([moments, *averages])


def posterior_ps(sampled: Sampled) -> np.ndarray:
    """Return p of the last means and variances against the posterior's."""
    return _moment_ps(sampled, slice(-1, None), np.zeros((1, 2)), np.ones((1, 2)))


def average_ps(sampled: Sampled, weights: str) -> np.ndarray:
    """Return p of the time averages, 'weighted' or 'plain', against the posterior's."""
    return _average_ps(sampled, weights, {"mean": np.zeros(2), "square": np.ones(2)})


def table_rows(records: Iterable[Record]) -> list[tuple[str, ...]]:
    """Return one row of texts a setting, with the columns of `TABLE_HEADER`: the last update.

    Variances are ratios to the posterior's; the mean's error is that of the worse direction. A p
    is the least one times the number of all tests of its family, at most 1.
    """
    pooled = pool(records)
    predictions = _verdicts([prediction_ps(sampled) for sampled in pooled])
    posteriors = _verdicts([posterior_ps(sampled) for sampled in pooled])
    return [
        (
            sampled.setting.name,
            _step_text(sampled.setting),
            *(
                _pair(found, exact)
                for found, exact in zip(sampled.variances[-1], sampled.exact_variances[-1])
            ),
            _pair(np.abs(sampled.means[-1]).max(), np.abs(sampled.exact_means[-1]).max()),
            _pair(sampled.distances[-1], sampled.exact_distances[-1]),
            "never" if sampled.near is None else str(sampled.near),
            f"{sampled.lost} of {sampled.num_chains}",
            prediction,
            posterior,
        )
        for sampled, prediction, posterior in zip(pooled, predictions, posteriors)
    ]


def average_rows(records: Iterable[Record]) -> list[tuple[str, ...]]:
    """Return rows with the columns of `AVERAGE_HEADER`: averages over time, the paper's (11).

    Squares are ratios to the posterior's variance. Where the step is fixed the weighted average is
    the plain one. One chain's error is the root mean square error of its own average, of the worse
    direction.
    """
    kept = [
        (sampled, weights)
        for sampled in pool(records)
        for weights in sampled.averages
        if weights == "weighted" or isinstance(sampled.setting.step, LangevinScheduler)
    ]
    verdicts = _verdicts([average_ps(sampled, weights) for sampled, weights in kept])
    rows: list[tuple[str, ...]] = []
    for (sampled, weights), verdict in zip(kept, verdicts):
        found, exact = sampled.averages[weights], sampled.exact_averages[weights]
        rows.append(
            (
                sampled.setting.name,
                weights,
                _pair(np.abs(found["mean"]).max(), np.abs(exact["mean"]).max()),
                *(_pair(*pair) for pair in zip(found["square"], exact["square"])),
                f"{np.hypot(found['mean'], found['mean_sd']).max():.3g}",
                f"{np.hypot(found['square'] - 1, found['square_sd']).max():.3g}",
                verdict,
            )
        )
    return rows


def sampling_errors(num_chains: int) -> dict[str, float]:
    r"""Return how far M draws from the posterior itself would be from it, root mean square.

    Of the mean in one direction :math:`1 / \sqrt{M}`, of a variance :math:`\sqrt{2 / (M - 1)}`,
    of the 2-Wasserstein distance of a Gaussian fit to them, to first order,
    :math:`\sqrt{7 / (2 M)}`: 1 for each mean, 1/2 for each variance and 1/2 for the covariance.

    Parameters
    ----------
    num_chains : int
        M, at least 2.
    """
    return {
        "mean": 1 / math.sqrt(num_chains),
        "variance": math.sqrt(2 / (num_chains - 1)),
        "W2": math.sqrt(3.5 / num_chains),
    }


def method(records: Iterable[Record]) -> str:
    """Return in words by what the tables' verdicts are reached, with the sampling errors."""
    pooled = pool(records)
    chains = min(sampled.num_chains for sampled in pooled)
    errors = sampling_errors(chains)
    predictions = sum(len(prediction_ps(sampled)) for sampled in pooled)
    posteriors = sum(len(posterior_ps(sampled)) for sampled in pooled)
    return (
        f"Of {chains} independent chains a setting the mean has a standard error of "
        f"{errors['mean']:.3f} posterior standard deviations and a variance one of "
        f"{errors['variance']:.1%}; as many draws from the posterior itself have a W2 of about "
        f"{errors['W2']:.3f}. A setting agrees with the prediction unless one of its means and "
        f"variances, at any recorded update, or of its time averages differs at "
        f"{LEVEL:.0%} over all {predictions} tests (Bonferroni); with the posterior, unless one "
        f"at the last update does over all {posteriors}. Agreement means no difference that so "
        "many chains show."
    )


def _moment_ps(sampled: Sampled, at: slice, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    count = sampled.num_chains
    deviates = (sampled.means[at] - means) / np.sqrt(variances / count)
    scaled = (count - 1) * sampled.variances[at] / variances
    tails = np.minimum(stats.chi2.cdf(scaled, count - 1), stats.chi2.sf(scaled, count - 1))
    return np.concatenate([2 * stats.norm.sf(np.abs(deviates)).ravel(), 2 * tails.ravel()])


def _average_ps(sampled: Sampled, weights: str, expected: dict[str, np.ndarray]) -> np.ndarray:
    found = sampled.averages[weights]
    deviates = [
        (found[name] - expected[name]) / found[f"{name}_sd"] * math.sqrt(sampled.num_chains)
        for name in ("mean", "square")
    ]
    return 2 * stats.norm.sf(np.abs(np.concatenate(deviates)))


def _verdicts(families: Sequence[np.ndarray]) -> list[str]:
    """Return a verdict on the least p of each, all being one family of tests."""
    count = sum(map(len, families))
    adjusted = [min(1.0, count * float(ps.min())) for ps in families]
    return [f"{'no' if p < LEVEL else 'yes'}, p {_p_text(p)}" for p in adjusted]


def _p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _step_text(setting: Setting) -> str:
    if isinstance(setting.step, float):
        return f"{setting.step:g}"
    first, last = setting.step(0), setting.step(langevin.NUM_UPDATES)
    return f"{first:g} to {last:g}, gamma {setting.step.gamma:g}"


def _pair(found: Any, exact: Any) -> str:
    return f"{found:.3g} ({exact:.3g})"
