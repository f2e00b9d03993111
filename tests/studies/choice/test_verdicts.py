from __future__ import annotations

import pytest

from d2l_lrsched.runs import frames
from d2l_lrsched.studies.choice.verdicts import compare
from made_up import a_run

CHOSEN = {"constant": 0.1, "linear": 0.3, "cosine": 0.45}


def arm(name, accuracies, lost=()):
    """Return the runs of an arm; `lost` are seeds that collapsed, whatever their accuracy."""
    return [
        a_run(name, seed, "collapsed" if seed in lost else "trained", test_acc=accuracy)
        for seed, accuracy in enumerate(accuracies)
    ]


def compared(runs, phase="plain"):
    return compare(frames.of_runs(runs), phase, CHOSEN)


def test_accuracies_are_compared_seed_by_seed_with_the_constant_rate():
    """Of six pairs that all differ alike p is 2 / 64, of eight 2 / 256, which by Holm is doubled.

    The noise of the seeds, larger than the differences, is in both.
    """
    noise = [0.01 * seed for seed in range(8)]
    base = arm("plain-constant-0.1", [0.80 + n for n in noise])
    runs = base + arm("plain-linear-0.3", [0.82 + n for n in noise], lost=(6, 7))
    runs += arm("plain-cosine-0.45", [0.79 + n for n in noise])
    found = compared(runs)
    assert list(found) == ["linear", "cosine"]
    linear, cosine = found.values()
    assert (linear.accuracy.n, cosine.accuracy.n) == (6, 8)
    assert (linear.accuracy.mean, cosine.accuracy.mean) == pytest.approx((0.02, -0.01))
    assert (linear.accuracy.p, cosine.accuracy.p) == pytest.approx((2 / 64, 2 / 256))
    assert (linear.p_accuracy, cosine.p_accuracy) == pytest.approx((2 / 64, 4 / 256))
    assert (linear.accuracy_is, cosine.accuracy_is) == ("higher", "lower")


def test_a_difference_that_chance_explains_is_not_decided():
    """Of five pairs p is 2 / 32 at best, above 0.05."""
    runs = arm("plain-constant-0.1", [0.8] * 5) + arm("plain-linear-0.3", [0.9] * 5)
    assert compared(runs)["linear"].accuracy_is == "not decided"
    runs = arm("plain-constant-0.1", [0.8] * 6) + arm("plain-linear-0.3", [0.9] * 6)
    assert compared(runs)["linear"].accuracy_is == "higher"


def test_collapses_are_compared_as_counts():
    """Of 5 and 5 all against none: 2 / 252, adjusted for two twice that."""
    runs = arm("plain-constant-0.1", [0.1] * 5, lost=range(5))
    runs += arm("plain-linear-0.3", [0.8] * 5) + arm("plain-cosine-0.45", [0.1] * 5, range(5))
    linear, cosine = compared(runs).values()
    assert (linear.collapsed, linear.collapsed_base) == ((0, 5), (5, 5))
    assert linear.p_collapsed == pytest.approx(4 / 252)
    assert (linear.collapses_are, cosine.collapses_are) == ("fewer", "not decided")
    assert cosine.p_collapsed == 1
    assert (linear.accuracy.n, linear.accuracy_is) == (0, "not decided")


def test_with_clipping_each_is_compared_with_itself():
    runs = arm("plain-constant-0.1", [0.1] * 5, lost=range(5))
    runs += arm("clipped-constant-0.1", [0.8] * 5)
    runs += arm("plain-linear-0.3", [0.8] * 6) + arm("clipped-linear-0.3", [0.81] * 6, range(6))
    runs += arm("plain-cosine-0.45", [0.8] * 6)
    found = compared(runs, "clipped")
    assert list(found) == ["constant", "linear"], "the cosine has none with clipping"
    assert found["constant"].collapses_are == "fewer"
    assert found["linear"].collapses_are == "more"
    assert found["linear"].p_collapsed == pytest.approx(2 * 2 / 924)
    assert found["linear"].collapsed == (6, 6)


def test_without_the_last_update_the_constant_rate_is_what_all_are_compared_with():
    runs = arm("plain-constant-0.1", [0.80] * 8) + arm("skipped-constant-0.1", [0.81] * 8)
    runs += arm("plain-linear-0.3", [0.82] * 8)
    found = compared(runs, "skipped")
    assert [*found] == ["constant", "linear"]
    means = [of.accuracy.mean for of in found.values()]
    assert means == pytest.approx([-0.01, 0.01])
    assert [of.p_accuracy for of in found.values()] == pytest.approx([4 / 256] * 2)
    assert compared([*runs[:8], *runs[16:]], "skipped") == {}, "until it is there"


def test_only_runs_at_the_chosen_peak_count():
    runs = arm("plain-constant-0.1", [0.8] * 6) + arm("plain-linear-0.45", [0.9] * 6)
    assert compared(runs) == {}
    assert compared([*runs, *arm("tune-linear-0.3", [0.9] * 6)]) == {}


def test_arms_of_other_seeds_are_refused():
    runs = arm("plain-constant-0.1", [0.8] * 3) + arm("plain-linear-0.3", [0.8] * 2)
    with pytest.raises(ValueError, match=r"without a partner in the other arm: seeds \[2\]"):
        compared(runs)
