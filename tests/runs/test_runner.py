from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import pytest

from d2l_lrsched.runs import provenance, record, runner
from d2l_lrsched.runs.executors import LocalProcesses, WorkerDied
from d2l_lrsched.runs.job import Job, Place, run_job
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.training import checkpoint
from d2l_lrsched.training.display import Display
from made_up import a_job, a_run, make, numbers

EXPERIMENTS = all_experiments()


class Eager:
    """What takes all calls at once."""

    retries = 1

    def at_once(self, left):
        return left


class Threads(Eager, ThreadPoolExecutor): ...


class Worse(Eager):
    """An executor whose first calls fail, as those of dying workers do."""

    def __init__(self, deaths):
        self.deaths = deaths
        self.attempts = []

    def submit(self, function, *arguments):
        self.attempts.append(arguments)
        future = Future()
        if len(self.attempts) <= self.deaths:
            future.set_exception(RuntimeError("its worker died\nof the heat"))
        else:
            future.set_result(function(*arguments))
        return future


@pytest.fixture
def records(tmp_path):
    return tmp_path / "runs.jsonl"


def test_all_jobs_are_made_once_and_stored(small_data, records):
    def jobs(num_seeds):
        names = ("constant", "cosine")
        return [a_job(name, seed, net="fast") for seed in range(num_seeds) for name in names]

    with Threads(2) as executor:  # threads of one process: they take turns
        made = list(runner.run(jobs(2), executor, records))
        again = list(runner.run(jobs(3), executor, records))
    pairs = [("constant", 0), ("cosine", 0), ("constant", 1), ("cosine", 1)]
    assert sorted((run.experiment, run.seed) for run in made) == sorted(pairs)
    assert sorted((run.experiment, run.seed) for run in again) == [("constant", 2), ("cosine", 2)]
    assert record.read(records) == [*made, *again]
    assert {run.settings["net"] for run in made} == {"lanes"}
    assert [path.name for path in records.parent.iterdir()] == ["runs.jsonl"]
    (alone,) = (run for run in made if (run.experiment, run.seed) == ("cosine", 1))
    assert numbers(make(a_job("cosine", 1, net="fast"))) == numbers(alone)


def test_runs_of_one_process_take_turns(small_data, records, monkeypatch):
    """In two threads, as a Dask worker may have: MXNet has one seed a process."""
    inside, most = [], []

    def train(*arguments, **options):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.1)
        inside.pop()
        raise InterruptedError

    monkeypatch.setattr("d2l_lrsched.runs.job.train", train)
    with Threads(2) as executor:
        jobs = [a_job("cosine", seed) for seed in range(2)]
        assert len(list(runner.run(jobs, executor, records))) == 2
    assert most == [1, 1]


@pytest.mark.parametrize(
    "other",
    [
        a_job("constant", 1),
        a_job("constant", 0, 2),
        a_job("constant", net="fast"),
        a_job("cosine"),
        Job(dataclasses.replace(EXPERIMENTS["constant"], learning_rate=0.5), 0, 1),
    ],
)
def test_what_differs_in_its_settings_is_missing(records, other):
    there = a_job("constant")
    record.append(records, a_run("constant", 0, num_epochs=1, settings=there.settings))
    assert runner.missing([there, other], records) == [other]


def test_what_is_asked_for_twice_is_made_once(records):
    assert runner.missing([a_job("cosine"), a_job("cosine")], records) == [a_job("cosine")]


def test_the_sign_of_the_home_folder(tmp_path, monkeypatch):
    """Of the records: their checkpoints are there, too."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    place = Place.of("~/runs.jsonl", tmp_path)
    assert place.checkpoint(a_job("cosine")).parent == tmp_path / "home" / "checkpoints"
    assert place.data_dir == str(tmp_path)
    job = a_job("cosine", num_epochs=None)
    record.append("~/runs.jsonl", a_run("cosine", 0, num_epochs=30, settings=job.settings))
    assert runner.missing([job], "~/runs.jsonl") == []


def test_a_dead_worker_costs_a_second_attempt(small_data, records):
    executor = Worse(deaths=1)
    with pytest.warns(UserWarning, match="^cosine, seed 0: its worker died; it is tried again$"):
        (made,) = runner.run([a_job("cosine")], executor, records)
    assert isinstance(made, record.Run)
    (first, second) = executor.attempts
    assert first == second


@pytest.mark.parametrize(("retries", "attempts"), [(1, 2), (0, 1)])
@pytest.mark.filterwarnings("ignore:.*tried again")
def test_a_run_whose_workers_die_is_named(records, retries, attempts):
    executor = Worse(deaths=9)
    executor.retries = retries
    (failure,) = runner.run([a_job("cosine", 5)], executor, records)
    assert (str(failure.job), failure.reason) == ("cosine, seed 5", "its worker died")
    assert len(executor.attempts) == attempts


def test_a_pool_that_takes_no_more_is_a_failure(records):
    with Threads(1) as executor:
        pass
    with pytest.warns(UserWarning, match="tried again"):
        (failure,) = runner.run([a_job("cosine")], executor, records)
    assert failure.reason


def test_a_run_that_fails_by_itself_is_not_tried_again(records, tmp_path):
    executor = Worse(deaths=0)
    (failure,) = runner.run([a_job("cosine")], executor, records, data_dir=tmp_path / "no")
    assert failure.reason.startswith(f"DataError: {tmp_path}/no: no such folder")
    assert len(executor.attempts) == 1


def test_who_stops_asking_cancels_what_waits(records):
    class Waits(Worse):
        retries = 0
        futures: ClassVar = []

        def submit(self, function, *arguments):
            self.futures.append(Future() if self.futures else super().submit(function, *arguments))
            return self.futures[-1]

    running = runner.run([a_job("cosine", s) for s in range(3)], Waits(9), records)
    next(running)
    running.close()
    assert [future.cancelled() for future in Waits.futures] == [False, True, True]


class Staged(Eager):
    """Takes as many calls as `LocalProcesses`; each ends when it is told to."""

    def __init__(self, workers):
        self.at_once = LocalProcesses(workers).at_once
        self.running = []

    def submit(self, function, job, place):
        future = Future()
        self.running.append((future, job))
        return future

    def end(self):
        future, job = self.running.pop(0)
        future.set_result((runner.Failure(job, "ended"), []))

    def reaches(self, number):
        """Whether so many run at once, and soon after still no more."""
        deadline = time.monotonic() + 60
        while len(self.running) != number and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return len(self.running) == number


@pytest.fixture
def staged(records):
    """Return a function that begins so many runs in a thread: what makes them, their results."""

    def staged(calls, workers):
        executor, ended = Staged(workers), []
        jobs = [a_job("cosine", seed) for seed in range(calls)]
        run = runner.run(jobs, executor, records)
        threading.Thread(target=lambda: ended.extend(run), daemon=True).start()
        return executor, ended

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
def test_as_many_at_once_as_the_executor_takes(staged, calls, workers, running):
    """While so many are left as there are numbers, each number of them runs."""
    executor, _ = staged(calls, workers)
    for number in running:
        assert executor.reaches(number)
        executor.end()


@pytest.mark.filterwarnings("ignore:cosine, seed 0. killed; it is tried again")
def test_a_second_attempt_is_one_of_the_last(staged):
    """3 runs for 2 cores begin at once, and so does the fourth attempt beside two."""
    executor, ended = staged(3, 2)
    assert executor.reaches(3)
    executor.running.pop(0)[0].set_exception(WorkerDied("killed"))
    for number in (3, 2, 1):
        assert executor.reaches(number)
        executor.end()
    assert executor.reaches(0)
    assert [failure.job.seed for failure in ended] == [1, 2, 0]


def test_an_executor_may_take_more_later(records, monkeypatch):
    """As a cluster that has no worker yet."""
    monkeypatch.setattr(runner, "ASK_SECONDS", 0.01)
    taken = iter([0, 0, 0, 1, 1, 1, 1])
    executor = Worse(0)
    executor.at_once = lambda left: next(taken)
    ended = list(runner.run([a_job("cosine")], executor, records, data_dir=records / "no"))
    assert len(ended) == len(executor.attempts) == 1


def stopped_after_an_epoch(job, place):
    """Make the run's first epoch, as if its process were killed then."""

    class Killed(BaseException): ...

    class Stop(Display):
        def epoch(self, *numbers):
            raise Killed

    with pytest.raises(Killed):
        run_job(job, place, Stop())


def test_an_interrupted_run_goes_on_and_leaves_no_checkpoint(small_data, records, monkeypatch):
    """Also where the commit is another since then: README's, perhaps."""
    job, place = a_job("multi-factor", 3, 3), Place.of(records)
    whole = make(job)
    stopped_after_an_epoch(job, place)
    assert [path.name for path in (records.parent / "checkpoints").iterdir()] == [
        "multi-factor-seed-3-3-epochs-chapter.npz"
    ]
    versions = {**provenance.versions(), "commit": "another"}
    monkeypatch.setattr(provenance, "versions", lambda: versions)
    seen = []
    monkeypatch.setattr(
        runner.executors, "tell", lambda message: seen.append((message[1], len(written)))
    )
    written = []
    save = checkpoint.Checkpoint.save
    monkeypatch.setattr(checkpoint.Checkpoint, "save", lambda *to: (written.append(1), save(*to)))
    (made,) = runner.run([job], Worse(0), records)
    assert seen == [(1, 0), (2, 1), (3, 2)]  # the first is told of, but not made again
    assert numbers(made) == numbers(whole)
    assert list(records.parent.iterdir()) == [records]


@pytest.mark.parametrize(
    ("what", "other", "said"),
    [
        ("versions", {"mxnet": "2.0"}, r"its versions is .*, not {'mxnet': '2.0'}"),
        ("source", "abc", "its source is .*, not 'abc'"),
    ],
)
def test_a_checkpoint_of_another_version_is_refused(
    small_data, records, monkeypatch, what, other, said
):
    """And the warning, perhaps of another machine, reaches whoever asked for the run."""
    job = a_job("cosine", num_epochs=2)
    stopped_after_an_epoch(job, Place.of(records))
    monkeypatch.setattr(provenance, what, lambda: other)
    with pytest.warns(UserWarning, match=rf"^cosine, seed 0: .*refused, {said}; the run starts"):
        (made,) = runner.run([job], Worse(0), records)
    assert len(made.epochs) == 2


def test_a_record_that_cannot_be_written_keeps_run_and_checkpoint(small_data, records):
    def in_the_way(function, *arguments):
        result = function(*arguments)
        records.mkdir()
        future = Future()
        future.set_result(result)
        return future

    executor = Worse(0)
    executor.submit = in_the_way
    (failure,) = runner.run([a_job("cosine")], executor, records)
    assert failure.reason == f"{records}: cannot be written (Is a directory)"
    assert failure.run.experiment == "cosine"
    records.rmdir()
    (made,) = runner.run([a_job("cosine")], Worse(0), records)
    assert made.epochs == failure.run.epochs  # the very seconds too: nothing was trained again


def test_a_run_that_another_runner_stored_meanwhile_is_not_stored_twice(small_data, records):
    class Slow(Worse):
        def submit(self, function, *arguments):
            record.append(records, make(arguments[0]))
            return super().submit(function, *arguments)

    (made,) = runner.run([a_job("cosine")], Slow(0), records)
    (stored,) = record.read(records)
    assert numbers(stored) == numbers(made)


def test_a_checkpoint_that_cannot_be_removed_costs_nothing(small_data, records, monkeypatch):
    def stay(job, place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runner, "discard_checkpoint", stay)
    with pytest.warns(UserWarning, match=r"cosine, seed \d: its checkpoint stays \(Permission"):
        made = list(runner.run([a_job("cosine", s) for s in range(2)], Worse(0), records))
    assert len(made) == len(record.read(records)) == 2
