"""Run records: JSON lines, one finished run a line, only ever appended."""

from __future__ import annotations

import fcntl
import json
import math
import os
import tempfile
import typing
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from d2l_lrsched.paths import PathLike, user_path

SCHEMA = 1
OUTCOMES = ("trained", "collapsed", "non-finite")
EPOCH_FIELDS = (
    "train_loss",
    "train_acc",
    "test_acc",
    "lr_first",
    "lr_last",
    "score_spread",
    "seconds",
)
#: What epochs also have, all of it, where gradients were clipped.
CLIPPING_FIELDS = ("norm_median", "norm_max", "clipped", "skipped")


class StoreError(RuntimeError):
    """A file of records cannot be used; the message names file, line and fault."""


Key = tuple[str, int, int, str]


def key(experiment: str, seed: int, num_epochs: int, settings: dict[str, Any]) -> Key:
    """Return what `Run.key` returns of such a run."""
    return experiment, seed, num_epochs, json.dumps(settings, sort_keys=True)


@dataclass(frozen=True)
class Run:
    """One finished run, with all that is needed to repeat and to judge it.

    Attributes
    ----------
    experiment, seed, settings
        Which run: the experiment's name, the seed of initialization and shuffling, and the
        settings that `Experiment.settings` gives, with `net`, one of `fast.NETS`; where
        it is missing, in the oldest records, it was the chapter's.
    num_epochs : int
        Epochs asked for; `epochs` is shorter if the run turned non-finite.
    outcome : {'trained', 'collapsed', 'non-finite'}
    epochs : list of dict
        Each with the `EPOCH_FIELDS`, which `history.Epoch` explains, and, where gradients were
        clipped, with the `CLIPPING_FIELDS`.
    points : list of [epoch, train loss, train accuracy]
        The training curve between the epochs' ends.
    schedule : list of float or None
        The scheduler's values as plotted before training.
    seconds : float
        Training and tests, without start-up.
    started : str
        UTC, ISO 8601: when the process that finished the run began with it.
    versions : dict
        python, mxnet, d2l, numpy, d2l_lrsched and, in a checkout, its commit.
    processor : str
    threads : int
        OpenMP threads of the run.
    data : dict
        File name -> SHA-256 of its decompressed content.
    schema : int
    """

    experiment: str
    seed: int
    settings: dict[str, Any]
    num_epochs: int
    outcome: str
    epochs: list[dict[str, float]]
    points: list[list[float]]
    schedule: list[float] | None
    seconds: float
    started: str
    versions: dict[str, str]
    processor: str
    threads: int
    data: dict[str, str]
    schema: int = SCHEMA

    @property
    def key(self) -> Key:
        """What makes a run the same as another: experiment, seed, epochs and settings."""
        return key(self.experiment, self.seed, self.num_epochs, self.settings)

    @property
    def final(self) -> dict[str, float]:
        """The last epoch's measurements."""
        return self.epochs[-1]


_KINDS: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "dict": dict, "list": list}


def append(path: PathLike, run: Run, *, once: bool = False) -> None:
    """Add `run` as the last line of the file, as `append_line` does.

    Parameters
    ----------
    path : path
    run : Run
    once : bool
        Leave the file alone if a run of the same key is there, as when two runners make the same.

    Raises
    ------
    StoreError
        If the file or its folder cannot be written or, with `once`, read.
    ValueError
        If `path` is none, as `paths.user_path` says.
    """
    # Standard JSON has no NaN: what is not finite is stored as null and read back as NaN.
    line = json.dumps(_finite_or_none(asdict(run)), allow_nan=False)
    append_line(
        path, line, unless=lambda path: once and run.key in {other.key for other in read(path)}
    )


def append_line(
    path: PathLike, line: str, *, unless: Callable[[Path], bool] = lambda path: False
) -> None:
    """Add a line to the end of the file, safe against other processes and against dying.

    The line is on the disk when this returns. A last line that a dying process left torn is
    first set aside, into ``<path>.torn``.

    Parameters
    ----------
    path : path
    line : str
        A JSON object, without a newline.
    unless : callable
        Called with the path while no other process writes; the file is left alone if it says so.

    Raises
    ------
    StoreError
        If the file or its folder cannot be written.
    ValueError
        If `path` is none, as `paths.user_path` says.
    """
    path = user_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _set_torn_line_aside(file, path)
            if unless(path):
                return
            whole = file.seek(0, os.SEEK_END)
            try:
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
                if not whole:
                    _sync_folder(path.parent)
            except OSError:  # a full disk must not leave half a line
                os.ftruncate(file.fileno(), whole)
                raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def read(path: PathLike) -> list[Run]:
    """Return every run in the file, oldest first; a torn last line is warned of and left out.

    Runs of experiments that this version does not know are among them: see `experiments.known`.

    Raises
    ------
    StoreError
        If the file cannot be read or a line is no record of this schema.
    ValueError
        If `path` is none, as `paths.user_path` says.
    """
    lines = read_lines(path)
    _, last = lines[-1] if lines else ("", b"\n")
    # An editor may have taken the newline away.
    if not last.endswith(b"\n") and not _is_whole(last):
        warnings.warn(f"{path}: the last line is torn and left out", stacklevel=2)
        lines.pop()
    return [_parse(line, where) for where, line in lines]


def read_lines(path: PathLike) -> list[tuple[str, bytes]]:
    """Return every line of a file of records that is not blank, with the words for where it is.

    Raises
    ------
    StoreError
        If the file cannot be read.
    ValueError
        If `path` is none, as `paths.user_path` says.
    """
    path = user_path(path)
    try:
        with open(path, "rb") as file:
            numbered = enumerate(file, start=1)
            return [(f"{path}, line {i}", line) for i, line in numbered if line.strip()]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error


@contextmanager
def whole_file(path: PathLike) -> Iterator[Path]:
    """Give the path of a temporary file, which becomes the file `path` if all goes well.

    Whoever reads `path` meanwhile, or after a failure, finds what was there before.

    Raises
    ------
    OSError
        If the file cannot be written; it names `path`.
    ValueError
        If `path` is none, as `paths.user_path` says.
    """
    named = user_path(path)
    path = Path(os.path.realpath(named))  # a link is written through, not replaced
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        name = os.fsdecode(os.fsencode(path.name)[:200])  # the whole may be as long as can be
        handle, temporary = tempfile.mkstemp(path.suffix, f".{name}.", path.parent)
        os.close(handle)
        yield Path(temporary)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())  # or a power cut may leave the name without the content
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's files are for their owner only
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):  # name the file that was asked for
            raise OSError(error.errno, error.strerror, str(named)) from error
        raise


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _parse(line: bytes, where: str) -> Run:
    try:
        fields_read = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: no JSON ({error})") from error
    if not isinstance(fields_read, dict) or fields_read.get("schema") != SCHEMA:
        raise StoreError(
            f"{where}: no record of schema {SCHEMA}; if a newer d2l_lrsched wrote it, use that, or "
            "another file"
        )
    names = {f.name for f in fields(Run)}
    if odd := names ^ fields_read.keys():
        raise StoreError(f"{where}: fields missing or unknown: {', '.join(sorted(odd))}")
    for f in fields(Run):
        kind, _, optional = str(f.type).replace("[", " ").partition(" ")
        value = fields_read[f.name]
        if value is None and (optional.endswith("None") or kind == "float"):
            continue
        if not isinstance(value, _KINDS[kind]) or isinstance(value, bool):
            raise StoreError(f"{where}: {f.name} is {value!r:.40}, not of type {f.type}")
    if fields_read["outcome"] not in OUTCOMES:
        raise StoreError(f"{where}: outcome is {fields_read['outcome']!r}, not in {OUTCOMES}")
    try:
        epochs = [_epoch(epoch) for epoch in fields_read["epochs"]]
        points = [[_number(v) for v in (x, loss, acc)] for x, loss, acc in fields_read["points"]]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(
            f"{where}: epochs or points are not as they should be ({error})"
        ) from error
    if not epochs:
        raise StoreError(f"{where}: epochs is empty")
    num_epochs, outcome = fields_read["num_epochs"], fields_read["outcome"]
    if len(epochs) != num_epochs and (outcome != "non-finite" or len(epochs) > num_epochs):
        raise StoreError(f"{where}: {len(epochs)} epochs, not {num_epochs}, of a run {outcome}")
    if fields_read["seed"] < 0:
        raise StoreError(f"{where}: seed is {fields_read['seed']}, not 0 or more")
    seconds = _number(fields_read["seconds"])
    return Run(**{**fields_read, "epochs": epochs, "points": points, "seconds": seconds})


def _epoch(read: dict[str, Any]) -> dict[str, float]:
    clipped = any(k in read for k in CLIPPING_FIELDS)
    return {k: _number(read[k]) for k in EPOCH_FIELDS + CLIPPING_FIELDS * clipped}


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _set_torn_line_aside(file: typing.BinaryIO, path: Path) -> None:
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


def _finite_or_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite_or_none(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite_or_none(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _number(value: Any) -> float:
    if isinstance(value, (str, bool)):
        raise TypeError(f"{value!r} is no number")
    return math.nan if value is None else float(value)
