from __future__ import annotations

import math

import pytest

from d2l_lrsched.studies.clipping import measures
from d2l_lrsched.studies.clipping.measures import MEASURES
from d2l_lrsched.training.history import Point
from made_up import a_run, an_epoch, with_windows


def run(windows=((0.5,) * 5,), outcome="trained", seed=0, arm="both", num_epochs=None, **numbers):
    """A record of a run with these window means, five an epoch; each number one an epoch."""
    return a_run(arm, seed, outcome, num_epochs, **with_windows(*windows, **numbers))


def of(name, *arguments, **keywords):
    return of_run(name, run(*arguments, **keywords))


def of_run(name, run):
    return measures.measure([run])[name].item()


def test_roughness_is_the_sum_of_all_rises():
    """Within epochs 0.2 and 0.1, and 0.4 from the first to the second."""
    windows = [[2.0, 1.0, 1.2, 1.0, 0.6], [1.0, 0.8, 0.7, 0.8, 0.5]]
    assert of("roughness", windows) == pytest.approx(0.2 + 0.4 + 0.1)
    assert of("roughness", [[2.0, 1.0, 0.9, 0.8, 0.7]]) == 0


def test_roughness_of_a_run_that_overflowed_is_unknown():
    one = run([[2.0, 1.0, 1.0, 1.0, 1.0]] * 2)
    one.epochs[0] = an_epoch(train_loss=math.inf)
    one.points[2:4] = [Point(p.epoch, math.inf, 0.0) for p in one.points[2:4]]
    assert math.isnan(of_run("roughness", one))


@pytest.mark.parametrize(
    ("outcome", "survived"), [("trained", 1), ("collapsed", 0), ("non-finite", 0)]
)
def test_survival(outcome, survived):
    assert of("survival", outcome=outcome) == survived


@pytest.mark.parametrize(
    ("accuracies", "epochs"), [((0.85, 0.9, 0.9), 1), ((0.8499, 0.86, 0.84), 2), ((0.84,) * 3, 4)]
)
def test_epochs_to_the_goal(accuracies, epochs):
    """One more than the three asked for where it is not reached."""
    assert of("epochs to 0.85", [(0.5,) * 5] * 3, test_acc=accuracies) == epochs


def test_final_numbers_are_the_last_epochs():
    numbers = {"train_acc": (0.5, 0.91), "test_acc": (0.5, 0.87), "train_loss": (9.0, 0.25)}
    windows = [(0.5,) * 5] * 2
    assert of("final loss", windows, **numbers) == 0.25
    assert of("test accuracy", windows, **numbers) == 0.87
    assert of("overfitting", windows, **numbers) == pytest.approx(0.04)


@pytest.mark.parametrize("outcome", ["collapsed", "non-finite"])
def test_a_run_that_did_not_train_has_no_number_but_that(outcome):
    found = measures.measure([run([(0.5,) * 5] * 5, outcome)]).iloc[0]
    assert found["survival"] == 0
    assert found.drop("survival").isna().all()
    assert measures.measure([run([(0.5,) * 5] * 5)]).iloc[0].notna().all()


def test_measures_as_a_table():
    runs = [run(seed=3, outcome="collapsed"), run(seed=1, arm="neither", test_acc=(0.86,))]
    table = measures.measure(runs)
    assert list(table.index) == [("both", 3), ("neither", 1)]
    assert list(table.columns) == list(MEASURES)
    assert list(table["survival"]) == [0, 1]
    assert list(table["test accuracy"])[1] == 0.86
    assert list(table["roughness"].isna()) == [True, False]
    assert len(measures.measure([])) == 0
