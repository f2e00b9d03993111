"""Experiments x seeds on local processes of one thread each."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timezone
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

import mxnet as mx
from mxnet import gluon, npx

from d2l_lrsched import provenance
from d2l_lrsched.data import load_fashion_mnist
from d2l_lrsched.display import Display, Silent
from d2l_lrsched.experiments import CHAPTER
from d2l_lrsched.fast import ARRANGEMENTS
from d2l_lrsched.files import SHA256
from d2l_lrsched.store import Run
from d2l_lrsched.training import train


@dataclass(frozen=True)
class Job:
    """One run to be made: an experiment's name, a seed, and what the user set.

    `net` names one of `fast.ARRANGEMENTS`; the default gives the chapter's numbers to the bit.
    """

    experiment: str
    seed: int = 0
    num_epochs: int | None = None
    data_dir: str | None = None
    net: str = "same-bits"

    @property
    def length(self) -> int:
        """The epochs to train: the user's number, or the experiment's."""
        return self.num_epochs or CHAPTER[self.experiment].num_epochs


@dataclass(frozen=True)
class Failure:
    """A job that gave no record, and why, in one line."""

    job: Job
    reason: str


def run(job: Job, display: str | Display = "auto") -> Run:
    """Make one run in this process and return its record.

    Initialization and shuffling both start from the job's seed: with the same seed, packages and
    number of threads the record's numbers are identical to the bit.

    Parameters
    ----------
    job : Job
    display : str or Display
        As for `train`.

    Raises
    ------
    d2l_lrsched.files.DataError
        If the data cannot be used.
    """
    from d2l import mxnet as d2l  # imports pandas and more: only for a run

    npx.set_np()  # per thread, and this may be any
    experiment = CHAPTER[job.experiment]
    made_with: dict[str, Any] = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": provenance.versions(),
        "processor": provenance.processor(),
        "threads": provenance.threads(),
        "data": dict(SHA256),
    }
    train_iter, test_iter = load_fashion_mnist(
        experiment.batch_size, data_dir=job.data_dir, seed=job.seed
    )
    net, ctx = ARRANGEMENTS[job.net](), d2l.try_gpu()
    net.initialize(ctx=ctx)  # a Trainer asks for it; train() initializes anew, with Xavier
    mx.random.seed(job.seed)
    optimizer_params, plotted = experiment.prepare(updates_per_epoch=len(train_iter))
    trainer = gluon.Trainer(net.collect_params(), experiment.optimizer, optimizer_params)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    start = time.perf_counter()
    history = train(net, train_iter, test_iter, job.length, loss, trainer, ctx, display=display)
    return Run(
        experiment=job.experiment,
        seed=job.seed,
        settings={**experiment.settings, "net": job.net},
        num_epochs=job.length,
        outcome=history.outcome,
        epochs=[asdict(epoch) for epoch in history.epochs],
        points=[list(astuple(point)) for point in history.points],
        schedule=plotted,
        seconds=time.perf_counter() - start,
        **made_with,
    )


def run_all(
    jobs: Sequence[Job], workers: int, on_epoch: Callable[[Job, int, float], None]
) -> Iterator[Run | Failure]:
    """Make the runs on `workers` cores, each in a process of its own; yield each as it is done.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        Runs at once, of one OpenMP thread each: two such make two runs in the time of one. The
        last ones, fewer than 2 * workers, share the cores, so that none idles at the end.
    on_epoch : callable
        Called with (job, finished epochs, test accuracy) as the runs go on.

    Yields
    ------
    Run or Failure
        A process that dies costs its own run only: it shares no lock and no pipe with another.
    """
    waiting = list(reversed(jobs))
    running: dict[Connection, tuple[BaseProcess, Job]] = {}
    try:
        while waiting or running:
            left = len(waiting) + len(running)
            at_once = workers if left >= 2 * workers else left
            while waiting and len(running) < at_once:
                job = waiting.pop()
                # Ctrl-C in a terminal reaches every process; only this one is to hear it, and
                # only once it knows of the other.
                with _interrupts_blocked():
                    connection, process = _start(job)
                    running[connection] = process, job
            for ready in wait(list(running)):
                connection = cast(Connection, ready)
                process, job = running[connection]
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    process.join()
                    message = Failure(job, f"its process died (exit code {process.exitcode})")
                if isinstance(message, (Run, Failure)):
                    del running[connection]
                    connection.close()
                    process.join()
                    yield message
                else:
                    on_epoch(job, *message)
    finally:  # interrupted: do not wait for the runs to end
        for process, _ in running.values():
            process.kill()
            process.join()


def _start(job: Job) -> tuple[Connection, BaseProcess]:
    context = get_context("spawn")  # MXNet's threads do not survive a fork
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run_in_process, args=(job, theirs), daemon=True)
    with _one_thread():
        process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    return ours, process


class _Report(Silent):
    """Tells the parent process of every finished epoch; ends this one where there is none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None:
        self._connection.send((epoch, test_acc))  # BrokenPipeError: nobody waits any more


def _run_in_process(job: Job, connection: Connection) -> None:
    try:
        connection.send(run(job, _Report(connection)))
    except BrokenPipeError:
        pass
    except Exception as error:
        connection.send(Failure(job, f"{type(error).__name__}: {error}".splitlines()[0]))


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Have the processes started meanwhile never see SIGINT."""
    # The first start of a process starts this too, which unblocks SIGINT when it is done.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have the processes started meanwhile read OMP_NUM_THREADS=1 when they import MXNet."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
