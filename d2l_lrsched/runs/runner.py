"""Jobs on any executor, each finished run and each finished epoch made once."""

from __future__ import annotations

import queue
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.runs import executors, record
from d2l_lrsched.runs.job import Job, Place, discard_checkpoint, one_at_a_time, run_job
from d2l_lrsched.runs.record import Run
from d2l_lrsched.training.display import Display
from d2l_lrsched.training.history import Epoch

#: How often, while runs wait, an executor is asked whether it takes more.
ASK_SECONDS = 1


@dataclass(frozen=True)
class Failure:
    """A job that gave no record, and why, in one line; `run` is the one that was not stored."""

    job: Job
    reason: str
    run: Run | None = None


def missing(jobs: Iterable[Job], records: PathLike) -> list[Job]:
    """Return those of the jobs, each once, whose runs the file of records lacks.

    A run is there if one of the same epochs and settings is, whatever it was made with.

    Raises
    ------
    record.StoreError
        If the file is there and cannot be used.
    """
    records = user_path(records)
    stored = {run.key for run in record.read(records)} if records.exists() else set()
    wanted = {job.key: job for job in jobs}
    return [job for key, job in wanted.items() if key not in stored]


def run(
    jobs: Iterable[Job],
    executor: executors.Executor,
    records: PathLike,
    *,
    data_dir: PathLike | None = None,
) -> Iterator[Run | Failure]:
    """Make the runs that the file of records lacks; append each to it, and yield it, when done.

    Interrupted runs go on from their last finished epoch. A run whose worker dies is tried again;
    a run that fails by its own error is not, for it would fail again. No more are submitted than
    the executor takes at once.

    Parameters
    ----------
    jobs : iterable of Job
    executor : Executor
        Every call should run with one OpenMP thread.
    records : path
        Unfinished runs leave their checkpoints in a folder beside it.
    data_dir : path, optional
        As for `load_fashion_mnist`.

    Yields
    ------
    Run or Failure
        A `Failure` also for a run whose record could not be written; its checkpoint is kept.

    Raises
    ------
    record.StoreError
        If the file of records is there and cannot be used.
    """
    place = Place.of(records, data_dir)
    waiting = deque((job, 0) for job in missing(jobs, records))
    done: queue.SimpleQueue[tuple[Job, int, Any]] = queue.SimpleQueue()
    futures = set()

    def submit(job: Job, attempt: int) -> None:
        try:
            future = executor.submit(_make, job, place)
        except Exception as error:  # as of a cluster that is gone
            future = Future()
            future.set_exception(error)
        futures.add(future)
        future.add_done_callback(lambda future: done.put((job, attempt, future)))

    try:
        while waiting or futures:
            while waiting and len(futures) < executor.at_once(len(waiting) + len(futures)):
                submit(*waiting.popleft())
            try:
                job, attempt, future = done.get(timeout=ASK_SECONDS if waiting else None)
            except queue.Empty:
                continue
            futures.discard(future)
            try:
                result, warned = future.result()
            except Exception as error:  # not the run's own: its worker's, or the way to it
                result = Failure(job, (str(error) or type(error).__name__).splitlines()[0])
                if attempt < executor.retries:
                    warnings.warn(f"{job}: {result.reason}; it is tried again", stacklevel=2)
                    waiting.append((job, attempt + 1))
                    continue
                warned = []
            # Held any longer, a result that dies with its worker would be made again by Dask.
            del future
            for message in warned:
                warnings.warn(f"{job}: {message}", stacklevel=2)
            yield _keep(job, place, result, user_path(records))
    finally:
        for future in futures:
            future.cancel()


def _keep(job: Job, place: Place, result: Run | Failure, records: Path) -> Run | Failure:
    if isinstance(result, Run):
        try:
            record.append(records, result, once=True)
        except record.StoreError as error:
            return Failure(job, str(error), result)
        try:
            discard_checkpoint(job, place)
        except OSError as error:  # as of another user's worker, on a shared disk
            warnings.warn(f"{job}: its checkpoint stays ({error.strerror})", stacklevel=3)
    return result


class _Tell(Display):
    """Tells the executor of every finished epoch."""

    needs_past = False

    def __init__(self, job: Job) -> None:
        self._job = job

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Tell it."""
        executors.tell((str(self._job), number, epoch.test_acc))


def _make(job: Job, place: Place) -> tuple[Run | Failure, list[str]]:
    """Return what came of the job, and what it warned of: here nobody might see it."""
    with one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result: Run | Failure
        try:
            result = run_job(job, place, _Tell(job))
        except Exception as error:
            result = Failure(job, f"{type(error).__name__}: {error}".splitlines()[0])
    # A full disk would say the same after every epoch.
    return result, list(dict.fromkeys(str(w.message) for w in caught if w.category is UserWarning))
