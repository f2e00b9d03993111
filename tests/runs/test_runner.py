from __future__ import annotations

import dataclasses
import platform
from concurrent.futures import Future, ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest
from d2l import mxnet as d2l
from msgspec.structs import replace
from mxnet import gluon, npx

from d2l_lrsched.data import source as files
from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.runs import record as store
from d2l_lrsched.runs import runner
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.training import checkpoint
from d2l_lrsched.training.loop import train
from made_up import a_run


@pytest.fixture
def small_data(monkeypatch, small_iters):
    """`runner.run_job` on 404 images, and what it asked the data for."""
    asked = {}

    def load(batch_size, *, data_dir, seed):
        asked.update(batch_size=batch_size, data_dir=data_dir, seed=seed)
        return small_iters(seed)

    monkeypatch.setattr(runner, "load_fashion_mnist", load)
    return asked


def test_a_record_holds_the_whole_run(small_data, tmp_path):
    run = runner.run_job(runner.Job("square-root", seed=5, num_epochs=2, data_dir="/d"), "none")
    assert small_data == {"batch_size": 256, "data_dir": "/d", "seed": 5}
    assert (run.experiment, run.seed, run.num_epochs) == ("square-root", 5, 2)
    assert run.settings == {**CHAPTER["square-root"].settings, "net": "chapter"}
    assert len(run.epochs) == 2
    assert len(run.points) == 2
    assert run.schedule == [(t + 1.0) ** -0.5 for t in range(30)]
    assert run.threads == 1
    assert run.data == files.SHA256
    assert run.versions["python"] == platform.python_version()
    assert run.seconds == sum(epoch.seconds for epoch in run.epochs)
    assert run.started.endswith("+00:00")
    store.append(tmp_path / "runs.jsonl", run)
    assert store.read(tmp_path / "runs.jsonl") == [run]


def numbers(run):
    return [replace(epoch, seconds=0) for epoch in run.epochs], run.points


def test_the_seed_decides_every_number(small_data):
    first, again, other = (
        numbers(runner.run_job(runner.Job("multi-factor", seed=seed, num_epochs=1), "none"))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_a_run_is_train_with_the_schedulers_and_seeds_said(small_data, small_iters):
    """The same run written out by hand, with the public functions."""
    run = runner.run_job(runner.Job("square-root", seed=3, num_epochs=1), "none")
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


def test_30_epochs_unless_told_otherwise(small_data, monkeypatch):
    asked = []

    def stop(net, train_iter, test_iter, num_epochs, *arguments, **options):
        asked.append(num_epochs)
        raise InterruptedError

    monkeypatch.setattr(runner, "train", stop)
    for num_epochs in (None, 7):
        with pytest.raises(InterruptedError):
            runner.run_job(runner.Job("constant", num_epochs=num_epochs))
    assert asked == [30, 7]


def test_the_fast_net_starts_from_the_chapters_parameters(small_data):
    """And ends, after 51 updates, where rounding allows."""
    chapter, fast = (
        runner.run_job(runner.Job("cosine", num_epochs=1, net=net), "none")
        for net in ("chapter", "fast")
    )
    assert fast.final.train_loss == pytest.approx(chapter.final.train_loss, rel=1e-5)
    assert fast.settings["net"] == "fast"


class Worse:
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


def test_all_pairs_are_made_once_and_stored(small_data, records):
    settings = {"num_epochs": 1, "net": "fast"}
    with ThreadPoolExecutor(2) as executor:  # threads of one process: they take turns
        made = list(runner.run(["constant", "cosine"], range(2), executor, records, **settings))
        again = list(runner.run(["constant", "cosine"], range(3), executor, records, **settings))
    pairs = [("constant", 0), ("cosine", 0), ("constant", 1), ("cosine", 1)]
    assert sorted((run.experiment, run.seed) for run in made) == sorted(pairs)
    assert sorted((run.experiment, run.seed) for run in again) == [("constant", 2), ("cosine", 2)]
    assert store.read(records) == [*made, *again]
    assert {run.settings["net"] for run in made} == {"fast"}
    assert [path.name for path in records.parent.iterdir()] == ["runs.jsonl"]
    (alone,) = (run for run in made if (run.experiment, run.seed) == ("cosine", 1))
    job = runner.Job("cosine", 1, 1, net="fast")
    assert numbers(runner.run_job(job, "none")) == numbers(alone)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"num_epochs": 2}, {"net": "fast"}, {"experiments": ["cosine"]}]
)
def test_what_differs_in_its_settings_is_missing(small_data, records, other):
    asked = {"experiments": ["constant"], "seed": 0, "num_epochs": 1, "net": "chapter"}

    def missing(experiments, seed, **settings):
        return runner.missing(experiments, [seed], records, **settings)

    (job,) = missing(**asked)
    store.append(records, runner.run_job(job, "none"))
    assert missing(**asked) == []
    assert len(missing(**{**asked, **other})) == 1


def test_the_sign_of_the_home_folder(tmp_path, monkeypatch):
    """Of the records: their checkpoints are there, too."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (job,) = runner.missing(["cosine"], [0], "~/runs.jsonl")
    assert job.checkpoint.parent == tmp_path / "home" / "checkpoints"
    store.append("~/runs.jsonl", a_run("cosine", 0, num_epochs=30, settings=job.settings))
    assert runner.missing(["cosine"], [0], "~/runs.jsonl") == []


def test_pairs_come_seed_by_seed(records):
    jobs = runner.missing(["constant", "cosine"], [4, 7], records, data_dir="/d")
    assert [str(job) for job in jobs] == [
        "constant, seed 4",
        "cosine, seed 4",
        "constant, seed 7",
        "cosine, seed 7",
    ]
    assert {job.data_dir for job in jobs} == {"/d"}
    assert len({job.checkpoint for job in jobs}) == 4


def test_a_dead_worker_costs_a_second_attempt(small_data, records):
    executor = Worse(deaths=1)
    with pytest.warns(UserWarning, match="^cosine, seed 0: its worker died; it is tried again$"):
        (made,) = runner.run(["cosine"], [0], executor, records, num_epochs=1)
    assert isinstance(made, store.Run)
    (first, second) = executor.attempts
    assert first[0] == second[0]
    assert first != second  # or Dask would take one for the other


@pytest.mark.parametrize(("retries", "attempts"), [(1, 2), (0, 1)])
@pytest.mark.filterwarnings("ignore:.*tried again")
def test_a_run_whose_workers_die_is_named(records, retries, attempts):
    executor = Worse(deaths=9)
    (failure,) = runner.run(["cosine"], [5], executor, records, retries=retries)
    assert (str(failure.job), failure.reason) == ("cosine, seed 5", "its worker died")
    assert len(executor.attempts) == attempts


def test_a_pool_that_takes_no_more_is_a_failure(records):
    with ThreadPoolExecutor(1) as executor:
        pass
    with pytest.warns(UserWarning, match="tried again"):
        (failure,) = runner.run(["cosine"], [0], executor, records)
    assert failure.reason == "cannot schedule new futures after shutdown"


def test_a_run_that_fails_by_itself_is_not_tried_again(records, tmp_path):
    executor = Worse(deaths=0)
    (failure,) = runner.run(["cosine"], [0], executor, records, data_dir=str(tmp_path / "no"))
    assert failure.reason.startswith(f"DataError: {tmp_path}/no: no such folder")
    assert len(executor.attempts) == 1


def stopped_after_an_epoch(job, monkeypatch):
    """Make the run's first epoch, as if its process were killed then."""

    class Killed(BaseException): ...

    class Stop(runner.Display):
        def epoch(self, *numbers):
            raise Killed

    with pytest.raises(Killed):
        runner.run_job(job, Stop())


def test_an_interrupted_run_goes_on_and_leaves_no_checkpoint(small_data, records, monkeypatch):
    (job,) = runner.missing(["multi-factor"], [3], records, num_epochs=3)
    whole = runner.run_job(dataclasses.replace(job, checkpoints=None), "none")
    stopped_after_an_epoch(job, monkeypatch)
    assert [path.name for path in (records.parent / "checkpoints").iterdir()] == [
        "multi-factor-seed-3-3-epochs-chapter.npz"
    ]
    seen = []
    monkeypatch.setattr(
        runner.executors, "tell", lambda message: seen.append((message[1], len(written)))
    )
    written = []
    save = checkpoint.Checkpoint.save
    monkeypatch.setattr(checkpoint.Checkpoint, "save", lambda *to: (written.append(1), save(*to)))
    (made,) = runner.run(["multi-factor"], [3], Worse(0), records, num_epochs=3)
    assert seen == [(1, 0), (2, 1), (3, 2)]  # the first is told of, but not made again
    assert numbers(made) == numbers(whole)
    assert list(records.parent.iterdir()) == [records]


def test_a_checkpoint_of_another_version_is_refused(small_data, records, monkeypatch):
    """And the warning, perhaps of another machine, reaches whoever asked for the run."""
    (job,) = runner.missing(["cosine"], [0], records, num_epochs=2)
    stopped_after_an_epoch(job, monkeypatch)
    monkeypatch.setattr(runner.provenance, "versions", lambda: {"mxnet": "2.0"})
    refused = (
        r"^cosine, seed 0: .*refused, its versions is .*, not {'mxnet': '2.0'}; the run starts"
    )
    with pytest.warns(UserWarning, match=refused):
        (made,) = runner.run(["cosine"], [0], Worse(0), records, num_epochs=2)
    assert made.versions == {"mxnet": "2.0"}


def test_a_record_that_cannot_be_written_keeps_run_and_checkpoint(small_data, records):
    def in_the_way(function, *arguments):
        result = function(*arguments)
        records.mkdir()
        future = Future()
        future.set_result(result)
        return future

    executor = Worse(0)
    executor.submit = in_the_way
    (failure,) = runner.run(["cosine"], [0], executor, records, num_epochs=1)
    assert failure.reason == f"{records}: cannot be written (Is a directory)"
    assert failure.run.experiment == "cosine"
    records.rmdir()
    (made,) = runner.run(["cosine"], [0], Worse(0), records, num_epochs=1)
    assert made.epochs == failure.run.epochs  # the very seconds too: nothing was trained again


def test_a_run_that_another_runner_stored_meanwhile_is_not_stored_twice(small_data, records):
    class Slow(Worse):
        def submit(self, function, *arguments):
            store.append(records, runner.run_job(arguments[0], "none"))
            return super().submit(function, *arguments)

    (made,) = runner.run(["cosine"], [0], Slow(0), records, num_epochs=1)
    (stored,) = store.read(records)
    assert numbers(stored) == numbers(made)


def test_where_the_output_folder_is_not_there_is_no_checkpoint(small_data, tmp_path):
    """As on another machine of a cluster."""
    job = runner.Job("cosine", 0, 1, checkpoints=str(tmp_path / "elsewhere" / "checkpoints"))
    runner.run_job(job, "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("again", [["cosine", "cosine"], ["cosine"]])
def test_what_is_asked_for_twice_is_made_once(records, again):
    (job,) = runner.missing(again, np.array([3, 3]), records)
    assert (job.seed, type(job.seed)) == (3, int)


def test_a_checkpoint_that_cannot_be_removed_costs_nothing(small_data, records, monkeypatch):
    def stay(job):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runner, "discard_checkpoint", stay)
    with pytest.warns(UserWarning, match=r"cosine, seed \d: its checkpoint stays \(Permission"):
        made = list(runner.run(["cosine"], [0, 1], Worse(0), records, num_epochs=1))
    assert len(made) == len(store.read(records)) == 2


def test_a_run_with_clipping_says_what_it_measured(small_data, tmp_path):
    run = runner.run_job(runner.Job("pilot", seed=5, num_epochs=1), "none")
    assert run.settings == {**all_experiments()["pilot"].settings, "net": "chapter"}
    assert run.settings["clip_norm"] == 1e6
    assert run.epochs[0].clipped == run.epochs[0].skipped == 0
    assert 0 < run.epochs[0].norm_median < run.epochs[0].norm_max
    store.append(tmp_path / "runs.jsonl", run)
    assert store.read(tmp_path / "runs.jsonl") == [run]
    unclipped = runner.run_job(runner.Job("constant", num_epochs=1), "none")
    assert unclipped.epochs[0].clipped is None
