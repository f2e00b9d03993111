"""The records of sampling: JSON lines, one a setting and seed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Dict, List, Literal  # noqa: UP035  msgspec evaluates them

import msgspec
from msgspec import Meta, Struct

from d2l_lrsched.files import PathLike, user_path, whole_file
from d2l_lrsched.runs import record as store

Pair = Annotated[List[float], Meta(min_length=2, max_length=2)]  # noqa: UP006
Triple = Annotated[List[float], Meta(min_length=3, max_length=3)]  # noqa: UP006


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """What the chains of one setting and seed did; lengths are in theta's units.

    Attributes
    ----------
    setting : str
        One of `langevin.SETTINGS`.
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
    averages : dict
        'weighted', by the steps, and 'plain': of the chains' time averages of theta and of its
        square, in posterior units and by direction, the mean and the standard deviation over
        chains, as 'mean', 'mean_sd', 'square' and 'square_sd'.
    final : list of [float, float]
        Theta of the first chains at the end.
    lost : int
        Chains that ended more than `sgld.LOST` posterior standard deviations from its mean.
    versions, processor, threads
        As a `store.Run` has them.
    """

    setting: str
    seed: int
    settings: Dict[str, Any]  # noqa: UP006
    updates: List[int]  # noqa: UP006
    means: List[Pair]  # noqa: UP006
    covariances: List[Triple]  # noqa: UP006
    averages: Dict[str, Dict[str, Pair]]  # noqa: UP006
    final: List[Pair]  # noqa: UP006
    lost: int
    seconds: float
    versions: Dict[str, str]  # noqa: UP006
    processor: str
    threads: int
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        n = len(self.updates)
        if not n or len(self.means) != n or len(self.covariances) != n:
            raise ValueError("updates, means and covariances are not as many, or none")
        names = {"mean", "mean_sd", "square", "square_sd"}
        if [*self.averages] != ["weighted", "plain"] or any(
            average.keys() != names for average in self.averages.values()
        ):
            raise ValueError(f"averages are not weighted and plain, each with {sorted(names)}")


def write(path: PathLike, records: Iterable[Record]) -> None:
    """Write the records as the whole file, or leave the old one as it is.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(msgspec.json.Encoder().encode_lines(records))


def read(path: PathLike) -> list[Record]:
    """Return the file's records in its order; none if there is no file.

    Raises
    ------
    StoreError
        If the file cannot be read, or a line is no such record; it names file, line and fault.
    """
    return store.read(path, Record) if user_path(path).exists() else []
