"""The record of a benchmark: one line of JSON, which `runs.record` reads and appends."""

from __future__ import annotations

from typing import Dict, List, Literal, Optional, Tuple  # noqa: UP035

import msgspec
from msgspec import Struct


class Contender(Struct, frozen=True, forbid_unknown_fields=True):
    """What takes its turn: `copies` processes at once, each of so many threads.

    `threads` None leaves the number to the library, as a reader's own run does.
    """

    # msgspec evaluates the annotations, on Python 3.9 too.
    name: str
    kind: str
    threads: Optional[int] = 1  # noqa: UP045
    copies: int = 1


class Measured(Contender, frozen=True, kw_only=True):
    """A contender, its seconds for an epoch of all copies, round by round, and its peak memory."""

    seconds: List[float]  # noqa: UP006
    peak_mb: float


class Operation(Struct, frozen=True, array_like=True):
    """The seconds that an operation took in one direction, such as 'forward', by one kernel."""

    operation: str
    direction: str
    kernel: str
    seconds: float


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """Where an epoch's seconds go; what is missing from the sum was not done by oneDNN."""

    seconds: float
    operations: List[Operation]  # noqa: UP006


class Benchmark(Struct, frozen=True, forbid_unknown_fields=True):
    """All that `measure` measures, in seconds, each list with one number a round.

    Attributes
    ----------
    started : str
        UTC, ISO 8601.
    versions, processor, memory_gb, cores
        What it was measured with.
    start_ups : dict
        Command -> its start and end.
    runs_at_once : dict
        Number of runs -> all of them, start-up included.
    extras : dict
        One of `epochs.EXTRAS` -> pairs of epochs of one process with the fast net, some a round:
        without it, and with it. Older records had contenders instead.
    profiles : dict
        Kind of contender -> where one of its epochs' seconds go.
    """

    started: str
    versions: Dict[str, str]  # noqa: UP006
    processor: str
    memory_gb: float
    cores: int
    rounds: int
    contenders: List[Measured]  # noqa: UP006
    start_ups: Dict[str, List[float]]  # noqa: UP006
    runs_at_once: Dict[str, List[float]]  # noqa: UP006
    profiles: Dict[str, Profile]  # noqa: UP006
    extras: Dict[str, List[Tuple[float, float]]] = msgspec.field(default_factory=dict)  # noqa: UP006
    schema: Literal[1] = 1
