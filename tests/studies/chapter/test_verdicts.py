from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from d2l_lrsched import stats
from d2l_lrsched.studies.chapter.published import PRINTED, Published
from d2l_lrsched.studies.chapter.verdicts import (
    CONSISTENT,
    DIFFERENT,
    INCONCLUSIVE,
    LEVEL,
    MARGIN,
    NUMBERS,
    claim,
    compare,
    distinct,
    surprise,
)
from made_up import a_run

NAMES = [name for name, printed in PRINTED.items() if not printed.collapsed]


def run(experiment, numbers, outcome="trained", seed=0):
    """A record with these final (train_loss, train_acc, test_acc), and no points."""
    numbers = dict(zip(NUMBERS, numbers))
    return a_run(experiment, seed, outcome, num_epochs=30, points=[], **numbers)


def runs_around(spread):
    """Runs whose numbers scatter round the printed ones."""
    rng = np.random.default_rng(0)
    return [
        run(name, [getattr(PRINTED[name], k) + spread * rng.normal() for k in NUMBERS])
        for name in NAMES
        for _ in range(10)
    ]


def test_margins_are_the_ranges_of_the_printed_runs_that_trained():
    assert MARGIN["train_loss"] == pytest.approx(0.394 - 0.187)
    assert MARGIN["test_acc"] == pytest.approx(0.898 - 0.848)


def verdicts_of(runs, number):
    return {v.experiment: v.verdict for v in compare(runs) if v.number == number}


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
    runs = [run(n, [getattr(PRINTED[n], k) + 0.0004 for k in NUMBERS]) for n in NAMES] * 3
    assert {v.verdict for v in compare(runs) if v.number != "outcome"} == {CONSISTENT}
    runs = [run(n, [getattr(PRINTED[n], k) + 0.0006 for k in NUMBERS]) for n in NAMES] * 3
    assert {v.verdict for v in compare(runs) if v.number != "outcome"} == {DIFFERENT}


def test_the_first_run_of_a_seed_counts():
    one, other = run("cosine", (0.3, 0.9, 0.8), seed=1), run("cosine", (0.4, 0.9, 0.8), seed=1)
    more = [run("cosine", (0.3, 0.9, 0.8), seed=2), run("constant", (0.3, 0.9, 0.8), seed=1)]
    assert distinct([one, one, other, *more]) == [one, *more]


def test_how_probable_new_outcomes_are():
    """The last of n + 1 alike is the only one of its kind once in n + 1 times."""
    trained = [
        run(name, (0.3, 0.9, 0.8), seed=s) for name in ("cosine", "constant") for s in range(4)
    ]
    collapsed = run("cosine", (2.3, 0.1, 0.1), "collapsed")
    odd = run("constant", (math.nan,) * 3, "non-finite")
    assert surprise(trained, [trained[0]]) == (1.0, [])
    assert surprise(trained, [collapsed]) == (1 / 5, [collapsed])
    probability, new = surprise(trained, [collapsed, odd])
    assert (probability, len(new)) == (pytest.approx(1 / 25), 2)
    assert surprise([*trained, collapsed], [collapsed]) == (1.0, [])


def test_a_run_is_a_claim_too():
    assert claim(run("cosine", (0.3, 0.9, 0.8))) == Published(0.3, 0.9, 0.8)
    found = claim(run("cosine", (2.3, 0.1, 0.1), "collapsed"))
    assert found == Published(2.3, 0.1, 0.1, collapsed=True)


def test_collapsed_runs_are_counted_and_leave_the_intervals_alone():
    trained = runs_around(0.002)
    others = [
        run("cosine", (2.303, 0.1, 0.1), "collapsed"),
        run("cosine", (math.nan,) * 3, "non-finite"),
    ]
    with_them = {(v.experiment, v.number): v for v in compare(trained + others)}
    without = {(v.experiment, v.number): v for v in compare(trained)}
    verdict = with_them["cosine", "test_acc"]
    assert (verdict.n, verdict.collapsed) == (12, 2)
    assert verdict == without["cosine", "test_acc"]._replace(n=12, collapsed=2)
    outcome = with_them["cosine", "outcome"]
    assert (outcome.published, outcome.center) == ("trained", pytest.approx(10 / 12))
    alpha = 0.05 / (4 * 4)
    assert (outcome.low, outcome.high) == pytest.approx(stats.share(10, 12, alpha))


@pytest.mark.parametrize(
    ("collapsed", "of", "verdict"),
    [(0, 10, INCONCLUSIVE), (0, 200, DIFFERENT), (6, 10, CONSISTENT), (10, 10, CONSISTENT)],
)
def test_a_published_collapse_is_compared_with_our_share_of_them(collapsed, of, verdict):
    runs = [
        run("constant", (0.1, 0.9, 0.9), "collapsed" if i < collapsed else "trained")
        for i in range(of)
    ]
    (found,) = compare(runs)
    assert (found.number, found.published, found.verdict) == ("outcome", "collapsed", verdict)


def test_a_run_that_turned_non_finite_did_not_end_as_a_collapsed_one():
    (found,) = compare([run("constant", (0.1, 0.9, 0.9), "non-finite")] * 200)
    assert (found.center, found.verdict) == (0, DIFFERENT)


def test_too_few_runs_decide_nothing():
    (_, *numbers) = compare([run("cosine", (0.362, 0.870, 0.848))])
    assert {v.verdict for v in numbers} == {INCONCLUSIVE}
    assert {(v.low, v.high) for v in numbers} == {(-math.inf, math.inf)}


def test_false_alarms_are_as_rare_as_claimed(monkeypatch):
    """Whole studies: 4 experiments x 10 runs, and a claim of each that is an 11th run.

    12 numbers compared at 5 % / 16 (4 outcomes count, though none can alarm here), all but
    independent of one another.
    """
    # The exact interval takes most of the time, and 10 of 10 runs train in every study.
    monkeypatch.setattr(stats, "share", functools.cache(stats.share))
    rng, studies = np.random.default_rng(1), 200
    alarms = 0
    for _ in range(studies):
        runs = [
            run(name, rng.normal(size=3).tolist(), seed=seed)
            for name in NAMES
            for seed in range(10)
        ]
        claims = {name: Published(*rng.normal(size=3)) for name in NAMES}
        alarms += any(v.verdict == DIFFERENT for v in compare(runs, claims, rounding=0))
    expected = 1 - (1 - LEVEL / 16) ** 12
    error = math.sqrt(expected * (1 - expected) / studies)
    assert alarms / studies == pytest.approx(expected, abs=3 * error)
