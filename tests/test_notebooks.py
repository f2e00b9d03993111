"""What the notebooks promise: two languages that agree, and outputs of their code.

These tests take whatever notebooks there are; what they say of the runs is in
`test_notebooks_facts`.
"""

from __future__ import annotations

import ast
import base64
import re
import runpy

import nbformat
import pytest

import d2l_lrsched as lrs
from d2l_lrsched.data import source as files
from made_up import ROOT
from notebook_texts import (
    FOLDER,
    LANGUAGES,
    answers_of,
    code_of,
    notebook_of,
    outputs_of,
    prose_of,
    tags_of,
    text_of,
    words_of,
)

README = (ROOT / "README.md").read_text()
#: `NAME_LANG`, of the texts and of the notebooks made from them.
STEMS = sorted(
    {p.stem for p in FOLDER.glob("[!.]*.py")} | {p.stem for p in FOLDER.glob("[!.]*.ipynb")}
)
NAMES = sorted({stem.rpartition("_")[0] for stem in STEMS})

each_notebook = pytest.mark.parametrize("stem", STEMS)
each_pair = pytest.mark.parametrize("name", NAMES)


# What they are made of


def test_there_are_notebooks_each_in_both_languages_as_text_and_with_outputs():
    assert "lr_scheduling" in NAMES
    expected = {
        f"{name}_{lang}.{kind}" for name in NAMES for lang in LANGUAGES for kind in ("py", "ipynb")
    }
    assert {p.name for p in FOLDER.iterdir() if p.is_file() and p.name[0] != "."} == expected


@each_notebook
def test_the_notebook_is_valid_and_small_and_differs_little_when_made_again(stem):
    notebook = notebook_of(stem)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    # jupytext notes two blank lines; the times of an execution would be here, too.
    assert all(cell.metadata.keys() <= {"lines_to_next_cell", "tags"} for cell in notebook.cells)
    assert (FOLDER / f"{stem}.ipynb").stat().st_size < 3_000_000


def places_of(stem):
    """Each cell's kind and tags, and its code but for the language, which the first code names."""
    lang = stem.rpartition("_")[2]
    cells = text_of(stem)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert code[0].count(f'words = Words("{lang}")') == 1
    assert [source.count("Words(") for source in code] == [1] + [0] * (len(code) - 1)
    code[0] = code[0].replace(f'Words("{lang}")', "Words(...)")
    return [(cell.cell_type, tags_of(cell)) for cell in cells], code


@each_pair
def test_both_languages_have_the_same_code_but_for_the_name_of_the_language(name):
    vi, en = (places_of(f"{name}_{lang}") for lang in LANGUAGES)
    assert vi == en


@each_notebook
def test_no_line_of_prose_is_a_comment_of_the_site(stem):
    """MyST leaves out a line that begins with a per cent sign."""
    for prose in prose_of(stem) + answers_of(stem):
        assert not re.search(r"^\s*%", prose, re.MULTILINE), prose


def numbers_in(prose):
    """The numbers of a text, without code, links, sections, years and references."""
    for aside in (
        r"```.*?```",
        r"`[^`]*`",
        r"\]\([^)]*\)",
        r"arXiv:\S+",
        r"^#+ \d+\.",
        r"(?i:section|table|mục|bảng)\s+[\d.]+",
        r"\b\d+:\d+-\d+",
        r"\b11\.15[\d.]*",
        r"\b(?:19|20)\d\d\b",
    ):
        prose = re.sub(aside, " ", prose, flags=re.DOTALL | re.MULTILINE)
    return {float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", prose)}


def skeleton(prose):
    """What two languages share: headings, lists, formulas, numbers."""
    formulas = [
        re.sub(r"\\text\{[^}]*\}", "", f) for f in re.findall(r"\$\$.*?\$\$", prose, re.DOTALL)
    ]
    inline = re.findall(r"(?<!\$)\$([^$]+)\$(?!\$)", prose)
    return {
        "headings": re.findall(r"^#+", prose, re.MULTILINE),
        "items": re.findall(r"^ *(-|\d+\.) ", prose, re.MULTILINE),
        "formulas": ["".join(f.split()) for f in formulas],
        "inline": sorted({re.sub(r"\\text\{[^}]*\}|\s", "", f) for f in inline}),
        "numbers": numbers_in(prose) - set(range(11)),  # these may be words
        "pages": sorted(re.findall(r"https://[^)\s]+", prose)),
    }


@each_pair
def test_both_languages_say_the_same_as_far_as_a_test_can_tell(name):
    stems = [f"{name}_{lang}" for lang in LANGUAGES]
    for vi, en in zip(*(prose_of(stem) + answers_of(stem) for stem in stems)):
        assert skeleton(vi) == skeleton(en)


@each_pair
def test_they_link_to_each_other_and_to_notebooks_of_their_own_language(name):
    for lang, other in (LANGUAGES, LANGUAGES[::-1]):
        prose = "\n".join(prose_of(f"{name}_{lang}"))
        linked = re.findall(r"\]\(([^)]+)\.ipynb\)", prose)
        assert linked[0] == f"{name}_{other}"
        assert all(link.endswith(f"_{lang}") for link in linked[1:])
        local = re.findall(r"\]\((?!https://)([^)#]+)", prose)
        assert all((FOLDER / link).exists() for link in local if not link.endswith(".ipynb"))


@each_notebook
def test_readme_links_to_it(stem):
    assert f"](notebooks/{stem}.ipynb)" in README


# Code


@each_notebook
def test_no_cell_defines_what_the_package_owns(stem):
    public = {name for name in lrs.__all__ if callable(getattr(lrs, name))}
    for cell in code_of(stem):
        tree = ast.parse(re.sub(r"^%.*", "", cell.source, flags=re.MULTILINE))
        nodes = [
            node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        ]
        assert not public & {node.name for node in nodes}, cell.source


@pytest.mark.parametrize("stem", [stem for stem in STEMS if not stem.startswith("sampling")])
def test_one_cell_trains_for_real_and_leaves_its_last_plot(stem):
    (cell,) = (cell for cell in code_of(stem) if re.search(r"\btrain\(", cell.source))
    images = [o for o in cell.outputs if "image/png" in o.get("data", {})]
    lines = [o.text for o in cell.outputs if o.output_type == "stream"]
    assert len(images) == 1
    assert len(lines) == 1
    assert re.fullmatch(r"train loss \d.*, train acc .*, test acc .*\n", lines[0])


# Outputs


@each_notebook
def test_figures_are_sharp_on_a_projector(stem):
    """Twice as many pixels as are meant to be seen; the live plot's last state, too."""
    shown = [output for output in outputs_of(stem) if "image/png" in output.get("data", {})]
    assert shown
    for output in shown:
        png = base64.b64decode(output.data["image/png"])
        width = int.from_bytes(png[16:20], "big")  # of the header
        assert output.metadata["image/png"]["width"] == width // 2


@each_notebook
def test_every_cell_was_run_in_order_and_without_a_warning(stem):
    counts = [cell.execution_count for cell in code_of(stem)]
    assert counts == list(range(1, len(counts) + 1))
    for output in outputs_of(stem):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text


@each_notebook
def test_images_are_png_and_no_output_names_a_path_of_the_machine(stem):
    for output in outputs_of(stem):
        assert {kind for kind in output.get("data", {}) if "image" in kind} <= {"image/png"}
        words = words_of(output)
        assert str(ROOT) not in words
        assert not re.search(r"(?<![\w./:])/[\w.-]+/[\w.-]", words), words


# The fast mode of `make test`


def test_the_fast_mode_gives_the_first_images(monkeypatch, arrays):
    monkeypatch.setattr(files, "read_all", lambda folder: arrays)
    runpy.run_path(str(ROOT / "tests" / "few_images.py"))
    from d2l_lrsched.data.batches import load_fashion_mnist

    train_iter, test_iter = load_fashion_mnist(256)
    assert (train_iter.num_examples, len(train_iter)) == (1024, 4)
    assert test_iter.num_examples == 256
    assert (train_iter.images == arrays["train-images-idx3-ubyte"][:1024]).all()
