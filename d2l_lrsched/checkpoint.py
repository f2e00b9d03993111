"""A run's state after its last finished epoch, so that an interrupted run can go on."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mxnet import gluon
from mxnet import np as mnp

from d2l_lrsched.history import Epoch, History, Point
from d2l_lrsched.store import whole_file


@dataclass(frozen=True)
class Checkpoint:
    """A file that `train` writes after every epoch, and goes on from when it finds it.

    It holds the parameters, the history and `made_with`, as arrays and JSON in a .npz: no pickle,
    so that reading it executes nothing. The rest of the state follows from the number of updates
    done: a scheduler is called with 1, 2, ... again, which restores also one with a state, as
    MXNet's own have; and the training batches draw their orders again.

    Parameters
    ----------
    path : pathlib.Path
    made_with : mapping
        All that decides the run's bits, as JSON holds it: settings, seed, versions, processor,
        threads. A file with any other is refused.
    """

    path: Path
    made_with: Mapping[str, Any]

    def check(self, trainer: gluon.Trainer) -> None:
        """Raise ValueError if the trainer's optimizer has a state, which would not be kept."""
        optimizer = trainer.optimizer
        if optimizer.create_state(0, mnp.zeros(1)) is not None:
            raise ValueError(
                f"checkpoint: {type(optimizer).__name__} keeps a state besides the parameters "
                "(momentum or the like), which no checkpoint holds; only plain sgd can be resumed"
            )

    def save(self, net: gluon.Block, history: History) -> None:
        """Replace the file by one of this state, whole or not at all.

        A file that cannot be written, as on a full disk, is warned of and costs the run nothing.
        """
        parameters = [p.list_data()[0].asnumpy() for p in net.collect_params().values()]
        text = {"made_with": dict(self.made_with), "history": asdict(history)}
        content = io.BytesIO()  # a zip file that fails half way complains again when it is freed
        np.savez(content, *parameters, **{k: np.array(json.dumps(v)) for k, v in text.items()})
        try:
            with whole_file(self.path) as temporary:
                temporary.write_bytes(content.getbuffer())
        except OSError as error:
            warnings.warn(f"{self.path}: no checkpoint written ({error.strerror})", stacklevel=2)

    def restore(self, net: gluon.Block, trainer: gluon.Trainer, train_iter: Any) -> History:
        """Bring net, trainer and training batches to the file's state; return its history.

        Where there is no file, or one that is refused, all stay as they are and the history is
        empty; a refusal is warned of.
        """
        if not self.path.exists():
            return History()
        parameters = list(net.collect_params().values())
        try:
            arrays, history = self._read(len(parameters))
        except Exception as error:  # a damaged file may fail anywhere, in any way
            reason = str(error) if isinstance(error, _RefusedError) else f"it is damaged ({error})"
            warnings.warn(f"{self.path}: refused, {reason}; the run starts anew", stacklevel=3)
            return History()
        for parameter, array in zip(parameters, arrays):
            # With its shape known, a parameter need not wait for the first batch to get its data.
            parameter.shape = array.shape
            parameter.initialize(ctx=parameter.list_ctx(), force_reinit=True)
            parameter.set_data(mnp.array(array, dtype=array.dtype))
        updates = len(train_iter) * len(history.epochs)
        trainer.optimizer.begin_num_update = trainer.optimizer.num_update = updates
        if trainer.optimizer.lr_scheduler is not None:
            for num_update in range(1, updates + 1):
                trainer.optimizer.lr_scheduler(num_update)
        for _ in history.epochs:
            iter(train_iter)
        return history

    def remove(self) -> None:
        """Remove the file, and what a process that was killed while writing it left."""
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)

    def _read(self, num_parameters: int) -> tuple[list[np.ndarray], History]:
        # Opened here, for np.load leaves a damaged file open.
        with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            made_with, history = (json.loads(str(file[k])) for k in ("made_with", "history"))
            ours = json.loads(json.dumps(dict(self.made_with)))
            for name in sorted(ours.keys() | made_with.keys()):
                if ours.get(name) != made_with.get(name):
                    raise _RefusedError(
                        f"its {name} is {made_with.get(name)!r}, not {ours.get(name)!r}"
                    )
            arrays = [file[f"arr_{i}"] for i in range(num_parameters)]
        epochs = [Epoch(**epoch) for epoch in history["epochs"]]
        return arrays, History(epochs, [Point(**point) for point in history["points"]])


class _RefusedError(ValueError):
    """The file is whole, but of another run."""
