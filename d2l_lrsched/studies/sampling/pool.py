"""The records of sampling put together: all seeds of a setting, with the exact numbers beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling.posterior import SETTINGS, Setting
from d2l_lrsched.studies.sampling.record import Record

#: A setting is near the posterior from when its distance stays below this.
NEAR = 0.25


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
