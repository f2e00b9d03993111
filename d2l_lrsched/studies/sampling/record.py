"""The records of sampling, one a setting and seed, and all seeds of a setting put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Dict, List, Literal, NamedTuple  # noqa: UP035

import numpy as np
from msgspec import Meta, Struct

from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.runs import record
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling.posterior import SETTINGS, Setting

# msgspec evaluates the annotations, on Python 3.9 too.
Pair = Annotated[List[float], Meta(min_length=2, max_length=2)]  # noqa: UP006
Triple = Annotated[List[float], Meta(min_length=3, max_length=3)]  # noqa: UP006

#: A setting is near the posterior from when its distance stays below this.
NEAR = 0.25
#: A draw from the posterior is farther than this from its mean once in 10^21.
FAR = 10.0


class Average(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the chains' time averages of theta and of its square: mean and deviation over chains.

    In posterior units, by direction.
    """

    mean: Pair
    mean_sd: Pair
    square: Pair
    square_sd: Pair


class Averages(Struct, frozen=True, forbid_unknown_fields=True):
    """The time averages weighted by the steps, as the paper's (11), and the plain ones."""

    weighted: Average
    plain: Average


class Samples(Struct, frozen=True, forbid_unknown_fields=True):
    """What the chains of one setting and seed did; lengths are in theta's units.

    Attributes
    ----------
    setting : str
        One of `posterior.SETTINGS`.
    seed : int
        Of minibatches and noise.
    settings : dict
        optimizer, step (a number, or the schedule's a, b and gamma), num_updates, num_chains and
        burn_in, the updates that the time averages leave out.
    updates : list of int
        After which the moments were taken.
    means : list of [float, float]
        The chains' mean theta after each of them.
    covariances : list of [float, float, float]
        And their covariance (divided by chains - 1): first variance, covariance, second variance.
    averages : Averages
    final : list of [float, float]
        Theta of the first chains at the end.
    far : int
        Chains that ended more than `FAR` posterior standard deviations from its mean.
    versions, processor, threads
        As a `Run` has them.
    """

    setting: str
    seed: int
    settings: Dict[str, Any]  # noqa: UP006
    updates: Annotated[List[int], Meta(min_length=1)]  # noqa: UP006
    means: List[Pair]  # noqa: UP006
    covariances: List[Triple]  # noqa: UP006
    averages: Averages
    final: List[Pair]  # noqa: UP006
    far: int
    seconds: float
    versions: Dict[str, str]  # noqa: UP006
    processor: str
    threads: int
    schema: Literal[2] = 2

    def __post_init__(self) -> None:
        if not len(self.updates) == len(self.means) == len(self.covariances):
            raise ValueError("updates, means and covariances are not as many")

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes samples the same as others: setting, seed, updates and settings."""
        return record.key(self.setting, self.seed, self.updates[-1], self.settings)


def read(path: PathLike) -> list[Samples]:
    """Return the file's records in its order; none if there is no file.

    Raises
    ------
    StoreError
        If the file cannot be read, or a line is no such record; it names file, line and fault.
    """
    return record.read(path, Samples) if user_path(path).exists() else []


class Moments(NamedTuple):
    """Of all chains of a setting, in posterior units: of shape (..., 2) and (..., 2, 2)."""

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Along the two axes, of shape (..., 2)."""
        return np.diagonal(self.covariance, axis1=-2, axis2=-1)

    @property
    def distance(self) -> np.ndarray:
        """The 2-Wasserstein distance of a Gaussian of these moments from the posterior."""
        return posterior.wasserstein(self.mean, self.covariance)


class Pooled(NamedTuple):
    """All seeds of a setting together, with the exact numbers of the prediction beside.

    `found` and `exact` are after each of `updates`. The averages are 'weighted' and 'plain', each
    of 'mean' and 'square', the position and its square: what was found over chains, and the exact
    mean.
    """

    setting: Setting
    num_chains: int
    far: int
    updates: list[int]
    found: Moments
    exact: Moments
    averages: dict[str, dict[str, tuple[Moments, np.ndarray]]]

    @property
    def near(self) -> int | None:
        """The first update from which on all distances are below `NEAR`; None if there is none."""
        distant = np.flatnonzero(~(self.found.distance < NEAR))
        first = distant[-1] + 1 if len(distant) else 0
        return self.updates[first] if first < len(self.updates) else None


def pool(samples: Iterable[Samples]) -> list[Pooled]:
    """Return the records of each setting together, in the order of `SETTINGS`.

    Raises
    ------
    ValueError
        If the records of a setting differ in their settings or updates.
    """
    samples = list(samples)
    groups = [[one for one in samples if one.setting == name] for name in SETTINGS]
    return [_pooled(group) for group in groups if group]


def _pooled(samples: Sequence[Samples]) -> Pooled:
    first = samples[0]
    if any((one.settings, one.updates) != (first.settings, first.updates) for one in samples):
        raise ValueError(f"records of {first.setting} differ in their settings or updates")
    setting, each = SETTINGS[first.setting], first.settings["num_chains"]
    steps = setting.steps(first.settings["num_updates"])
    means, variances = posterior.predict(steps, setting.noise)
    burn_in = first.settings["burn_in"]
    averages: dict[str, dict[str, tuple[Moments, np.ndarray]]] = {}
    for weights, by in (("weighted", steps), ("plain", np.ones_like(steps))):
        averages[weights] = {}
        for name, exact in (("mean", means), ("square", variances + means**2)):
            ours = [getattr(one.averages, weights) for one in samples]
            found = np.array([getattr(average, name) for average in ours])
            within = np.array([getattr(average, f"{name}_sd") for average in ours]) ** 2
            averages[weights][name] = (
                _together(found, within[..., None] * np.eye(2), each),
                np.average(exact[1:][burn_in:], axis=0, weights=by[burn_in:]),
            )
    covariances = np.array([one.covariances for one in samples])[..., [[0, 1], [1, 2]]]
    return Pooled(
        setting=setting,
        num_chains=each * len(samples),
        far=sum(one.far for one in samples),
        updates=first.updates,
        found=_together(
            posterior.standardize([one.means for one in samples]),
            posterior.standardize_covariance(covariances),
            each,
        ),
        exact=Moments(means[first.updates], variances[first.updates, :, None] * np.eye(2)),
        averages=averages,
    )


def _together(means: np.ndarray, covariances: np.ndarray, each: int) -> Moments:
    """Return the moments of all chains from those of each seed, by the law of total covariance."""
    mean = means.mean(axis=0)
    between = each * np.einsum("s...i,s...j->...ij", means - mean, means - mean)
    within = (each - 1) * covariances.sum(axis=0)
    return Moments(mean, (within + between) / (each * len(means) - 1))
