from __future__ import annotations

import re

import pytest

from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import page as exercises_report
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS
from d2l_lrsched.studies.sampling import record as sgld_records
from made_up import FIGURES, a_run

T, C = "trained", "collapsed"


def test_the_answers_of_an_exercise():
    """By hand: of 1 in 3, Clopper and Pearson give 0.0084 to 0.9057."""
    runs = [
        a_run("fixed-0.5", 0, train_loss=0.4, test_acc=0.8),
        a_run("fixed-0.5", 1, train_loss=0.6, test_acc=0.9),
        a_run("fixed-0.5", 2, C, train_loss=2.3, test_acc=0.1),
        a_run("fixed-1", 0, C, train_loss=2.3, test_acc=0.1),
        a_run("poly-1", 0),
    ]
    assert exercises_report.answer_rows(runs, exercises.FIXED) == [
        ("fixed-0.5", "3", "1", "0.01 to 0.91", "0.500 ± 0.141", "0.8500 ± 0.0707", "0.9000"),
        ("fixed-1", "1", "1", "0.03 to 1.00", "-", "-", "0.1000"),
    ]


def test_what_turned_non_finite_counts_as_collapsed():
    runs = [a_run("poly-1", 0, "non-finite", test_acc=0.1)]
    ((_, _, collapsed, *_),) = exercises_report.answer_rows(runs, exercises.EXPONENT)
    assert collapsed == "1"


def test_differences_are_taken_seed_by_seed():
    """By hand: 0.01, 0.02, 0.03 have the mean 0.02, sd 0.01, t 4.303: 0.02 ± 0.0248."""
    runs = [
        a_run("resnet-steps", seed, test_acc=accuracy)
        for seed, accuracy in enumerate((0.80, 0.85, 0.90))
    ]
    runs += [
        a_run("resnet-cosine", seed, test_acc=accuracy)
        for seed, accuracy in enumerate((0.81, 0.87, 0.93))
    ]
    row = ("resnet-cosine - resnet-steps", "3", "+0.0200", "-0.0048 to +0.0448", "not decided")
    assert exercises_report.difference_rows(runs, exercises.DEEPER) == [row]
    assert exercises_report.difference_rows(runs, exercises.FIXED) == []


@pytest.mark.parametrize(("gain", "higher"), [(0.05, "poly-2"), (-0.05, "fixed-0.3")])
def test_a_difference_whose_interval_excludes_0_is_named(gain, higher):
    runs = [a_run("fixed-0.3", seed, test_acc=0.8) for seed in range(3)]
    runs += [
        a_run("poly-2", seed, test_acc=0.8 + gain + noise)
        for seed, noise in enumerate((0, 0.001, -0.001, 7))  # the last has no partner
    ]
    ((_, n, _, _, said),) = exercises_report.difference_rows(runs, exercises.EXPONENT)
    assert (n, said) == ("3", f"{higher} is higher")


def test_two_pairs_have_no_interval():
    runs = [a_run(name, seed) for name in ("fixed-0.3", "poly-2") for seed in range(2)]
    ((_, n, _, interval, said),) = exercises_report.difference_rows(runs, exercises.EXPONENT)
    assert (n, interval, said) == ("2", "-", "not decided")


def test_who_is_saved_by_a_warmup():
    """Over all peaks: of three that die two are saved, of two that live one is lost; 4 in 8 ways.

    By hand: McNemar of 2 against 1 has the p-value 1; of 2 against 0 it is 2/4.
    """
    without = exercises.warmup_name(0, 0.5), exercises.warmup_name(0, 1.0)
    with_it = exercises.warmup_name(0.1, 0.5), exercises.warmup_name(0.1, 1.0)
    runs = [a_run(without[0], seed, outcome) for seed, outcome in enumerate((T, C, C))]
    runs += [a_run(with_it[0], seed, outcome) for seed, outcome in enumerate((C, T, T))]
    runs += [a_run(without[1], seed, outcome) for seed, outcome in enumerate((T, C))]
    runs += [a_run(with_it[1], seed, outcome) for seed, outcome in enumerate((T, C))]
    rows = exercises_report.saved_rows(runs)
    assert rows == [("10 %", "5", "3", "2", "2", "1", "1.0000")]
    rows = exercises_report.saved_rows(run for run in runs if run.seed)
    assert rows == [("10 %", "3", "3", "2", "0", "0", "0.5000")]


def test_every_comparison_is_of_experiments_that_exist():
    for compared in exercises_report.COMPARISONS.values():
        assert compared
        assert {name for pair in compared for name in pair} <= EXPERIMENTS.keys()


def committed():
    return store.read(FIGURES / "exercises" / "runs.jsonl"), sgld_records.read(
        FIGURES / "sampling" / "samples.jsonl"
    )


def test_the_study_is_as_large_as_it_says():
    seeds = {name: set() for name in EXPERIMENTS}
    runs, _ = committed()
    for run in runs:
        experiment = EXPERIMENTS[run.experiment]
        assert run.settings == {**experiment.settings, "net": experiment.net or "fast"}
        assert run.num_epochs == experiment.num_epochs
        seeds[run.experiment].add(run.seed)
    for exercise in EXERCISES:
        for experiment in exercise.experiments:
            assert seeds[experiment.name] == set(range(exercise.num_seeds)), experiment.name
    assert len(runs) == sum(map(len, seeds.values())), "each seed once"


def test_the_page_is_made_from_the_committed_records():
    page = (FIGURES / "exercises" / "README.md").read_text(encoding="utf-8")
    assert page == exercises_report.as_page(*committed())
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## 1. A fixed learning rate",
        "## 2. The exponent of the decay",
        "## 3. Cosine against other schedules, on harder vision",
        "## 4. How long a warmup?",
        "## 5. Optimization and sampling",
        "## Lower the rate when progress stops",
    ]
    assert "nan" not in page
    for path in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page):
        assert (FIGURES / path).exists()


def test_a_page_of_what_there_is():
    page = exercises_report.as_page([a_run("poly-1")], [])
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## 2. The exponent of the decay"
    ]
    assert "made by commit abc." in page
