from __future__ import annotations

import re

import pytest

from d2l_lrsched.runs import frames, record
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import page
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS
from made_up import FIGURES, a_run, committed

C = "collapsed"


def rows(table):
    return table.to_numpy().tolist()


def with_accuracies(name, *accuracies):
    return [a_run(name, seed, test_acc=accuracy) for seed, accuracy in enumerate(accuracies)]


def differences(runs, exercise):
    return page.differences(frames.of_runs(runs), exercise)


def test_the_answers_of_an_exercise():
    """By hand: of 1 in 3, Clopper and Pearson give 0.0084 to 0.9057."""
    runs = [
        a_run("fixed-0.5", 0, train_loss=0.4, test_acc=0.8),
        a_run("fixed-0.5", 1, train_loss=0.6, test_acc=0.9),
        a_run("fixed-0.5", 2, C, train_loss=2.3, test_acc=0.1),
        a_run("fixed-1", 0, "non-finite", train_loss=2.3, test_acc=0.1),
        a_run("poly-1", 0),
    ]
    assert rows(page.answers(frames.of_runs(runs), exercises.FIXED)) == [
        ["fixed-0.5", 3, 1, "0.01 to 0.91", "0.500 ± 0.141", "0.8500 ± 0.0707", "0.9000"],
        ["fixed-1", 1, 1, "0.03 to 1.00", "-", "-", "-"],
    ]


def collapsed(name, *seeds, of=20):
    return [a_run(name, seed, C if seed in seeds else "trained") for seed in range(of)]


def test_who_collapses_is_compared_by_counts():
    """Of 20 each 8 and 0: C(20, 8) / C(40, 8) twice is 0.0033; times 3, by Holm, 0.0098.

    Of the 15 from seed 5 on 6 and 0: C(15, 6) / C(30, 6) twice is 0.0169, times 3 0.0506.
    """
    runs = collapsed("fixed-0.3") + collapsed("fixed-0.5", *range(3, 11))
    runs += collapsed("fixed-0.7", *range(8)) + collapsed("fixed-1", *range(8))
    assert rows(page.collapses(frames.of_runs(runs), exercises.FIXED)) == [
        [
            "fixed-0.5, fixed-0.3",
            "8 of 20, 0 of 20",
            "0.0098",
            "fewer under fixed-0.3",
            "not decided",
        ],
        ["fixed-0.7, fixed-0.5", "8 of 20, 8 of 20", "1.0000", "not decided", "not decided"],
        ["fixed-1, fixed-0.7", "8 of 20, 8 of 20", "1.0000", "not decided", "not decided"],
    ]


def test_seeds_that_had_been_looked_at_do_not_decide_alone():
    """The gain is in the first five; the others differ by as much either way."""
    noise = [0.1] * 5 + [0.001, -0.001] * 5
    runs = with_accuracies("fixed-0.3", *[0.8] * 15)
    runs += with_accuracies("poly-2", *(0.8 + extra for extra in noise))
    found = differences(runs, exercises.EXPONENT)
    assert rows(found)[0][-2:] == ["poly-2 is higher", "not decided"]
    assert found.columns[-1] == "seeds from 5 on"


def test_differences_are_taken_seed_by_seed():
    """By hand: 0.01, 0.02, 0.03 have the mean 0.02, sd 0.01, t 4.303: 0.02 ± 0.0248."""
    runs = with_accuracies("resnet-steps", 0.80, 0.85, 0.90)
    runs += with_accuracies("resnet-cosine", 0.81, 0.87, 0.93)
    expected = ["resnet-cosine - resnet-steps", 3, "+0.0200", "-0.0048 to +0.0448", "not decided"]
    assert rows(differences(runs, exercises.DEEPER)) == [expected]
    assert differences(runs, exercises.FIXED).empty


@pytest.mark.parametrize(("gain", "higher"), [(0.05, "poly-2"), (-0.05, "fixed-0.3")])
def test_a_difference_whose_interval_excludes_0_is_named(gain, higher):
    runs = with_accuracies("fixed-0.3", 0.8, 0.8, 0.8)
    runs += with_accuracies("poly-2", *(0.8 + gain + noise for noise in (0, 0.001, -0.001, 7)))
    (row,) = rows(differences(runs, exercises.EXPONENT))
    assert row[1] == 3, "the last has no partner"
    assert row[-1] == f"{higher} is higher"


def test_two_pairs_have_no_interval():
    runs = with_accuracies("fixed-0.3", 0.8, 0.8) + with_accuracies("poly-2", 0.9, 0.9)
    (row,) = rows(differences(runs, exercises.EXPONENT))
    assert row[1:] == [2, "+0.1000", "-", "not decided"]


def test_pairs_of_which_one_collapsed_are_left_out():
    runs = with_accuracies("fixed-0.3", 0.80, 0.81, 0.82, 0.83)
    runs += with_accuracies("poly-2", 0.85, 0.86, 0.87)
    runs.append(a_run("poly-2", 3, C, test_acc=0.1))
    (row,) = rows(differences(runs, exercises.EXPONENT))
    assert row[1:3] == [3, "+0.0500"]


def test_every_comparison_is_of_experiments_that_exist():
    for compared in (*page.COMPARED.values(), *page.COUNTED.values()):
        assert compared
        assert {name for pair in compared for name in pair} <= EXPERIMENTS.keys()


def test_the_study_is_as_large_as_it_says():
    runs = committed("exercises")
    seeds = {name: set() for name in EXPERIMENTS}
    for run in runs:
        experiment = EXPERIMENTS[run.experiment]
        assert run.settings == {**experiment.settings, "net": experiment.net or "lanes"}
        assert run.num_epochs == experiment.num_epochs
        seeds[run.experiment].add(run.seed)
    for exercise in EXERCISES:
        for experiment in exercise.experiments:
            assert seeds[experiment.name] == set(range(exercise.num_seeds)), experiment.name
    assert len(runs) == sum(map(len, seeds.values())), "each seed once"


def test_the_former_runs_are_those_of_lenet_with_the_former_fast_net():
    """Whose code is gone: they must still read."""
    former = record.read(FIGURES / "exercises" / "former.jsonl")
    for run in former:
        assert run.settings == {**EXPERIMENTS[run.experiment].settings, "net": "fast"}
    of_lenet = [run for run in committed("exercises") if run.settings["net"] != "resnet"]
    made = [{(run.experiment, run.seed, run.num_epochs) for run in of} for of in (former, of_lenet)]
    assert made[0] <= made[1]
    assert len(former) == len(made[0]), "each once"


def test_the_committed_page_has_every_exercise_and_figure():
    """That the page is made from the records: the command's test."""
    text = (FIGURES / "exercises" / "README.md").read_text(encoding="utf-8")
    assert re.findall("^## (.*)", text, re.MULTILINE) == [
        "1. A fixed learning rate",
        "2. The exponent of the decay",
        "3. Cosine against other schedules, with a deeper network",
        "4. How long a warmup?",
        "Lower the rate when progress stops",
    ]
    assert "nan" not in text
    linked = re.findall(r"\]\(([^)]*)\)", text)
    assert len(linked) == 6
    assert all((FIGURES / "exercises" / path).exists() for path in linked)


def test_a_page_of_what_there_is():
    text = page.as_page([a_run("poly-1"), a_run("warmup-0-peak-1")])
    assert re.findall("^## (.).*", text, re.MULTILINE) == ["2", "4"]
    assert "made by commit abc." in text
    assert not re.search(r"\| compared|\|  \|", text), "no table of nothing"
