"""Where calls are made: local processes of one thread each, or the workers of a Dask cluster.

MXNet is not imported here: a process must read OMP_NUM_THREADS before it is.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Protocol

from d2l_lrsched import streams

if TYPE_CHECKING:
    from distributed import Client


class Executor(Protocol):
    """What `runner.run` needs.

    Attributes
    ----------
    retries : int
        Further attempts that a call is worth whose worker dies.
    """

    retries: int

    def at_once(self, left: int) -> int:
        """Return how many calls may go on now, if `left` have not ended."""

    def submit(self, function: Callable, /, *arguments: Any) -> Any:
        """Begin ``function(*arguments)`` somewhere; return its future."""


class WorkerDied(RuntimeError):
    """What called ended before it gave a result."""


class LocalProcesses:
    """An executor that gives every call a process of its own, with one OpenMP thread.

    A process that dies costs its own call only: it shares no lock and no pipe with another. One
    whose parent is no more ends at once. Processes are spawned, since MXNet's threads do not
    survive a fork, and never see SIGINT: Ctrl-C in a terminal reaches them too, but it is for
    this process to stop them. A script that uses this needs ``if __name__ == "__main__":``, for
    they import it.

    Parameters
    ----------
    workers : int
        Calls at once; see `at_once` for the last ones.
    on_message : callable, optional
        Called, from a thread of ours, with what the calls give to `tell`.
    """

    retries = 1

    def __init__(
        self, workers: int, on_message: Callable[[Any], None] = lambda message: None
    ) -> None:
        self._workers = workers
        self._on_message = on_message
        self._running: list[BaseProcess] = []
        self._stopped = False
        self._lock = threading.Lock()
        streams.open_closed()  # or a pipe to a process is taken for one of its streams
        # The first start of a process starts this too, which unblocks SIGINT in its thread.
        resource_tracker.ensure_running()
        self._threads = ThreadPoolExecutor(
            2 * workers,
            thread_name_prefix="d2l_lrsched",
            # Also inherited by the processes that the threads start.
            initializer=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
        )

    def at_once(self, left: int) -> int:
        """Return how many calls may go on now, if `left` have not ended.

        The last ones, fewer than 2 * workers, share the cores: 5 on two cores are 2 and then 3,
        not 2, 2 and 1 with a core idle at the end.
        """
        return self._workers if left >= 2 * self._workers else left

    def submit(self, function: Callable, /, *arguments: Any) -> Future:
        """Call ``function(*arguments)``, all of it picklable, in a new process.

        The future's exception is the function's own, or `WorkerDied`.
        """
        return self._threads.submit(self._call, function, arguments)

    def __enter__(self) -> LocalProcesses:
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop: kill what runs and forget what waits."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()
        self._threads.shutdown(cancel_futures=True)

    def _call(self, function: Callable, arguments: tuple) -> Any:
        with self._lock:
            if self._stopped:
                raise WorkerDied("stopped before it began")
            connection, process = _start(function, arguments)
            self._running.append(process)
        try:
            while True:
                try:
                    kind, value = connection.recv()
                except (EOFError, OSError):
                    with self._lock:
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
            with self._lock:
                process.kill()  # it has nothing more to say, and may be long in ending
                process.join()
                self._running.remove(process)


class DaskWorkers:
    """An executor on the workers of a Dask cluster, which itself makes a call again if one dies.

    A worker gets one call: others that wait for it would be blamed for its death, too.

    Parameters
    ----------
    client : distributed.Client
        Closed on leaving.
    on_message : callable
        Called, from the client's thread, with what the calls give to `tell`.
    """

    retries = 0  # Dask makes its own

    def __init__(self, client: Client, on_message: Callable[[Any], None]) -> None:
        self._client = client
        self._topic = f"d2l_lrsched {client.id}"  # others may use the cluster, too
        client.subscribe_topic(self._topic, lambda event: on_message(event[1]))

    def at_once(self, left: int) -> int:
        """Return how many calls may go on now: one a worker."""
        if self._client.status != "running":
            return left  # `submit` will say so of each
        try:
            return len(self._client.nthreads())
        except OSError:  # no answer: perhaps later
            return 0

    def submit(self, function: Callable, /, *arguments: Any) -> Any:
        """Call ``function(*arguments)``, all of it picklable, on a worker."""
        if self._client.status != "running":
            raise WorkerDied("the connection to the scheduler is lost")
        return self._client.submit(_on_worker, self._topic, function, arguments, pure=False)

    def __enter__(self) -> DaskWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()


#: In a call: the way back to whoever asked for it.
_way_back: ContextVar[Callable[[Any], None]] = ContextVar("_way_back", default=lambda message: None)


def tell(message: Any) -> None:
    """Give the executor's `on_message` a message of plain values; elsewhere, do nothing."""
    _way_back.get()(message)


def _on_worker(topic: str, function: Callable, arguments: tuple) -> Any:
    from distributed import get_worker

    _way_back.set(partial(get_worker().log_event, topic))
    return function(*arguments)


def _start(function: Callable, arguments: tuple) -> tuple[Connection, BaseProcess]:
    # Else it would be loaded, and MXNet with it, before `_in_process` begins.
    call = pickle.dumps((function, arguments))
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(theirs, call), daemon=True)
    with _one_thread():
        process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    return ours, process


def _in_process(connection: Connection, call: bytes) -> None:
    streams.open_closed()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _way_back.set(lambda message: connection.send(("message", message)))
    answer: tuple[str, Any]
    try:
        function, arguments = pickle.loads(call)
        answer = "result", function(*arguments)
    except Exception as error:
        answer = "error", error
    try:
        pickle.loads(pickle.dumps(answer))
    except Exception:  # as of an error that holds a lock
        answer = "error", RuntimeError(f"{answer[0]} that cannot be sent: {answer[1]!r}")
    with suppress(BrokenPipeError):  # nobody waits for it, and the thread is about to end us
        connection.send(answer)


def _end_with_parent() -> None:
    """End this process, whatever it is at, as soon as its parent is no more."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


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
