from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from d2l_lrsched.studies.chapter.builds import crossed
from d2l_lrsched.studies.chapter.builds.measures import NUMBERS


def made(of, experiment="cosine", **columns):
    """Draws of which each number is the table's, weights down and orders across."""
    rows = [
        {"experiment": experiment, "weights": str(w), "order": o, "split": None, "trained": True}
        | dict.fromkeys(NUMBERS, value)
        | columns
        for w, row in enumerate(of)
        for o, value in enumerate(row)
        if value is not None
    ]
    return pd.DataFrame(rows)


def test_the_components_of_a_table_worked_by_hand():
    """Rows 1, 4, 4 and columns 0, 2, 4 with one corner moved by 9.

    Means: rows 3, 6, 9 (the last: 4 + 2 + 9 / 3), columns 3, 5, 10; all 6. The rest, by hand, is
    9 * [[1, 1, -2], [1, 1, -2], [-2, -2, 4]] / 9.
    """
    found = crossed.crossed(made([[1, 3, 5], [4, 6, 8], [4, 6, 17]]), "cosine", "test_acc")
    rest = (4 * 1 + 4 * 4 + 16) / 4
    of_weights, of_orders = 3 * ((9 + 0 + 9) / 2), 3 * ((9 + 1 + 16) / 2)
    assert (found.weights, found.orders, found.center) == (3, 3, 6)
    assert found.rest == pytest.approx(rest)
    assert found.of_weights == pytest.approx((of_weights - rest) / 3)
    assert found.of_orders == pytest.approx((of_orders - rest) / 3)
    assert found.p == pytest.approx(stats.f.sf(of_orders / rest, 2, 4))


def test_no_variance_is_below_0_and_incomplete_weights_are_left_out():
    rows = [[0, 1], [1, 0], [0, 1], [1, 0], [5, None]]
    found = crossed.crossed(made(rows), "cosine", "train_loss")
    assert (found.weights, found.orders) == (4, 2)
    assert found.of_weights == found.of_orders == 0
    assert found.rest == pytest.approx(4 * 2 * 0.25 / 3)


def test_an_order_that_few_weights_have_is_left_out():
    rows = [[1, 2, 3], [2, 3, None], [4, 4, None]]
    assert crossed.crossed(made(rows), "cosine", "train_loss").orders == 2


def test_an_interval_of_one_part_is_students_and_of_two_satterthwaites():
    one = crossed.interval(1.0, [(0.04, 5), (0.0, 3)])
    half = stats.t.ppf(0.975, 5) * 0.2
    assert tuple(one) == pytest.approx((1 - half, 1 + half))
    a, b = np.array([1.0, 2, 4, 7]), np.array([2.0, 2, 3, 9, 9])
    welch = stats.ttest_ind(a, b, equal_var=False)
    parts = [(a.var(ddof=1) / 4, 3), (b.var(ddof=1) / 5, 4)]
    low, high = crossed.interval(a.mean() - b.mean(), parts, welch.pvalue)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-9), "at level p it ends at 0"


def test_where_a_mean_falls_counts_weights_orders_and_the_rest():
    found = crossed.Crossed("cosine", "test_acc", 4, 3, 1.0, 0.5, 0.25, 0.125, 0.0)
    variance = 0.5 * (1 + 1 / 4) + 0.25 * (1 / 3 + 1 / 10) + 0.125 * (1 / 12 + 1 / 10)
    parts = [
        (0.5 / 4, 3),
        (0.25 / 3, 2),
        (0.125 / 12, 6),
        (0.5, 3),
        (0.25 / 10, 2),
        (0.125 / 10, 6),
    ]
    degrees = variance**2 / sum(v**2 / f for v, f in parts)
    half = stats.t.ppf(1 - 0.05 / 2 / 27, degrees) * np.sqrt(variance)
    assert tuple(found.of_mean(10, 27)) == pytest.approx((1 - half, 1 + half))


def studies(weights_add=0.0, split_adds=0.0, seed=0):
    """Draws and builds in which the book's weights, and another split, add so much."""
    normal = np.random.default_rng(seed).normal
    draws, builds = [], []
    for name, book in zip(crossed.PRINTED, crossed_unseeded()):
        of_order = normal(0, 0.01, 40)
        table = 0.8 + normal(0, 0.003, (12, 1)) + of_order[:5] + normal(0, 0.005, (12, 5))
        seeds = made(table.tolist(), name)
        seeds["weights"] = (seeds.weights.astype(int) + 1).astype(str)
        own = 0.8 + weights_add + of_order + normal(0, 0.005, 40)
        anew = 0.8 + split_adds + normal(0, 0.011, (20, 2))
        splits = made(anew.tolist(), name)
        splits["split"] = splits.weights.astype(int)
        draws += [seeds, made([own.tolist()], name, weights=book), splits]
        theirs = 0.8 + weights_add + split_adds + normal(0, 0.011, 50)
        builds.append(made([theirs.tolist()], name))
    return pd.concat(draws, ignore_index=True), pd.concat(builds, ignore_index=True)


def crossed_unseeded():
    from d2l_lrsched.studies.chapter.builds.draws import UNSEEDED

    return UNSEEDED


@pytest.mark.parametrize(
    ("weights_add", "split_adds", "sufficient"),
    [
        (0.05, 0.0, {"weights", "both"}),
        (0.0, 0.05, {"split", "both"}),
        (0.05, 0.05, {"both"}),
    ],
)
def test_what_explains_the_builds_leaves_nothing(weights_add, split_adds, sufficient):
    left = crossed.left(*studies(weights_add, split_adds))
    assert len(left) == 15
    for name in ("neither", "weights", "split", "both"):
        holding = crossed.holds(left, name)
        assert holding >= 12 if name in sufficient else holding == 0, name
    assert left[0].expected == pytest.approx(0.8 + weights_add + split_adds, abs=0.015)


def test_the_spread_is_held_against_the_books_weights():
    draws, builds = studies()
    for number in NUMBERS:
        middle = builds.groupby("experiment")[number].transform("mean")
        builds[number] = middle + 4 * (builds[number] - middle) * (builds.experiment == "cosine")
    monkey = dict.fromkeys(crossed.PRINTED, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossed, "GROUPS", monkey)
        p = crossed.spread_p(draws, builds)
    assert p["cosine", "test_acc"] < 1e-4
