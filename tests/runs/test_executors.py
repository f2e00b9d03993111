"""Calls of the standard library's functions, in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from d2l_lrsched.runs import executors
from d2l_lrsched.runs.executors import LocalProcesses, WorkerDied


@pytest.mark.parametrize(
    ("left", "workers", "expected"),
    [(5, 2, 2), (4, 2, 2), (3, 2, 3), (1, 2, 1), (5, 8, 5), (9, 4, 4), (5, 1, 1), (0, 2, 0)],
)
def test_the_last_calls_share_the_cores(left, workers, expected):
    assert executors.at_once(left, workers) == expected


def test_results_errors_messages_and_deaths_are_told_apart():
    told = []
    with LocalProcesses(2, 5, told.append) as executor:
        result = executor.submit(divmod, 7, 2)
        error = executor.submit(divmod, 7, 0)
        message = executor.submit(executors.tell, "half way")
        gone = executor.submit(os._exit, 3)
        killed = executor.submit(signal.raise_signal, signal.SIGKILL)
        assert result.result(60) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            error.result(60)
        assert message.result(60) is None
        with pytest.raises(WorkerDied, match=r"its process died \(exit code 3\)"):
            gone.result(60)
        with pytest.raises(WorkerDied, match=r"its process died \(exit code -9\)"):
            killed.result(60)
    assert told == ["half way"]


def test_a_process_that_lingers_after_its_result_holds_nobody_up():
    linger = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()"
    begun = time.monotonic()
    with LocalProcesses(1, 2) as executor:
        for future in [executor.submit(exec, linger) for _ in range(2)]:
            assert future.result(60) is None
    assert time.monotonic() - begun < 60


def test_what_cannot_be_sent_is_an_error():
    with LocalProcesses(1, 1) as executor:
        error = executor.submit(threading.Lock).exception(60)
    assert "result that cannot be sent: <unlocked _thread.lock" in str(error)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_a_standard_stream_calls_are_made_all_the_same(closed, tmp_path):
    """The pipe to a process must not be what a library in C takes for its standard error."""
    code = """if 1:
        import os, sys
        from d2l_lrsched.runs.executors import LocalProcesses
        speak = "import os; [os.write(number, b'of a library') for number in (1, 2)]"
        if __name__ == "__main__":
            with LocalProcesses(1, 2) as executor:
                calls = [executor.submit(exec, speak), executor.submit(divmod, 7, 2)]
                open(sys.argv[1], "w").write(repr([call.result(60) for call in calls]))
    """
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", code, tmp_path / "told"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text() == "[None, (3, 1)]"


def test_a_message_elsewhere_goes_nowhere():
    executors.tell("nobody listens")


def test_every_call_has_a_process_and_one_thread_of_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with LocalProcesses(2, 4) as executor:
        threads = [executor.submit(os.getenv, "OMP_NUM_THREADS") for _ in range(2)]
        processes = [executor.submit(os.getpid) for _ in range(2)]
        assert [future.result(60) for future in threads] == ["1", "1"]
        assert len({os.getpid(), *(future.result(60) for future in processes)}) == 3
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_the_parent_that_had_no_number_of_threads_gets_none(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    with LocalProcesses(1, 1) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result(60) == "1"
    assert "OMP_NUM_THREADS" not in os.environ


class Staged:
    """Stands for processes: how many are running, and each ends when it is told to."""

    def __init__(self):
        self.running = 0
        self.may_end = threading.Semaphore(0)
        self.lock = threading.Lock()

    def start(self, function, arguments):
        with self.lock:
            self.running += 1
        return self, self

    def recv(self):
        self.may_end.acquire()
        return "result", None

    def close(self): ...

    def kill(self): ...

    def join(self):
        with self.lock:
            self.running -= 1

    def reaches(self, number):
        """Whether so many run at once, and soon after still no more."""
        deadline = time.monotonic() + 60
        while self.running != number and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return self.running == number


@pytest.fixture
def staged(monkeypatch):
    staged = Staged()
    monkeypatch.setattr(executors, "_start", staged.start)
    return staged


@pytest.mark.parametrize(
    ("calls", "workers", "running"),
    [
        (5, 2, [2, 2, 3, 2, 1]),
        (4, 2, [2, 3, 2, 1]),
        (5, 1, [1, 1, 1, 1, 1]),
        (3, 8, [3, 2, 1]),
        (9, 4, [4, 4, 7, 6, 5, 4, 3, 2, 1]),
    ],
)
def test_as_many_at_once_as_said(staged, calls, workers, running):
    """While so many are left as there are numbers, each number of them runs."""
    with LocalProcesses(workers, calls) as executor:
        for _ in range(calls):
            executor.submit(print)
        for number in running:
            assert staged.reaches(number)
            staged.may_end.release()


def test_a_call_on_top_is_one_of_the_last(staged):
    """As a second attempt is: 3 announced for 2 cores begin at once, and the fourth beside two."""
    with LocalProcesses(2, 3) as executor:
        for _ in range(3):
            executor.submit(print)
        assert staged.reaches(3)
        staged.may_end.release()
        assert staged.reaches(2)
        executor.submit(print)
        assert staged.reaches(3)
        staged.may_end.release(3)


def test_leaving_kills_what_runs_and_forgets_what_waits():
    begun = time.monotonic()
    with LocalProcesses(1, 3) as executor:
        futures = [executor.submit(time.sleep, 600) for _ in range(3)]
        while not executor._running:
            time.sleep(0.05)
        (process,) = executor._running
    assert time.monotonic() - begun < 60
    assert not process.is_alive()
    assert all(future.done() for future in futures)
    with pytest.raises(WorkerDied):
        futures[0].result()
    assert futures[2].cancelled()


def test_the_very_first_process_does_not_hear_ctrl_c_either():
    """In a process of its own, whose first start also starts Python's own resource tracker."""
    code = """if 1:
        import time
        from d2l_lrsched.runs.executors import LocalProcesses
        if __name__ == "__main__":
            with LocalProcesses(1, 1) as executor:
                executor.submit(time.sleep, 600)
                while not executor._running:
                    time.sleep(0.05)
                status = open(f"/proc/{executor._running[0].pid}/status").read()
            print(*(l.split()[1] for l in status.splitlines() if l.startswith("SigBlk")))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert int(done.stdout, 16) & 1 << (signal.SIGINT - 1), done.stderr
