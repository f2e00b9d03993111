from __future__ import annotations

import pytest

from d2l_lrsched.stats import Interval
from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.builds import draws, measures, page, verdicts
from d2l_lrsched.studies.chapter.builds.verdicts import UNDECIDED, Mean
from d2l_lrsched.studies.chapter.published import PRINTED
from made_up import FIGURES


@pytest.fixture(scope="module")
def drawn():
    return measures.of_draws(draws.read())


@pytest.fixture(scope="module")
def builds():
    return measures.of_builds()


def test_the_committed_page_is_made_from_the_committed_draws():
    text = (FIGURES / "chapter" / "builds.md").read_text(encoding="utf-8")
    assert text == page.as_page(draws.read())
    assert "nan" not in text


def test_where_the_chapters_numbers_lie_is_counted(drawn, builds):
    table = page.place_table(drawn, builds).set_index(["experiment", "number"])
    below = sum(
        build.results["cosine"].test_acc < PRINTED["cosine"].test_acc
        for build in published.builds()
        if build.settings == "seed"
    )
    assert table.loc[("cosine", "test acc"), "builds below"] == f"{below} of 37"
    assert "constant" not in table.index.get_level_values(0), "it collapsed"


def test_collapses_are_counted_group_by_group(drawn, builds):
    table = page.collapse_table(drawn, builds).set_index(["experiment", "runs"])
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
    assert page.undecided(found) == (
        "How many would decide what is undecided: cosine, test accuracy: 30; "
        "constant, training loss: no number of them would do."
    )
    assert page.undecided(found[2:]) == ""
    assert page.counts(found) == "1 CONSISTENT, 2 UNDECIDED"


def test_the_page_and_its_figure_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "as_page", lambda made: f"{len(made)} draws\n")
    said = page.write(draws.read(), tmp_path)
    assert said.split(", ")[0].endswith(verdicts.CONSISTENT)
    assert (tmp_path / "builds.md").read_text() == f"{len(draws.PLAN)} draws\n"
    assert (tmp_path / page.FIGURE).read_bytes() == (FIGURES / "chapter" / page.FIGURE).read_bytes()
