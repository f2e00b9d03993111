"""What is said in words, held to the committed baseline."""

from __future__ import annotations

import pytest
import scipy.stats

from d2l_lrsched.runs.frames import late_oscillation, of_runs
from d2l_lrsched.studies.chapter import explanations
from d2l_lrsched.studies.chapter.builds import crossed, draws, measures
from d2l_lrsched.studies.chapter.builds.verdicts import COMPARED, means
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import (
    CONSISTENT,
    DIFFERENT,
    HALF_DIGIT,
    MARGIN,
    compare,
)
from d2l_lrsched.training.history import COLLAPSED_SPREAD

HIGH_FROM_THE_START = ("square-root-per-epoch", "multi-factor-per-epoch", "cosine-per-epoch")


@pytest.fixture(scope="module")
def runs(mxnets):
    return of_runs(mxnets)


def test_each_explanation_is_of_a_difference_and_each_difference_is_explained(runs):
    different = {(v.experiment, v.number) for v in compare(runs.run) if v.verdict == DIFFERENT}
    assert different == set(explanations.EXPLAINED)


def test_each_difference_of_the_builds_is_explained(drawn, builds):
    """By what the draws bear out."""
    different = {
        (mean.experiment, mean.number) for mean in means(drawn, builds) if mean.verdict == DIFFERENT
    }
    assert different == set(explanations.BUILDS_EXPLAINED)
    left = {(one.experiment, one.number): one.both for one in crossed.left(drawn, builds)}
    with_orders = {(c.experiment, c.number): c for c in crossed.groups_crossed(drawn)}
    of = {(mean.experiment, mean.number): mean for mean in means(drawn, builds)}
    for key, said in explanations.BUILDS_EXPLAINED.items():
        interval = with_orders[key].of_mean(of[key].n, COMPARED)
        inside = interval.low <= of[key].builds <= interval.high
        nothing = key in left and left[key].low <= 0 <= left[key].high
        assert nothing == (said == explanations._WEIGHTS_AND_SPLIT)
        if said == explanations._ORDERS:
            assert inside
            assert with_orders[key].orders == 3
    assert with_orders["constant", "train_loss"].weights == 27


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


def test_the_numbers_that_agree_are_fewer_than_they_look(runs):
    found = [v for v in compare(runs.run) if v.verdict == CONSISTENT]
    outcomes = [v for v in found if v.number == "outcome"]
    assert (len(found), len(outcomes)) == (12, 4)
    assert all(v.low > 0.5 and v.high == 1 for v in outcomes)
    rest = {v.experiment for v in found if v not in outcomes}
    assert len(found) - len(outcomes) == 2 * len(rest) == 8


def test_more_seeds_would_decide_one_test_accuracy_only(runs):
    """With infinitely many the interval is the normal's: its width in standard deviations."""
    found = compare(runs.run)
    widths = 2 * scipy.stats.norm.isf(0.05 / len(found) / 2)
    able = {
        v.experiment
        for v in found
        if v.number == "test_acc" and widths * v.spread + 2 * HALF_DIGIT < MARGIN["test_acc"]
    }
    assert able == {"square-root"}


def test_a_rate_that_has_come_down_calms_the_test_accuracy(runs):
    (said,) = (said for said in explanations.FINDINGS if "the last epoch's more than" in said)
    late = runs[runs.trained].run.map(late_oscillation).groupby("experiment").mean()
    moving = late[["constant", "multi-factor", "cosine", "cosine-warmup"]]
    assert f"{moving.min():.3f} to {moving.max():.3f}" in said
    calm = late[["cosine-per-epoch", "cosine-warmup-per-epoch"]]
    assert {f"by {x:.4f}" in said for x in calm} == {True}
    rates = runs[runs.trained].groupby("experiment").lr_last.max().round(9)
    assert set(rates[[*calm.index, "cosine", "cosine-warmup"]]) == {0.01}


def collapsed(table, *names):
    of = table[table.experiment.isin(names)]
    return f"{(~of.trained).sum()} of {len(of)}"


def test_the_collapse_at_the_constant_rate_is_one_of_many(runs, drawn, builds):
    (said,) = (said for said in explanations.FINDINGS if "one of many" in said)
    with_weights = measures.of_book_weights(drawn, "constant", trained=False)
    assert collapsed(builds, "constant").replace("of", "of the book's") in said
    assert f"{collapsed(with_weights, 'constant')} draws of ours" in said
    assert "None of the ten runs" in said
    assert len(runs.loc["constant"]) == 10
    assert runs.loc["constant"].trained.all()


def test_high_rates_often_end_in_collapse_and_a_warmup_is_no_cure(drawn):
    (said,) = (said for said in explanations.FINDINGS if "Read once an epoch, schedules" in said)
    assert f"{collapsed(drawn, *HIGH_FROM_THE_START)} draws did" in said
    warm = collapsed(drawn, "cosine-warmup-per-epoch")
    cold = collapsed(drawn, "cosine-per-epoch")
    assert f"{warm} draws with the warmup before it and in {cold} without" in said
    of = drawn[drawn.experiment == "cosine-warmup-per-epoch"]
    since = of[~of.trained].since
    assert len(since) == 9
    assert since.between(4, 7).all(), "the warmup's last epochs, and the first at the peak"


def test_a_collapsed_network_need_not_stay_so():
    longest = max(
        (draw for draw in draws.read() if len(draw.test_acc) not in draw.collapsed),
        key=lambda draw: len(draw.collapsed),
    )
    assert longest.case.experiment == "square-root-per-epoch"
    assert len(longest.collapsed) == 17


def test_the_bound_of_collapse_lies_in_the_measured_gap(runs):
    """The numbers that the comment at `history.COLLAPSED_SPREAD` names."""
    below, above = [], []
    for run in runs.run:
        spreads = [epoch.score_spread for epoch in run.epochs]
        if run.outcome == "collapsed":
            below.append(max(spreads))
        elif min(spreads) > COLLAPSED_SPREAD:
            above.append(min(spreads))
    assert f"{max(below):.4f}" == "0.0002"
    assert f"{min(above):.2f}" == "0.27"
    assert max(below) < COLLAPSED_SPREAD < min(above)
    assert len(below) + len(above) == len(runs) - 1  # the one that learned again
