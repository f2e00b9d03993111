"""What the notebooks on clipping show and say of the runs, held to the records.

What README says as well, `test_readme` holds.
"""

from __future__ import annotations

import nbformat
import pytest

from d2l_lrsched.runs import frames
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.clipping import tables
from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.descent import descents
from d2l_lrsched.studies.clipping.experiments import COLLAPSE
from d2l_lrsched.studies.clipping.verdicts import NOT_DECIDED, judge, rescues
from made_up import FIGURES, ROOT

each_language = pytest.mark.parametrize("lang", ["vi", "en"])


@pytest.fixture(scope="module")
def runs():
    return store.read(FIGURES / "clipping" / "runs.jsonl")


def outputs(lang):
    notebook = nbformat.read(ROOT / "notebooks" / f"gradient_clipping_{lang}.ipynb", as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@each_language
def test_the_tables_are_made_from_the_records(lang, runs):
    found = [o.data["text/markdown"] for o in outputs(lang) if "text/markdown" in o.get("data", {})]
    measures, *others = (found[3], *found[:3], *found[4:])
    assert measures.startswith("| measure | definition | better |")
    made = [
        tables.descent_table(descents()),
        tables.pilot_table(runs),
        tables.clipped_table(runs),
        tables.arm_table(runs),
        tables.claim_table(judge(runs)),
        tables.share_table(runs, ["pilot", *COLLAPSE, *ARMS]),
        tables.rescue_table(rescues(runs)),
    ]
    assert others == [frames.markdown(table) for table in made]


@each_language
def test_the_live_run_is_clipped_nearly_always_in_its_first_epoch(lang):
    text = "".join(o.get("text", "") for o in outputs(lang))
    (first,) = (line for line in text.splitlines() if line.startswith("epoch 1:"))
    assert int(first.split()[2].rstrip("%")) > 90


def test_long_gradients_do_not_tell_who_dies(runs):
    """The pilot's largest norms overlap, dead and living."""
    largest = {"trained": [], "collapsed": []}
    for run in runs:
        if run.experiment == "pilot":
            largest[run.outcome].append(max(epoch.norm_max for epoch in run.epochs))
    assert min(largest["collapsed"]) < max(largest["trained"])
    assert min(largest["trained"]) < max(largest["collapsed"])


def test_some_intervals_exclude_0_where_nothing_is_decided(runs):
    judged = judge(runs)
    undecided = [j.interval for j in judged if j.verdict == NOT_DECIDED]
    assert any(interval.low > 0 or interval.high < 0 for interval in undecided)
    (survival,) = (
        j
        for j in judged
        if (j.claim.measure, j.claim.worse, j.claim.better) == ("survival", "neither", "clipping")
    )
    assert survival.verdict == NOT_DECIDED
    (arms,) = (
        j
        for j in judged
        if (j.claim.measure, j.claim.worse, j.claim.better)
        == ("test accuracy", "scheduler", "both")
    )
    assert arms.interval.low < 0 < arms.interval.high


def test_the_clipped_share_falls_with_the_epochs(runs):
    for run in runs:
        if run.experiment == "clipping":
            assert run.epochs[0].clipped > run.final.clipped
