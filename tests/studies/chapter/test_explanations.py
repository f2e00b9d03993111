"""What is said in words, held to the committed baseline."""

from __future__ import annotations

import pytest
from mxnet import lr_scheduler

from d2l_lrsched.cli import report as cli_report
from d2l_lrsched.studies.chapter import explanations
from d2l_lrsched.studies.chapter import verdicts as regression
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.training.history import COLLAPSED_SPREAD
from made_up import FIGURES

BASELINE = FIGURES / "chapter" / "runs.jsonl"
HIGH_FROM_THE_START = ("square-root-per-epoch", "multi-factor-per-epoch", "cosine-per-epoch")


@pytest.fixture(scope="module")
def runs():
    return cli_report._full_length(BASELINE)


@pytest.fixture(scope="module")
def verdicts(runs):
    return {(v.experiment, v.number): v for v in regression.compare(runs)}


def of(runs, name):
    return [run for run in runs if run.experiment == name]


def test_each_explanation_is_of_a_difference_and_each_difference_is_explained(verdicts):
    different = {key for key, v in verdicts.items() if v.verdict == regression.DIFFERENT}
    assert different == set(explanations.DIFFERENT)


def test_each_is_a_sentence():
    for text in (*explanations.DIFFERENT.values(), *explanations.FINDINGS):
        assert text.endswith(".")
        assert text == text.strip()


def test_no_printed_number_of_a_run_that_trained_lies_outside(verdicts):
    for name, printed in PRINTED.items():
        if not printed.collapsed:
            for number in ("outcome", *regression.NUMBERS):
                assert verdicts[name, number].verdict != regression.DIFFERENT


def living_losses(runs, name):
    return [run.final.train_loss for run in of(runs, name) if run.outcome == "trained"]


def test_cosines_per_epoch_that_live_end_far_below_the_printed_train_loss(runs):
    for name in ("cosine", "cosine-warmup"):
        losses = living_losses(runs, f"{name}-per-epoch")
        assert len(losses) >= 3
        assert max(losses) < PRINTED[name].train_loss - 0.1


def test_multi_factor_does_not_tell_the_readings_apart(runs):
    losses = living_losses(runs, "multi-factor-per-epoch")
    assert min(losses) < PRINTED["multi-factor"].train_loss < max(losses)


def test_the_plot_before_training_changes_30_updates():
    """MXNet's own scheduler, called as in training, with the book's plot before and without."""
    experiment = CHAPTER["multi-factor"]
    plotted = experiment.prepare(235)[0]["lr_scheduler"]
    fresh = lr_scheduler.MultiFactorScheduler(**experiment.scheduler.keywords)
    rates = [(plotted(n), fresh(n)) for n in range(1, 7051)]
    differ = [n for n, (one, other) in enumerate(rates, start=1) if one != other]
    assert max(differ) <= 30
    assert set(rates[30:]) == {(0.125, 0.125)}


def test_test_accuracies_could_hardly_have_contradicted_the_book(verdicts):
    found = {v.verdict for (_, number), v in verdicts.items() if number == "test_acc"}
    assert found == {regression.INCONCLUSIVE}


def share_above(runs, name, other):
    """Of all pairs of one run each, the share where the first has the higher test accuracy."""
    ours, theirs = ([run.final.test_acc for run in of(runs, n)] for n in (name, other))
    return sum(a > b for a in ours for b in theirs) / len(ours) / len(theirs)


def test_one_run_each_ranks_two_groups_of_schedules(runs):
    for name in ("constant", "square-root", "multi-factor"):
        for other in ("cosine", "cosine-warmup"):
            assert share_above(runs, name, other) >= 0.9
    assert 0.25 < share_above(runs, "cosine", "cosine-warmup") < 0.75


def test_the_printed_collapse_is_possible_and_not_shown(verdicts):
    verdict = verdicts["constant", "outcome"]
    assert (verdict.collapsed, verdict.verdict) == (0, regression.INCONCLUSIVE)


def test_high_rates_often_kill_and_warmup_saves(runs):
    """At 1.0 and at 0.5, where multi-factor and cosine share all but their last epochs."""
    for name in HIGH_FROM_THE_START:
        dead = [run.outcome == "collapsed" for run in of(runs, name)]
        assert sum(dead) >= len(dead) / 3
    assert {run.outcome for run in of(runs, "cosine-warmup-per-epoch")} == {"trained"}


def test_a_dead_network_need_not_stay_dead(runs):
    def dead_epochs(run):
        return sum(epoch.score_spread < COLLAPSED_SPREAD for epoch in run.epochs)

    (back,) = (run for run in runs if run.outcome == "trained" and dead_epochs(run))
    assert back.experiment == "square-root-per-epoch"
    assert dead_epochs(back) == back.num_epochs / 2


def test_the_bound_of_collapse_lies_in_the_measured_gap(runs):
    """The numbers that the comment at `history.COLLAPSED_SPREAD` names."""
    dead, living = [], []
    for run in runs:
        spreads = [epoch.score_spread for epoch in run.epochs]
        if run.outcome == "collapsed":
            dead.append(max(spreads))
        elif min(spreads) > COLLAPSED_SPREAD:
            living.append(min(spreads))
    assert f"{max(dead):.4f}" == "0.0015"
    assert f"{min(living):.2f}" == "0.27"
    assert max(dead) < COLLAPSED_SPREAD < min(living)
    assert len(dead) + len(living) == len(runs) - 1  # the one that came back to life
