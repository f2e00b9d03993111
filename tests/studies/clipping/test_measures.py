from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy import stats

from d2l_lrsched.studies.clipping import measures
from d2l_lrsched.studies.clipping.measures import MEASURES
from d2l_lrsched.training import loop as training
from d2l_lrsched.training.history import Point
from made_up import a_run, an_epoch

#: Of the five windows of an epoch: four of 50 batches of 256, one of 34 batches of 256 and 96.
EXAMPLES = np.array([12_800, 12_800, 12_800, 12_800, 8_800])


def run(windows=((0.5,) * 5,), outcome="trained", seed=0, arm="both", num_epochs=None, **numbers):
    """A record of a run with these window means, five an epoch; each number one an epoch."""
    epochs, points = [], []
    for i, means in enumerate(windows):
        *inner, last = np.cumsum(means * EXAMPLES) / np.cumsum(EXAMPLES)
        points += [Point(i + k / 5, float(average), 0.0) for k, average in enumerate(inner)]
        of_epoch = {name: values[i] for name, values in numbers.items()}
        epochs.append(an_epoch(**{"train_loss": float(last), **of_epoch}))
    return a_run(arm, seed, outcome, num_epochs, epochs=epochs, points=points)


def of(name, *arguments, **keywords):
    return MEASURES[name].of(run(*arguments, **keywords))


# --- one run --------------------------------------------------------------------------------------


def test_a_window_is_what_the_training_loop_shows_and_mxnet_stays_out(call):
    assert measures.WINDOW == training.DISPLAY_EVERY
    code = "import sys, d2l_lrsched.studies.clipping.claims; sys.exit('mxnet' in sys.modules)"
    assert call("-c", code, command=(sys.executable,)).returncode == 0


def test_window_means_worked_by_hand():
    """2 over 12,800 examples, then 1: (2 + 1) / 2, (2 + 1 + 1) / 3 ..., 72,800 / 60,000."""
    averages = {0.2: 2.0, 0.4: 3 / 2, 0.6: 4 / 3, 0.8: 5 / 4}
    points = [Point(epoch, loss, 0.0) for epoch, loss in averages.items()]
    one = a_run("both", num_epochs=1, points=points, train_loss=72_800 / 60_000)
    assert measures.window_means(one) == pytest.approx([2, 1, 1, 1, 1], abs=1e-12)


def test_window_means_are_recovered_in_order():
    windows = np.random.default_rng(0).uniform(0.2, 2.3, size=(10, 5))
    assert measures.window_means(run(windows)) == pytest.approx(windows.ravel(), abs=1e-12)


def test_a_curve_of_another_length_is_refused():
    one = run(seed=3)
    one.points.pop()
    with pytest.raises(ValueError, match="both, seed 3: 3 points in 1 epochs, not 4 an epoch"):
        measures.window_means(one)


def test_roughness_is_the_sum_of_all_rises():
    """Within epochs 0.2 and 0.1, and 0.4 from the first to the second."""
    windows = [[2.0, 1.0, 1.2, 1.0, 0.6], [1.0, 0.8, 0.7, 0.8, 0.5]]
    assert of("roughness", windows) == pytest.approx(0.2 + 0.4 + 0.1)
    assert of("roughness", [[2.0, 1.0, 0.9, 0.8, 0.7]]) == 0


def test_roughness_of_a_run_that_did_not_train_or_overflowed_is_unknown():
    assert math.isnan(of("roughness", outcome="collapsed"))
    assert math.isnan(of("roughness", outcome="non-finite"))
    one = run([[2.0, 1.0, 1.0, 1.0, 1.0]] * 2)
    one.epochs[0] = an_epoch(train_loss=math.inf)
    one.points[2:4] = [Point(p.epoch, math.inf, 0.0) for p in one.points[2:4]]
    assert math.isnan(MEASURES["roughness"].of(one))


@pytest.mark.parametrize(
    ("outcome", "survived"), [("trained", 1), ("collapsed", 0), ("non-finite", 0)]
)
def test_survival(outcome, survived):
    assert of("survival", outcome=outcome) == survived


@pytest.mark.parametrize(
    ("accuracies", "epochs"),
    [((0.85, 0.9, 0.9), 1), ((0.8499, 0.86, 0.84), 2), ((0.7, 0.8, 0.84), 4), ((math.nan,), 4)],
)
def test_epochs_to_the_goal(accuracies, epochs):
    """One more than the three asked for where it is not reached, also by a run that ended early."""
    windows = [(0.5,) * 5] * len(accuracies)
    outcome = "trained" if len(accuracies) == 3 else "non-finite"
    asked = {"outcome": outcome, "num_epochs": 3}
    assert of("epochs to 0.85", windows, test_acc=accuracies, **asked) == epochs


def test_final_numbers_are_the_last_epochs():
    numbers = {"train_acc": (0.5, 0.91), "test_acc": (0.5, 0.87), "train_loss": (9.0, 0.25)}
    windows = [(0.5,) * 5] * 2
    assert of("final loss", windows, **numbers) == 0.25
    assert of("test accuracy", windows, **numbers) == 0.87
    assert of("overfitting", windows, **numbers) == pytest.approx(0.04)


def test_final_numbers_of_runs_that_did_not_train():
    """Collapsed runs as they are, non-finite ones as guessing among ten."""
    dead = {"outcome": "collapsed", "test_acc": (0.12,), "train_loss": (2.4,)}
    lost = {"outcome": "non-finite", "test_acc": (math.nan,), "train_loss": (math.nan,)}
    assert (of("final loss", **dead), of("test accuracy", **dead)) == (2.4, 0.12)
    assert of("final loss", **lost) == pytest.approx(2.302585, abs=1e-6)
    assert of("test accuracy", **lost) == 0.1
    assert math.isnan(of("overfitting", **dead))
    assert math.isnan(of("overfitting", **lost))


# --- two arms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "ways"),
    [
        # The sum of 1..5 with signs is 15 - 2 S, where S is the sum of those with a minus: S from
        # 0 to 5 in 1, 1, 1, 2, 2, 3 ways, and from 15 down to 10 in as many.
        ((1, 2, 3, 4, 5), 2),  # 15: S = 0 or 15
        ((1, 2, -3, 4, 5), 2 * (1 + 1 + 1 + 2)),  # 9: S <= 3 or S >= 12
        ((1, 2, 3, 4, -5), 2 * (1 + 1 + 1 + 2 + 2 + 3)),  # 5: S <= 5 or S >= 10
    ],
)
def test_the_p_value_of_five_pairs_by_enumeration(differences, ways):
    assert measures.sign_flip_p(differences) == ways / 32
    assert measures.sign_flip_p([-0.1 * x for x in differences]) == ways / 32


def test_the_p_value_is_that_of_scipys_permutation_test():
    x, y = np.random.default_rng(2).normal(0.5, 1, (2, 8))
    theirs = stats.permutation_test(
        *((x, y), lambda x, y: np.mean(x - y)), permutation_type="samples", vectorized=False
    )
    assert measures.sign_flip_p(x - y) == pytest.approx(theirs.pvalue)


def test_p_is_1_without_a_difference_also_up_to_rounding():
    assert measures.sign_flip_p([]) == 1
    assert measures.sign_flip_p([0.0] * 10) == 1
    assert measures.sign_flip_p([0.1, 0.2, -0.3]) == 1  # their sum is 5.6e-17


def arms_of_survival(better, worse, same):
    """The second arm survives where the first does not in `better` pairs, and so on."""
    ended = [(0, 1)] * better + [(1, 0)] * worse + [(1, 1)] * same
    outcomes = ("collapsed", "trained")
    return (
        [run(outcome=outcomes[pair[arm]], seed=seed) for seed, pair in enumerate(ended)]
        for arm in (0, 1)
    )


@pytest.mark.parametrize(
    ("better", "worse", "same"), [(5, 0, 5), (4, 1, 5), (6, 2, 2), (3, 3, 1), (1, 0, 0)]
)
def test_of_survival_it_is_mcnemars_exact_test(better, worse, same):
    found = measures.paired(*arms_of_survival(better, worse, same), MEASURES["survival"])
    assert found.p == pytest.approx(stats.binomtest(better, better + worse).pvalue)
    assert (found.n, found.mean) == (
        better + worse + same,
        pytest.approx((better - worse) / (better + worse + same)),
    )


def test_random_flips_of_many_pairs_come_near_the_exact_p_value():
    found = measures.paired(*arms_of_survival(12, 6, 0), MEASURES["survival"]).p
    exact = stats.binomtest(12, 18).pvalue
    assert found == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 100_000))
    assert measures.sign_flip_p([1.0] * 30) == 1 / 100_001  # never 0


def test_the_interval_worked_by_hand():
    """1..5: mean 3, s = sqrt(2.5) and, with 4 degrees, t = 2.776445."""
    half = 2.776445 * math.sqrt(2.5) / math.sqrt(5)
    assert measures.mean_interval([1, 2, 3, 4, 5]) == pytest.approx(
        (3, 3 - half, 3 + half), abs=1e-5
    )


def test_intervals_of_few_and_of_equal_values():
    assert measures.mean_interval([0.25] * 3) == (0.25, 0.25, 0.25)
    mean, low, high = measures.mean_interval([1.0, 2.0])
    assert mean == 1.5
    assert math.isnan(low)
    assert math.isnan(high)
    assert all(math.isnan(x) for x in measures.mean_interval([]))


def test_pairs_are_of_a_seed_whatever_the_order():
    a = [run(seed=seed, test_acc=(0.5 + 0.1 * seed,)) for seed in (2, 0, 1)]
    b = [run(seed=seed, test_acc=(0.5 + 0.2 * seed,)) for seed in (0, 1, 2)]
    found = measures.paired(a, b, MEASURES["test accuracy"])  # differences 0, 0.1, 0.2
    interval = stats.ttest_1samp([0, 0.1, 0.2], 0).confidence_interval(0.95)
    assert found[:4] == pytest.approx((3, 0.1, interval.low, interval.high))
    assert found.p == 4 / 8  # the sign of 0 matters not


def test_pairs_of_which_one_is_unknown_are_left_out():
    numbers = {"train_acc": (0.9,), "test_acc": (0.8,)}
    a = [run(seed=0, **numbers), run(seed=1, **numbers), run(seed=2, outcome="collapsed")]
    b = [run(seed=0, **numbers), run(seed=1, outcome="non-finite"), run(seed=2, **numbers)]
    found = measures.paired(a, b, MEASURES["overfitting"])
    assert (found.n, found.mean, found.p) == (1, 0, 1)
    assert measures.paired(a[1:], b[1:], MEASURES["overfitting"])[::4] == (0, 1)


def test_runs_that_make_no_pairs_are_refused():
    a = [run(arm="neither", seed=seed) for seed in (0, 1, 2)]
    b = [run(arm="both", seed=seed) for seed in (1, 2, 5)]
    with pytest.raises(ValueError, match=r"other arm: neither seed 0, both seed 5$"):
        measures.paired(a, b, MEASURES["survival"])
    with pytest.raises(ValueError, match="two runs of neither seed 1"):
        measures.paired([*a, a[1]], b, MEASURES["survival"])
