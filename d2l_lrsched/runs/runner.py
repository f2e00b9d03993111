"""Experiments x seeds on any executor, each finished pair and each finished epoch made once."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import mxnet as mx
from mxnet import gluon, npx

from d2l_lrsched.data.batches import load_fashion_mnist
from d2l_lrsched.data.source import SHA256
from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.nets import NETS
from d2l_lrsched.runs import executors, provenance
from d2l_lrsched.runs import record as store
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display
from d2l_lrsched.training.history import Epoch
from d2l_lrsched.training.loop import train

#: Beside the records: the folder of the checkpoints of runs that are not finished.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Job:
    """One run to be made: an experiment's name, a seed, and what the user set.

    `net` is 'chapter' or 'fast', for experiments with LeNet; the default gives the chapter's
    numbers to the bit.
    `checkpoints` is the folder for the run's checkpoint; where the folder above it does not
    exist, as perhaps on another machine, the run makes none.
    """

    experiment: str
    seed: int = 0
    num_epochs: int | None = None
    data_dir: str | None = None
    net: str = "chapter"
    checkpoints: str | None = None

    @property
    def length(self) -> int:
        """The epochs to train: the user's number, or the experiment's."""
        if self.num_epochs is None:
            return all_experiments()[self.experiment].num_epochs
        return self.num_epochs

    @property
    def trained(self) -> str:
        """The name of the net to be trained, one of `fast.NETS`."""
        return all_experiments()[self.experiment].net or self.net

    @property
    def settings(self) -> dict[str, Any]:
        """What the run's record says of its settings."""
        return {**all_experiments()[self.experiment].settings, "net": self.trained}

    @property
    def key(self) -> tuple[Any, ...]:
        """The key of the run to be made."""
        return store.key(self.experiment, self.seed, self.length, self.settings)

    @property
    def checkpoint(self) -> Path | None:
        """The file that an interrupted run would leave."""
        if self.checkpoints is None:
            return None
        name = f"{self.experiment}-seed-{self.seed}-{self.length}-epochs-{self.trained}.npz"
        return Path(self.checkpoints, name)

    def __str__(self) -> str:
        """Return what a user calls the run."""
        return f"{self.experiment}, seed {self.seed}"


@dataclass(frozen=True)
class Failure:
    """A job that gave no record, and why, in one line; `run` is the one that was not stored."""

    job: Job
    reason: str
    run: Run | None = None


# MXNet's random numbers, and Python's warnings, are the process's. A Dask worker has threads.
_one_at_a_time = threading.RLock()


def run_job(job: Job, display: str | Display = "auto") -> Run:
    """Make one run in this process, from its checkpoint if there is one; return its record.

    Initialization and shuffling both start from the job's seed: with the same seed, packages,
    processor and number of threads the record's numbers are identical to the bit, interrupted or
    not. The checkpoint is left for whoever stores the record to remove.

    Parameters
    ----------
    job : Job
    display : str or Display
        As for `train`.

    Raises
    ------
    d2l_lrsched.data.source.DataError
        If the data cannot be used.
    """
    from d2l import mxnet as d2l  # imports pandas and more: only for a run

    with _one_at_a_time:
        npx.set_np()  # per thread, and this may be any
        experiment = all_experiments()[job.experiment]
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        made_with: dict[str, Any] = {
            "versions": provenance.versions(),
            "processor": provenance.processor(),
            "threads": provenance.threads(),
            "data": dict(SHA256),
        }
        train_iter, test_iter = load_fashion_mnist(
            experiment.batch_size, data_dir=job.data_dir, seed=job.seed
        )
        net, ctx = NETS[job.trained](), d2l.try_gpu()
        net.initialize(ctx=ctx)  # a Trainer asks for it; train() initializes anew, with Xavier
        mx.random.seed(job.seed)
        optimizer_params, plotted = experiment.prepare(len(train_iter), job.length)
        history = train(
            net,
            train_iter,
            test_iter,
            job.length,
            gluon.loss.SoftmaxCrossEntropyLoss(),
            gluon.Trainer(net.collect_params(), experiment.optimizer, optimizer_params),
            ctx,
            clip_norm=experiment.clip_norm,
            nonfinite="skip",  # a gradient that is not finite is a result, counted in the record
            display=display,
            checkpoint=_checkpoint(job, made_with),
        )
    return Run(
        experiment=job.experiment,
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


def missing(
    experiments: Sequence[str],
    seeds: Iterable[int],
    records: PathLike,
    *,
    num_epochs: int | None = None,
    data_dir: str | None = None,
    net: str = "chapter",
) -> list[Job]:
    """Return the (experiment, seed) pairs that the file of records lacks, seed by seed.

    A run is there if one of the same epochs and settings is, whatever it was made with.

    Raises
    ------
    store.StoreError
        If the file is there and cannot be used.
    """
    records = user_path(records)
    stored = {run.key for run in store.read(records)} if records.exists() else set()
    checkpoints = str(records.resolve().parent / CHECKPOINTS)
    jobs = (
        Job(experiment, seed, num_epochs, data_dir, net, checkpoints)
        for seed in dict.fromkeys(map(int, seeds))
        for experiment in dict.fromkeys(experiments)
    )
    return [job for job in jobs if job.key not in stored]


def run(
    experiments: Sequence[str],
    seeds: Iterable[int],
    executor: executors.Executor,
    records: PathLike,
    *,
    retries: int = 1,
    **settings: Any,
) -> Iterator[Run | Failure]:
    """Make the runs that the file of records lacks; append each to it, and yield it, when done.

    Interrupted runs go on from their last finished epoch. A run whose worker dies is tried again;
    a run that fails by its own error is not, for it would fail again.

    Parameters
    ----------
    experiments : sequence of str
        Names in `experiments.ALL`.
    seeds : iterable of int
    executor : Executor
        Anything with ``submit(function, *arguments)`` that returns a future, as
        `executors.LocalProcesses`, concurrent.futures' and Dask's ``Client``. Every call should
        run with one OpenMP thread.
    records : path
        Unfinished runs leave their checkpoints in a folder beside it.
    retries : int
        Further attempts for a run whose worker dies; 0 for an executor that makes them itself.
    settings
        `num_epochs`, `data_dir` and `net`, as for `missing`.

    Yields
    ------
    Run or Failure
        A `Failure` also for a run whose record could not be written; its checkpoint is kept.

    Raises
    ------
    store.StoreError
        If the file of records is there and cannot be used.
    """
    jobs = missing(experiments, seeds, records, **settings)
    done: SimpleQueue[tuple[Job, int, Any]] = SimpleQueue()
    futures = set()

    def submit(job: Job, attempt: int) -> None:
        try:
            # The attempt is an argument, so that Dask does not take the second for the first.
            future = executor.submit(_make, job, attempt)
        except Exception as error:  # as of a pool that a death has broken
            future = Future()
            future.set_exception(error)
        futures.add(future)
        future.add_done_callback(lambda future: done.put((job, attempt, future)))

    try:
        for job in jobs:
            submit(job, 0)
        unfinished = len(jobs)
        while unfinished:
            job, attempt, future = done.get()
            futures.discard(future)
            try:
                result, warned = future.result()
            except Exception as error:  # not the run's own: its worker's, or the way to it
                result = Failure(job, (str(error) or type(error).__name__).splitlines()[0])
                if attempt < retries:
                    warnings.warn(f"{job}: {result.reason}; it is tried again", stacklevel=2)
                    submit(job, attempt + 1)
                    continue
                warned = []
            # Held any longer, a result that dies with its worker would be made again by Dask.
            del future
            unfinished -= 1
            for message in warned:
                warnings.warn(f"{job}: {message}", stacklevel=2)
            yield _keep(job, result, user_path(records))
    finally:
        for future in futures:
            future.cancel()


def discard_checkpoint(job: Job) -> None:
    """Remove what the finished run left for one that would go on from it."""
    if job.checkpoint is not None:
        Checkpoint(job.checkpoint, {}).remove()


def _keep(job: Job, result: Run | Failure, records: Path) -> Run | Failure:
    if isinstance(result, Run):
        try:
            store.append(records, result, once=True)
        except store.StoreError as error:
            return Failure(job, str(error), result)
        try:
            discard_checkpoint(job)
        except OSError as error:  # as of another user's worker, on a shared disk
            warnings.warn(f"{job}: its checkpoint stays ({error.strerror})", stacklevel=3)
    return result


def _checkpoint(job: Job, made_with: dict[str, Any]) -> Checkpoint | None:
    # Unlike Path.is_dir, this is False also where looking is forbidden.
    if job.checkpoint is None or not os.path.isdir(job.checkpoint.parent.parent):
        return None
    # The commit says too much, as README's, and too little of files that are not committed.
    versions = {name: v for name, v in made_with["versions"].items() if name != "commit"}
    decides = {
        "experiment": job.experiment,
        "seed": job.seed,
        "num_epochs": job.length,
        "settings": job.settings,
        **made_with,
        "versions": versions,
        "source": provenance.source(),
    }
    return Checkpoint(job.checkpoint, decides)


class _Tell(Display):
    """Tells the executor of every finished epoch."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Tell it."""
        executors.tell((self._job, number, epoch.test_acc))


def _make(job: Job, attempt: int) -> tuple[Run | Failure, list[str]]:
    """Return what came of the job, and what it warned of: here nobody might see it."""
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result: Run | Failure
        try:
            result = run_job(job, _Tell(job))
        except Exception as error:
            result = Failure(job, f"{type(error).__name__}: {error}".splitlines()[0])
    # A full disk would say the same after every epoch.
    return result, list(dict.fromkeys(str(w.message) for w in caught if w.category is UserWarning))
