"""What a class needs, made of what is written once: ``python teaching/make.py``.

Questions and answers are cells of the notebooks' texts, ``notebooks/*.py``, tagged as such; terms
are in ``glossary.csv``. Of them are made, and nothing is run for it,

- the students' notebooks, which have no answers, with the outputs that are stored in them;
- the sheet of questions, the answers and the glossary, pages of this folder;
- the teacher's notebooks: the students', with the answers. They are in ``_build``, which git
  ignores and from where their paths lead to the records.
"""

from __future__ import annotations

import csv
import re
from operator import itemgetter
from pathlib import Path

import jupytext
import nbformat
from jupytext.combine import combine_inputs_with_outputs

FOLDER = Path(__file__).parent
NOTEBOOKS = FOLDER.parent / "notebooks"
TEACHERS = FOLDER.parent / "_build"
#: In the order in which one learns.
NAMES = ("lr_scheduling", "gradient_clipping", "exercises", "sampling")
#: Language -> page -> its title and what it is; and the words that all pages have.
WORDS = {
    "en": {
        "questions": (
            "Questions of the notebooks",
            "To hand out. Each question stands in its notebook, where one has read what it needs.",
        ),
        "answers": (
            "Answers to the notebooks' questions",
            "For the teacher, or for those who have written down their own. Many of these "
            "questions have no one right answer; what follows says what a good answer contains.",
        ),
        "glossary": (
            "Glossary",
            "The terms of the notebooks, in about the order in which one meets them.",
        ),
        "other": "[Tiếng Việt]({}_vi.md)",
        "made": "`make shelf` makes this page of `{}`: change it there.",
        "answer": "Answer",
        "columns": ("term", "in Vietnamese", "meaning"),
    },
    "vi": {
        "questions": (
            "Câu hỏi trong các notebook",
            "Để phát cho sinh viên. Mỗi câu hỏi nằm trong notebook của nó, ngay sau phần cần đọc.",
        ),
        "answers": (
            "Trả lời các câu hỏi trong notebook",
            "Dành cho giảng viên, hoặc cho những ai đã tự viết ra câu trả lời. Nhiều câu hỏi không "
            "có một đáp án duy nhất; dưới đây ghi những gì một câu trả lời tốt cần có.",
        ),
        "glossary": (
            "Bảng thuật ngữ",
            "Các thuật ngữ trong notebook, gần theo thứ tự gặp khi học.",
        ),
        "other": "[English]({}_en.md)",
        "made": "Lệnh `make shelf` tạo trang này từ `{}`: muốn sửa thì sửa ở đó.",
        "answer": "Trả lời",
        "columns": ("thuật ngữ", "tiếng Anh", "nghĩa"),
    },
}


def is_tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    """Return whether the cell has the tag."""
    return tag in cell.metadata.get("tags", ())


def notebook(stem: str, answers: bool) -> str:
    """Return a notebook, made of its text and of the outputs that are stored."""
    text = jupytext.read(NOTEBOOKS / f"{stem}.py")
    stored = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    now, run = ([c.source for c in of.cells if c.cell_type == "code"] for of in (text, stored))
    if now != run:  # jupytext would keep the outputs of the former code
        raise SystemExit(f"notebooks/{stem}.py has code that was not run: make notebooks/{stem}")
    text.cells = [cell for cell in text.cells if answers or not is_tagged(cell, "answer")]
    return nbformat.writes(combine_inputs_with_outputs(text, stored, fmt="py:percent")) + "\n"


def numbered(cells: list[nbformat.NotebookNode], tag: str) -> dict[int, str]:
    """Return the texts of cells with the tag: those of `**Question 1.** ...` or of a list."""
    found = {}
    for cell in cells:
        if is_tagged(cell, tag):
            start = r"^(?:\*\*\D+ )?(\d+)\.(?:\*\*)? "
            _, *parts = re.split(start, cell.source, flags=re.MULTILINE)
            found.update(zip(map(int, parts[::2]), parts[1::2]))
    return found


def page(language: str, kind: str, source: str, *blocks: str) -> str:
    """Return a page that says what it is and what it is made of."""
    words = WORDS[language]
    title, what = words[kind]
    head = (f"# {title}", words["other"].format(kind), what, words["made"].format(source))
    return "\n\n".join((*head, *blocks)) + "\n"


def questions(language: str, answers: bool) -> str:
    """Return the page of all questions, with answers or without."""
    blocks = []
    for stem in (f"{name}_{language}" for name in NAMES):
        cells = jupytext.read(NOTEBOOKS / f"{stem}.py").cells
        blocks.append(f"## [{cells[0].source.splitlines()[0][2:]}](../notebooks/{stem}.ipynb)")
        asked, answered = (numbered(cells, tag) for tag in ("question", "answer"))
        if asked.keys() != answered.keys():
            raise SystemExit(f"notebooks/{stem}.py asks {[*asked]} and answers {[*answered]}")
        for number, question in asked.items():
            blocks.append(_in_list(f"{number}. {question}"))
            if answers:
                answer = f"**{WORDS[language]['answer']}.** {answered[number]}"
                blocks.append("   " + _in_list(answer))
    kind = "answers" if answers else "questions"
    return page(language, kind, f"notebooks/*_{language}.py", *blocks)


def _in_list(text: str) -> str:
    return "\n   ".join(line.strip() for line in text.strip().splitlines())


def glossary(language: str) -> str:
    """Return the page of the terms."""
    with (FOLDER / "glossary.csv").open(encoding="utf-8", newline="") as file:
        terms = list(csv.DictReader(file))
    other = "vi" if language == "en" else "en"
    keys = (language, other, f"{language}_meaning")
    rows = [WORDS[language]["columns"], ("---",) * 3, *map(itemgetter(*keys), terms)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return page(language, "glossary", "teaching/glossary.csv", table)


def products() -> dict[Path, str]:
    """Return what is made and committed, by where it stands."""
    made = {}
    for language in WORDS:
        made[FOLDER / f"questions_{language}.md"] = questions(language, answers=False)
        made[FOLDER / f"answers_{language}.md"] = questions(language, answers=True)
        made[FOLDER / f"glossary_{language}.md"] = glossary(language)
        for stem in (f"{name}_{language}" for name in NAMES):
            made[NOTEBOOKS / f"{stem}.ipynb"] = notebook(stem, answers=False)
    return made


def main() -> None:
    """Write all of it."""
    made = products()
    for stem in (path.stem for path in list(made) if path.suffix == ".ipynb"):
        made[TEACHERS / f"{stem}.ipynb"] = notebook(stem, answers=True)
    TEACHERS.mkdir(exist_ok=True)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
