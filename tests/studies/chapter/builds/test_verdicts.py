from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats as distributions

from d2l_lrsched.stats import Interval
from d2l_lrsched.studies.chapter.builds import verdicts
from d2l_lrsched.studies.chapter.builds.measures import NUMBERS, Components
from d2l_lrsched.studies.chapter.builds.verdicts import (
    EITHER,
    INDEPENDENT,
    NEITHER,
    SHARED,
    UNDECIDED,
)
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT


def test_compared_are_nine_groups_of_three_numbers_each():
    assert verdicts.COMPARED == 27
    # The ranges of the printed runs that trained; half of them as a shift.
    assert (
        pytest.approx({"train_loss": 0.394 - 0.187, "test_acc": 0.05, "late_test_acc": 0.05})
        == verdicts.MARGIN
    )
    assert (
        pytest.approx({"train_loss": 0.1035, "test_acc": 0.025, "late_test_acc": 0.025})
        == verdicts.SHIFT
    )


def test_where_a_mean_of_one_more_group_falls():
    """Means 1, 2, 6: mean 3, variance (4 + 1 + 9) / 2 = 7; two degrees of freedom."""
    found = verdicts.interval_of_mean(Components(np.array([1.0, 2.0, 6.0]), 5.0, 0.5), 10)
    half = distributions.t.ppf(1 - 0.05 / 54, 2) * math.sqrt(5 + 0.05 + 7 / 3)
    assert tuple(found) == pytest.approx((3 - half, 3 + half))


@pytest.mark.parametrize(
    ("mean", "margin", "verdict"),
    [
        (0.0, 2.0, CONSISTENT),
        (1.0, 2.0, CONSISTENT),
        (-1.0, 2.0, CONSISTENT),
        (0.0, 1.9, UNDECIDED),
        (1.1, 1.9, DIFFERENT),
        (-1.1, 9.0, DIFFERENT),
    ],
)
def test_a_mean_inside_decides_only_in_a_narrow_interval(mean, margin, verdict):
    assert verdicts.judge(mean, Interval(-1.0, 1.0), margin) == verdict


def one_group(monkeypatch, *names):
    """Let the study be of these experiments alone, by default of the constant."""
    names = names or ("constant",)
    monkeypatch.setattr(verdicts, "GROUPS", dict.fromkeys(names, ("seed",)))


def simulated(generator, weights=32, orders=5, of_weights=1.0, of_orders=1.0):
    """Draws of an experiment, every number by itself: what weights and what orders do."""
    rows = pd.DataFrame(product(range(weights), range(orders)), columns=["weights", "order"])
    for number in NUMBERS:
        of = generator.normal(0, of_weights, weights)[rows.weights]
        rows[number] = 0.5 + of + generator.normal(0, of_orders, len(rows))
    return rows.assign(
        experiment="constant", weights=rows.weights.astype(str), split=math.nan, trained=True
    )


def builds_of(generator, n=37, of_weights=1.0, of_orders=1.0, shared=True):
    """Builds, each number by itself, with one draw of the weights for all or one for each."""
    numbers = {
        number: 0.5
        + generator.normal(0, of_weights, 1 if shared else n)
        + generator.normal(0, of_orders, n)
        for number in NUMBERS
    }
    return pd.DataFrame({"experiment": "constant", "trained": True, **numbers})


def judged(generator, shared, studies=12, of_weights=2.0):
    """The spreads of so many simulated studies, three numbers each."""
    return [
        spread
        for _ in range(studies)
        for spread in verdicts.spreads(
            simulated(generator, of_weights=of_weights),
            builds_of(generator, of_weights=of_weights, shared=shared),
        )
    ]


def test_builds_with_shared_weights_spread_as_orders_alone(monkeypatch):
    one_group(monkeypatch)
    found = judged(np.random.default_rng(0), shared=True)
    assert np.mean([s.verdict == SHARED for s in found]) > 0.8
    assert np.mean([s.to_orders.low <= 1 <= s.to_orders.high for s in found]) > 0.8
    assert not any(s.verdict == INDEPENDENT for s in found)


def test_builds_with_weights_of_their_own_spread_more(monkeypatch):
    one_group(monkeypatch)
    found = judged(np.random.default_rng(1), shared=False)
    assert np.mean([s.verdict == INDEPENDENT for s in found]) > 0.8
    assert np.mean([s.to_all.low <= 1 <= s.to_all.high for s in found]) > 0.8
    assert not any(s.verdict == SHARED for s in found)


def test_weights_that_do_little_are_told_by_no_spread(monkeypatch):
    one_group(monkeypatch)
    found = judged(np.random.default_rng(2), shared=True, studies=4, of_weights=0.1)
    assert {s.verdict for s in found} == {EITHER}
    generator = np.random.default_rng(3)
    draws, builds = simulated(generator), builds_of(generator, of_weights=0, of_orders=0.2)
    assert {s.verdict for s in verdicts.spreads(draws, builds)} == {NEITHER}


def test_spreads_are_the_roots_of_the_variances(monkeypatch):
    """Balanced, so by hand: mean squares within, and of means."""
    one_group(monkeypatch)
    generator = np.random.default_rng(4)
    draws, builds = simulated(generator, 6, 4, 3.0), builds_of(generator, 8)
    lost = builds.assign(trained=False, train_loss=99.0)
    for spread in verdicts.spreads(draws, pd.concat([builds, lost])):
        table = draws.pivot(index="weights", columns="order", values=spread.number).to_numpy()
        within = table.var(axis=1, ddof=1).mean()
        between = table.mean(1).var(ddof=1) - within / 4
        assert spread.builds == pytest.approx(np.std(builds[spread.number], ddof=1))
        assert spread.of_orders == pytest.approx(math.sqrt(within))
        assert spread.of_all == pytest.approx(math.sqrt(within + between))
        assert spread.to_orders.low < spread.builds / spread.of_orders < spread.to_orders.high
        assert spread.to_all.low < spread.builds / spread.of_all < spread.to_all.high


def test_initializations_with_one_order_each_say_nothing_of_orders(monkeypatch):
    """As the early ones: only one of 15 has several, and many resamples are without it."""
    one_group(monkeypatch)
    generator = np.random.default_rng(5)
    draws = simulated(generator, 15, 8, of_weights=0.0)
    draws = draws[(draws.order == 0) | (draws.weights == "0")]
    for spread in verdicts.spreads(draws, builds_of(generator, 20, of_weights=0.0)):
        assert np.isnan(spread.to_orders).all()
        assert spread.verdict == verdicts.UNKNOWN


def scaled(table, by):
    return table.assign(**{number: 0.5 + by * (table[number] - 0.5) for number in NUMBERS})


def verdicts_of(draws, builds, **by):
    return {m.number: m.verdict for m in verdicts.means(draws, builds, **by)}


def test_means_that_are_near_far_and_not_to_be_told(monkeypatch):
    one_group(monkeypatch)
    generator = np.random.default_rng(6)
    draws, builds = simulated(generator), builds_of(generator)
    near = scaled(draws, 0.001), scaled(builds, 0.001)
    assert verdicts_of(*near) == dict.fromkeys(NUMBERS, CONSISTENT)
    far = near[1].assign(test_acc=near[1].test_acc + 0.05)
    assert verdicts_of(near[0], far) == {
        **dict.fromkeys(NUMBERS, CONSISTENT),
        "test_acc": DIFFERENT,
    }
    assert verdicts_of(draws, builds) == dict.fromkeys(NUMBERS, UNDECIDED)


def test_means_are_of_those_that_trained_on_todays_split_or_by_splits(monkeypatch):
    one_group(monkeypatch, "constant", "cosine")
    generator = np.random.default_rng(7)
    draws, builds = simulated(generator, 8, 3), builds_of(generator, 9)
    split = simulated(generator, 5, 2).assign(split=lambda t: t.weights.astype(float))
    lost = draws.assign(trained=False, train_loss=99.0)
    cosine = draws.assign(experiment="cosine")
    all_draws = pd.concat([draws, split, lost, cosine], ignore_index=True)
    lost = builds.assign(trained=False, train_loss=99.0)
    all_builds = pd.concat([builds, lost, builds.assign(experiment="cosine")], ignore_index=True)
    found = verdicts.means(all_draws, all_builds)
    assert [(m.experiment, m.number) for m in found] == [
        (name, number) for name in ("constant", "cosine") for number in NUMBERS
    ]
    by_split = verdicts.means(all_draws, all_builds, by="split")
    assert [m.experiment for m in by_split] == ["constant"] * 3
    for of, groups, ours in ((found[0], 8, draws), (by_split[0], 5, split)):
        assert (of.number, of.groups, of.n) == ("train_loss", groups, 9)
        assert of.builds == pytest.approx(builds.train_loss.mean())
        assert of.center == pytest.approx(ours.train_loss.mean())
        # Balanced: the square under the root, by mean squares.
        table = ours.pivot(index="weights", columns="order", values="train_loss").to_numpy()
        within, of_means = table.var(axis=1, ddof=1).mean(), table.mean(1).var(ddof=1)
        between = max(of_means - within / table.shape[1], 0)
        half = distributions.t.ppf(1 - 0.05 / 54, groups - 1)
        half *= math.sqrt(between + within / 9 + of_means / groups)
        assert tuple(of.interval) == pytest.approx((of.center - half, of.center + half))


def test_false_alarms_are_as_rare_as_claimed(monkeypatch):
    """A thousand studies of few initializations; builds are 20 of one more draw of the weights."""
    monkeypatch.setattr(verdicts, "COMPARED", 1)
    generator, studies, alarms = np.random.default_rng(8), 1000, 0
    for _ in range(studies):
        *ours, theirs = generator.normal(0, 1.0, 9)
        table = np.reshape(ours, (8, 1)) + generator.normal(0, 0.3, (8, 3))
        within = table.var(axis=1, ddof=1).mean()
        between = max(table.mean(1).var(ddof=1) - within / 3, 0)
        interval = verdicts.interval_of_mean(Components(table.mean(1), between, within), 20)
        mean = theirs + generator.normal(0, 0.3, 20).mean()
        alarms += verdicts.judge(mean, interval, math.inf) == DIFFERENT
    error = math.sqrt(0.05 * 0.95 / studies)
    assert alarms / studies == pytest.approx(0.05, abs=3 * error)


@pytest.mark.parametrize("within", [1e-4, 2e-3])
def test_so_many_initializations_are_needed_and_no_fewer(within):
    parts = Components(np.array([0.5, 0.53, 0.52, 0.47]), 4e-6, within)
    margin, n = 0.05, 87

    def width(groups):
        half = distributions.t.ppf(1 - 0.05 / 54, groups - 1)
        of_means = np.var([0.5, 0.53, 0.52, 0.47], ddof=1)
        return 2 * half * math.sqrt(4e-6 + within / n + of_means / groups)

    needed = verdicts._needed(parts, n, margin)
    assert width(needed) <= margin < width(needed - 1)


def test_no_number_of_initializations_narrows_what_one_draw_of_weights_spreads():
    parts = Components(np.array([0.5, 0.53]), 0.01, 0.0)
    # Even the true components and mean leave 2 * 3.1 * 0.1.
    assert verdicts._needed(parts, 87, 0.05) is None
    assert verdicts._needed(Components(np.array([0.5, 0.5]), 0.0, 0.0), 87, 0.05) == 3


def a_grid(died, weights=32, orders=5):
    """Draws at the constant, of which those of (weights, order) collapsed."""
    rows = pd.DataFrame(product(range(weights), range(orders)), columns=["weights", "order"])
    pairs = zip(rows.weights, rows.order)
    return rows.assign(
        experiment="constant",
        trained=[pair not in died for pair in pairs],
        weights=rows.weights.astype(str),
        split=math.nan,
    )


def some_builds(collapsed, of=87):
    trained = np.arange(of) >= collapsed
    return pd.DataFrame({"experiment": "constant", "trained": trained})


def test_collapses_in_one_initialization_are_no_chance_and_in_five_are():
    one = verdicts.collapse(a_grid({(3, order) for order in range(5)}), some_builds(7))
    assert one[:3] == (32, 160, 5)
    assert one.differ < 0.002
    assert (one.builds, one.builds_collapsed) == (87, 7)
    five = verdicts.collapse(a_grid({(w, w % 5) for w in range(3, 8)}), some_builds(7))
    assert (five.collapsed, five.differ) == (5, 1)


def test_how_probable_two_collapses_of_one_initialization_are():
    """Wherever the first is, 4 of the 159 others are of the same."""
    found = verdicts.collapse(a_grid({(3, 0), (3, 2)}), some_builds(7))
    p = 4 / 159
    error = math.sqrt(p * (1 - p) / verdicts.RESAMPLES)
    assert found.differ == pytest.approx(p, abs=3 * error + 1 / verdicts.RESAMPLES)


@pytest.mark.parametrize("count", [0, 7, 20, 60])
def test_the_builds_count_is_held_against_one_of_our_initializations(count):
    """Of 32, one with all five collapsed, and one with two: a mixture of beta-binomials."""
    died = {*((3, order) for order in range(5)), (4, 0), (4, 1)}
    found = verdicts.collapse(a_grid(died), some_builds(count))
    cases = ((30 / 32, 0), (1 / 32, 2), (1 / 32, 5))
    of = [(share, distributions.betabinom(87, c + 0.5, 5 - c + 0.5)) for share, c in cases]
    below = sum(share * d.cdf(count) for share, d in of)
    above = sum(share * d.sf(count - 1) for share, d in of)
    tail = min(below, above)
    error = 2 * math.sqrt(tail * (1 - tail) / verdicts.RESAMPLES)
    assert found.as_builds == pytest.approx(min(1, 2 * tail), abs=3 * error + 1e-3)


def test_collapses_are_counted_of_complete_initializations_on_todays_split():
    grid = a_grid({(3, 0), (3, 2), (5, 1)})
    other = a_grid({*product(range(32), range(5))})
    more = [
        other.assign(experiment="cosine"),
        other.assign(split=0.0),
        other.assign(order=other.order + 5),
        other[other.order < 4].assign(weights=lambda t: "1" + t.weights + "0"),
    ]
    builds = pd.concat([some_builds(7), some_builds(9).assign(experiment="cosine")])
    found = verdicts.collapse(pd.concat([grid, *more], ignore_index=True), builds)
    assert found == verdicts.collapse(grid, some_builds(7))
    assert found[:3] == (32, 160, 3)


def draws_about(means):
    """Draws of as many initializations with these means, three orders each, a hair apart."""
    rows = pd.DataFrame(product(range(len(means)), range(3)), columns=["weights", "order"])
    near = np.take(means, rows.weights) + 1e-6 * (rows.order - 1)
    return rows.assign(
        experiment="constant",
        trained=True,
        split=math.nan,
        weights=rows.weights.astype(str),
        test_acc=near,
    )


def test_each_initialization_is_judged_by_the_others(monkeypatch):
    """At 5 % each, with t 4.3 of three others and 3.2 of four.

    Of means 0.500 to 0.503 the others' interval is 0.005 to either side, which a shift of 0.025
    leaves. One at 0.6 leaves it as it is; and for the others' it is wider than any shift.
    """
    monkeypatch.setattr(verdicts, "COMPARED", 1)
    near = [0.5, 0.501, 0.502, 0.503]
    assert verdicts.power(draws_about(near), "constant", "test_acc", 37) == (0, 1)
    assert verdicts.power(draws_about([*near, 0.6]), "constant", "test_acc", 37) == (0.2, 0.2)


def test_one_of_ours_is_measured_no_more_often_than_it_has_orders(monkeypatch):
    measured = []
    interval = verdicts.interval_of_mean

    def spy(parts, n):
        measured.append((len(parts.means), n))
        return interval(parts, n)

    monkeypatch.setattr(verdicts, "interval_of_mean", spy)
    draws = draws_about([0.5, 0.501, 0.502, 0.503])
    verdicts.power(draws, "constant", "test_acc", 37)
    verdicts.power(draws, "constant", "test_acc", 2)
    assert measured == [(3, 3)] * 4 + [(3, 2)] * 4
