from __future__ import annotations

from d2l_lrsched.studies.chapter.builds import draws, page, verdicts
from made_up import FIGURES


def test_the_committed_page_is_made_from_the_committed_draws(mxnets):
    text = (FIGURES / "chapter" / "builds.md").read_text(encoding="utf-8")
    assert text == page.as_page(draws.read(), mxnets)
    assert "nan" not in text


def test_the_page_and_its_figure_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "as_page", lambda made, runs: f"{len(made)} draws\n")
    said = page.write(draws.read(), [], tmp_path)
    assert said.split(", ")[0].endswith(verdicts.CONSISTENT)
    assert (tmp_path / "builds.md").read_text() == f"{len(draws.PLAN)} draws\n"
    assert (tmp_path / page.FIGURE).read_bytes() == (FIGURES / "chapter" / page.FIGURE).read_bytes()
