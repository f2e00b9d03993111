"""Every expected value is by hand, from a printed table, or from the theory by simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from d2l_lrsched import stats
from d2l_lrsched.stats import Interval


def test_how_an_interval_is_said():
    assert f"{Interval(0.1234, 2):.2f}" == "0.12 to 2.00"
    assert f"{Interval(-0.5, 0.25):+.1f}" == "-0.5 to +0.2"
    assert f"{Interval(math.nan, math.nan):.2f}" == "-"


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0, 1 - 0.025 ** (1 / 10)),  # Clopper and Pearson's own closed forms
        (10, 10, 0.025 ** (1 / 10), 1),
        (1, 10, 0.002529, 0.445016),  # and their printed table
    ],
)
def test_exact_binomial_intervals(k, n, low, high):
    assert stats.share(k, n) == pytest.approx((low, high), abs=1e-6)


def test_a_share_at_another_level():
    assert stats.share(0, 10, 0.01).high == pytest.approx(1 - 0.005 ** (1 / 10))


def test_fishers_p_value_worked_by_hand():
    """3 of 3 against 0 of 3: one way in C(6, 3) = 20, and its mirror image."""
    assert stats.fisher((3, 3), (0, 3)) == pytest.approx(2 / 20)
    assert stats.fisher((1, 2), (2, 4)) == pytest.approx(1)


def test_the_interval_of_a_mean_worked_by_hand():
    """1..5: mean 3, s = sqrt(2.5) and, with 4 degrees, t = 2.776445."""
    half = 2.776445 * math.sqrt(2.5) / math.sqrt(5)
    found = stats.mean_interval(pd.Series([1, 2, 3, 4, 5]))
    assert found == pytest.approx((3 - half, 3 + half), abs=1e-5)


def test_intervals_of_few_and_of_equal_values():
    assert stats.mean_interval(pd.Series([0.25] * 3)) == (0.25, 0.25)
    for values in ([1.0, 2.0], []):
        assert f"{stats.mean_interval(pd.Series(values, dtype=float)):.1f}" == "-"


def test_where_a_new_draw_falls_worked_by_hand():
    """As above, but 2.776445 * 1.581139 * sqrt(1 + 1/5) = 4.808944."""
    found = stats.prediction(3.0, 5, math.sqrt(2.5), 4, 0.05)
    assert found == pytest.approx((3 - 4.808944, 3 + 4.808944), abs=1e-5)


def test_mean_and_sd():
    """0.1, 0.2, 0.3 have 0.2 and, as a sample, 0.1."""
    assert stats.mean_sd(pd.Series([0.1, 0.2, 0.3])) == "0.200 ± 0.100"
    assert stats.mean_sd(pd.Series([0.25]), 4) == "0.2500"
    assert stats.mean_sd(pd.Series([], dtype=float)) == "-"


def test_spreads_that_look_alike_are_pooled():
    """Variances 1 and 4 of three and five: (2 * 1 + 4 * 4) / 6 = 3."""
    groups = {"a": [1.0, 2.0, 3.0], "b": [4 - 2 * math.sqrt(2), 4, 4, 4, 4 + 2 * math.sqrt(2)]}
    pooled = (pytest.approx(math.sqrt(3)), 6)
    assert stats.spreads(groups) == {"a": pooled, "b": pooled}


def test_spreads_that_differ_stay_apart_and_two_values_are_too_few():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(size=20), 50 * rng.normal(size=20)
    assert stats.spreads({"narrow": narrow, "wide": wide, "two": [1.0, 2.0]}) == {
        "narrow": (pytest.approx(np.std(narrow, ddof=1)), 19),
        "wide": (pytest.approx(np.std(wide, ddof=1)), 19),
    }


def pair(differences):
    """Two arms, of seeds 0, 1, ..., that differ so."""
    b = pd.Series(differences, dtype=float)
    return stats.paired(0 * b, b)


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
    assert pair(differences).p == ways / 32
    assert pair([-0.1 * x for x in differences]).p == ways / 32


def test_p_is_1_without_a_difference_also_up_to_rounding():
    assert pair([]).p == 1
    assert pair([0.7]).p == 1
    assert pair([0.0] * 10).p == 1
    assert pair([0.1, 0.2, -0.3]).p == 1  # their sum is 5.6e-17


def test_many_pairs_are_flipped_at_random_near_the_exact_p_value():
    """McNemar's, of 12 against 6; and the most that so many random flips can show."""
    exact = scipy.stats.binomtest(12, 18).pvalue
    error = 3 * math.sqrt(exact * (2 - exact) / stats.FLIPS)
    assert pair([1] * 12 + [-1] * 6).p == pytest.approx(exact, abs=error)
    assert pair([1.0] * 30).p == 1 / stats.FLIPS


def test_pairs_are_of_a_seed_whatever_the_order():
    a = pd.Series([0.7, 0.5, 0.6], index=[2, 0, 1])
    found = stats.paired(a, pd.Series([0.5, 0.7, 0.9]))  # differences 0, 0.1, 0.2
    assert (found.n, found.mean) == (3, pytest.approx(0.1))
    assert found.p == 4 / 8  # the sign of 0 matters not
    assert found.interval == (-math.inf, math.inf)  # no p of three pairs is below 2 / 8


def test_the_interval_of_six_pairs_by_enumeration():
    """Three of the 64 subsets, 4.7 %, may leave out an end.

    At the upper end none and all of them lie beyond it whatever it is, and then the largest mean,
    32, of the subset {32} and, as the mean of the others, of the rest; at the lower one 1 likewise.
    """
    found = pair([1, 2, 4, 8, 16, 32])
    assert found.interval == pytest.approx((1, 32))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), st.integers(-20, 20))
def test_the_interval_holds_what_the_test_does_not_refute(differences, tenths):
    """Also where values are equal; but for shifts so near to an end that rounding decides."""
    d = np.round(np.array(differences), 3)
    found = stats.paired(pd.Series(0 * d), pd.Series(d)).interval
    shift = tenths / 2 + 0.00031
    if min(abs(shift - end) for end in found) > 1e-6:
        p = stats.paired(pd.Series(0 * d), pd.Series(d - shift)).p
        assert (found.low <= shift <= found.high) == (p > stats.LEVEL)


def test_pairs_of_which_one_is_unknown_are_left_out():
    a, b = pd.Series([0.5, 0.5, math.nan]), pd.Series([0.6, math.nan, 0.6])
    assert stats.paired(a, b)[:2] == (1, pytest.approx(0.1))
    assert stats.paired(a[1:], b[1:]).n == 0
    assert math.isnan(stats.paired(a[1:], b[1:]).mean)


def test_runs_that_make_no_pairs_are_refused():
    a = pd.Series(0.0, index=[0, 1, 2])
    with pytest.raises(ValueError, match=r"other arm: seeds \[0, 5\]$"):
        stats.paired(a, pd.Series(0.0, index=[1, 2, 5]))
    with pytest.raises(ValueError, match=r"two runs of seeds \[1\]"):
        stats.paired(pd.Series(0.0, index=[0, 1, 1, 2]), a)


def test_holms_adjustment_worked_by_hand():
    """Sorted: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 that must not be below the one before."""
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.6, 0.2, 0.7]) == pytest.approx([1, 0.6, 1])
    assert len(stats.holm([])) == 0


@pytest.mark.parametrize(("alike", "degrees"), [(0.0, 4 * 9), (1.1, 9)])
def test_a_shift_is_found_as_often_as_the_theory_says(monkeypatch, alike, degrees):
    """The noncentral t distribution, where spreads are always and where they are never pooled."""
    monkeypatch.setattr(stats, "ALIKE", alike)
    rng, studies, alpha, shift, found = np.random.default_rng(1), 400, 0.01, 3.0, 0
    for _ in range(studies):
        groups = dict(enumerate(rng.normal(size=(4, 10))))
        spread, nu = stats.spreads(groups)[0]
        low, high = stats.prediction(groups[0].mean(), 10, spread, nu, alpha)
        found += not low <= rng.normal() + shift <= high
    critical = scipy.stats.t.ppf(1 - alpha / 2, degrees)
    away = shift / math.sqrt(1 + 1 / 10)
    power = scipy.stats.nct.sf(critical, degrees, away)  # beyond the other end: never
    assert found / studies == pytest.approx(power, abs=3 * math.sqrt(power * (1 - power) / studies))
