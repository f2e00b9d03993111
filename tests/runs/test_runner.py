from __future__ import annotations

import dataclasses
import platform
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import mxnet as mx
import numpy as np
import pytest
from d2l import mxnet as d2l
from msgspec.structs import replace
from mxnet import gluon, npx

from d2l_lrsched.data import source
from d2l_lrsched.data.content import FIRST_SHA1
from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.runs import experiment, record, runner
from d2l_lrsched.runs.executors import LocalProcesses, WorkerDied
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.training import checkpoint
from d2l_lrsched.training.loop import train
from made_up import a_run

EXPERIMENTS = all_experiments()
NOWHERE = runner.Place()


def a_job(name, seed=0, num_epochs=1, net="chapter"):
    return runner.Job(EXPERIMENTS[name], seed, num_epochs, net)


def make(job, place=NOWHERE):
    """Make the job's run in this process and show nothing."""
    return runner.run_job(job, place, "none")


@pytest.fixture
def small_data(monkeypatch, small_iters):
    """`runner.run_job` on 404 images, and what it asked the data for."""
    asked = {}

    def load(batch_size, *, seed, **chosen):
        asked.update(batch_size=batch_size, seed=seed, **chosen)
        return small_iters(seed)

    monkeypatch.setattr(runner, "load_fashion_mnist", load)
    return asked


def test_a_record_holds_the_whole_run(small_data, tmp_path):
    run = make(a_job("square-root", 5, 2), runner.Place(data_dir="/d"))
    usual = {"release": None, "split": None}
    assert small_data == {"batch_size": 256, "data_dir": "/d", "seed": 5, **usual}
    assert (run.experiment, run.seed, run.num_epochs) == ("square-root", 5, 2)
    assert run.settings == {**EXPERIMENTS["square-root"].settings, "net": "chapter"}
    assert len(run.epochs) == 2
    assert len(run.points) == 2
    assert run.schedule == [(t + 1.0) ** -0.5 for t in range(30)]
    assert run.threads == 1
    assert (run.data, run.chosen) == (source.SHA256, {})
    assert run.versions["python"] == platform.python_version()
    assert run.seconds == sum(epoch.seconds for epoch in run.epochs)
    assert run.started.endswith("+00:00")
    record.append(tmp_path / "runs.jsonl", run)
    assert record.read(tmp_path / "runs.jsonl") == [run]


@pytest.mark.parametrize(
    "chosen", [{"release": "2017-08-26"}, {"order": 7}, {"order": 0, "split": 0}]
)
def test_what_was_chosen_makes_another_run_which_says_so(small_data, chosen):
    job = dataclasses.replace(a_job("cosine", 5), **chosen)
    run = make(job)
    asked = {"seed": 5, "release": None, "split": None, **chosen}
    asked["seed"] = asked.pop("order", asked["seed"])
    assert asked.items() <= small_data.items()
    assert run.chosen == chosen
    assert run.seed == 5
    assert run.key == job.key != a_job("cosine", 5).key
    assert run.data == (FIRST_SHA1 if "release" in chosen else source.SHA256)
    place = runner.Place(checkpoints="/c")
    assert place.checkpoint(job) != place.checkpoint(a_job("cosine", 5))
    assert experiment.known(run, EXPERIMENTS)


def test_weights_and_order_have_a_seed_each(small_data):
    """A run of both seeds alike is the run of that seed."""

    def losses(seed, order=None):
        return numbers(make(dataclasses.replace(a_job("cosine", seed), order=order)))

    assert losses(1, 1) == losses(1)
    assert losses(1, 2) not in (losses(1), losses(2))


def numbers(run):
    return [replace(epoch, seconds=0) for epoch in run.epochs], run.points


def test_the_seed_decides_every_number(small_data):
    first, again, other = (numbers(make(a_job("multi-factor", seed))) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_run_is_train_with_the_schedulers_and_seeds_said(small_data, small_iters):
    """The same run written out by hand, with the public functions."""
    run = make(a_job("square-root", 3))
    npx.set_np()
    mx.random.seed(3)
    net = lenet()
    net.initialize(ctx=d2l.try_gpu())
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": SquareRootScheduler(1.0)})
    history = train(
        net,
        *small_iters(3),
        1,
        gluon.loss.SoftmaxCrossEntropyLoss(),
        trainer,
        d2l.try_gpu(),
        display="none",
    )
    assert run.final.train_loss == history.epochs[0].train_loss
    assert run.points == history.points


def test_30_epochs_unless_told_otherwise():
    assert [a_job("constant", 0, num_epochs).length for num_epochs in (None, 7)] == [30, 7]


def test_the_fast_net_starts_from_the_chapters_parameters(small_data):
    """And ends, after 51 updates, where rounding allows."""
    chapter, fast = (make(a_job("cosine", net=net)) for net in ("chapter", "fast"))
    assert fast.final.train_loss == pytest.approx(chapter.final.train_loss, rel=1e-5)
    assert fast.settings["net"] == "lanes"


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

    monkeypatch.setattr(runner, "train", train)
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
        runner.Job(dataclasses.replace(EXPERIMENTS["constant"], learning_rate=0.5), 0, 1),
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
    place = runner.Place.of("~/runs.jsonl", tmp_path)
    assert place.checkpoint(a_job("cosine")).parent == tmp_path / "home" / "checkpoints"
    assert place.data_dir == str(tmp_path)
    job = a_job("cosine", num_epochs=None)
    record.append("~/runs.jsonl", a_run("cosine", 0, num_epochs=30, settings=job.settings))
    assert runner.missing([job], "~/runs.jsonl") == []


def test_every_run_has_a_checkpoint_of_its_own():
    jobs = [a_job("cosine"), a_job("cosine", 1), a_job("cosine", 0, 2), a_job("cosine", net="fast")]
    place = runner.Place.of("runs.jsonl")
    assert len({place.checkpoint(job) for job in [*jobs, a_job("constant")]}) == 5


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

    class Stop(runner.Display):
        def epoch(self, *numbers):
            raise Killed

    with pytest.raises(Killed):
        runner.run_job(job, place, Stop())


def test_an_interrupted_run_goes_on_and_leaves_no_checkpoint(small_data, records, monkeypatch):
    """Also where the commit is another since then: README's, perhaps."""
    job, place = a_job("multi-factor", 3, 3), runner.Place.of(records)
    whole = make(job)
    stopped_after_an_epoch(job, place)
    assert [path.name for path in (records.parent / "checkpoints").iterdir()] == [
        "multi-factor-seed-3-3-epochs-chapter.npz"
    ]
    versions = {**runner.provenance.versions(), "commit": "another"}
    monkeypatch.setattr(runner.provenance, "versions", lambda: versions)
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
    stopped_after_an_epoch(job, runner.Place.of(records))
    monkeypatch.setattr(runner.provenance, what, lambda: other)
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


def test_where_the_output_folder_is_not_there_is_no_checkpoint(small_data, tmp_path):
    """As on another machine of a cluster."""
    make(a_job("cosine"), runner.Place.of(tmp_path / "elsewhere" / "runs.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_removed_costs_nothing(small_data, records, monkeypatch):
    def stay(job, place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runner, "discard_checkpoint", stay)
    with pytest.warns(UserWarning, match=r"cosine, seed \d: its checkpoint stays \(Permission"):
        made = list(runner.run([a_job("cosine", s) for s in range(2)], Worse(0), records))
    assert len(made) == len(record.read(records)) == 2


def test_a_run_with_clipping_says_what_it_measured(small_data, tmp_path):
    run = make(a_job("pilot", 5))
    assert run.settings == {**EXPERIMENTS["pilot"].settings, "net": "chapter"}
    assert run.settings["clip_norm"] == 1e6
    assert run.epochs[0].clipped == run.epochs[0].skipped == 0
    assert 0 < run.epochs[0].norm_median < run.epochs[0].norm_max
    record.append(tmp_path / "runs.jsonl", run)
    assert record.read(tmp_path / "runs.jsonl") == [run]
    assert make(a_job("constant")).epochs[0].clipped is None


def test_a_gradient_that_is_not_finite_is_skipped_and_counted(monkeypatch, small_iters):
    """It costs its update, not the run."""

    class OneBad:
        def __init__(self, batches):
            self.batches = batches

        def __len__(self):
            return len(self.batches)

        def __iter__(self):
            for i, (images, labels) in enumerate(self.batches):
                yield (images * np.nan if i == 3 else images), labels

    train_iter, test_iter = small_iters(0)
    monkeypatch.setattr(
        runner, "load_fashion_mnist", lambda *_, **settings: (OneBad(train_iter), test_iter)
    )
    run = make(a_job("both", net="fast"))
    assert run.epochs[0].skipped == 1
    assert run.outcome != "non-finite"
