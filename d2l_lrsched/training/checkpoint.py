"""A run's state after its last finished epoch, so that an interrupted run can go on."""

from __future__ import annotations

import glob
import io
import json
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from mxnet import gluon
from mxnet import np as mnp
from mxnet.optimizer import SGD

from d2l_lrsched.files import user_path, whole_file
from d2l_lrsched.schedulers import tell
from d2l_lrsched.training.history import History


@dataclass(frozen=True)
class Checkpoint:
    """A file that `train` writes after every epoch, and goes on from when it finds it.

    It holds the parameters, the history and `made_with`, as arrays and JSON in a .npz: no pickle,
    so that reading it executes nothing. The rest of the state follows from the number of updates
    done: a scheduler is called with 1, 2, ... again, and told the losses again, which restores also
    one with a state, as MXNet's own have; and the training batches draw their orders again.

    Parameters
    ----------
    path : path
        ``~`` is the home folder.
    made_with : mapping
        All that decides the run's bits, as JSON holds it, numpy's numbers included: settings, seed,
        versions, processor, threads. A file with any other is refused.

    Raises
    ------
    ValueError
        If `path` is no path, or `made_with` holds what JSON does not.

    Notes
    -----
    To the bit this holds for networks without random layers, such as dropout, and for schedulers
    that depend on the number of updates and not on how often they were called.
    """

    path: Path
    made_with: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Take any kind of path, and refuse at once what could not be written after an epoch."""
        object.__setattr__(self, "path", user_path(self.path))
        stored = {}
        for name, value in dict(self.made_with).items():
            try:
                stored[str(name)] = json.loads(json.dumps(value, allow_nan=False, default=_plain))
            except (TypeError, ValueError, RecursionError) as error:
                raise ValueError(
                    f"made_with must be what JSON holds, got {name!r}: {value!r} ({error})"
                ) from error
        object.__setattr__(self, "made_with", stored)

    def check(self, trainer: gluon.Trainer) -> None:
        """Raise ValueError unless the optimizer is new, and plain sgd: others have more of a state.

        `begin_num_update` may be any: it is a setting of the run, and the file holds it.
        """
        optimizer = trainer.optimizer
        if optimizer.num_update != optimizer.begin_num_update:
            raise ValueError(
                f"checkpoint: the optimizer has counted to {optimizer.num_update} from "
                f"{optimizer.begin_num_update} already, and a run that goes on would count from "
                "elsewhere; a run with a checkpoint needs a new Trainer"
            )
        if type(optimizer) is not SGD or optimizer.momentum:
            raise ValueError(
                f"checkpoint: {type(optimizer).__name__} with momentum "
                f"{getattr(optimizer, 'momentum', None)} has a state besides the parameters, which "
                "no checkpoint holds; only sgd without momentum can be resumed"
            )

    def save(self, net: gluon.Block, begin_num_update: int, history: History) -> None:
        """Replace the file by one of this state, whole or not at all.

        `begin_num_update` is the optimizer's before the first epoch of the run. A file that cannot
        be written, as on a full disk, is warned of and costs the run nothing.
        """
        parameters = [p.list_data()[0].asnumpy() for p in net.collect_params().values()]
        made_with = {**self.made_with, "begin_num_update": begin_num_update}
        text = {
            "made_with": json.dumps(made_with),
            "history": msgspec.json.encode(history).decode(),
        }
        content = io.BytesIO()  # a zip file that fails half way complains again when it is freed
        np.savez(content, *parameters, **{name: np.array(value) for name, value in text.items()})
        try:
            with whole_file(self.path) as temporary:
                temporary.write_bytes(content.getbuffer())
        except (FileNotFoundError, FileExistsError):
            pass  # another runner has finished the very same run meanwhile and cleared up
        except OSError as error:
            warnings.warn(f"{self.path}: no checkpoint written ({error.strerror})", stacklevel=2)

    def restore(
        self, net: gluon.Block, trainer: gluon.Trainer, train_iter: Any, num_epochs: int
    ) -> History:
        """Bring net, trainer and training batches to the file's state; return its history.

        Where there is no file, all stay as they are and the history is empty. So it is where the
        file is refused: it is set aside, and a warning says why.
        """
        if not os.path.exists(self.path):  # False also where looking is forbidden
            return History()
        parameters = list(net.collect_params().values())
        try:
            begin = trainer.optimizer.begin_num_update
            made_with = {**self.made_with, "begin_num_update": begin}
            arrays, history = self._read(made_with, [p.shape for p in parameters], num_epochs)
        except Exception as error:  # a damaged file may fail anywhere, in any way
            reason = str(error) if isinstance(error, _RefusedError) else f"it is damaged ({error})"
            aside = self.path.with_name(self.path.name + ".refused")
            with suppress(OSError):
                os.replace(self.path, aside)
            warnings.warn(
                f"{self.path}: refused, {reason}; the run starts anew, the file is {aside.name}",
                stacklevel=3,
            )
            return History()
        for parameter, array in zip(parameters, arrays):
            # With its shape known, a parameter need not wait for the first batch to get its data.
            parameter.shape = array.shape
            parameter.initialize(ctx=parameter.list_ctx(), force_reinit=True)
            parameter.set_data(mnp.array(array, dtype=array.dtype))
        scheduler, done = trainer.optimizer.lr_scheduler, begin
        for epoch in history.epochs:
            first, done = done + 1, done + len(train_iter)
            if scheduler is not None:
                for num_update in range(first, done + 1):
                    scheduler(num_update)
            tell(scheduler, epoch.train_loss, done)
            iter(train_iter)
        trainer.optimizer.begin_num_update = trainer.optimizer.num_update = done
        return history

    def remove(self) -> None:
        """Remove the file, what a process that was killed while writing it left, and the folder.

        The folder only if nothing else is in it.
        """
        for path in (self.path, *self.path.parent.glob(f".{glob.escape(self.path.name)}.*")):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()

    def _read(
        self, ours: dict[str, Any], shapes: list[tuple[int, ...]], num_epochs: int
    ) -> tuple[list[np.ndarray], History]:
        # Opened here, for np.load leaves a damaged file open.
        with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            made_with = json.loads(str(file["made_with"]))
            history = msgspec.json.decode(str(file["history"]), type=History)
            for name in sorted(ours.keys() | made_with.keys()):
                if ours.get(name) != made_with.get(name):
                    raise _RefusedError(
                        f"its {name} is {made_with.get(name)!r}, not {ours.get(name)!r}"
                    )
            arrays = [file[f"arr_{i}"] for i in range(len(file.files) - 2)]
        # A size that the first batch decides is 0 or -1 before it.
        if len(arrays) != len(shapes) or not all(
            len(array.shape) == len(shape or array.shape)
            and all(size in (0, -1, known) for size, known in zip(shape or (), array.shape))
            for array, shape in zip(arrays, shapes)
        ):
            raise _RefusedError("its parameters are those of another network")
        if len(history.epochs) > num_epochs:
            raise _RefusedError(f"it has {len(history.epochs)} epochs, more than {num_epochs}")
        return arrays, history


def _plain(value: Any) -> Any:
    """Return numpy's number as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


class _RefusedError(ValueError):
    """The file is whole, but of another run."""
