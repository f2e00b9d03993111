"""What the notebooks promise: two languages that agree, outputs of their code, true numbers.

Every test but the last ones takes whatever notebooks there are. The tables among the outputs are
held to the records here, and what the prose says of the runs, notebook by notebook, below.
"""

from __future__ import annotations

import ast
import re
import runpy
from functools import cache
from itertools import takewhile

import jupytext
import nbformat
import pytest

import d2l_lrsched as lrs
from d2l_lrsched.data import source as files
from d2l_lrsched.runs import frames
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.chapter import published, tables
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.experiments import PUBLISHED
from d2l_lrsched.studies.chapter.verdicts import compare, distinct
from d2l_lrsched.studies.clipping.tables import share_table
from d2l_lrsched.training import history
from made_up import FIGURES, ROOT

FOLDER = ROOT / "notebooks"
README = (ROOT / "README.md").read_text()
LANGUAGES = ("vi", "en")
#: `NAME_LANG`, of the texts and of the notebooks made from them.
STEMS = sorted(
    {p.stem for p in FOLDER.glob("[!.]*.py")} | {p.stem for p in FOLDER.glob("[!.]*.ipynb")}
)
NAMES = sorted({stem.rpartition("_")[0] for stem in STEMS})

each_notebook = pytest.mark.parametrize("stem", STEMS)
each_pair = pytest.mark.parametrize("name", NAMES)


@cache
def text_of(stem):
    return jupytext.read(FOLDER / f"{stem}.py").cells


@cache
def notebook_of(stem):
    return nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)


def code_of(stem):
    return [cell for cell in notebook_of(stem).cells if cell.cell_type == "code"]


def prose_of(stem):
    return [cell.source for cell in text_of(stem) if cell.cell_type == "markdown"]


def outputs_of(stem):
    return [output for cell in code_of(stem) for output in cell.outputs]


def words_of(output):
    """All text of an output, images left out."""
    data = output.get("data", {})
    texts = [output.get("text", ""), *(data[kind] for kind in data if kind.startswith("text/"))]
    return "\n".join(texts)


def tables_of(stem):
    return [
        o.data["text/markdown"] for o in outputs_of(stem) if "text/markdown" in o.get("data", {})
    ]


# What they are made of


def test_there_are_notebooks_each_in_both_languages_as_text_and_with_outputs():
    assert "lr_scheduling" in NAMES
    expected = {
        f"{name}_{lang}.{kind}" for name in NAMES for lang in LANGUAGES for kind in ("py", "ipynb")
    }
    assert {p.name for p in FOLDER.iterdir() if p.is_file() and p.name[0] != "."} == expected


@each_notebook
def test_the_notebook_is_made_from_its_text(stem):
    of_text = [(cell.cell_type, cell.source) for cell in text_of(stem)]
    assert [(cell.cell_type, cell.source) for cell in notebook_of(stem).cells] == of_text


@each_notebook
def test_the_notebook_is_valid_and_small_and_differs_little_when_made_again(stem):
    notebook = notebook_of(stem)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    # jupytext notes two blank lines; the times of an execution would be here, too.
    assert all(cell.metadata.keys() <= {"lines_to_next_cell"} for cell in notebook.cells)
    assert (FOLDER / f"{stem}.ipynb").stat().st_size < 1_000_000


@each_pair
def test_both_languages_have_the_same_code_in_the_same_places(name):
    vi, en = (
        [
            (c.cell_type, c.source if c.cell_type == "code" else "")
            for c in text_of(f"{name}_{lang}")
        ]
        for lang in LANGUAGES
    )
    assert vi == en


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
    for vi, en in zip(*(prose_of(f"{name}_{lang}") for lang in LANGUAGES)):
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


@each_notebook
def test_one_cell_trains_for_real_and_leaves_its_last_plot(stem):
    (cell,) = (cell for cell in code_of(stem) if re.search(r"\btrain\(", cell.source))
    images = [o for o in cell.outputs if "image/png" in o.get("data", {})]
    lines = [o.text for o in cell.outputs if o.output_type == "stream"]
    assert len(images) == 1
    assert len(lines) == 1
    assert re.fullmatch(r"train loss \d.*, train acc .*, test acc .*\n", lines[0])


# Outputs


@each_notebook
def test_every_cell_was_run_in_order(stem):
    counts = [cell.execution_count for cell in code_of(stem)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_output_is_an_error_or_a_warning(stem):
    for output in outputs_of(stem):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text


@each_notebook
def test_images_are_png(stem):
    kinds = {kind for o in outputs_of(stem) for kind in o.get("data", {}) if "image" in kind}
    assert kinds <= {"image/png"}


@each_notebook
def test_no_output_names_a_path_of_the_machine(stem):
    for output in outputs_of(stem):
        words = words_of(output)
        assert str(ROOT) not in words
        assert not re.search(r"(?<![\w./:])/[\w.-]+/[\w.-]", words), words


# The fast mode of `make test`


def test_the_fast_mode_gives_the_first_images(monkeypatch, arrays):
    monkeypatch.setattr(files, "read_all", lambda folder: arrays)
    few = runpy.run_path(str(ROOT / "tests" / "few_images.py"))
    from d2l_lrsched.data.batches import load_fashion_mnist

    train_iter, test_iter = load_fashion_mnist(256)
    assert (train_iter.num_examples, len(train_iter)) == (few["TRAIN"], 10)
    assert test_iter.num_examples == few["TEST"]
    assert (train_iter.images == arrays["train-images-idx3-ubyte"][:2560]).all()


# lr_scheduling: what it says of the runs


@pytest.fixture(scope="module")
def runs():
    stored = distinct(store.read(FIGURES / "chapter" / "runs.jsonl"))
    return {run.experiment: run for run in stored if run.seed == 0}


@pytest.fixture(scope="module")
def baseline():
    return distinct(store.read(FIGURES / "chapter" / "runs.jsonl"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_tables_are_made_from_the_records(lang, runs, baseline):
    made = [
        *(tables.chapter_table([runs[name]]) for name in PUBLISHED),
        tables.chapter_table(runs.values()),
        *(share_table(baseline, names) for names in (["constant"], CHAPTER)),
        tables.verdict_table(compare(baseline)).iloc[:, :8],
        tables.summary_table(baseline),
    ]
    expected = [frames.markdown(table) for table in made]
    found = tables_of(f"lr_scheduling_{lang}")
    assert set(expected) <= set(found)
    others = {found_.splitlines()[0] for found_ in set(found) - set(expected)}
    assert others == {
        "| train loss now | stored | test acc now | stored |",
        "| num_update | a function of num_update | one factor a call |",
        "| class from | plotted at 1 | fed 1 | fed 30 | fed 31 | fed 7050 |",
    }


def by_seed(baseline, name):
    return {run.seed: run for run in baseline if run.experiment == name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_its_cells_print_of_the_baseline(lang, baseline):
    """Less overfitting in every seed, but the lower accuracy in most; and a coin toss."""
    constant, square_root = (by_seed(baseline, name) for name in ("constant", "square-root"))
    pairs = [(constant[seed].final, square_root[seed].final) for seed in range(10)]
    higher = sum(a.test_acc > b.test_acc for a, b in pairs)
    gaps = [[run.train_acc - run.test_acc for run in pair] for pair in pairs]
    assert all(a > b for a, b in gaps)
    assert all(a.train_acc > b.train_acc for a, b in pairs)
    assert higher >= 8
    warm, cold = (by_seed(baseline, name) for name in ("cosine-warmup", "cosine"))
    losses = [[runs[seed].epochs[0].train_loss for runs in (warm, cold)] for seed in range(10)]
    lower = sum(a < b for a, b in losses)
    assert lower == 5, "a coin toss"
    words = "\n".join(map(words_of, outputs_of(f"lr_scheduling_{lang}")))
    assert f"higher test accuracy in {higher}, wider gap in 10 of 10 seeds" in words
    assert f"lower with warmup in {lower} of 10 seeds" in words
    assert "[1, 1, 1, 2, 2, 2]" in words, "several calls an update, with the number of updates"


def test_what_it_says_of_the_runs_of_seed_0(runs):
    dead = {name for name, run in runs.items() if run.outcome == "collapsed"}
    assert dead == {f"{name}-per-epoch" for name in ("square-root", "multi-factor", "cosine")}
    loss = {name: run.final.train_loss for name, run in runs.items()}
    for slow in ("cosine", "cosine-warmup"):
        assert loss[slow] > max(loss[name] for name in ("constant", "square-root", "multi-factor"))
    best = max(PUBLISHED, key=lambda name: published.PRINTED[name].test_acc)
    assert best == "multi-factor"


def test_what_it_says_of_collapses(runs, baseline):
    def dead(name):
        return [seed for seed, run in by_seed(baseline, name).items() if run.outcome != "trained"]

    assert not any(dead(name) for name in PUBLISHED)
    intended = [name for name in CHAPTER if name not in PUBLISHED]
    assert [name for name in intended if not dead(name)] == ["cosine-warmup-per-epoch"]
    assert dead("multi-factor-per-epoch") == dead("cosine-per-epoch")
    accuracy = runs["cosine-warmup-per-epoch"].final.test_acc
    cosines = [*by_seed(baseline, "cosine").values(), *by_seed(baseline, "cosine-warmup").values()]
    assert accuracy > max(run.final.test_acc for run in cosines)
    first = runs["cosine-warmup-per-epoch"].epochs[0]
    assert first.lr_first == first.lr_last == 0
    (revived,) = (
        run
        for run in by_seed(baseline, "square-root-per-epoch").values()
        if run.outcome == "trained"
    )
    spreads = (epoch.score_spread for epoch in revived.epochs)
    asleep = list(takewhile(lambda spread: spread < history.COLLAPSED_SPREAD, spreads))
    assert len(asleep) == revived.num_epochs / 2


def test_the_cosine_with_warmup_as_intended_is_among_the_best(baseline):
    means = {}
    for name in CHAPTER:
        lived = [
            r.final.test_acc for r in by_seed(baseline, name).values() if r.outcome == "trained"
        ]
        means[name] = sum(lived) / len(lived)
    assert "cosine-warmup-per-epoch" in sorted(means, key=means.get)[-2:]
