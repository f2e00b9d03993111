from __future__ import annotations

import math

import pytest

from d2l_lrsched.studies.clipping.claims import ARMS, CLAIMS, Claim
from d2l_lrsched.studies.clipping.verdicts import (
    CONFIRMED,
    CONTRADICTED,
    NOT_DECIDED,
    counts,
    judge,
    prevented,
)
from made_up import a_run, an_epoch, with_windows


def run(arm, seed, windows=(0.5,) * 5, accuracies=(0.9, 0.8), outcome="trained"):
    """A record of a run of one epoch with these window means, train and test accuracy."""
    numbers = {name: [of] for name, of in zip(("train_acc", "test_acc"), accuracies)}
    return a_run(arm, seed, outcome, **with_windows(windows, **numbers))


def two_arms(lower, higher, n=10):
    """Clipping with the first (test accuracy, loss), scheduler with the second."""
    return [
        run(arm, seed, (loss,) * 5, (0.9, accuracy))
        for arm, (accuracy, loss) in (("clipping", lower), ("scheduler", higher))
        for seed in range(n)
    ]


@pytest.mark.parametrize(
    ("measure", "better", "verdict"),
    [
        ("test accuracy", (0.85, 0.5), CONFIRMED),
        ("test accuracy", (0.75, 0.5), CONTRADICTED),
        ("test accuracy", (0.80, 0.5), NOT_DECIDED),
        ("final loss", (0.80, 0.4), CONFIRMED),
        ("final loss", (0.80, 0.6), CONTRADICTED),
    ],
)
def test_each_verdict(measure, better, verdict):
    claim = Claim("", "", measure, ("clipping",), "scheduler")
    (found,) = judge(two_arms((0.80, 0.5), better), [claim])
    assert found.verdict == verdict
    assert found.p == found.p_holm == (1 if verdict == NOT_DECIDED else 2 / 1024)
    worse_minus = {"test accuracy": better[0] - 0.80, "final loss": better[1] - 0.5}
    assert found.mean == pytest.approx(worse_minus[measure])


def lives(arm, survived, n=10):
    return [run(arm, i, outcome="trained" if i < survived else "collapsed") for i in range(n)]


def test_survival_is_compared_as_counts_whichever_seeds_they_are():
    """5 of 10 against 10 of 10: of C(20, 5) ways to choose who dies 2 C(10, 5) are as extreme."""
    claim = Claim("", "", "survival", ("neither",), "clipping")
    (found,) = judge([*lives("neither", 5), *lives("clipping", 10)], [claim])
    p = 2 * math.comb(10, 5) / math.comb(20, 5)
    assert (found.n, found.mean, found.p) == (10, 0.5, pytest.approx(p))
    assert found.verdict == CONFIRMED
    assert math.isnan(found.interval.low)


def test_other_numbers_are_of_pairs_that_trained():
    claim = Claim("", "", "test accuracy", ("neither",), "clipping")
    (found,) = judge([*lives("neither", 5), *lives("clipping", 10)], [claim])
    assert (found.n, found.mean) == (5, 0)


def better_than_each(*accuracies):
    """The verdict on both against the three arms of these accuracies, at 0.85 and ten seeds."""
    claim = Claim("", "", "test accuracy", ARMS[:-1], "both")
    arms = dict(zip(ARMS, (*accuracies, 0.85)))
    runs = [run(arm, i, accuracies=(0.9, x)) for arm, x in arms.items() for i in range(10)]
    return judge(runs, [claim])[0]


def test_most_effective_is_who_is_better_than_each():
    assert better_than_each(0.80, 0.81, 0.84)[-2:] == (2 / 1024, CONFIRMED)
    one_as_good = better_than_each(0.80, 0.85, 0.84)
    assert (one_as_good.worse, *one_as_good[-2:]) == ("clipping", 1, NOT_DECIDED)
    one_better = better_than_each(0.80, 0.81, 0.90)
    assert (one_better.worse, one_better.verdict) == ("scheduler", CONTRADICTED)
    assert (one_better.p, one_better.p_holm) == (2 / 1024, 3 * 2 / 1024), "the best of three"


def test_the_level_is_kept_to_and_few_pairs_decide_nothing():
    claim = Claim("", "", "test accuracy", ("clipping",), "scheduler")
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=6)  # p = 2/64 = 0.03125
    assert judge(runs, [claim])[0].verdict == CONFIRMED
    assert judge(runs, [claim], level=2 / 64)[0].verdict == CONFIRMED
    assert judge(runs, [claim], level=0.03)[0].verdict == NOT_DECIDED
    assert judge(runs, [claim, claim])[0].verdict == NOT_DECIDED  # twice the p-value
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=5)  # 2/32
    assert judge(runs, [claim])[0].verdict == NOT_DECIDED


def test_a_study_just_as_the_paper_says():
    """Better by every measure at each step; all runs survive."""
    steps = {
        # arm -> window means, train and test accuracy, late oscillation
        "neither": ((2.0, 1.0, 1.5, 1.0, 1.0), (0.88, 0.80), 0.03),
        "clipping": ((1.5, 1.0, 1.4, 0.8, 0.8), (0.90, 0.85), 0.03),
        "scheduler": ((1.0, 0.8, 1.1, 0.6, 0.6), (0.89, 0.86), 0.01),
        "both": ((0.8, 0.7, 0.8, 0.5, 0.5), (0.90, 0.88), 0.01),
    }
    runs = []
    for arm, (means, (train_acc, test_acc), swing) in steps.items():
        test_accs = [test_acc + swing, test_acc - swing] * 2 + [test_acc]
        numbers = {"train_acc": [train_acc] * 5, "test_acc": test_accs}
        runs += [a_run(arm, seed, **with_windows(*[means] * 5, **numbers)) for seed in range(10)]
    runs.append(run("cosine", 0))  # no arm
    judged = judge(runs)
    # Survival, and the epochs to the goal (6 and 1) between arms that need 1.
    chain = list(zip(ARMS, ARMS[1:]))
    undecided = {(j.claim.measure, j.worse, j.claim.better) for j in judged if j.p == 1}
    assert undecided == {
        *(("survival", *link) for link in chain),
        *(("epochs to 0.85", *link) for link in chain[1:]),
    }
    found = [(j.verdict, j.p_holm) for j in judged if j.p != 1]
    assert found == [(CONFIRMED, pytest.approx(18 * 2 / 1024))] * 13


def test_arms_of_other_seeds_are_refused():
    runs = [run(arm, seed) for arm in ARMS for seed in range(3)]
    with pytest.raises(ValueError, match=r"seeds \[2\]"):
        judge([r for r in runs if (r.experiment, r.seed) != ("clipping", 2)])
    with pytest.raises(ValueError, match=r"two runs of seeds \[0\]"):
        judge([*runs, run("both", 0)])


def test_without_runs_nothing_is_decided():
    judged = judge([])
    assert {(j.n, j.p_holm, j.verdict) for j in judged} == {(0, 1, NOT_DECIDED)}
    assert counts(judged) == f"0 CONFIRMED, 0 CONTRADICTED, {len(CLAIMS)} NOT DECIDED"


def outcomes(experiment, trained, epochs=2, first=0):
    """Runs that collapsed in their last epoch, or not."""
    return [
        a_run(
            experiment,
            first + seed,
            "trained" if t else "collapsed",
            epochs=[an_epoch()] * (epochs - 1) + [an_epoch(score_spread=0.5 if t else 0.0)],
        )
        for seed, t in enumerate(trained)
    ]


def test_what_a_remedy_prevents_is_counted_early_with_the_pilot_and_at_the_end():
    runs = outcomes("neither", [0] * 5 + [1] * 5, 3) + outcomes("clipping", [1] * 10, 3)
    runs += outcomes("pilot", [0, 0, 1], first=1000)
    runs += outcomes("pilot-clipped", [0, 1], 3, first=1000)
    early, late = prevented(runs)
    assert early[:5] == ("neither", "clipping", 2, (2, 13), (0, 12))
    assert late[:5] == ("neither", "clipping", 3, (5, 10), (0, 10))
    p = 2 * math.comb(10, 5) / math.comb(20, 5)
    assert late[5:] == (pytest.approx(p), pytest.approx(2 * p)), "of two comparisons the smaller p"


def test_where_nothing_collapses_nothing_is_prevented():
    (found,) = prevented(outcomes("rate-0.3", [1, 1]) + outcomes("rate-0.3-warmup", [1, 1]))
    assert found == ("rate-0.3", "rate-0.3-warmup", 2, (0, 2), (0, 2), 1, 1)


def test_a_run_that_turned_non_finite_did_not_train():
    broken = a_run("rate-0.3", 0, "non-finite", epochs=[an_epoch(train_loss=math.inf)])
    (found,) = prevented([broken, a_run("rate-0.3-warmup", 0)])
    assert found.without == (1, 1)
