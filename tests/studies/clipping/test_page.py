from __future__ import annotations

import re

import pytest

from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.clipping import claims, collapse
from d2l_lrsched.studies.clipping import descent as quadratic
from d2l_lrsched.studies.clipping import page as clipping_report
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, COLLAPSE, PILOT_SEEDS
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from made_up import FIGURES, a_run

T, C = "trained", "collapsed"


def clip_numbers(median, largest, clipped, skipped=0):
    return {"norm_median": median, "norm_max": largest, "clipped": clipped, "skipped": skipped}


def test_the_pilots_row():
    runs = [
        a_run("pilot", 0, **clip_numbers(0.6, 7.0, 0)),
        a_run("pilot", 1, **clip_numbers(0.8, 9.25, 0)),
        a_run("pilot", 2, C, **clip_numbers(0.1, 30.0, 0)),
        a_run("both", 2, **clip_numbers(5.0, 50.0, 0)),
    ]
    assert clipping_report.pilot_rows(runs) == [("3", "1", "0.70", "9.2", "0.7")]
    assert clipping_report.pilot_rows(runs[2:]) == [("1", "1", "-", "-", "-")]
    assert clipping_report.pilot_rows(runs[3:]) == []


def test_how_much_was_clipped():
    """The pilot clips nothing, and `scheduler` has no norms."""
    runs = [
        a_run("pilot", 0, **clip_numbers(9.0, 9.0, 0)),
        a_run("scheduler", 0),
        a_run("both", 0, **clip_numbers(0.5, 2.0, 0.25, 1)),
        a_run("both", 1, **clip_numbers(0.7, 3.04, 0.5)),
    ]
    assert clipping_report.clipped_rows(runs) == [("both", "38 %", "0.60", "3.0", "2")]


def test_what_clipping_costs():
    """Medians of 10 and 11, of 20 and 21 and of 10 and 12 seconds: 10, 5 and 20 percent more."""
    runs = [
        a_run(name, seed, num_epochs=1, seconds=seconds)
        for name, of_seeds in (("neither", (10, 20, 10, 5)), ("clipping", (11, 21, 12)))
        for seed, seconds in enumerate(of_seeds)
    ]
    assert clipping_report.cost_rows(runs) == [
        ("clipping", "neither", "3", "+10.0%", "+5.0% to +20.0%")
    ]


def test_counts_of_verdicts():
    runs = [a_run(arm, seed) for arm in claims.ARMS for seed in range(3)]
    judged = claims.judge(runs)
    assert clipping_report.verdict_counts(judged) == (
        f"0 CONFIRMED, 0 CONTRADICTED, {len(claims.CLAIMS)} NOT DECIDED"
    )


@pytest.fixture(scope="module")
def descents():
    return [
        quadratic.descend(rate, quadratic.NUM_STEPS, clip_norm)
        for rate in quadratic.RATES.values()
        for clip_norm in (None, quadratic.CLIP_NORM)
    ]


def test_what_the_page_says_of_the_two_weights(descents):
    """Worked by hand: at 0.4, 0.2 ** t * 34 < 1e-3 squared from step 4 on."""
    rates = [0.4, 0.4, 0.9, 0.9, 1.1, 1.1]
    assert [(d.learning_rate, d.clip_norm) for d in descents] == list(zip(rates, [None, 1.0] * 3))
    steps = [quadratic.settled(d) for d in descents]
    assert steps[0] < steps[1], "at 0.4 it is fast without clipping"
    assert descents[0].losses == sorted(descents[0].losses, reverse=True), "and stable"
    assert steps[3] < steps[2], "at 0.9 clipping settles sooner"
    assert steps[4] is steps[5] is None
    assert max(descents[5].losses) == descents[5].losses[0]
    assert descents[4].losses[-1] > 1e6
    assert {d.norms[0] for d in descents} == {descents[0].norms[0]}


def test_the_page_holds_every_part(descents):
    numbers = clip_numbers(0.5, 2.0, 0.25)
    runs = [
        a_run(name, seed, **(numbers if experiment.clip_norm else {}))
        for name, experiment in CLIPPING.items()
        for seed in range(2)
    ]
    page = clipping_report.as_page(runs, descents)
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Gradient clipping and scheduling, measured",
        "## The two weights (paper 4.1, 4.2)",
        "## The threshold",
        "## The four combinations (paper 4.3, 4.4)",
        "### The paper's claims",
        "## Who collapses, and what saves them",
    ]
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    tables = 8
    expected = 6 + 1 + 4 + 3 + 2 + len(claims.CLAIMS) + 8 + 5
    assert len(rows) == 2 * tables + expected
    assert "made by commit abc." in page
    assert "nan" not in page


def committed():
    return store.read(FIGURES / "clipping" / "runs.jsonl")


def test_the_threshold_is_the_one_that_the_pilot_chose():
    pilot = [run for run in committed() if run.experiment == "pilot"]
    assert sorted(run.seed for run in pilot) == list(PILOT_SEEDS)
    assert collapse.threshold(pilot) == CLIP_NORM
    others = {run.seed for run in committed() if run.experiment != "pilot"}
    assert not others & set(PILOT_SEEDS), "the arms' seeds had no part in choosing"


def test_the_pilot_was_run_before_the_arms():
    runs = committed()
    pilots = [run.started for run in runs if run.experiment == "pilot"]
    assert max(pilots) < min(run.started for run in runs if run.experiment in claims.ARMS)
    assert max(e.norm_max for r in runs if r.experiment == "pilot" for e in r.epochs) < 1e6


def test_the_study_is_as_large_as_it_says():
    seeds = {name: set() for name in CLIPPING}
    for run in committed():
        seeds[run.experiment].add(run.seed)
    assert all(seeds[arm] == set(range(10)) for arm in claims.ARMS)
    assert all(seeds[name] == set(range(20)) for name in COLLAPSE)


def test_the_page_is_made_from_the_committed_records(descents):
    page = (FIGURES / "clipping" / "README.md").read_text(encoding="utf-8")
    assert page == clipping_report.as_page(committed(), descents)
    for path in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page):
        assert (FIGURES / path).exists()
