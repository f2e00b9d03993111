from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from d2l_lrsched.studies.clipping import claims
from d2l_lrsched.studies.clipping.claims import ARMS, CONFIRMED, CONTRADICTED, NOT_DECIDED, Claim
from d2l_lrsched.studies.clipping.measures import MEASURES
from d2l_lrsched.training.history import Point
from made_up import a_run

#: Of the five windows of an epoch.
EXAMPLES = np.array([12_800, 12_800, 12_800, 12_800, 8_800])


def run(arm, seed, windows=(0.5,) * 5, accuracies=(0.9, 0.8), outcome="trained"):
    """A record of a run of one epoch with these window means, train and test accuracy."""
    *inner, loss = (np.cumsum(windows * EXAMPLES) / np.cumsum(EXAMPLES)).tolist()
    numbers = dict(zip(("train_loss", "train_acc", "test_acc"), (loss, *accuracies)))
    points = [Point(0.2 * (k + 1), average, 0.0) for k, average in enumerate(inner)]
    return a_run(arm, seed, outcome, num_epochs=1, points=points, **numbers)


def test_all_claims():
    """The paper's table read once more, and its sections 4.2, 4.3 and 6."""
    chain = [("neither", "<", "clipping"), ("clipping", "<", "scheduler")]
    chain.append(("scheduler", "<", "both"))
    expected = [
        ("4.4", measure, *link)
        for measure in ("survival", "roughness", "epochs to 0.85", "final loss")
        for link in chain
    ]
    expected += [
        ("4.4", "test accuracy", "neither", "<", "clipping"),
        ("4.4", "test accuracy", "clipping", "=", "scheduler"),
        ("4.4", "test accuracy", "scheduler", "<", "both"),
        ("4.2", "epochs to 0.85", "clipping", "<", "neither"),
        ("4.3", "overfitting", "neither", "<", "scheduler"),
        ("4.3", "roughness", "neither", "<", "scheduler"),
        ("6", "test accuracy", "clipping", "<", "both"),
        ("6", "test accuracy", "neither", "<", "both"),
    ]
    found = [(c.source, c.measure, c.worse, c.relation, c.better) for c in claims.CLAIMS]
    assert Counter(found) == Counter(expected)
    assert len(found) <= 25  # 25 * 2/1024 is below 5 %, 26 * 2/1024 above


def test_the_words_are_those_of_the_table():
    assert claims.CLAIMS[0].words == "stability: neither low, clipping medium"
    (slower,) = (c for c in claims.CLAIMS if c.source == "4.2")
    assert "contradicts table 4.4" in slower.words
    printed = {
        arm: (row.stability.printed, row.convergence.printed, row.effectiveness.printed)
        for arm, row in claims.PAPER.items()
    }
    assert printed == {
        "neither": ("Thấp", "Kém", "Trung bình"),
        "clipping": ("Trung bình", "Trung bình", "Tốt"),
        "scheduler": ("Tốt", "Tốt", "Tốt"),
        "both": ("Rất tốt", "Cao", "Rất tốt"),
    }


def test_holms_adjustment_worked_by_hand():
    """Sorted: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 that must not be below the one before."""
    assert claims.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert claims.holm([0.6, 0.2, 0.7]) == pytest.approx([1, 0.6, 1])
    assert claims.holm([]) == []


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
    (found,) = claims.judge(two_arms((0.80, 0.5), better), [claim])
    assert found.verdict == verdict
    assert found.p == found.p_holm == (1 if verdict == NOT_DECIDED else 2 / 1024)
    worse_minus = {"test accuracy": better[0] - 0.80, "final loss": better[1] - 0.5}
    assert found.mean == pytest.approx(worse_minus[measure])


def test_the_level_is_kept_to_and_few_pairs_decide_nothing():
    claim = Claim("", "", "test accuracy", "clipping", "scheduler")
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=6)  # p = 2/64 = 0.03125
    assert claims.judge(runs, [claim])[0].verdict == CONFIRMED
    assert claims.judge(runs, [claim], level=2 / 64)[0].verdict == CONFIRMED
    assert claims.judge(runs, [claim], level=0.03)[0].verdict == NOT_DECIDED
    assert claims.judge(runs, [claim, claim])[0].verdict == NOT_DECIDED  # twice the p-value
    runs = two_arms((0.80, 0.5), (0.85, 0.5), n=5)  # 2/32
    assert claims.judge(runs, [claim])[0].verdict == NOT_DECIDED


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
        for j in claims.judge(runs)
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
    with pytest.raises(ValueError, match="neither seed 2"):
        claims.judge([r for r in runs if (r.experiment, r.seed) != ("clipping", 2)])
    with pytest.raises(ValueError, match="two runs of both seed 0"):
        claims.judge([*runs, run("both", 0)])


def test_without_runs_nothing_is_decided():
    judged = claims.judge([])
    assert {(j.n, j.p_holm, j.verdict) for j in judged} == {(0, 1, NOT_DECIDED)}
    assert claims.arm_rows([]) == []
    assert claims.claim_rows(judged)[0][3:] == (
        *("neither < clipping", "0", "-", "-", "1.0000", "1.0000", NOT_DECIDED),
    )


# --- the tables -----------------------------------------------------------------------------------


def test_arm_rows():
    runs = [
        run("neither", 0, (2.0, 1.0, 1.2, 0.9, 0.8), (0.9, 0.86)),  # rises 0.2
        run("neither", 1, (2.0, 1.0, 1.4, 0.9, 0.8), (0.9, 0.84)),  # rises 0.4
        run("neither", 2, (2.3,) * 5, (0.1, 0.1), "collapsed"),
        run("neither", 3, (2.3,) * 5, (0.1, 0.3), "non-finite"),
        run("both", 0, (2.3,) * 5, (0.1, 0.1), "collapsed"),
        run("cosine", 0),
    ]
    neither, both = claims.arm_rows(runs)
    # Clopper and Pearson's table: 2 of 4 is 6.76 % to 93.24 %.
    # Epochs 1, 2, 2, 2: mean 1.75.
    # Losses (12,800 * (2 + 1 + 1.2 + 0.9) + 8,800 * 0.8) / 60,000 = 1.20533,
    # 1.248, 2.3 and ln 10: mean 1.76398. Accuracies 0.86, 0.84, 0.1, 0.1: mean 0.475, standard
    # deviation 0.433090, t with 3 degrees 3.182446, half 0.689133. Overfitting 0.04 and 0.06.
    assert neither == (
        *("neither (Không dùng)", "low (Thấp)", "2 of 4 (0.07 to 0.93)", "0.300", "poor (Kém)"),
        *("1.8", "1.764", "medium (Trung bình)", "0.4750 (-0.2141 to 1.1641)", "+0.0500"),
    )
    assert both == (
        *("both (Kết hợp)", "very good (Rất tốt)", "0 of 1 (0.00 to 0.97)", "-", "high (Cao)"),
        *("2.0", "2.300", "very good (Rất tốt)", "0.1000 (-)", "-"),
    )
    assert len(neither) == len(claims.ARM_HEADER)


def test_claim_rows():
    claim = Claim("9", "words", "test accuracy", "clipping", "scheduler", "=")
    (row,) = claims.claim_rows(claims.judge(two_arms((0.80, 0.5), (0.75, 0.5)), [claim]))
    assert row == (
        *("9", "words", "test accuracy", "clipping = scheduler", "10", "-0.0500"),
        *("-0.0500 to -0.0500", "0.0020", "0.0020", CONTRADICTED),
    )
    assert len(row) == len(claims.CLAIM_HEADER)


# --- what the verdicts promise, by simulation -----------------------------------------------------


def test_false_verdicts_are_as_rare_as_claimed():
    """Whole studies of 20 claims on four arms that do not differ; a seed's runs resemble."""
    rng, studies = np.random.default_rng(1), 150
    false = false_unadjusted = 0
    for _ in range(studies):
        runs = []
        for seed in range(10):
            ease = rng.normal()
            for arm in ARMS:
                outcome = "collapsed" if rng.random() < 0.05 else "trained"
                accuracies = 0.85 + 0.01 * (ease + rng.normal(size=2))
                windows = 0.5 - 0.05 * ease + 0.05 * rng.normal(size=5)
                runs.append(run(arm, seed, windows, accuracies.tolist(), outcome))
        judged = claims.judge(runs)
        false += any(j.verdict != NOT_DECIDED for j in judged)
        false_unadjusted += any(j.p <= claims.LEVEL for j in judged)
    error = math.sqrt(claims.LEVEL * (1 - claims.LEVEL) / studies)
    assert false / studies <= claims.LEVEL + 3 * error
    assert false_unadjusted / studies > 0.25  # what the adjustment is for


def test_every_claim_has_a_known_measure_and_two_arms():
    for claim in claims.CLAIMS:
        assert claim.measure in MEASURES
        assert claim.worse != claim.better
        assert {claim.worse, claim.better} <= set(ARMS)
