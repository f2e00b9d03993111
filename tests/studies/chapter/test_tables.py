from __future__ import annotations

import math

from d2l_lrsched.studies.chapter import tables
from d2l_lrsched.studies.chapter.verdicts import Verdict
from made_up import a_run


def run(name, loss, train_acc, test_acc, outcome="trained", num_epochs=30, net="chapter"):
    numbers = {"train_loss": loss, "train_acc": train_acc, "test_acc": test_acc}
    return a_run(name, 0, outcome, num_epochs, settings={"net": net}, **numbers)


def rows(table):
    return list(table.itertuples(index=False, name=None))


def test_rows_stand_in_the_chapters_order_with_rounded_differences():
    found = tables.chapter_table(
        [
            run("cosine", 0.3604, 0.8716, 0.85),
            run("constant", 2.3026, 0.1, 0.1, outcome="collapsed"),
        ]
    )
    assert rows(found) == [
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
    other = run("my-own", 0.36, 0.87, 0.85)
    ours = run("cosine", 0.36, 0.87, 0.85)
    assert rows(tables.chapter_table([other, ours, other])) == rows(tables.chapter_table([ours]))
    assert rows(tables.summary_table([other, ours, other])) == rows(tables.summary_table([ours]))


def test_the_fast_net_is_named_and_the_chapters_is_not():
    found = tables.chapter_table(
        [
            run("cosine", 0.36, 0.87, 0.85, net="lanes", num_epochs=2),
            run("cosine", 0.36, 0.87, 0.85, net="fast"),
            run("cosine", 0.36, 0.87, 0.85, net="chapter"),
        ]
    )
    assert list(found.remark) == ["fast net, 2 instead of 30 epochs", "former fast net", ""]


def test_a_run_that_trained_where_the_books_collapsed_is_marked():
    (row,) = rows(tables.chapter_table([run("constant", 0.14, 0.94, 0.88)]))
    assert row[5] == "the book's collapsed"


def test_runs_that_the_book_did_not_make_have_no_printed_numbers():
    (row,) = rows(tables.chapter_table([run("cosine-per-epoch", 0.2, 0.9, 0.88)]))
    assert row == ("11.15.3.3", "cosine-per-epoch", "-", "0.200/0.900/0.880", "-", "")


def test_a_short_run_is_marked():
    (row,) = rows(
        tables.chapter_table([run("constant", float("nan"), 0.1, 0.1, "non-finite", num_epochs=2)])
    )
    assert row[3] == "nan/0.100/0.100"
    assert row[5] == "non-finite, 2 instead of 30 epochs"


def test_summary_is_of_the_runs_that_trained():
    """Means and sample standard deviations by hand: 0.1, 0.2, 0.3 have 0.2 and 0.1."""
    runs = [
        *(run("cosine", loss, 0.9, 0.8) for loss in (0.1, 0.2, 0.3)),
        run("cosine", 2.303, 0.1, 0.1, outcome="collapsed"),
        run("cosine", math.nan, 0.1, 0.1, outcome="non-finite"),
        run("square-root", 0.25, 0.9, 0.8),
        run("constant", 2.303, 0.1, 0.1, outcome="collapsed"),
    ]
    assert rows(tables.summary_table(runs)) == [
        ("constant", "1", "1", "-", "-", "-", "-"),
        ("square-root", "1", "0", "0.250", "0.900", "0.800", "0.0000"),
        (
            *("cosine", "5", "1, 1 non-finite"),
            *("0.200 ± 0.100", "0.900 ± 0.000", "0.800 ± 0.000", "0.0000"),
        ),
    ]


def test_verdicts_show_the_numbers_that_led_to_them():
    number = Verdict("cosine", "test_acc", "CONSISTENT", 0.848, 10, 1, 0.8514, 0.01, 0.83, 0.87)
    outcome = Verdict(
        "constant", "outcome", "INCONCLUSIVE", "collapsed", 10, 1, 0.1, math.nan, 0.001, 0.58
    )
    shown = tables.verdict_table([number, outcome]).to_dict("records")
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


def test_provenance_counts_what_differs():
    made = {
        "settings": {"net": "fast"},
        "seconds": 1800.0,
        "started": "2026-03-04T05:06:07+00:00",
        "versions": {"python": "3.11.7", "commit": "abc"},
        "data": {"labels": "0123"},
    }
    runs = [a_run("constant", seed, **made) for seed in range(45)]
    other = {**made, "versions": {"python": "3.9.2"}, "started": "2026-03-05T00:00:00+00:00"}
    other["seconds"] = math.nan  # as null in the record
    found = dict(rows(tables.provenance_table([*runs, a_run("constant", 47, **other)])))
    assert found == {
        "runs": "46",
        "seeds of constant": "0-44, 47",
        "net": "former fast net",
        "training": "22.5 hours of one core",
        "begun": "2026-03-04 to 2026-03-05",
        "python": "3.11.7 (45 of 46 runs), 3.9.2 (1 of 46 runs)",
        "commit": "abc (45 of 46 runs), none (1 of 46 runs)",
        "processor": "a processor",
        "OpenMP threads": "1",
        "checksum of labels": "0123",
    }


def test_nets_are_compared_seed_by_seed_where_both_trained():
    """Losses 0.1 apart in ten pairs: p is 2 / 1024, and twice that of two comparisons."""
    runs = [
        a_run("cosine", seed, num_epochs=3, settings={"net": net}, train_loss=loss, test_acc=0.8)
        for net, loss in (("chapter", 0.5), ("lanes", 0.6))
        for seed in range(10)
    ]
    runs += [
        a_run("cosine", 11, "collapsed", 3, settings={"net": "lanes"}),
        a_run("cosine", 11, num_epochs=3, settings={"net": "chapter"}),
        a_run("cosine", 12, num_epochs=3, settings={"net": "chapter"}),  # alone
        a_run("cosine", 0, num_epochs=1, settings={"net": "lanes"}),  # of another length
        a_run("cosine", 0, num_epochs=3, settings={"net": "fast"}),  # a former net
        a_run("cosine", 0, num_epochs=3, settings={"net": "lanes"}, train_loss=9.0),  # repeated
        a_run("my-own", 0, num_epochs=3, settings={"net": "lanes"}),
    ]
    assert rows(tables.nets_table(runs)) == [
        ("cosine", 3, "0, 1", "train loss", 10, "+0.1000", "+0.1000 to +0.1000", "0.00"),
        ("cosine", 3, "0, 1", "test acc", 10, "+0.0000", "+0.0000 to +0.0000", "1.00"),
    ]
    assert tables.nets_table(runs[:10]).empty
