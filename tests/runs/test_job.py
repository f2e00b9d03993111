from __future__ import annotations

import dataclasses
import platform

import mxnet as mx
import numpy as np
import pytest
from d2l import mxnet as d2l
from mxnet import gluon, npx

from d2l_lrsched.data import source
from d2l_lrsched.data.content import FIRST_SHA1
from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.runs import experiment, job, record
from d2l_lrsched.runs.job import Job, Place
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.training.loop import train
from made_up import a_job, make, numbers

EXPERIMENTS = all_experiments()


def test_a_record_holds_the_whole_run(small_data, tmp_path):
    run = make(a_job("square-root", 5, 2), Place(data_dir="/d"))
    usual = {"release": None, "split": None, "held_out": 0}
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
    place = Place(checkpoints="/c")
    assert place.checkpoint(job) != place.checkpoint(a_job("cosine", 5))
    assert experiment.known(run, EXPERIMENTS)


def test_weights_and_order_have_a_seed_each(small_data):
    """They decide every number; a run of both seeds alike is the run of that seed."""

    def losses(seed, order=None):
        return numbers(make(dataclasses.replace(a_job("cosine", seed), order=order)))

    one, two = losses(1), losses(2)
    assert losses(1, 1) == one != two
    assert losses(1, 2) not in (one, two)


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


@pytest.mark.parametrize("gpus", [0, 1])
def test_a_run_trains_where_try_gpu_says(gpus, monkeypatch):
    """d2l asks the same; it need not be imported where there is no GPU."""
    monkeypatch.setattr(mx.context, "num_gpus", lambda: gpus)
    monkeypatch.setattr(d2l.npx, "num_gpus", lambda: gpus)
    assert job._context() == d2l.try_gpu() == (mx.gpu() if gpus else mx.cpu())


def test_30_epochs_unless_told_otherwise():
    assert [a_job("constant", 0, num_epochs).length for num_epochs in (None, 7)] == [30, 7]


def test_the_fast_net_starts_from_the_chapters_parameters(small_data):
    """And ends, after 51 updates, where rounding allows."""
    chapter, fast = (make(a_job("cosine", net=net)) for net in ("chapter", "fast"))
    assert fast.final.train_loss == pytest.approx(chapter.final.train_loss, rel=1e-5)
    assert fast.settings["net"] == "lanes"


def test_every_run_has_a_checkpoint_of_its_own():
    jobs = [a_job("cosine"), a_job("cosine", 1), a_job("cosine", 0, 2), a_job("cosine", net="fast")]
    place = Place.of("runs.jsonl")
    assert len({place.checkpoint(job) for job in [*jobs, a_job("constant")]}) == 5


def test_where_the_output_folder_is_not_there_is_no_checkpoint(small_data, tmp_path):
    """As on another machine of a cluster."""
    make(a_job("cosine"), Place.of(tmp_path / "elsewhere" / "runs.jsonl"))
    assert list(tmp_path.iterdir()) == []


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
        "d2l_lrsched.runs.job.load_fashion_mnist",
        lambda *_, **settings: (OneBad(train_iter), test_iter),
    )
    run = make(a_job("both", net="fast"))
    assert run.epochs[0].skipped == 1
    assert run.outcome != "non-finite"


def test_a_run_on_held_out_pictures_asks_for_them_and_says_so(small_data):
    held_out = dataclasses.replace(EXPERIMENTS["constant"], name="tuning", held_out=5000)
    run = make(Job(held_out, 0, 1))
    assert small_data["held_out"] == 5000
    assert run.settings == {**EXPERIMENTS["constant"].settings, "held_out": 5000, "net": "chapter"}
    assert experiment.known(run, {"tuning": held_out})
    assert not experiment.known(run, {"tuning": EXPERIMENTS["constant"]})
