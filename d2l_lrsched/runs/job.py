"""One run to be made, where, and its making in this process."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet import gluon, npx

from d2l_lrsched.data import content
from d2l_lrsched.data.batches import load_fashion_mnist
from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.nets import LENETS, NETS
from d2l_lrsched.runs import provenance, record
from d2l_lrsched.runs.experiment import Experiment
from d2l_lrsched.runs.record import Run
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display
from d2l_lrsched.training.loop import train

#: Beside the records: the folder of the checkpoints of runs that are not finished.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Job:
    """One run to be made: an experiment, a seed, and what a user may choose otherwise.

    Attributes
    ----------
    experiment : Experiment
    seed : int
        Of initialization and, unless `order` is given, of the order of the training examples.
    num_epochs : int, optional
        By default the experiment's.
    net : str
        'chapter' or 'fast', for experiments with LeNet; the default gives the chapter's numbers
        to the bit.
    release, split
        As for `load_fashion_mnist`.
    order : int, optional
        The seed of the order of the training examples.
    """

    experiment: Experiment
    seed: int = 0
    num_epochs: int | None = None
    net: str = "chapter"
    release: str | None = None
    order: int | None = None
    split: int | None = None

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.experiment.name

    @property
    def length(self) -> int:
        """The epochs to train: the user's number, or the experiment's."""
        return self.num_epochs or self.experiment.num_epochs

    @property
    def settings(self) -> dict[str, Any]:
        """What the run's record says of its settings; the net is one of `nets.NETS`."""
        net = self.experiment.net or LENETS[self.net]
        return {**self.experiment.settings, "net": net, **self.chosen}

    @property
    def chosen(self) -> dict[str, Any]:
        """What of `record.CHOSEN` is not as usual: records were kept before there was a choice."""
        chosen = {name: getattr(self, name) for name in record.CHOSEN}
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def key(self) -> tuple[Any, ...]:
        """The key of the run to be made."""
        return record.key(self.name, self.seed, self.length, self.settings)

    def __str__(self) -> str:
        """Return what a user calls the run."""
        return f"{self.name}, seed {self.seed}"


@dataclass(frozen=True)
class Place:
    """Where runs find their data and keep their checkpoints; None is the usual place, and none."""

    data_dir: str | None = None
    checkpoints: str | None = None

    @classmethod
    def of(cls, records: PathLike, data_dir: PathLike | None = None) -> Place:
        """Return the place of runs whose records go to that file: the checkpoints are beside it."""
        beside = user_path(records).resolve().parent / CHECKPOINTS
        return cls(None if data_dir is None else str(data_dir), str(beside))

    def checkpoint(self, job: Job) -> Path | None:
        """Return the file that an interrupted run would leave."""
        if self.checkpoints is None:
            return None
        chosen = "".join(f"-{name}-{value}" for name, value in job.chosen.items())
        name = f"{job.name}-seed-{job.seed}-{job.length}-epochs-{job.settings['net']}{chosen}.npz"
        return Path(self.checkpoints, name)


# MXNet's random numbers, and Python's warnings, are the process's. A Dask worker has threads.
one_at_a_time = threading.RLock()


def run_job(job: Job, place: Place, display: str | Display = "auto") -> Run:
    """Make one run in this process, from its checkpoint if there is one; return its record.

    Initialization and shuffling both start from the job's seed: with the same seed, packages,
    processor and number of threads the record's numbers are identical to the bit, interrupted or
    not. The checkpoint is left for whoever stores the record to remove.

    Parameters
    ----------
    job : Job
    place : Place
        Where its folder for checkpoints cannot be, as perhaps on another machine, there are none.
    display : str or Display
        As for `train`.

    Raises
    ------
    d2l_lrsched.data.source.DataError
        If the data cannot be used.
    """
    with one_at_a_time:
        npx.set_np()  # per thread, and this may be any
        experiment = job.experiment
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        train_iter, test_iter = load_fashion_mnist(
            experiment.batch_size,
            data_dir=place.data_dir,
            seed=job.seed if job.order is None else job.order,
            release=job.release,
            split=job.split,
            held_out=experiment.held_out,
        )
        made_with: dict[str, Any] = {
            "versions": provenance.versions(),
            "processor": provenance.processor(),
            "threads": provenance.threads(),
            "data": dict(content.SHA256) if job.release is None else dict(content.FIRST_SHA1),
        }
        net, ctx = NETS[job.settings["net"]](), _context()
        net.initialize(ctx=ctx)  # a Trainer asks for it; train() initializes anew, with Xavier
        mx.random.seed(job.seed)
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        loss.hybridize()
        optimizer_params, plotted = experiment.prepare(len(train_iter), job.length)
        history = train(
            net,
            train_iter,
            test_iter,
            job.length,
            loss,
            gluon.Trainer(net.collect_params(), experiment.optimizer, optimizer_params),
            ctx,
            clip_norm=experiment.clip_norm,
            nonfinite="skip",  # a gradient that is not finite is a result, counted in the record
            display=display,
            checkpoint=_checkpoint(job, place, made_with),
        )
    return Run(
        experiment=job.name,
        seed=job.seed,
        settings=job.settings,
        num_epochs=job.length,
        outcome=history.outcome,
        epochs=history.epochs,
        points=history.points,
        schedule=plotted,
        seconds=sum(epoch.seconds for epoch in history.epochs),
        started=started,
        **made_with,
    )


def discard_checkpoint(job: Job, place: Place) -> None:
    """Remove what the finished run left for one that would go on from it."""
    path = place.checkpoint(job)
    if path is not None:
        Checkpoint(path, {}).remove()


def _checkpoint(job: Job, place: Place, made_with: dict[str, Any]) -> Checkpoint | None:
    path = place.checkpoint(job)
    # Unlike Path.is_dir, this is False also where looking is forbidden.
    if path is None or not os.path.isdir(path.parent.parent):
        return None
    # The commit says too much, as README's, and too little of files that are not committed.
    versions = {name: v for name, v in made_with["versions"].items() if name != "commit"}
    decides = {
        "experiment": job.name,
        "seed": job.seed,
        "num_epochs": job.length,
        "settings": job.settings,
        **made_with,
        "versions": versions,
        "source": provenance.source(),
    }
    return Checkpoint(path, decides)


def _context() -> mx.Context:
    """Return ``d2l.try_gpu()``, for which d2l, slow to import, is needed only where a GPU is."""
    if not mx.context.num_gpus():
        return mx.cpu()
    from d2l import mxnet as d2l

    return d2l.try_gpu()
