"""The lesson, its slides and the glossary; and what `teaching/make.py` makes of the notebooks."""

from __future__ import annotations

import csv
import math
import re
from functools import cache
from itertools import groupby
from statistics import fmean

import jupytext
import nbformat
import pytest
from scipy.stats import fisher_exact

from d2l_lrsched import stats
from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES, UPDATES_PER_EPOCH
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.clipping.claims import CLAIMS
from d2l_lrsched.studies.clipping.descent import RATES
from d2l_lrsched.words import ALONE, PHRASES
from made_up import FIGURES, ROOT, drawn, module_of, of
from notebook_texts import (
    LANGUAGES,
    answers_of,
    notebook_of,
    outputs_of,
    prose_of,
    tags_of,
    text_of,
    words_of,
)

FOLDER = ROOT / "teaching"
each_language = pytest.mark.parametrize("language", LANGUAGES)


make = module_of(FOLDER / "make.py")
products = cache(make.products)


def page(name, language):
    return (FOLDER / f"{name}_{language}.md").read_text(encoding="utf-8")


def numbers_in(text):
    """The numbers of a text in their order, `60,000` and `60 000` as 60000."""
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"(?<=\d)[, ](?=\d{3}\b)", "", text)
    return re.findall(r"\d+(?:\.\d+)?", text)


# The lesson


def plan(language):
    """Return the rows of the plan: minutes, part and section."""
    return re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", page("lesson_90", language), re.MULTILINE)


@each_language
def test_the_minutes_of_the_lesson_add_up(language):
    minutes = [int(minutes) for minutes, *_ in plan(language)]
    assert sum(minutes) == 90
    assert minutes == [int(minutes) for minutes, *_ in plan("en")]


@each_language
def test_every_part_is_a_section_of_the_notebook(language):
    prose = "\n".join(prose_of(f"lr_scheduling_{language}"))
    headings = re.findall(r"^#+ (.*)", prose, re.MULTILINE)
    sections = [section for *_, section in plan(language)]
    assert [section for section in sections if section not in headings] == []
    for one in sections:
        assert headings.count(one) == 1


@each_language
def test_what_the_pages_link_to_is_there(language):
    for path in FOLDER.glob(f"*_{language}.md"):
        linked = re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
        assert [one for one in linked if not (FOLDER / one).exists()] == [], path.name
    lesson = page("lesson_90", language)
    for name in ("slides", "questions", "answers", "glossary"):
        assert f"]({name}_{language}.md)" in lesson
    assert f"make notebooks/lr_scheduling_{language}" in lesson


# Questions and answers

#: Notebook -> how many numbered questions it has.
QUESTIONS = {"lr_scheduling": 7, "gradient_clipping": 7, "exercises": 6, "sampling": 1}


@each_language
@pytest.mark.parametrize("notebook", QUESTIONS)
def test_every_question_has_its_answer_right_behind(notebook, language):
    cells = text_of(f"{notebook}_{language}")
    asked = [make.numbered(cells[i : i + 1], "question") for i in range(len(cells))]
    answered = [make.numbered(cells[i : i + 1], "answer") for i in range(len(cells))]
    assert [list(of) for of in asked[:-1]] == [list(of) for of in answered[1:]]
    numbers = [number for of in asked for number in of]
    assert numbers == list(range(1, QUESTIONS[notebook] + 1))
    texts = [text for of in asked + answered for text in of.values()]
    assert all(len(text.split()) > 5 for text in texts)


@each_language
@pytest.mark.parametrize("notebook", QUESTIONS)
def test_no_question_is_without_its_tag(notebook, language):
    word = {"en": "Question", "vi": "Câu hỏi"}[language]
    for cell in text_of(f"{notebook}_{language}"):
        assert (f"**{word}" in cell.source) <= (tags_of(cell) == ["question"])
    if notebook == "gradient_clipping":  # a section of its own, which holds nothing else
        (section,) = (cell for cell in text_of(f"{notebook}_{language}") if "## 13." in cell.source)
        assert len(section.source.splitlines()) == 1


def test_what_is_read_of_a_cell_with_questions():
    one = "**Question 3.** Is it\n0.5 or 3. It may be both.\n\nOr not?"
    more = "**Câu hỏi 4 đến 5.**\n\n4. A\n   B, 5. C\n5. D"
    cells = [
        nbformat.v4.new_markdown_cell(one, metadata={"tags": ["question"]}),
        nbformat.v4.new_markdown_cell("**Answer 3.** No."),
        nbformat.v4.new_markdown_cell(more, metadata={"tags": ["question"]}),
    ]
    found = make.numbered(cells, "question")
    assert {number: " ".join(text.split()) for number, text in found.items()} == {
        3: "Is it 0.5 or 3. It may be both. Or not?",
        4: "A B, 5. C",
        5: "D",
    }


def the_numbers():
    """Of each answer that has any but 0, 1 and 2; by hand, or of the draws."""
    assert 0.95**59 < 0.05 < 0.95**58
    below, of_two_sides = 1 - 0.05 ** (1 / 10), stats.share(0, 10).high
    multi, cosine = (CHAPTER[f"{name}-per-epoch"].rates([0.0])[0] for name in STEEP)
    assert multi == cosine
    warm = drawn()[drawn().experiment == "cosine-warmup-per-epoch"]
    eight, nine = (fisher_exact([[k, 40 - k], [0, 40]])[1] for k in (8, 9))
    assert eight > 0.05 / len(CLAIMS) > nine
    late = [n * UPDATES_PER_EPOCH for n in (15, 30)]
    spread, pairs = 0.015, 9
    yield "lr_scheduling", 1, ["5", "0.95", "59", f"{100 * below:.0f}", f"{of_two_sides:.3f}"]
    yield "lr_scheduling", 2, ["30", "15", f"{UPDATES_PER_EPOCH}", *map(str, late)]
    yield "lr_scheduling", 4, [f"{cosine:g}"]
    yield "lr_scheduling", 6, [f"{cosine:g}", f"{(~warm.trained).sum()}", f"{len(warm)}"]
    cooled = [run.epochs for run in of("choice", "plain-cooldown-0.3").run]
    means = [fmean(epochs[k].test_acc for epochs in cooled) for k in (-3, -1)]
    yield "lr_scheduling", 7, [f"{mean:.3f}" for mean in means]
    yield "gradient_clipping", 1, [f"{2 * RATES['oscillating'] - 1:.1f}"]
    of_test = [f"{nine:.4f}", f"{eight:.4f}", f"{len(CLAIMS)}", f"{0.05 / len(CLAIMS):.4f}"]
    yield "gradient_clipping", 4, ["40", "0.05", *of_test]
    yield "exercises", 6, [f"{spread}", f"{pairs}", f"{2 * spread / pairs**0.5:.2f}"]


STEEP = ("multi-factor", "cosine")


@each_language
def test_the_numbers_of_the_answers(language):
    stated = {(notebook, number): set(numbers) for notebook, number, numbers in the_numbers()}
    for notebook in QUESTIONS:
        answers = make.numbered(text_of(f"{notebook}_{language}"), "answer")
        for number, text in answers.items():
            found = set(numbers_in(text)) - {"0", "1", "2"}
            assert found == stated.get((notebook, number), set()), (notebook, number)


@each_language
def test_how_often_the_lower_mean_comes_out_higher(language):
    square_root, multi_factor = (
        of("chapter", name).test_acc for name in ("square-root", "multi-factor")
    )
    assert square_root.mean() < multi_factor.mean()
    pairs = [one > other for one in square_root for other in multi_factor]
    said = {"en": "in {} of the {} pairs of runs", "vi": "{} trong {} cặp lần chạy"}[language]
    assert said.format(sum(pairs), len(pairs)) in " ".join(page("lesson_90", language).split())


# What is made


def test_no_product_is_stale():
    stale = [path for path, text in products().items() if path.read_text("utf-8") != text]
    assert [str(path.relative_to(ROOT)) for path in stale] == [], "make shelf"


@each_language
def test_the_products_are_all_pages_and_all_notebooks(language):
    made = {path: text for path, text in products().items() if path.stem[-2:] == language}
    pages = {path for path in made if path.suffix == ".md"}
    assert all("`make shelf`" in made[path] for path in pages)
    written = {FOLDER / f"{name}_{language}.md" for name in ("lesson_90", "slides")}
    assert pages | written == {*FOLDER.glob(f"*_{language}.md")}
    assert {*made} - pages == {*(ROOT / "notebooks").glob(f"[!.]*_{language}.ipynb")}


@each_language
@pytest.mark.parametrize("notebook", QUESTIONS)
def test_students_see_no_answer_and_teachers_see_all(notebook, language):
    stem = f"{notebook}_{language}"
    students = notebook_of(stem)
    for answer in answers_of(stem):
        assert answer not in {cell.source for cell in students.cells}
    teachers = nbformat.reads(make.notebook(stem, answers=True), as_version=4)
    nbformat.validate(teachers)
    assert [c.source for c in teachers.cells if "answer" in tags_of(c)] == answers_of(stem)
    assert [c for c in teachers.cells if "answer" not in tags_of(c)] == students.cells
    assert teachers.metadata == students.metadata


def test_teachers_notebooks_find_the_records():
    """Which they name `../figures/...`."""
    assert (make.TEACHERS / "../figures").resolve() == FIGURES
    assert "_build/" in (ROOT / ".gitignore").read_text().splitlines()


def test_code_that_was_not_run_gets_no_outputs(tmp_path, monkeypatch):
    text = jupytext.reads("# %%\n1 + 1\n", "py:percent")
    jupytext.write(text, tmp_path / "a_en.ipynb")
    (tmp_path / "a_en.py").write_text("# %%\n1 + 2\n")
    monkeypatch.setattr(make, "NOTEBOOKS", tmp_path)
    with pytest.raises(SystemExit, match=r"code that was not run: make notebooks/a_en$"):
        make.notebook("a_en", answers=False)


def test_a_question_without_an_answer_is_told(tmp_path, monkeypatch):
    cell = '# %% [markdown] tags=["question"]\n# **Question 1.** Why?\n'
    for name in make.NAMES:
        (tmp_path / f"{name}_en.py").write_text(cell)
    monkeypatch.setattr(make, "NOTEBOOKS", tmp_path)
    with pytest.raises(SystemExit, match=r"lr_scheduling_en.py asks \[1\] and answers \[\]$"):
        make.questions("en", answers=False)


@each_language
def test_the_pages_of_questions_and_answers(language):
    """All numbers in their order, each answer once, and links to the notebooks."""
    linked = [f"(../notebooks/{notebook}_{language}.ipynb)" for notebook in QUESTIONS]
    for name in ("questions", "answers"):
        _, *parts = re.split("^## ", page(name, language), flags=re.MULTILINE)
        assert [link in part for link, part in zip(linked, parts)] == [True] * len(QUESTIONS)
        for count, part in zip(QUESTIONS.values(), parts):
            numbers = re.findall(r"^(\d+)\. ", part, re.MULTILINE)
            assert numbers == [str(n) for n in range(1, count + 1)]
            answered = part.count(f"\n   **{make.WORDS[language]['answer']}.** ")
            assert answered == (count if name == "answers" else 0)


# Slides


def slides(language):
    """Return heading and text of each slide behind the first, which has the title only."""
    _, *parts = re.split("^## ", page("slides", language), flags=re.MULTILINE)
    return [part.split("\n", 1) for part in parts]


@each_language
def test_slides_follow_the_parts_of_the_lesson(language):
    parts = re.findall(r"^\*\*(.+?)\.?\*\* ", page("lesson_90", language), re.MULTILINE)
    assert len(parts) == len(plan(language))
    assert [part for part, _ in groupby(h.partition(":")[0] for h, _ in slides(language))] == parts
    assert 12 <= 1 + len(slides(language)) <= 18


@each_language
def test_slides_have_little_text_and_mostly_figures(language):
    found = [re.findall(r"^!\[.+\]\((.+)\)$", text, re.MULTILINE) for _, text in slides(language)]
    of_section = r"\]\((?:.+/)?(?:[\d.]+-)?(.+\.svg)\)$"  # the English ones are the studies' own
    stems, others = (
        [re.findall(of_section, text, re.MULTILINE) for _, text in slides(one)]
        for one in (language, "en")
    )
    assert stems == others
    assert sum(map(len, found)) > len(found) / 2
    assert max(map(len, found)) == 1
    for _, text in slides(language):
        shown = re.sub(r"!\[.*?\]\(.*?\)|```.*?```", "", text, flags=re.DOTALL)
        assert len(shown.split()) <= 50


def numbers_of_slides():
    """Of each slide with numbers, by its place."""
    printed = PRINTED["constant"]
    assert f"{math.log(10):.3f}" == f"{printed.train_loss:.3f}"
    heard = "[1, 1, 1, 2, 2, 2]"
    for language in LANGUAGES:
        assert heard in [words_of(one).strip() for one in outputs_of(f"lr_scheduling_{language}")]
    rates = CHAPTER["multi-factor"].rates([0.0] * NUM_EPOCHS)
    assert len({*rates[:30]}) == len({*rates[30:]}) == 1
    settings = CHAPTER["multi-factor"].scheduler.keywords
    (factor,) = (cell for cell in text_of("lr_scheduling_en") if "stop_factor_lr" in cell.source)
    assert {"0.9", "1e-2"} <= {*re.findall(r"[\d.e-]+", factor.source)}
    return {
        0: [f"{printed.train_loss:.3f}", f"{printed.test_acc:.3f}", f"{printed.train_loss:.3f}"],
        1: [f"{printed.train_loss:.3f}", "10"],
        2: ["1"],
        3: ["2", *(f"{rate}" for rate in RATES.values())],
        5: [TRAIN_EXAMPLES, BATCH_SIZE, UPDATES_PER_EPOCH, len(rates), NUM_EPOCHS],
        7: ["2.0", "0.9", "0.01"],
        8: ["0.1"],
        9: numbers_in(heard),
        10: [*settings["step"], settings["factor"], settings["base_lr"], "1", "31"],
        11: ["31", f"{rates[30]:g}", "30", f"{rates[29]:g}", settings["step"][0]],
        12: [CHAPTER["cosine"].scheduler.keywords["max_update"]],
        16: ["10", "1", QUESTIONS["lr_scheduling"]],
    }


@each_language
def test_the_numbers_of_the_slides(language):
    expected = {place: [str(n) for n in of] for place, of in numbers_of_slides().items()}
    for place, (heading, text) in enumerate(slides(language)):
        text = re.sub(r"!\[.*?\]\(.*?\)", "", text)
        assert numbers_in(text) == expected.get(place, []), heading
    assert len(PRINTED) + 4 == len(CHAPTER) == 9, "all nine runs"


def test_the_figures_of_the_vietnamese_slides_are_drawn_from_the_committed_runs(tmp_path):
    figures = module_of(FOLDER / "figures.py")
    shown = [name for _, text in slides("vi") for name in re.findall(r"\]\(figures/(.+)\)", text)]
    assert sorted(figures.drawings()) == sorted(shown)
    figures.write(tmp_path)
    committed = {path.name: path.read_bytes() for path in (FOLDER / "figures").iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == committed, "make shelf"


# The glossary


def terms():
    with (FOLDER / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@each_language
def test_every_term_occurs_in_the_notebooks(language):
    prose = [" ".join(prose_of(f"{name}_{language}")) for name in QUESTIONS]
    words = " ".join(" ".join(prose).split()).lower()
    assert [term[language] for term in terms() if term[language].lower() not in words] == []


@each_language
def test_every_term_is_told_once_in_one_sentence(language):
    told = [term[language] for term in terms()]
    assert len(told) == len(set(told)) >= 30
    for term in terms():
        meaning = term[f"{language}_meaning"]
        assert re.fullmatch(r"[A-ZÀ-Ỹ][^.|]+\.", meaning), meaning


#: What a label may shorten a term to.
SHORT = {"update": "bước", "run": "lần"}


def test_figures_and_tables_say_it_in_the_words_of_the_glossary():
    """Labels; whole sentences are free in how they say it."""
    labels = {en: vi for en, vi in {**PHRASES, **ALONE}.items() if len(en) <= 40}
    held = [
        (term["en"], english, vietnamese)
        for term in terms()
        for english, vietnamese in labels.items()
        if re.search(rf"\b{term['en']}(s|es)?\b", english, re.IGNORECASE)
    ]
    assert len(held) > 40
    vi_of = {term["en"]: term["vi"] for term in terms()}
    # Here the time is meant, there an arm's name, and the last is a verb.
    free = {
        *("share of the run below a tenth", "convergence: scheduler good, both high"),
        "as the book draws it, over epochs",
    }
    assert [
        (term, english, vietnamese)
        for term, english, vietnamese in held
        if SHORT.get(term, vi_of[term]).lower() not in vietnamese.lower() and english not in free
    ] == []
