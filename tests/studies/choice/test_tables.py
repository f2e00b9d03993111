from __future__ import annotations

from d2l_lrsched.studies.choice.experiments import SCHEDULES
from d2l_lrsched.studies.choice.tables import compared, reached
from made_up import a_run, an_epoch

#: One tuning run at each of three peaks.
TUNED = [
    *(a_run(f"tune-constant-{peak:g}", test_acc=acc) for peak, acc in ((0.1, 0.6), (0.2, 0.8))),
    a_run("tune-constant-0.3", test_acc=0.7),
    *(a_run(f"tune-linear-{peak:g}", test_acc=acc) for peak, acc in ((0.2, 0.795), (0.3, 0.8))),
]


def epochs(*accuracies):
    return [an_epoch(test_acc=accuracy) for accuracy in accuracies]


def test_a_row_a_schedule_by_hand():
    """0.80 and 0.90: sd 0.0707. Their late oscillations are those of 1, 2, 3, 4, 5 hundredths.

    The median of 0.80, 0.90 and 0 is 0.80. Fisher's p of 1 in 3 against 0 in 3 is 1. Of two pairs,
    differing by 0.05 and 0.15, p is 1 / 2 and the interval has no end.
    """
    runs = [
        *TUNED,
        a_run("plain-constant-0.2", 100, epochs=epochs(0.76, 0.77, 0.78, 0.79, 0.80)),
        a_run("plain-constant-0.2", 101, epochs=epochs(0.86, 0.87, 0.88, 0.89, 0.90)),
        a_run("plain-constant-0.2", 102, "collapsed", epochs=epochs(*[0.1] * 5)),
        *(a_run("plain-linear-0.3", seed, epochs=epochs(*[0.95] * 5)) for seed in (100, 101, 102)),
        a_run("clipped-linear-0.3", 100, test_acc=0.9),
    ]
    constant, linear = reached(runs, "plain").to_dict("records")
    assert constant == {
        "schedule": "constant",
        "peak": "0.2",
        "good peaks": "0.2 to 0.2 (x 1)",
        "collapsed": "1 of 3",
        "test accuracy": "0.8500 ± 0.0707",
        "median": "0.8000",
        "late oscillation": "0.0158",
    }
    assert linear == {
        "schedule": "linear",
        "peak": "0.3",
        "good peaks": "≤ 0.2 to ≥ 0.3 (x ≥ 1.5)",
        "collapsed": "0 of 3",
        "test accuracy": "0.9500 ± 0.0000",
        "median": "0.9500",
        "late oscillation": "0.0000",
    }
    (differs,) = compared(runs, "plain").to_dict("records")
    assert differs == {
        "schedule": "linear",
        "pairs": "2",
        "difference": "+0.1000",
        "95 % interval": "-",
        "adjusted p": "0.5000",
        "accuracy is": "not decided",
        "adjusted p of collapses": "1.0000",
        "collapses are": "not decided",
    }


def test_what_no_run_trained_has_no_numbers():
    runs = [*TUNED, a_run("plain-constant-0.2", 100, "collapsed", test_acc=0.1)]
    (row,) = reached(runs, "plain").to_dict("records")
    assert (row["test accuracy"], row["median"], row["late oscillation"]) == ("-", "0.0000", "-")
    assert reached(runs, "clipped").empty
    assert compared(runs, "plain").empty


def test_where_no_pair_trained_there_is_no_difference():
    lost = [a_run(f"plain-{name}", 100, "collapsed") for name in ("constant-0.2", "linear-0.3")]
    (row,) = compared([*TUNED, *lost], "plain").to_dict("records")
    assert (row["pairs"], row["difference"], row["accuracy is"]) == ("0", "-", "not decided")


def test_a_whole_study(study):
    plain, clipped = (reached(study, phase).set_index("schedule") for phase in ("plain", "clipped"))
    for table in (plain, clipped):
        assert list(table.index) == list(SCHEDULES)
        assert set(table.peak.drop("square-root")) == {"0.3"}
        assert table.peak["square-root"] == "1.5"
    assert plain.collapsed["constant"] == "2 of 8"
    assert set(plain.collapsed.drop("constant")) == {"0 of 8"}
    assert set(clipped.collapsed) == {"0 of 8"}
    assert plain["good peaks"]["cosine"] == "0.2 to 0.45 (x 2.2)"
    assert "good peaks" not in clipped, "which were not tuned"
    _, *others = SCHEDULES
    assert list(compared(study, "plain").schedule) == others
    assert list(compared(study, "clipped").schedule) == list(SCHEDULES)
    skipped = compared(study, "skipped")
    assert list(skipped.schedule) == list(SCHEDULES)
    assert skipped.columns[-1] == "accuracy is"
