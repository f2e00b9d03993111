"""The notebooks, as texts and with their outputs."""

from __future__ import annotations

from functools import cache

import jupytext
import nbformat

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
