"""Where calls are made: local processes of one thread each, or whatever else has `submit`.

MXNet is not imported here: a process must read OMP_NUM_THREADS before it is.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from d2l_lrsched import streams


class Executor(Protocol):
    """What `runner.run` needs: `concurrent.futures` and Dask's ``Client`` have it too."""

    def submit(self, function: Callable, /, *arguments: Any) -> Any:
        """Begin ``function(*arguments)`` somewhere; return its future."""


class WorkerDied(RuntimeError):
    """A process ended before it gave a result."""


def at_once(left: int, workers: int) -> int:
    """Return how many of `left` calls go on at once.

    The last ones, fewer than 2 * workers, share the cores: 5 on two cores are 2 and then 3, not
    2, 2 and 1 with a core idle at the end.
    """
    return workers if left >= 2 * workers else left


class LocalProcesses:
    """An executor that gives every call a process of its own, with one OpenMP thread.

    A process that dies costs its own call only: it shares no lock and no pipe with another.
    Processes are spawned, since MXNet's threads do not survive a fork, and never see SIGINT:
    Ctrl-C in a terminal reaches them too, but it is for this process to stop them. A script that
    uses this needs ``if __name__ == "__main__":``, for they import it.

    Parameters
    ----------
    workers : int
        Calls at once; see `at_once` for the last ones.
    calls : int
        How many will be submitted; what comes on top, as a second attempt, may.
    on_message : callable, optional
        Called, from a thread of ours, with what the calls give to `tell`.
    """

    def __init__(
        self, workers: int, calls: int, on_message: Callable[[Any], None] | None = None
    ) -> None:
        self._workers = workers
        self._calls = calls
        self._on_message = on_message or (lambda message: None)
        self._submitted = self._finished = 0
        self._running: list[BaseProcess] = []
        self._stopped = False
        self._changed = threading.Condition()
        streams.open_closed()  # or a pipe to a process is taken for one of its streams
        # The first start of a process starts this too, which unblocks SIGINT in its thread.
        resource_tracker.ensure_running()
        self._threads = ThreadPoolExecutor(
            2 * workers,
            thread_name_prefix="d2l_lrsched",
            # Also inherited by the processes that the threads start.
            initializer=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
        )

    def submit(self, function: Callable, /, *arguments: Any) -> Future:
        """Call ``function(*arguments)``, all of it picklable, in a new process.

        The future's exception is the function's own, or `WorkerDied`.
        """
        with self._changed:
            self._submitted += 1
        future = self._threads.submit(self._call, function, arguments)
        future.add_done_callback(self._count)
        return future

    def __enter__(self) -> LocalProcesses:
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop: kill what runs and forget what waits."""
        with self._changed:
            self._stopped = True
            for process in self._running:
                process.kill()
            self._changed.notify_all()
        self._threads.shutdown(cancel_futures=True)

    def _call(self, function: Callable, arguments: tuple) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._running) < self._at_once())
            if self._stopped:
                raise WorkerDied("stopped before it began")
            connection, process = _start(function, arguments)
            self._running.append(process)
        try:
            while True:
                try:
                    kind, value = connection.recv()
                except (EOFError, OSError):
                    with self._changed:
                        process.join()
                    raise WorkerDied(f"its process died (exit code {process.exitcode})") from None
                if kind == "message":
                    self._on_message(value)
                elif kind == "result":
                    return value
                else:
                    raise value
        finally:
            connection.close()
            with self._changed:
                process.kill()  # it has nothing more to say, and may be long in ending
                process.join()
                self._running.remove(process)

    def _count(self, _: Future) -> None:
        with self._changed:
            self._finished += 1
            self._changed.notify_all()

    def _at_once(self) -> int:
        return at_once(max(self._calls, self._submitted) - self._finished, self._workers)


_parent: Connection | None = None  # in a process of `LocalProcesses`: the way back


def tell(message: Any) -> None:
    """Give the executor's `on_message` a picklable message; elsewhere, do nothing.

    Where the parent process is no more, this one ends: nobody waits for its result.
    """
    if _parent is not None:
        _send(_parent, ("message", message))


def _send(connection: Connection, answer: tuple[str, Any]) -> None:
    try:
        connection.send(answer)
    except BrokenPipeError:
        os._exit(1)


def _start(function: Callable, arguments: tuple) -> tuple[Connection, BaseProcess]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(theirs, function, arguments), daemon=True)
    with _one_thread():
        process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    return ours, process


def _in_process(connection: Connection, function: Callable, arguments: tuple) -> None:
    global _parent
    _parent = connection
    streams.open_closed()
    answer: tuple[str, Any]
    try:
        answer = "result", function(*arguments)
    except Exception as error:
        answer = "error", error
    try:
        pickle.loads(pickle.dumps(answer))
    except Exception:  # as of an error that holds a lock
        answer = "error", RuntimeError(f"{answer[0]} that cannot be sent: {answer[1]!r}")
    _send(connection, answer)


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
