"""The lesson plan: its minutes add up, and its sections are the notebook's."""

from __future__ import annotations

import re

import pytest

from made_up import ROOT
from notebook_texts import LANGUAGES, prose_of

FOLDER = ROOT / "teaching"


def plan(language):
    """Return the rows of the plan: minutes, part and section."""
    text = (FOLDER / f"lesson_90_{language}.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_minutes_of_the_lesson_add_up(language):
    minutes = [int(minutes) for minutes, *_ in plan(language)]
    assert sum(minutes) == 90
    assert minutes == [int(minutes) for minutes, *_ in plan("en")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_is_a_section_of_the_notebook(language):
    prose = "\n".join(prose_of(f"lr_scheduling_{language}"))
    headings = re.findall(r"^#+ (.*)", prose, re.MULTILINE)
    sections = [section for *_, section in plan(language)]
    assert [section for section in sections if section not in headings] == []
    for one in sections:
        assert headings.count(one) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_lesson_links_to_is_there(language):
    text = (FOLDER / f"lesson_90_{language}.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert len(linked) >= 4
    assert [path for path in linked if not (FOLDER / path).exists()] == []
    assert f"make notebooks/lr_scheduling_{language}" in text
