"""The lesson plan adds up and follows the notebook; every question has its answer."""

from __future__ import annotations

import re

import pytest
from scipy.stats import fisher_exact

from made_up import ROOT, drawn
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


#: Notebook -> how many numbered questions it has.
QUESTIONS = {"lr_scheduling": 6, "gradient_clipping": 7, "exercises": 6, "sampling": 1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_of_every_notebook_has_an_answer(language):
    text = (FOLDER / f"answers_{language}.md").read_text(encoding="utf-8")
    _, *parts = re.split("^## ", text, flags=re.MULTILINE)
    answered = {}
    for part in parts:
        (notebook,) = re.findall(rf"\(\.\./notebooks/(\w+)_{language}\.ipynb\)", part)
        answered[notebook] = re.findall(r"^(\d+)\. ", part, re.MULTILINE)
    for notebook, number in QUESTIONS.items():
        assert answered[notebook] == [str(n) for n in range(1, number + 1)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notebooks_have_so_many_questions(language):
    """As `Question 1`, or as a list that ends them: what stands under `Questions 4 to 6`."""
    word = {"en": "Question", "vi": "Câu hỏi"}[language]
    for notebook, number in QUESTIONS.items():
        prose = "\n".join(prose_of(f"{notebook}_{language}"))
        if notebook == "gradient_clipping":
            _, _, last = prose.partition("## 13. ")
            assert re.findall(r"^(\d+)\. ", last, re.MULTILINE)[-1] == str(number)
            continue
        asked = re.findall(rf"\*\*{word}s? ([^*]*)\.\*\*", prose)
        assert re.findall(r"\d+", asked[-1])[-1] == str(number)
        assert re.findall(r"\d+", asked[0])[0] == "1"


def test_what_the_answers_count():
    """By hand, or of the draws."""
    assert 0.95**59 < 0.05 < 0.95**58
    assert round(1 - 0.05 ** (1 / 10), 2) == 0.26
    p = [fisher_exact([[k, 40 - k], [0, 40]])[1] for k in (8, 9)]
    assert (round(p[0], 4), round(p[1], 4), round(0.05 / 18, 4)) == (0.0053, 0.0024, 0.0028)
    warm = drawn()[drawn().experiment == "cosine-warmup-per-epoch"]
    assert ((~warm.trained).sum(), len(warm)) == (9, 30)
    assert round(2 * 0.015 / 9**0.5, 6) == 0.01
