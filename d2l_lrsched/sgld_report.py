"""What was sampled against the exact prediction and against the posterior, tested and in tables.

The chains of all seeds of a setting are independent and nearly Gaussian: their noise is Gaussian,
their gradient's a sum over many draws. Of M chains the mean is tested by its normal deviate, the
variance by chi-square with M - 1 degrees of freedom, a time average by its normal deviate with the
standard deviation found over chains. Settings share their seeds, which Bonferroni's rule allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from d2l_lrsched import langevin
from d2l_lrsched.langevin import SETTINGS, LangevinScheduler, Setting
from d2l_lrsched.sgld_records import Record

#: Of all tests of a family together: of predictions, of final samples and of time averages.
LEVEL = 0.05
#: A setting is near the posterior from when its distance stays below this.
NEAR = 0.25
TABLE_HEADER = (
    *("setting", "step", "variance, narrow (exact)", "variance, wide (exact)"),
    *("mean off by (exact)", "W2 (exact)", "near from update", "lost"),
    *("agrees with the prediction", "agrees with the posterior"),
)
AVERAGE_HEADER = (
    *("setting", "weights", "mean off by (exact)", "square, narrow (exact)"),
    *("square, wide (exact)", "one chain's error: mean", "square", "agrees with the posterior"),
)


@dataclass(frozen=True)
class Sampled:
    """All seeds of one setting together, with the exact numbers beside; in posterior units.

    Attributes
    ----------
    setting : Setting
    num_chains : int
        Of all seeds.
    updates : list of int
    means, exact_means, exact_variances : numpy.ndarray of shape (updates, 2)
    covariances : numpy.ndarray of shape (updates, 2, 2)
    averages, exact_averages : dict
        'weighted' and 'plain', each with 'mean' and 'square', and the former with 'mean_sd' and
        'square_sd' too, over chains: numpy.ndarray of shape (2,).
    lost : int
    """

    setting: Setting
    num_chains: int
    updates: list[int]
    means: np.ndarray
    covariances: np.ndarray
    exact_means: np.ndarray
    exact_variances: np.ndarray
    averages: dict[str, dict[str, np.ndarray]]
    exact_averages: dict[str, dict[str, np.ndarray]]
    lost: int

    @property
    def variances(self) -> np.ndarray:
        """Of the chains, of shape (updates, 2)."""
        return np.diagonal(self.covariances, axis1=1, axis2=2)

    @property
    def distances(self) -> list[float]:
        """The 2-Wasserstein distance of a Gaussian fit to the chains from the posterior."""
        return [langevin.wasserstein(m, c) for m, c in zip(self.means, self.covariances)]

    @property
    def exact_distances(self) -> list[float]:
        """The same of the prediction."""
        return [
            langevin.wasserstein(m, np.diag(v))
            for m, v in zip(self.exact_means, self.exact_variances)
        ]

    @property
    def near(self) -> int | None:
        """The first update from which on all distances are below `NEAR`; None if there is none."""
        far = [i for i, distance in enumerate(self.distances) if not distance < NEAR]
        first = far[-1] + 1 if far else 0
        return self.updates[first] if first < len(self.updates) else None


def pool(records: Iterable[Record]) -> list[Sampled]:
    """Return the records of each setting together, in the order of `SETTINGS`.

    Raises
    ------
    ValueError
        If the records of a setting differ in their settings or updates.
    """
    records = list(records)
    groups = [[r for r in records if r.setting == name] for name in SETTINGS]
    return [_pooled(group) for group in groups if group]


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


def _pooled(records: Sequence[Record]) -> Sampled:
    first = records[0]
    for record in records:
        if (record.settings, record.updates) != (first.settings, first.updates):
            raise ValueError(
                f"records: seeds {first.seed} and {record.seed} of {first.setting} must have the "
                "same settings and updates"
            )
    setting = SETTINGS[first.setting]
    each = first.settings["num_chains"]
    num_chains = each * len(records)
    seed_means = langevin.standardize([record.means for record in records])
    raw = np.array([record.covariances for record in records])[..., [0, 1, 1, 2]]
    seed_covariances = langevin.standardize_covariance(raw.reshape(*raw.shape[:-1], 2, 2))
    means = seed_means.mean(axis=0)
    apart = seed_means - means
    between = each * np.einsum("sti,stj->tij", apart, apart)
    steps = setting.steps(first.settings["num_updates"])
    exact_means, exact_variances = langevin.predict(steps, setting.noise)
    return Sampled(
        setting=setting,
        num_chains=num_chains,
        updates=first.updates,
        means=means,
        covariances=((each - 1) * seed_covariances.sum(axis=0) + between) / (num_chains - 1),
        exact_means=exact_means[first.updates],
        exact_variances=exact_variances[first.updates],
        averages={
            weights: _pooled_average([record.averages[weights] for record in records], each)
            for weights in first.averages
        },
        exact_averages={
            weights: {
                "mean": np.average(exact_means[1:][burnt:], axis=0, weights=by),
                "square": np.average(
                    (exact_variances + exact_means**2)[1:][burnt:], axis=0, weights=by
                ),
            }
            for burnt in [first.settings["burn_in"]]
            for weights, by in (("weighted", steps[burnt:]), ("plain", np.ones_like(steps[burnt:])))
        },
        lost=sum(record.lost for record in records),
    )


def _pooled_average(averages: Sequence[dict[str, list[float]]], each: int) -> dict[str, np.ndarray]:
    pooled = {}
    num_chains = each * len(averages)
    for name in ("mean", "square"):
        of_seeds = np.array([average[name] for average in averages])
        within = np.array([average[f"{name}_sd"] for average in averages]) ** 2
        pooled[name] = of_seeds.mean(axis=0)
        between = each * ((of_seeds - pooled[name]) ** 2).sum(axis=0)
        pooled[f"{name}_sd"] = np.sqrt(
            ((each - 1) * within.sum(axis=0) + between) / (num_chains - 1)
        )
    return pooled


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
