from __future__ import annotations

from d2l_lrsched.studies.clipping import tables
from d2l_lrsched.studies.clipping.claims import Claim
from d2l_lrsched.studies.clipping.descent import Descent, descents
from d2l_lrsched.studies.clipping.verdicts import Prevented, judge
from made_up import a_run, with_windows


def rows(table):
    return list(table.itertuples(index=False, name=None))


def test_descents_worked_by_hand():
    clipped = Descent(0.5, 2, [(3, 4), (2.4, 3.2), (1.8, 2.4)], [25, 16, 9], [10, 8, 6])
    fled = Descent(50.5, None, [(3, 4), (-300, -400)], [25, 250000.0], [10, 1000.0])
    near = Descent(0.5, None, [(3, 4), (0, 1e-15)], [25, 1e-30], [10, 2e-15])
    found = rows(tables.descent_table([clipped, fled, near]))
    assert found[0] == ("0.5", "at 2", "10", "2", "8", "9", "never")
    assert found[1] == ("50.5", "no", "10", "10", "1e+03", "2.5e+05", "never")
    assert found[2] == ("0.5", "no", "10", "10", "2e-15", "1e-30", "1")


def test_the_norm_applied_is_what_the_paper_says():
    table = tables.descent_table(descents())
    assert list(table["gradient norm at the start"]) == ["11.7"] * 6
    assert list(table["norm applied in the first step"]) == ["11.7", "1"] * 3


def clip_numbers(median, largest, clipped, skipped=0, kept=None):
    return {
        "kept": kept,
        "norm_median": median,
        "norm_max": largest,
        "clipped": clipped,
        "skipped": skipped,
    }


def test_the_pilots_row():
    runs = [
        a_run("pilot", 0, **clip_numbers(0.6, 7.0, 0)),
        a_run("pilot", 1, **clip_numbers(0.8, 9.25, 0)),
        a_run("pilot", 2, "collapsed", **clip_numbers(0.1, 30.0, 0)),
        a_run("both", 2, **clip_numbers(5.0, 50.0, 0)),
    ]
    assert rows(tables.pilot_table(runs)) == [("3", "1", "0.70", "9.2", "0.7")]
    assert rows(tables.pilot_table(runs[2:])) == [("1", "1", "-", "-", "-")]
    assert rows(tables.pilot_table(runs[3:])) == []


def test_how_much_was_clipped():
    """The pilot clips nothing, and `scheduler` has no norms."""
    runs = [
        a_run("pilot", 0, **clip_numbers(9.0, 9.0, 0)),
        a_run("scheduler", 0),
        a_run("both", 0, **clip_numbers(0.5, 2.0, 0.25, 1)),
        a_run("both", 1, **clip_numbers(0.7, 3.04, 0.5, kept=0.75)),
    ]
    assert rows(tables.clipped_table(runs)) == [("both", "38 %", "0.750", "0.60", "3.0", "2")]


def test_what_clipping_costs():
    """Medians of 10 and 11, of 20 and 21 and of 10 and 12 seconds: 10, 5 and 20 percent more."""
    runs = [
        a_run(name, seed, num_epochs=1, seconds=seconds)
        for name, of_seeds in (("neither", (10, 20, 10, 5)), ("clipping", (11, 21, 12)))
        for seed, seconds in enumerate(of_seeds)
    ]
    assert rows(tables.cost_table(runs)) == [
        ("clipping", "neither", "3", "+10.0%", "+5.0% to +20.0%")
    ]


def run(arm, seed, windows=(0.5,) * 5, accuracies=(0.9, 0.8), outcome="trained"):
    """A record of a run of one epoch with these window means, train and test accuracy."""
    numbers = {name: [of] for name, of in zip(("train_acc", "test_acc"), accuracies)}
    return a_run(arm, seed, outcome, **with_windows(windows, **numbers))


def test_arms():
    runs = [
        run("neither", 0, (2.0, 1.0, 1.2, 0.9, 0.8), (0.9, 0.86)),  # rises 0.2
        run("neither", 1, (2.0, 1.0, 1.4, 0.9, 0.8), (0.9, 0.84)),  # rises 0.4
        run("neither", 2, (2.3,) * 5, (0.1, 0.1), "collapsed"),
        run("neither", 3, (2.3,) * 5, (0.1, 0.3), "non-finite"),
        run("both", 0, (2.3,) * 5, (0.1, 0.1), "collapsed"),
        run("lower-rate", 0),
        run("cosine", 0),
    ]
    neither, both, lower = rows(tables.arm_table(runs))
    # Clopper and Pearson's table: 2 of 4 is 6.76 % to 93.24 %. Of the runs that trained: epochs 1
    # and 2; losses (12,800 * (2 + 1 + 1.2 + 0.9) + 8,800 * 0.8) / 60,000 = 1.20533 and 1.248;
    # accuracies 0.86 and 0.84; overfitting 0.04 and 0.06. One epoch has no late oscillation.
    assert neither == (
        *("neither (Không dùng)", "low (Thấp)", "2 of 4 (0.07 to 0.93)", "0.300", "-"),
        *("poor (Kém)", "1.5", "1.227", "medium (Trung bình)", "0.8500 ± 0.0141", "+0.0500"),
    )
    assert both == (
        *("both (Kết hợp)", "very good (Rất tốt)", "0 of 1 (0.00 to 0.97)", "-", "-"),
        *("high (Cao)", "-", "-", "very good (Rất tốt)", "-", "-"),
    )
    assert (lower[0], lower[1], lower[5], lower[8]) == ("lower-rate", "-", "-", "-")


def test_claims():
    claim = Claim("9", "words", "test accuracy", ("neither", "clipping"), "scheduler")
    runs = [
        run(arm, seed, accuracies=(0.9, accuracy))
        for arm, accuracy in (("neither", 0.70), ("clipping", 0.80), ("scheduler", 0.75))
        for seed in range(10)
    ]
    few = [one for one in runs if one.seed > 4]
    assert rows(tables.claim_table(judge(runs, [claim]), judge(few, [claim]))) == [
        (
            *("9", "words", "test accuracy", "scheduler - clipping", "10", "-0.0500"),
            *("-0.0500 to -0.0500", "0.0020", "0.0039", "CONTRADICTED", "NOT DECIDED"),
        )
    ]
    nothing = judge([], [claim])
    (row,) = rows(tables.claim_table(nothing, nothing))
    assert row[4:] == ("0", "-", "-", "1.0000", "1.0000", "NOT DECIDED", "NOT DECIDED")
    assert len(tables.arm_table([])) == 0


def test_shares_with_their_exact_intervals():
    """Clopper and Pearson: of 0 in 20 the interval ends at 1 - 0.025 ** (1 / 20)."""
    runs = [a_run("rate-0.3", seed) for seed in range(20)]
    runs += [a_run("neither", 0, "collapsed"), a_run("neither", 1, "non-finite")]
    assert rows(tables.share_table(runs, ["rate-0.3", "both", "neither"])) == [
        ("rate-0.3", "20", "0", "0.00", f"0.000 to {1 - 0.025**0.05:.3f}"),
        ("neither", "2", "2 (1 non-finite)", "1.00", f"{0.025**0.5:.3f} to 1.000"),
    ]


def test_what_is_prevented():
    found = Prevented("neither", "both", 2, (2, 13), (0, 10), 0.00009, 0.75)
    assert rows(tables.prevented_table([found])) == [
        ("neither", "both", "2", "2 of 13", "0 of 10", "< 0.0001", "0.7500")
    ]
