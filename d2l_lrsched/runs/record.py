"""Run records: JSON lines, one finished run a line, only ever appended."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import warnings
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Dict, List, Literal, Optional  # noqa: UP035

import msgspec
from msgspec import Meta, Struct

from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.training.history import Epoch, Number, Outcome, Point, none_is_nan

# What decoding raises; msgspec's own are no ValueErrors in the versions for Python 3.9.
_NO_RECORD = (msgspec.MsgspecError, ValueError, RecursionError)


#: Settings that no experiment decides, in a record only where they are not as usual: the release
#: of the data, the seed of the order of the training examples, and that of another split.
CHOSEN = ("release", "order", "split")


class StoreError(RuntimeError):
    """A file of records cannot be used; the message names file, line and fault."""


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """One finished run, with all that is needed to repeat and to judge it.

    Attributes
    ----------
    experiment, seed, settings
        Which run: the experiment's name, the seed of initialization and shuffling, and the
        settings that `Experiment.settings` gives, with `net`, a name in `nets.NETS`, today or once,
        and those of `CHOSEN`.
    num_epochs : int
        Epochs asked for; `epochs` is shorter if the run turned non-finite.
    points : list of Point
        The training curve between the epochs' ends.
    schedule : list of float or None
        The scheduler's values as plotted before training.
    seconds : float
        Training and tests, without start-up.
    started : str
        UTC, ISO 8601: when the process that finished the run began with it.
    versions, processor, threads, data
        What it was made with: python, mxnet, d2l, numpy, d2l_lrsched and, in a checkout, its
        commit; the processor's name; OpenMP threads; file name -> SHA-256 of its decompressed
        content, of the first release SHA-1 of the .gz file.
    """

    # msgspec evaluates the annotations, on Python 3.9 too.
    experiment: str
    seed: Annotated[int, Meta(ge=0)]
    settings: Dict[str, Any]  # noqa: UP006
    num_epochs: Annotated[int, Meta(ge=1)]
    outcome: Outcome
    epochs: Annotated[List[Epoch], Meta(min_length=1)]  # noqa: UP006
    points: List[Point]  # noqa: UP006
    schedule: Optional[List[float]]  # noqa: UP006, UP045
    seconds: Number
    started: str
    versions: Dict[str, str]  # noqa: UP006
    processor: str
    threads: int
    data: Dict[str, str]  # noqa: UP006
    schema: Literal[2] = 2

    def __post_init__(self) -> None:
        none_is_nan(self, "seconds")
        n, asked = len(self.epochs), self.num_epochs
        if n > asked or (n < asked and self.outcome != "non-finite"):
            raise ValueError(f"{n} epochs, not {asked}, of a run {self.outcome}")

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes a run the same as another: experiment, seed, epochs and settings."""
        return key(self.experiment, self.seed, self.num_epochs, self.settings)

    @property
    def chosen(self) -> dict[str, Any]:
        """What of `CHOSEN` was not left as it usually is."""
        return {name: self.settings[name] for name in CHOSEN if name in self.settings}

    @property
    def final(self) -> Epoch:
        """The last epoch's measurements."""
        return self.epochs[-1]


def key(experiment: str, seed: int, num_epochs: int, settings: dict[str, Any]) -> tuple[Any, ...]:
    """Return what `Run.key` returns of such a run."""
    return experiment, seed, num_epochs, json.dumps(settings, sort_keys=True)


def append(path: PathLike, record: Any, *, once: bool = False) -> None:
    """Add a record, a `Run` or another Struct with a `key`, as the last line of the file.

    Safe against other processes and against dying: the line is on the disk when this returns. A
    last line that a dying process left torn is first set aside, into ``<path>.torn``.

    Parameters
    ----------
    path : path
    record : Struct
    once : bool
        Leave the file alone if a record of the same key is there, as when two runners make the
        same run.

    Raises
    ------
    StoreError
        If the file or its folder cannot be written or, with `once`, read.
    ValueError
        If `path` is none, as `files.user_path` says.
    """
    path = user_path(path)
    line = msgspec.json.encode(record)  # what is not finite becomes null
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _set_torn_line_aside(file, path)
            if once and record.key in {other.key for other in read(path, type(record))}:
                return
            whole = file.seek(0, os.SEEK_END)
            try:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
                if not whole:
                    _sync_folder(path.parent)
            except OSError:  # a full disk must not leave half a line
                os.ftruncate(file.fileno(), whole)
                raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def read(path: PathLike, kind: Any = Run) -> list[Any]:
    """Return every record in the file, oldest first; a torn last line is warned of and left out.

    Runs of experiments that this version does not know are among them: see `experiments.known`.

    Raises
    ------
    StoreError
        If the file cannot be read or a line is no such record.
    ValueError
        If `path` is none, as `files.user_path` says.
    """
    path = user_path(path)
    try:
        # Some editors leave a mark of the encoding at the beginning.
        *lines, last = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    if _is_whole(last):  # an editor may have taken the newline away
        lines.append(last)
    elif last.strip():
        warnings.warn(f"{path}: the last line is torn and left out", stacklevel=2)
    decoder, records = msgspec.json.Decoder(kind), []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                records.append(decoder.decode(line))
            except _NO_RECORD as error:
                reason = (
                    f"{path}, line {number}: no {kind.__name__}: {error}{_other_schema(line, kind)}"
                )
                raise StoreError(reason) from error
    return records


def _other_schema(line: bytes, kind: Any) -> str:
    try:
        schema = msgspec.json.decode(line)["schema"]
    except (*_NO_RECORD, TypeError, KeyError):
        return ""
    if schema == kind.__struct_defaults__[-1]:
        return ""
    return f"; it is a record of schema {schema!r}, of another version of d2l_lrsched perhaps"


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except _NO_RECORD:
        return False


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _set_torn_line_aside(file: BinaryIO, path: Path) -> None:
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    last = content[whole:]
    if _is_whole(last) or last.isspace():
        file.write(b"\n")
    elif last:
        aside = path.with_name(path.name + ".torn")
        with open(aside, "ab") as torn:
            torn.write(last + b"\n")
        file.truncate(whole)
        warnings.warn(f"{path}: a torn last line was moved to {aside}", stacklevel=4)
