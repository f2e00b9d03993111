from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.stats

from d2l_lrsched.studies.clipping import descent
from d2l_lrsched.studies.clipping.claims import ARMS, CLAIMS, LOWER
from d2l_lrsched.studies.clipping.experiments import COLLAPSE, EXPERIMENTS
from d2l_lrsched.studies.clipping.page import as_page, judge
from made_up import FIGURES, a_run, committed

COMMITTED = FIGURES / "clipping"


@pytest.fixture(scope="module")
def descents():
    return descent.descents()


def test_what_the_page_says_of_the_two_weights(descents):
    """Worked by hand: at 0.4, 0.2 ** t * 34 < 1e-3 squared from step 4 on."""
    rates = [0.4, 0.4, 0.9, 0.9, 1.1, 1.1]
    assert [(d.learning_rate, d.clip_norm) for d in descents] == list(zip(rates, [None, 1.0] * 3))
    steps = [descent.settled(d) for d in descents]
    assert steps[0] < steps[1], "at 0.4 it is fast without clipping"
    assert descents[0].losses == sorted(descents[0].losses, reverse=True), "and stable"
    assert steps[3] < steps[2], "at 0.9 clipping settles sooner"
    assert steps[4] is steps[5] is None
    assert max(descents[5].losses) == descents[5].losses[0]
    assert descents[4].losses[-1] > 1e6
    assert {d.norms[0] for d in descents} == {descents[0].norms[0]}


def test_of_part_of_the_runs_there_is_a_page_too(descents):
    """Two seeds of all decide nothing; of the pilot alone nothing else is said."""
    norms = {"norm_median": 0.5, "norm_max": 2.0, "clipped": 0.25, "skipped": 0}
    runs = [
        a_run(name, seed, **(norms if experiment.clip_norm else {}))
        for name, experiment in EXPERIMENTS.items()
        for seed in range(2)
    ]
    page = as_page(runs, descents, judge(runs, CLAIMS))
    assert "0 CONFIRMED, 0 CONTRADICTED, 18 NOT DECIDED" in page
    assert "made by commit abc." in page
    assert "nan" not in page + as_page(runs[:2], descents, judge(runs[:2], CLAIMS))


@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.4, 0.95, 1), (0.2, 0.35, 0.45), (0.1, 0, 0.05)]
)
def test_how_often_a_difference_in_survival_is_found(share, least, most):
    """Of 40 runs an arm, none of which collapses in one of them, judged as one of 18 claims."""
    died = np.arange(41)
    p = [scipy.stats.fisher_exact([[k, 40 - k], [0, 40]])[1] for k in died]
    found = np.array(p) <= 0.05 / len(CLAIMS)
    assert least <= scipy.stats.binom.pmf(died, 40, share)[found].sum() <= most


def test_the_committed_page_has_its_figures_and_its_records_all_seeds():
    """That the page is made from the records: the command's test."""
    runs = committed("clipping")
    page = (COMMITTED / "README.md").read_text(encoding="utf-8")
    figures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", page)
    assert len(figures) == 3
    assert all((COMMITTED / file).exists() for file in figures)
    seeds = {name: {run.seed for run in runs if run.experiment == name} for name in EXPERIMENTS}
    assert all(seeds[arm] == set(range(40)) for arm in (*ARMS, LOWER))
    assert all(seeds[name] == set(range(20)) for name in COLLAPSE)
