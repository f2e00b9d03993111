from __future__ import annotations

from math import cos, pi

import pytest

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS


def test_every_experiment_has_a_name_of_its_own():
    assert list(EXPERIMENTS) == [name for exercise in EXERCISES for name in exercise.names]


def test_runs_that_are_compared_are_of_one_length():
    alike = (exercises.FIXED, exercises.EXPONENT, exercises.PLATEAU)
    assert {e.num_epochs for exercise in alike for e in exercise.experiments} == {8}
    assert len({exercise.num_seeds for exercise in alike}) == 1
    for exercise in EXERCISES:
        assert len({e.num_epochs for e in exercise.experiments}) == 1, exercise.name


def test_the_grids_have_the_books_rate():
    assert CHAPTER["constant"].learning_rate in exercises.FIXED_RATES
    assert CHAPTER["constant"].learning_rate == exercises.POLY_RATE


def test_the_polynomial_by_hand():
    """Half of 100 updates are left at 50: the rate is a half, to the power."""
    for pwr in exercises.EXPONENTS:
        scheduler = exercises.poly(100, base_lr=0.3, pwr=pwr)
        rates = [scheduler(n) for n in (0, 50, 100)]
        assert rates == pytest.approx([0.3, 0.3 * 0.5**pwr, 0])


def test_the_warmup_is_a_share_of_the_run_and_the_cosine_takes_the_rest():
    scheduler = exercises.cosine(200, base_lr=0.5, warmup=0.1)
    assert [scheduler(n) for n in (0, 5, 10, 20)] == pytest.approx([0, 0.125, 0.25, 0.5])
    assert scheduler(110) == pytest.approx(0.25)
    assert scheduler(65) == pytest.approx(0.25 * (1 + cos(pi / 4)))
    assert scheduler(200) == pytest.approx(0)
    assert exercises.cosine(200, base_lr=0.5)(0) == 0.5


def test_the_steps_by_hand():
    """Of 8 updates, counted from 1: four at the rate, two at a tenth, two at a hundredth."""
    scheduler = exercises.steps(8, base_lr=0.5)
    assert [scheduler(n) for n in range(1, 9)] == [0.5] * 4 + [0.05] * 2 + [0.005] * 2


def test_every_run_has_a_plateau_of_its_own():
    """A scheduler with a state must not go from one run of a process to the next."""
    for experiment in exercises.PLATEAU.experiments:
        one, other = (experiment.prepare(235)[0]["lr_scheduler"] for _ in range(2))
        for n in (235, 470, 705):
            one.tell(1.0, n)
        assert one.scheduler.drops
        assert not other.scheduler.drops
    assert one.warmup_steps == UPDATES_PER_EPOCH


def test_a_third_where_the_loss_is_not_a_tenth_lower():
    scheduler = exercises.plateau(0.3)
    for n, loss in enumerate((1.0, 0.89, 0.81, 0.72), start=1):  # 0.89 * 0.9 is 0.801
        scheduler.tell(loss, n)
    assert [scheduler(n) for n in (3, 4, 5)] == pytest.approx([0.3, 0.1, 0.1])


def test_settings_tell_all_experiments_apart():
    """What they say is held by the committed records, in test_page."""
    everything = [(e.num_epochs, e.net, tuple(e.settings.items())) for e in EXPERIMENTS.values()]
    assert len(set(everything)) == len(everything)
