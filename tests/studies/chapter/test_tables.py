from __future__ import annotations

import math
from types import SimpleNamespace

from d2l_lrsched.studies.chapter import tables as report
from d2l_lrsched.studies.chapter.verdicts import Verdict
from made_up import an_epoch


def a_run(name, loss, train_acc, test_acc, outcome="trained", num_epochs=30, seed=0, **settings):
    return SimpleNamespace(
        experiment=name,
        seed=seed,
        outcome=outcome,
        num_epochs=num_epochs,
        settings={"net": "chapter", **settings},
        final=an_epoch(train_loss=loss, train_acc=train_acc, test_acc=test_acc),
    )


def test_rows_stand_in_the_chapters_order_with_rounded_differences():
    rows = report.chapter_rows(
        [
            a_run("cosine", 0.3604, 0.8716, 0.85),
            a_run("constant", 2.3026, 0.1, 0.1, outcome="collapsed"),
        ]
    )
    assert rows == [
        (
            "11.15.1",
            "constant",
            "2.303/0.098/0.100",
            "2.303/0.100/0.100",
            "+0.000/+0.002/+0.000",
            "collapsed",
        ),
        (
            "11.15.3.3",
            "cosine",
            "0.362/0.870/0.848",
            "0.360/0.872/0.850",
            "-0.002/+0.002/+0.002",
            "",
        ),
    ]


def test_runs_of_other_experiments_have_no_row():
    other = a_run("my-own", 0.36, 0.87, 0.85)
    ours = a_run("cosine", 0.36, 0.87, 0.85)
    assert report.chapter_rows([other, ours, other]) == report.chapter_rows([ours])
    assert report.summary_rows([other, ours, other]) == report.summary_rows([ours])


def test_the_fast_net_is_named_and_the_chapters_is_not():
    rows = report.chapter_rows(
        [
            a_run("cosine", 0.36, 0.87, 0.85, net="fast", num_epochs=2),
            a_run("cosine", 0.36, 0.87, 0.85, net="chapter"),
        ]
    )
    assert [row[-1] for row in rows] == ["fast net, 2 instead of 30 epochs", ""]


def test_a_run_that_lives_where_the_books_died_is_marked():
    (row,) = report.chapter_rows([a_run("constant", 0.14, 0.94, 0.88)])
    assert row[5] == "the book's collapsed"


def test_runs_that_the_book_did_not_make_have_no_printed_numbers():
    (row,) = report.chapter_rows([a_run("cosine-per-epoch", 0.2, 0.9, 0.88)])
    assert row == ("11.15.3.3", "cosine-per-epoch", "-", "0.200/0.900/0.880", "-", "")


def test_a_short_run_is_marked():
    (row,) = report.chapter_rows(
        [a_run("constant", float("nan"), 0.1, 0.1, "non-finite", num_epochs=2)]
    )
    assert row[3] == "nan/0.100/0.100"
    assert row[5] == "non-finite, 2 instead of 30 epochs"


def test_as_text_aligns_columns():
    text = report.as_text(("a", "bb"), [("long", "x"), ("s", "")])
    assert text == "a     bb\n----  --\nlong  x\ns"


def test_as_markdown():
    text = report.as_markdown(("a", "b"), [("1", "2")])
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_summary_is_of_the_runs_that_trained():
    """Means and sample standard deviations by hand: 0.1, 0.2, 0.3 have 0.2 and 0.1."""
    runs = [
        *(a_run("cosine", loss, 0.9, 0.8) for loss in (0.1, 0.2, 0.3)),
        a_run("cosine", 2.303, 0.1, 0.1, outcome="collapsed"),
        a_run("cosine", math.nan, 0.1, 0.1, outcome="non-finite"),
        a_run("square-root", 0.25, 0.9, 0.8),
        a_run("constant", 2.303, 0.1, 0.1, outcome="collapsed"),
    ]
    assert report.summary_rows(runs) == [
        ("constant", "1", "1", "-", "-", "-"),
        ("square-root", "1", "0", "0.250", "0.900", "0.800"),
        ("cosine", "5", "1, 1 non-finite", "0.200 ± 0.100", "0.900 ± 0.000", "0.800 ± 0.000"),
    ]


def test_verdicts_show_the_numbers_that_led_to_them():
    number = Verdict("cosine", "test_acc", "CONSISTENT", 0.848, 10, 1, 0.8514, 0.01, 9, 0.83, 0.87)
    outcome = Verdict(
        "constant", "outcome", "INCONCLUSIVE", "collapsed", 10, 1, 0.1, math.nan, 0, 0.001, 0.58
    )
    rows = report.verdict_rows([number, outcome])
    shown = [dict(zip(report.VERDICT_HEADER, row)) for row in rows]
    assert shown[0] == {
        "experiment": "cosine",
        "number": "test acc",
        "published": "0.848",
        "verdict": "CONSISTENT",
        "mean or share": "0.851",
        "interval": "0.830 to 0.870",
        "width": "0.040",
        "margin": "0.050",
        "sd": "0.0100",
        "runs": "10",
        "collapsed": "1",
    }
    assert shown[1]["published"] == "collapsed"
    assert shown[1]["mean or share"] == "0.100"
    assert shown[1]["interval"] == "0.001 to 0.580"
    assert {shown[1][name] for name in ("width", "margin", "sd")} == {"-"}
