from __future__ import annotations

import re
from dataclasses import replace

import pytest

from d2l_lrsched.runs.job import Job, Place, run_job
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.choice.experiments import ARMS, TUNE
from made_up import committed

EXPERIMENTS = all_experiments()


def rates(name, losses):
    return EXPERIMENTS[name].rates(losses)


def test_a_constant_rate_is_that_of_every_update():
    assert rates("constant", [0.5, 0.5]) == [0.3] * 470


def test_a_schedule_is_the_one_that_its_plot_left():
    """MXNet's multi-factor schedule, lowered at 15 and 30: 15 is past when the training begins."""
    assert rates("multi-factor", [0.5]) == [0.25] * 30 + [0.125] * 205


def test_a_schedule_over_the_run_has_the_runs_length():
    falling = rates("poly-1", [0.5] * 4)  # a straight line from 0.3 to 0
    assert falling == pytest.approx([0.3 * (940 - n) / 940 for n in range(1, 941)])


def test_a_plateau_is_told_the_losses():
    """The second epoch has the loss of the first: the third has a third of the rate."""
    assert rates("plateau", [0.5] * 3) == pytest.approx([0.3] * 470 + [0.1] * 235)
    assert rates("plateau", [0.5, 0.4, 0.3]) == [0.3] * 705


def test_with_examples_held_out_an_epoch_has_fewer_updates():
    """55,000 in batches of 256: 214 whole ones and one of 216."""
    held_out = replace(EXPERIMENTS["poly-1"], held_out=5000)
    falling = held_out.rates([0.5] * 2)
    assert falling == pytest.approx([0.3 * (430 - n) / 430 for n in range(1, 431)])
    assert EXPERIMENTS["poly-1"].updates_per_epoch == 235


def test_only_an_experiment_that_holds_examples_out_says_so():
    """So the keys of the records that there are stay what they were."""
    usual = EXPERIMENTS["poly-1"].settings
    assert list(usual) == [
        *("learning_rate", "scheduler", "unit", "batch_size", "optimizer", "clip_norm"),
    ]
    assert replace(EXPERIMENTS["poly-1"], held_out=50).settings == {**usual, "held_out": 50}


@pytest.mark.parametrize("study", ["chapter", "clipping", "exercises"])
def test_they_are_those_of_the_committed_runs(study):
    """Of seed 0 of every experiment, in the first and the last update of every epoch."""
    for run in committed(study):
        if run.seed == 0:
            of_run = rates(run.experiment, [epoch.train_loss for epoch in run.epochs])
            assert of_run[::235] == pytest.approx([epoch.lr_first for epoch in run.epochs])
            assert of_run[234::235] == pytest.approx([epoch.lr_last for epoch in run.epochs])


def test_each_can_be_run_for_real(monkeypatch, small_iters):
    """For one epoch of 72 images, 9 updates, at the rates of its schedule.

    One of each kind: the others differ from it in numbers alone.
    """
    monkeypatch.setattr(
        "d2l_lrsched.runs.job.load_fashion_mnist",
        lambda batch_size, *, seed, **_: small_iters(seed, 72),
    )
    kinds = {}
    for name, experiment in EXPERIMENTS.items():
        if name not in ARMS or ARMS[name].phase == TUNE:  # else it is the same, or clipped
            kind = re.sub(r"\d[\d.e-]*", "#", f"{experiment.settings} {experiment.net}")
            kinds.setdefault(kind, (name, experiment))
    for name, experiment in kinds.values():
        run = run_job(Job(experiment, 0, 1, "fast"), Place(), "none")
        assert run.experiment == name
        assert run.settings["net"] == (experiment.net or "lanes")
        assert (run.final.clipped is None) == (experiment.clip_norm is None)
        params, _ = experiment.prepare(9, 1)
        rate = params.get("lr_scheduler", lambda n: experiment.learning_rate)  # noqa: B023
        assert (run.final.lr_first, run.final.lr_last) == pytest.approx((rate(1), rate(9)))
