"""The notebooks, as texts and with their outputs."""

from __future__ import annotations

import re
from functools import cache

import jupytext
import nbformat

from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.experiments import OTHER_SETTINGS
from d2l_lrsched.studies.choice.experiments import SCHEDULES
from d2l_lrsched.studies.exercises.experiments import DEEPER
from d2l_lrsched.studies.sampling.posterior import SETTINGS
from d2l_lrsched.words import ALONE, PHRASES
from made_up import ROOT

FOLDER = ROOT / "notebooks"
LANGUAGES = ("vi", "en")


@cache
def text_of(stem):
    """Return the cells of a text, `NAME_LANG`, with the answers that are for the teacher."""
    return jupytext.read(FOLDER / f"{stem}.py").cells


@cache
def notebook_of(stem):
    """Return the notebook that was made from it."""
    return nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)


def tags_of(cell):
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def prose_of(stem):
    """Return the cells of prose that a student reads."""
    return [
        cell.source
        for cell in text_of(stem)
        if cell.cell_type == "markdown" and "answer" not in tags_of(cell)
    ]


def answers_of(stem):
    """Return the cells of answers."""
    return [cell.source for cell in text_of(stem) if "answer" in tags_of(cell)]


def code_of(stem):
    """Return the cells of code, with their outputs."""
    return [cell for cell in notebook_of(stem).cells if cell.cell_type == "code"]


def outputs_of(stem):
    """Return all outputs."""
    return [output for cell in code_of(stem) for output in cell.outputs]


def words_of(output):
    """Return all text of an output, images left out."""
    data = output.get("data", {})
    texts = [output.get("text", ""), *(data[kind] for kind in data if kind.startswith("text/"))]
    return "\n".join(texts)


#: What is the same in both languages besides the names of experiments and settings: terms that
#: Vietnamese readers know, names of code, and an error's text.
STAY = {
    *("epoch", "batch", "gradient", "precision", "gamma", "nat", "Bonferroni", "float64"),
    *("p", "n", "t", "x", "w1", "W2", "MXNet", "mxnet", "d2l_lrsched", "num_update", "Remembering"),
    *("raise", "skip", "inf", "True", "False", "Trainer", "max_update"),
}


@cache
def names():
    """Return experiments, schedules, and settings of the sampling; whole or as in legends."""
    found = {*all_experiments(), *OTHER_SETTINGS, *SCHEDULES, *SETTINGS}
    return found | {name.partition("-")[2] for name in DEEPER.names}


def latin_words(text):
    """Return the words of a text that have no letter that only Vietnamese has."""
    formulas_and_objects = r"\$[^$]*\$|\b[A-Z]\w*\(\w+=.*\)"
    words = re.findall(r"(?<![\w.])[^\W\d](?:[\w.-]*\w)?", re.sub(formulas_and_objects, " ", text))
    return [word for word in words if word.isascii()]


@cache
def vietnamese():
    """Return the words of the table's Vietnamese that have no letter that only Vietnamese has."""
    return {word for said in (*PHRASES.values(), *ALONE.values()) for word in latin_words(said)}


def english_of(text):
    """Return the English words of a text that is Vietnamese otherwise."""
    if text.replace("\n", "-") in names():  # broken into lines
        return []
    known = STAY | names() | vietnamese()
    return [word for word in latin_words(text) if word not in known]
