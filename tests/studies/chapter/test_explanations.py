"""What is said in words, held to the committed baseline."""

from __future__ import annotations

import pytest

from d2l_lrsched.runs.frames import of_runs
from d2l_lrsched.studies.chapter import explanations
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import DIFFERENT, compare, distinct
from d2l_lrsched.training.history import COLLAPSED_SPREAD
from made_up import committed

HIGH_FROM_THE_START = ("square-root-per-epoch", "multi-factor-per-epoch", "cosine-per-epoch")


@pytest.fixture(scope="module")
def runs():
    return of_runs(distinct(run for run in committed("chapter") if run.num_epochs == 30))


def test_each_explanation_is_of_a_difference_and_each_difference_is_explained(runs):
    different = {(v.experiment, v.number) for v in compare(runs.run) if v.verdict == DIFFERENT}
    assert different == set(explanations.EXPLAINED)


def test_cosines_per_epoch_that_trained_end_far_below_the_printed_train_loss(runs):
    for name in ("cosine", "cosine-warmup"):
        losses = runs.loc[f"{name}-per-epoch"].query("trained").train_loss
        assert len(losses) >= 3
        assert losses.max() < PRINTED[name].train_loss - 0.1


def test_multi_factor_does_not_tell_the_readings_apart(runs):
    losses = runs.loc["multi-factor-per-epoch"].query("trained").train_loss
    assert losses.min() < PRINTED["multi-factor"].train_loss < losses.max()


def share_above(runs, name, other):
    """Of all pairs of one run each, the share where the first has the higher test accuracy."""
    ours, theirs = (runs.test_acc[one].to_numpy() for one in (name, other))
    return (ours[:, None] > theirs).mean()


def test_one_run_each_ranks_two_groups_of_schedules(runs):
    for name in ("constant", "square-root", "multi-factor"):
        for other in ("cosine", "cosine-warmup"):
            assert share_above(runs, name, other) >= 0.9
    assert 0.25 < share_above(runs, "cosine", "cosine-warmup") < 0.75


def test_high_rates_often_end_in_collapse_and_never_after_a_warmup(runs):
    """At 1.0 and at 0.5, where multi-factor and cosine share all but their last epochs."""
    collapsed = (runs.outcome == "collapsed").groupby("experiment").mean()
    assert all(collapsed[name] >= 1 / 3 for name in HIGH_FROM_THE_START)
    assert runs.trained["cosine-warmup-per-epoch"].all()


def test_a_collapsed_network_need_not_stay_so(runs):
    def collapsed_epochs(run):
        return sum(epoch.score_spread < COLLAPSED_SPREAD for epoch in run.epochs)

    (back,) = (run for run in runs.run[runs.trained] if collapsed_epochs(run))
    assert back.experiment == "square-root-per-epoch"
    assert collapsed_epochs(back) == back.num_epochs / 2


def test_the_bound_of_collapse_lies_in_the_measured_gap(runs):
    """The numbers that the comment at `history.COLLAPSED_SPREAD` names."""
    below, above = [], []
    for run in runs.run:
        spreads = [epoch.score_spread for epoch in run.epochs]
        if run.outcome == "collapsed":
            below.append(max(spreads))
        elif min(spreads) > COLLAPSED_SPREAD:
            above.append(min(spreads))
    assert f"{max(below):.4f}" == "0.0015"
    assert f"{min(above):.2f}" == "0.27"
    assert max(below) < COLLAPSED_SPREAD < min(above)
    assert len(below) + len(above) == len(runs) - 1  # the one that learned again
