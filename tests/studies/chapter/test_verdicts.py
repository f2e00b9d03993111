from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from d2l_lrsched.studies.chapter import verdicts as regression
from d2l_lrsched.studies.chapter.published import PRINTED, Published
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT, INCONCLUSIVE
from made_up import a_run

NAMES = [name for name, printed in PRINTED.items() if not printed.collapsed]


def run(experiment, numbers, outcome="trained", seed=0):
    """A record with these final (train_loss, train_acc, test_acc)."""
    numbers = dict(zip(regression.NUMBERS, numbers))
    return a_run(experiment, seed, outcome, num_epochs=30, **numbers)


def runs_around(spread, n=10, names=NAMES, rng=None):
    """Runs whose numbers scatter round the printed ones."""
    rng = rng or np.random.default_rng(0)
    return [
        run(name, [getattr(PRINTED[name], k) + spread * rng.normal() for k in regression.NUMBERS])
        for name in names
        for _ in range(n)
    ]


def test_the_interval_worked_by_hand():
    """1..5: mean 3, s = sqrt(2.5) and, with 4 degrees, t = 2.776445."""
    low, high = regression.prediction_interval(3.0, 5, math.sqrt(2.5), 4, 0.05)
    # 2.776445 * 1.581139 * 1.095445 = 4.808944
    assert low == pytest.approx(3 - 4.808944, abs=1e-5)
    assert high == pytest.approx(3 + 4.808944, abs=1e-5)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0, 1 - 0.025 ** (1 / 10)),  # Clopper and Pearson's own closed forms
        (10, 10, 0.025 ** (1 / 10), 1),
        (1, 10, 0.002529, 0.445016),  # and their printed table
    ],
)
def test_exact_binomial_intervals(k, n, low, high):
    assert regression.share_interval(k, n, 0.05) == pytest.approx((low, high), abs=1e-6)


def test_spreads_that_look_alike_are_pooled():
    """Variances 1 and 4 of three and five: (2 * 1 + 4 * 4) / 6 = 3."""
    groups = {"a": [1.0, 2.0, 3.0], "b": [4 - 2 * math.sqrt(2), 4, 4, 4, 4 + 2 * math.sqrt(2)]}
    assert regression.spreads(groups) == {
        "a": (pytest.approx(math.sqrt(3)), 6),
        "b": (pytest.approx(math.sqrt(3)), 6),
    }


def test_spreads_that_differ_stay_apart_and_two_runs_are_too_few():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(size=20), 50 * rng.normal(size=20)
    found = regression.spreads({"narrow": narrow, "wide": wide, "two": [1.0, 2.0]})
    assert found == {
        "narrow": (pytest.approx(np.std(narrow, ddof=1)), 19),
        "wide": (pytest.approx(np.std(wide, ddof=1)), 19),
    }


def test_margins_are_the_ranges_of_the_living_printed_runs():
    assert regression.margin("train_loss") == pytest.approx(0.394 - 0.187)
    assert regression.margin("test_acc") == pytest.approx(0.898 - 0.848)


def verdicts_of(runs, number):
    return {v.experiment: v.verdict for v in regression.compare(runs) if v.number == number}


def test_near_numbers_are_consistent_far_ones_different_wide_ones_inconclusive():
    near = runs_around(0.002)
    assert set(verdicts_of(near, "test_acc").values()) == {CONSISTENT}
    far = [
        run(r.experiment, (r.final.train_loss, r.final.train_acc, r.final.test_acc - 0.05))
        for r in near
    ]
    assert set(verdicts_of(far, "test_acc").values()) == {DIFFERENT}
    assert set(verdicts_of(far, "train_acc").values()) == {CONSISTENT}
    assert set(verdicts_of(runs_around(0.05), "test_acc").values()) == {INCONCLUSIVE}


def test_half_of_the_last_printed_digit_is_allowed():
    runs = [
        run(n, [getattr(PRINTED[n], k) + 0.0004 for k in regression.NUMBERS]) for n in NAMES
    ] * 3
    assert {v.verdict for v in regression.compare(runs) if v.number != "outcome"} == {CONSISTENT}
    runs = [
        run(n, [getattr(PRINTED[n], k) + 0.0006 for k in regression.NUMBERS]) for n in NAMES
    ] * 3
    assert {v.verdict for v in regression.compare(runs) if v.number != "outcome"} == {DIFFERENT}


def test_the_first_run_of_a_seed_counts():
    one, other = run("cosine", (0.3, 0.9, 0.8), seed=1), run("cosine", (0.4, 0.9, 0.8), seed=1)
    more = [run("cosine", (0.3, 0.9, 0.8), seed=2), run("constant", (0.3, 0.9, 0.8), seed=1)]
    assert regression.distinct([one, one, other, *more]) == [one, *more]


def test_how_probable_new_outcomes_are():
    """The last of n + 1 alike is the only one of its kind once in n + 1 times."""
    alive = [
        run(name, (0.3, 0.9, 0.8), seed=s) for name in ("cosine", "constant") for s in range(4)
    ]
    dead = run("cosine", (2.3, 0.1, 0.1), "collapsed")
    odd = run("constant", (math.nan,) * 3, "non-finite")
    assert regression.surprise(alive, [alive[0]]) == (1.0, [])
    assert regression.surprise(alive, [dead]) == (1 / 5, [dead])
    probability, new = regression.surprise(alive, [dead, odd])
    assert (probability, len(new)) == (pytest.approx(1 / 25), 2)
    assert regression.surprise([*alive, dead], [dead]) == (1.0, [])


def test_a_run_is_a_claim_too():
    assert regression.claim(run("cosine", (0.3, 0.9, 0.8))) == Published("", 0.3, 0.9, 0.8)
    dead = regression.claim(run("cosine", (2.3, 0.1, 0.1), "collapsed"))
    assert dead == Published("", 2.3, 0.1, 0.1, collapsed=True)


def test_collapsed_runs_are_counted_and_leave_the_intervals_alone():
    alive = runs_around(0.002)
    dead = [
        run("cosine", (2.303, 0.1, 0.1), "collapsed"),
        run("cosine", (math.nan,) * 3, "non-finite"),
    ]
    with_dead = {(v.experiment, v.number): v for v in regression.compare(alive + dead)}
    without = {(v.experiment, v.number): v for v in regression.compare(alive)}
    verdict = with_dead["cosine", "test_acc"]
    assert (verdict.n, verdict.collapsed) == (12, 2)
    assert verdict == replace(without["cosine", "test_acc"], n=12, collapsed=2)
    outcome = with_dead["cosine", "outcome"]
    assert (outcome.published, outcome.center) == ("trained", pytest.approx(10 / 12))
    alpha = 0.05 / (4 * 4)
    assert (outcome.low, outcome.high) == pytest.approx(regression.share_interval(10, 12, alpha))


@pytest.mark.parametrize(
    ("collapsed", "of", "verdict"),
    [(0, 10, INCONCLUSIVE), (0, 200, DIFFERENT), (6, 10, CONSISTENT), (10, 10, CONSISTENT)],
)
def test_a_published_collapse_is_compared_with_our_share_of_them(collapsed, of, verdict):
    runs = [
        run("constant", (0.1, 0.9, 0.9), "collapsed" if i < collapsed else "trained")
        for i in range(of)
    ]
    (found,) = regression.compare(runs)
    assert (found.number, found.published, found.verdict) == ("outcome", "collapsed", verdict)


def test_too_few_runs_decide_nothing():
    (_, *numbers) = regression.compare([run("cosine", (0.362, 0.870, 0.848))])
    assert {v.verdict for v in numbers} == {INCONCLUSIVE}
    assert {(v.low, v.high) for v in numbers} == {(-math.inf, math.inf)}


# --- what the verdicts promise, by simulation -----------------------------------------------------

STUDIES = 2000


def within_chance(expected):
    """A share of the studies, give or take three standard errors."""
    return pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / STUDIES))


def test_false_alarms_are_as_rare_as_claimed(monkeypatch):
    """Whole studies: 4 experiments x 10 runs, and a claim of each that is an 11th run.

    12 numbers compared at 5 % / 16 (4 outcomes count, though none can alarm here), all but
    independent of one another.
    """
    # The exact interval takes most of the time, and 10 of 10 runs live in every study.
    monkeypatch.setattr(regression, "share_interval", functools.cache(regression.share_interval))
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(STUDIES):
        runs = [run(name, rng.normal(size=3)) for name in NAMES for _ in range(10)]
        claims = {name: Published("", *rng.normal(size=3)) for name in NAMES}
        verdicts = regression.compare(runs, claims, rounding=0)
        alarms += any(v.verdict == DIFFERENT for v in verdicts)
    assert alarms / STUDIES == within_chance(1 - (1 - regression.LEVEL / 16) ** 12)


@pytest.mark.parametrize(
    ("scales", "expected"),
    [
        ((1, 2, 3, 4), regression.LEVEL),
        ((1, 1, 1, 8), regression.LEVEL),
        ((1, 1, 1, 2), 0.07),  # the worst that was found: too alike to be told apart
    ],
)
def test_false_alarms_where_the_spreads_differ(scales, expected):
    """The claim holds for groups of 10 whose spreads are told apart, and nearly if they are not."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(STUDIES):
        groups = {scale_of: s * rng.normal(size=10) for scale_of, s in enumerate(scales)}
        spread = regression.spreads(groups)
        intervals = [
            regression.prediction_interval(group.mean(), 10, *spread[i], regression.LEVEL / 4)
            for i, group in groups.items()
        ]
        draws = scales * rng.normal(size=4)
        alarms += any(not low <= x <= high for x, (low, high) in zip(draws, intervals))
    assert alarms / STUDIES == within_chance(expected)


@pytest.mark.parametrize(("alike", "degrees"), [(0.0, 4 * 9), (1.1, 9)])
@pytest.mark.parametrize("shift", [2.0, 4.0])
def test_a_shift_is_found_as_often_as_the_theory_says(monkeypatch, shift, alike, degrees):
    """The noncentral t distribution, where spreads are always and where they are never pooled."""
    monkeypatch.setattr(regression, "ALIKE", alike)
    alpha = regression.LEVEL / 17
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(STUDIES):
        groups = {name: rng.normal(size=10) for name in NAMES}
        spread = regression.spreads(groups)[NAMES[0]]
        low, high = regression.prediction_interval(groups[NAMES[0]].mean(), 10, *spread, alpha)
        found += not low <= rng.normal() + shift <= high
    critical = stats.t.ppf(1 - alpha / 2, degrees)
    away = shift / math.sqrt(1 + 1 / 10)
    power = stats.nct.sf(critical, degrees, away) + stats.nct.cdf(-critical, degrees, away)
    assert found / STUDIES == within_chance(power)
