from __future__ import annotations

import re

import pytest

from d2l_lrsched.studies.choice import page
from made_up import a_run


@pytest.fixture(scope="module")
def text(study):
    return page.as_page(study)


def test_the_page_is_of_the_runs_it_is_given(text):
    assert "for 10 epochs" in text
    assert "0.03, 0.1, 0.2, 0.3, 0.45, 0.7, 1\nwith 2 seeds" in text
    assert "55,000 of the training pictures" in text
    assert "8 fresh seeds each, trained on all 60,000" in text
    assert "made by commit abc." in text
    assert len(re.findall(r"^\| [a-z-]+ \| [\d.]+ \|", text, re.MULTILINE)) == 2 * 11
    assert "nan" not in text
    assert re.findall(r"\]\(([^)]*)\)", text) == ["peaks.svg"]


def test_every_line_of_prose_is_readable_as_it_stands(text):
    assert all(len(line) <= 100 for line in text.splitlines() if not line.startswith(("|", "!")))


def test_it_is_made_from_records_in_any_order(study, text):
    assert page.as_page(study[::-1]) == text


def test_figure_and_page_are_written(study, tmp_path, monkeypatch):
    monkeypatch.setattr(page.drawing, "save", lambda figure, path: path.touch())
    assert page.write(study, tmp_path) == f"{len(study)} runs, 1 figure"
    assert {path.name for path in tmp_path.iterdir()} == {"peaks.svg", "README.md"}
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page.as_page(study)


def test_commits_are_all_named(study):
    other = a_run("tune-constant-0.1", 9, num_epochs=10, commit="def", test_acc=0.8)
    assert "made by commit abc, def." in page.as_page([*study, other])
