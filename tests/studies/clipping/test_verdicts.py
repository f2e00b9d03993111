from __future__ import annotations

import pytest

from d2l_lrsched.studies.clipping.claims import ARMS, CLAIMS, Claim
from d2l_lrsched.studies.clipping.verdicts import (
    CONFIRMED,
    CONTRADICTED,
    NOT_DECIDED,
    Rescue,
    counts,
    judge,
    rescues,
)
from made_up import a_run, with_windows


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
    ("measure", "relation", "better", "verdict"),
    [
        ("test accuracy", "<", (0.85, 0.5), CONFIRMED),
        ("test accuracy", "<", (0.75, 0.5), CONTRADICTED),
        ("test accuracy", "<", (0.80, 0.5), NOT_DECIDED),
        ("test accuracy", "=", (0.85, 0.5), CONTRADICTED),
        ("test accuracy", "=", (0.75, 0.5), CONTRADICTED),
        ("test accuracy", "=", (0.80, 0.5), NOT_DECIDED),  # equal in all ten pairs, but no proof
        ("final loss", "<", (0.80, 0.4), CONFIRMED),
        ("final loss", "<", (0.80, 0.6), CONTRADICTED),
    ],
)
def test_each_verdict(measure, relation, better, verdict):
    claim = Claim("", "", measure, "clipping", "scheduler", relation)
    (found,) = judge(two_arms((0.80, 0.5), better), [claim])
    assert found.verdict == verdict
    assert found.p == found.p_holm == (1 if verdict == NOT_DECIDED else 2 / 1024)
    worse_minus = {"test accuracy": better[0] - 0.80, "final loss": better[1] - 0.5}
    assert found.mean == pytest.approx(worse_minus[measure])


def test_the_level_is_kept_to_and_few_pairs_decide_nothing():
    claim = Claim("", "", "test accuracy", "clipping", "scheduler")
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=6)  # p = 2/64 = 0.03125
    assert judge(runs, [claim])[0].verdict == CONFIRMED
    assert judge(runs, [claim], level=2 / 64)[0].verdict == CONFIRMED
    assert judge(runs, [claim], level=0.03)[0].verdict == NOT_DECIDED
    assert judge(runs, [claim, claim])[0].verdict == NOT_DECIDED  # twice the p-value
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=5)  # 2/32
    assert judge(runs, [claim])[0].verdict == NOT_DECIDED


def test_a_study_just_as_the_papers_table_says():
    """Better by every measure at each step, but the one that is equal; all runs survive."""
    steps = {
        # arm -> window means, train and test accuracy
        "neither": ((2.0, 1.0, 1.5, 1.0, 1.0), (0.88, 0.80)),
        "clipping": ((1.5, 1.0, 1.4, 0.8, 0.8), (0.90, 0.85)),
        "scheduler": ((1.0, 0.8, 1.1, 0.6, 0.6), (0.89, 0.85)),
        "both": ((0.8, 0.7, 0.8, 0.5, 0.5), (0.90, 0.88)),
    }
    runs = [run(arm, seed, *numbers) for arm, numbers in steps.items() for seed in range(10)]
    runs.append(run("cosine", 0))  # no arm
    verdicts = {
        (j.claim.source, j.claim.measure, j.claim.worse, j.claim.better): (j.verdict, j.p_holm)
        for j in judge(runs)
    }
    # Undecided: survival, the equal one, and the epochs (1 or 2) between arms that need 1.
    undecided = {key for key, found in verdicts.items() if found == (NOT_DECIDED, 1)}
    chain = list(zip(ARMS, ARMS[1:]))
    assert undecided == {
        *(("4.4", "survival", *link) for link in chain),
        *(("4.4", "epochs to 0.85", *link) for link in chain[1:]),
        ("4.4", "test accuracy", "clipping", "scheduler"),
    }
    smallest = pytest.approx(20 * 2 / 1024)
    assert verdicts.pop(("4.2", "epochs to 0.85", "clipping", "neither")) == (
        CONTRADICTED,
        smallest,
    )
    assert [found for key, found in verdicts.items() if key not in undecided] == [
        (CONFIRMED, smallest)
    ] * 13


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


def outcomes(experiment, trained):
    return [a_run(experiment, i, "trained" if t else "collapsed") for i, t in enumerate(trained)]


def test_who_collapsed_without_and_trained_with_and_the_other_way_round():
    """Of five that collapsed four train, of three that trained one collapses: p = 12 / 32."""
    runs = outcomes("neither", [0, 0, 0, 0, 0, 1, 1, 1])
    runs += outcomes("both", [1, 1, 0, 1, 1, 1, 0, 1])
    runs += [a_run("clipping", seed) for seed in (1, 0)]  # of fewer seeds, in another order
    assert rescues(runs) == [
        Rescue("neither", "clipping", (0, 1), (0, 1), (), (), 0.5),
        Rescue("neither", "both", (0, 1, 2, 3, 4), (0, 1, 3, 4), (5, 6, 7), (6,), 12 / 32),
    ]


def test_where_nothing_collapses_nothing_is_prevented():
    (found,) = rescues(outcomes("rate-0.3", [1, 1]) + outcomes("rate-0.3-warmup", [1, 1]))
    assert found == Rescue("rate-0.3", "rate-0.3-warmup", (), (), (0, 1), (), 1.0)


def test_a_run_that_turned_non_finite_did_not_train():
    runs = [a_run("rate-0.3", 0, "non-finite"), a_run("rate-0.3-warmup", 0)]
    assert rescues(runs)[0].collapsed == (0,)
