from __future__ import annotations

from math import comb

from d2l_lrsched.stats import Interval
from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.builds import draws, tables, verdicts
from d2l_lrsched.studies.chapter.builds.verdicts import UNDECIDED, Mean
from d2l_lrsched.studies.chapter.published import PRINTED


def test_draws_and_mxnets_runs_agree_but_for_what_is_told(drawn, mxnets):
    table = tables.agreement_table(drawn, mxnets)
    assert {"constant", "cosine-warmup-per-epoch"} <= set(table.experiment)
    unlike = table[table["all"].astype(float) < 0.05]
    assert not set(unlike.experiment) & set(PRINTED)
    assert tables.disagree(table).startswith(f"{len(unlike)} of {len(table)} differ")
    row = table.set_index(["experiment", "number"]).loc[("square-root-per-epoch", "collapsed")]
    # One of 5 lived, and one of 30: both of the two of 35 in the five, or one; none is rarer.
    assert (row["MXNet's runs"], row["the draws"]) == ("4 of 5", "29 of 30")
    both, one = comb(5, 2) / comb(35, 2), 5 * 30 / comb(35, 2)
    assert row.p == f"{both + one:.3f}"


def test_draws_that_are_otherwise_are_told_from_mxnets_runs(drawn, mxnets):
    shifted = drawn.assign(test_acc=drawn.test_acc + 0.03 * (drawn.experiment == "cosine"))
    table = tables.agreement_table(shifted, mxnets).set_index(["experiment", "number"])
    assert float(table.loc[("cosine", "test accuracy"), "all"]) < 0.01


def test_where_the_chapters_numbers_lie_is_counted(drawn, builds):
    table = tables.place_table(drawn, builds).set_index(["experiment", "number"])
    below = sum(
        build.results["cosine"].test_acc < PRINTED["cosine"].test_acc
        for build in published.builds()
        if build.settings == "seed"
    )
    assert table.loc[("cosine", "test acc"), "builds below"] == f"{below} of 37"
    assert "constant" not in table.index.get_level_values(0), "it collapsed"


def test_collapses_are_counted_group_by_group(drawn, builds):
    table = tables.collapse_table(drawn, builds).set_index(["experiment", "runs"])
    assert table.loc[("constant", "builds")].tolist() == ["7 of 87", "2"]
    made = [d for d in draws.read() if d.case.experiment == "constant" and d.case.weights == "0"]
    made = [d for d in made if d.case.split is None]
    died = sum(bool(d.collapsed) and d.collapsed[-1] == len(d.test_acc) for d in made)
    ours = table.loc[("constant", "ours, the book's weights"), "collapsed"]
    assert ours == f"{died} of {len(made)}"
    assert ("cosine", "builds") not in table.index, "where none collapsed there is no row"


def test_what_would_decide_is_told():
    numbers = (0.1, 5, 9, 0.1, Interval(0, 1))
    found = [
        Mean("cosine", "test_acc", UNDECIDED, *numbers, 30),
        Mean("constant", "train_loss", UNDECIDED, *numbers, None),
        Mean("square-root", "train_loss", verdicts.CONSISTENT, *numbers, 7),
    ]
    assert tables.undecided(found) == (
        "How many would decide what is undecided: cosine, test accuracy: 30; "
        "constant, training loss: no number of them would do."
    )
    assert tables.undecided(found[2:]) == ""
    assert tables.counts(found) == "1 CONSISTENT, 2 UNDECIDED"
