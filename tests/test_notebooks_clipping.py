"""What the notebooks on clipping show and say of the runs, held to the records.

What README says as well, `test_readme` holds.
"""

from __future__ import annotations

import nbformat
import pytest

from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.chapter import tables as report
from d2l_lrsched.studies.clipping import claims, collapse
from d2l_lrsched.studies.clipping import descent as quadratic
from d2l_lrsched.studies.clipping import page as clipping_report
from d2l_lrsched.studies.clipping.experiments import COLLAPSE
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
    descents = [
        quadratic.descend(rate, quadratic.NUM_STEPS, clip_norm)
        for rate in quadratic.RATES.values()
        for clip_norm in (None, quadratic.CLIP_NORM)
    ]
    found = [o.data["text/markdown"] for o in outputs(lang) if "text/markdown" in o.get("data", {})]
    measures, *tables = (found[3], *found[:3], *found[4:])
    assert measures.startswith("| measure | definition | better |")
    assert tables == [
        report.as_markdown(quadratic.TABLE_HEADER, quadratic.table_rows(descents)),
        report.as_markdown(clipping_report.PILOT_HEADER, clipping_report.pilot_rows(runs)),
        report.as_markdown(clipping_report.CLIPPED_HEADER, clipping_report.clipped_rows(runs)),
        report.as_markdown(claims.ARM_HEADER, claims.arm_rows(runs)),
        report.as_markdown(claims.CLAIM_HEADER, claims.claim_rows(claims.judge(runs))),
        report.as_markdown(
            collapse.SHARE_HEADER, collapse.share_rows(runs, ["pilot", *COLLAPSE, *claims.ARMS])
        ),
        report.as_markdown(collapse.REMEDY_HEADER, collapse.rescue_rows(collapse.rescues(runs))),
    ]


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
    judged = claims.judge(runs)
    assert any(j.verdict == claims.NOT_DECIDED and (j.low > 0 or j.high < 0) for j in judged)
    (survival,) = (
        j
        for j in judged
        if (j.claim.measure, j.claim.worse, j.claim.better) == ("survival", "neither", "clipping")
    )
    assert survival.verdict == claims.NOT_DECIDED
    (arms,) = (
        j
        for j in judged
        if (j.claim.measure, j.claim.worse, j.claim.better)
        == ("test accuracy", "scheduler", "both")
    )
    assert arms.low < 0 < arms.high


def test_the_clipped_share_falls_with_the_epochs(runs):
    for run in runs:
        if run.experiment == "clipping":
            assert run.epochs[0].clipped > run.final.clipped
