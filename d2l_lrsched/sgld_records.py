"""The records of sampling: JSON lines, one a setting and seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from d2l_lrsched.paths import PathLike, user_path
from d2l_lrsched.store import StoreError, read_lines, whole_file

SCHEMA = 1
_KINDS: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "dict": dict, "list": list}


@dataclass(frozen=True)
class Record:
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
    seconds : float
    versions : dict
        As `provenance.versions` gives them.
    processor : str
    threads : int
        OpenMP threads.
    schema : int
    """

    setting: str
    seed: int
    settings: dict[str, Any]
    updates: list[int]
    means: list[list[float]]
    covariances: list[list[float]]
    averages: dict[str, dict[str, list[float]]]
    final: list[list[float]]
    lost: int
    seconds: float
    versions: dict[str, str]
    processor: str
    threads: int
    schema: int = SCHEMA


def write(path: PathLike, records: Iterable[Record]) -> None:
    """Write the records as the whole file, or leave the old one as it is.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If a number is not finite.
    """
    lines = [json.dumps(asdict(record), allow_nan=False) + "\n" for record in records]
    with whole_file(path) as temporary:
        temporary.write_text("".join(lines))


def read(path: PathLike) -> list[Record]:
    """Return the file's records in its order; none if there is no file.

    Raises
    ------
    StoreError
        If the file cannot be read, or a line is no record of this schema; it names file, line and
        fault.
    """
    path = user_path(path)
    return [_parse(line, where) for where, line in read_lines(path)] if path.exists() else []


def _parse(line: bytes, where: str) -> Record:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: no JSON ({error})") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise StoreError(f"{where}: no record of schema {SCHEMA}")
    if odd := {f.name for f in fields(Record)} ^ found.keys():
        raise StoreError(f"{where}: fields missing or unknown: {', '.join(sorted(odd))}")
    for f in fields(Record):
        value = found[f.name]
        kind = _KINDS[str(f.type).partition("[")[0]]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise StoreError(f"{where}: {f.name} is {value!r:.40}, not of type {f.type}")
    record = Record(**found)
    rows = len(record.updates)
    table = (("means", rows, 2), ("covariances", rows, 3), ("final", len(record.final), 2))
    for name, length, width in table:
        value = getattr(record, name)
        if len(value) != length or not all(_are_numbers(row, width) for row in value):
            raise StoreError(f"{where}: {name} is not {length} rows of {width} finite numbers")
    if not rows or not _are_numbers(record.updates, rows):
        raise StoreError(f"{where}: updates is not a list of finite numbers")
    for weights in ("weighted", "plain"):
        average = record.averages.get(weights)
        for name in ("mean", "mean_sd", "square", "square_sd"):
            if not isinstance(average, dict) or not _are_numbers(average.get(name), 2):
                raise StoreError(f"{where}: averages has no two finite numbers {weights} {name}")
    return record


def _are_numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        and all(map(math.isfinite, values))
    )
