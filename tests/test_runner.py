from __future__ import annotations

import json
import multiprocessing
import os
import platform
import signal
import subprocess
import sys

import mxnet as mx
import pytest
from d2l import mxnet as d2l
from mxnet import gluon, npx

from d2l_lrsched import files, runner, store
from d2l_lrsched.experiments import CHAPTER
from d2l_lrsched.fast import ARRANGEMENTS
from d2l_lrsched.model import lenet
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.training import train


@pytest.fixture
def small_data(monkeypatch, small_iters):
    """`runner.run` on 404 images, and what it asked the data for."""
    asked = {}

    def load(batch_size, *, data_dir, seed):
        asked.update(batch_size=batch_size, data_dir=data_dir, seed=seed)
        return small_iters(seed)

    monkeypatch.setattr(runner, "load_fashion_mnist", load)
    return asked


def test_a_record_holds_the_whole_run(small_data, tmp_path):
    run = runner.run(runner.Job("square-root", seed=5, num_epochs=2, data_dir="/d"), "none")
    assert small_data == {"batch_size": 256, "data_dir": "/d", "seed": 5}
    assert (run.experiment, run.seed, run.num_epochs) == ("square-root", 5, 2)
    assert run.settings == {**CHAPTER["square-root"].settings, "net": "same-bits"}
    assert len(run.epochs) == 2
    assert len(run.points) == 2
    assert run.schedule == [(t + 1.0) ** -0.5 for t in range(30)]
    assert run.threads == 1
    assert run.data == files.SHA256
    assert run.versions["python"] == platform.python_version()
    assert run.seconds >= sum(epoch["seconds"] for epoch in run.epochs)
    assert run.started.endswith("+00:00")
    store.append(tmp_path / "runs.jsonl", run)
    assert store.read(tmp_path / "runs.jsonl") == [run]


def numbers(run):
    keep = [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in run.epochs]
    return json.dumps([keep, run.points])


def test_the_seed_decides_every_number(small_data):
    first, again, other = (
        numbers(runner.run(runner.Job("multi-factor", seed=seed, num_epochs=1), "none"))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_a_run_is_train_with_the_schedulers_and_seeds_said(small_data, small_iters):
    """The same run written out by hand, with the public functions."""
    run = runner.run(runner.Job("square-root", seed=3, num_epochs=1), "none")
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
    assert run.final["train_loss"] == history.epochs[0].train_loss
    assert run.points == [[p.epoch, p.train_loss, p.train_acc] for p in history.points]


def test_30_epochs_unless_told_otherwise(small_data, monkeypatch):
    asked = []

    def stop(net, train_iter, test_iter, num_epochs, *arguments, **options):
        asked.append(num_epochs)
        raise InterruptedError

    monkeypatch.setattr(runner, "train", stop)
    for num_epochs in (None, 7):
        with pytest.raises(InterruptedError):
            runner.run(runner.Job("constant", num_epochs=num_epochs))
    assert asked == [30, 7]


def test_every_arrangement_of_the_net_starts_from_the_same_parameters(small_data):
    """And ends, after 51 updates, where rounding allows: the chapter's, the same bits, nearly."""
    chapter, same, fast = (
        runner.run(runner.Job("cosine", num_epochs=1, net=net), "none") for net in ARRANGEMENTS
    )
    assert numbers(chapter) == numbers(same)
    assert fast.final["train_loss"] == pytest.approx(chapter.final["train_loss"], rel=1e-5)
    assert fast.settings["net"] == "fast"


@pytest.mark.parametrize(
    ("jobs", "workers", "started"),
    [
        (5, 2, [2, 2, 5, 5, 5]),  # not 2, 2 and 1, with a core idle at the end
        (5, 1, [1, 2, 3, 4, 5]),
        (4, 2, [2, 2, 4, 4]),
        (5, 8, [5, 5, 5, 5, 5]),
        (9, 4, [4, 4, 4, 4, 9, 9, 9, 9, 9]),
    ],
)
def test_the_last_runs_share_the_cores(monkeypatch, jobs, workers, started):
    """The number of runs that have been started when each result comes; all of them end at once."""
    count = []

    class Done:
        def join(self): ...

    def start(job):
        count.append(job)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        theirs.send(runner.Failure(job, "done"))
        return ours, Done()

    monkeypatch.setattr(runner, "_start", start)
    todo = [runner.Job("constant", seed) for seed in range(jobs)]
    results = runner.run_all(todo, workers, lambda *report: None)
    assert [len(count) for _ in results] == started
    assert count == todo


def test_failures_of_workers_are_told_in_one_line(tmp_path):
    jobs = [runner.Job(name, data_dir=str(tmp_path)) for name in ("constant", "cosine")]
    results = list(runner.run_all(jobs, 1, lambda *report: None))
    assert [result.job for result in results] == jobs
    for result in results:
        assert result.reason.startswith("DataError: ")
        assert str(tmp_path) in result.reason
        assert "\n" not in result.reason


def test_a_process_killed_while_it_starts_costs_its_own_run_only(tmp_path, monkeypatch):
    start = runner._start

    def start_and_kill(job):
        connection, process = start(job)
        if job.experiment == "constant":
            process.kill()
        return connection, process

    monkeypatch.setattr(runner, "_start", start_and_kill)
    jobs = [runner.Job(name, data_dir=str(tmp_path)) for name in ("constant", "cosine")]
    results = {r.job.experiment: r.reason for r in runner.run_all(jobs, 2, lambda *report: None)}
    assert results["constant"] == "its process died (exit code -9)"
    assert results["cosine"].startswith("DataError: ")


def test_the_very_first_worker_does_not_hear_ctrl_c_either():
    """In a process of its own, whose first start of a worker also starts Python's own tracker."""
    code = """if 1:
        from d2l_lrsched import runner
        with runner._interrupts_blocked():
            connection, process = runner._start(runner.Job("constant"))
        status = open(f"/proc/{process.pid}/status").read()
        process.kill()
        print(*(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk")))
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert int(done.stdout, 16) & 1 << (signal.SIGINT - 1), done.stderr


@pytest.mark.parametrize("before", ["7", None])
def test_workers_get_one_thread_and_the_parent_keeps_its_own(monkeypatch, before):
    if before is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    with runner._one_thread():
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert os.environ.get("OMP_NUM_THREADS") == before
