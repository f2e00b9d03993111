"""Calls of the standard library's functions, in real processes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import dask
import pytest
from distributed import Client, LocalCluster

from d2l_lrsched.runs import executors, runner
from d2l_lrsched.runs.executors import DaskWorkers, LocalProcesses, WorkerDied
from d2l_lrsched.runs.job import Job
from d2l_lrsched.studies import all_experiments


@pytest.mark.parametrize(
    ("left", "workers", "expected"),
    [(5, 2, 2), (4, 2, 2), (3, 2, 3), (1, 2, 1), (5, 8, 5), (9, 4, 4), (5, 1, 1), (0, 2, 0)],
)
def test_the_last_calls_share_the_cores(left, workers, expected):
    assert LocalProcesses(workers).at_once(left) == expected


def test_results_errors_messages_and_deaths_are_told_apart():
    told = []
    with LocalProcesses(2, told.append) as executor:
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
    with LocalProcesses(1) as executor:
        for future in [executor.submit(exec, linger) for _ in range(2)]:
            assert future.result(60) is None
    assert time.monotonic() - begun < 60


def test_what_cannot_be_sent_is_an_error():
    with LocalProcesses(1) as executor:
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
            with LocalProcesses(1) as executor:
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
    with LocalProcesses(2) as executor:
        threads = [executor.submit(os.getenv, "OMP_NUM_THREADS") for _ in range(2)]
        processes = [executor.submit(os.getpid) for _ in range(2)]
        assert [future.result(60) for future in threads] == ["1", "1"]
        assert len({os.getpid(), *(future.result(60) for future in processes)}) == 3
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_the_parent_that_had_no_number_of_threads_gets_none(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    with LocalProcesses(1) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result(60) == "1"
    assert "OMP_NUM_THREADS" not in os.environ


def test_leaving_kills_what_runs_and_forgets_what_waits():
    begun = time.monotonic()
    with LocalProcesses(1) as executor:
        futures = [executor.submit(time.sleep, 600) for _ in range(3)]
        while len(executor._running) < 2:
            time.sleep(0.05)
        processes = [*executor._running]
    assert time.monotonic() - begun < 60
    assert not any(process.is_alive() for process in processes)
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
            with LocalProcesses(1) as executor:
                executor.submit(time.sleep, 600)
                while not executor._running:
                    time.sleep(0.05)
                status = open(f"/proc/{executor._running[0].pid}/status").read()
            print(*(l.split()[1] for l in status.splitlines() if l.startswith("SigBlk")))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert int(done.stdout, 16) & 1 << (signal.SIGINT - 1), done.stderr


def test_a_process_ends_with_its_parent_whatever_it_is_at():
    """Here it sleeps, while MXNet works; its end closes the pipe that is read until then."""
    code = """if 1:
        import os, signal
        from d2l_lrsched.runs.executors import LocalProcesses
        busy = "import time; from d2l_lrsched.runs.executors import tell; tell(1); time.sleep(600)"
        if __name__ == "__main__":
            with LocalProcesses(1, lambda _: os.kill(os.getpid(), signal.SIGKILL)) as executor:
                executor.submit(exec, busy).result()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, b"", b"")


# --- on a Dask cluster ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """A real cluster of one worker; a call that it dies with is given up."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, **options) as cluster,
    ):
        yield cluster


def test_dask_workers_have_a_call_each_and_tell(cluster):
    told = []
    with DaskWorkers(Client(cluster), told.append) as executor:
        assert executor.at_once(9) == 1
        assert executor.submit(divmod, 7, 2).result(60) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 7, 0).result(60)
        twice = [executor.submit(os.urandom, 8) for _ in range(2)]
        assert twice[0].result(60) != twice[1].result(60)  # a second attempt is made anew
        executor.submit(executors.tell, ("cosine, seed 0", 1, 0.5)).result(60)
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
    assert told == [("cosine, seed 0", 1, 0.5)]
    assert executor.at_once(9) == 9  # each has to hear it
    with pytest.raises(WorkerDied, match="the connection to the scheduler is lost"):
        executor.submit(divmod, 7, 2)


def test_a_run_that_waits_for_a_dying_worker_is_not_blamed(cluster, tmp_path, monkeypatch):
    def make(job, place):  # taken to the worker by value
        if job.seed == 0:
            os._exit(1)
        return runner.Failure(job, "made"), []

    monkeypatch.setattr(runner, "_make", make)
    jobs = [Job(all_experiments()["cosine"], seed) for seed in range(3)]
    with DaskWorkers(Client(cluster), print) as executor:
        ended = {f.job.seed: f.reason for f in runner.run(jobs, executor, tmp_path / "runs.jsonl")}
    assert "died" in ended.pop(0)
    assert ended == {1: "made", 2: "made"}
