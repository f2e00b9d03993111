from __future__ import annotations

import pytest

from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import figures as figures_exercises
from made_up import FIGURES, a_run

T, C = "trained", "collapsed"


def lines(axes):
    return [(line.get_label(), *map(list, line.get_data())) for line in axes.get_lines()]


def test_curves_are_the_runs_and_their_mean():
    runs = [
        a_run("poly-1", 0, test_acc=0.8, train_loss=0.6),
        a_run("poly-1", 1, test_acc=0.9, train_loss=0.4),
        a_run("poly-1", 2, C, test_acc=0.1, train_loss=2.3),
        a_run("poly-2", 0),
    ]
    figure = figures_exercises.curves_figure(runs, {"poly-1": "one", "poly-4": "four"})
    rates, losses, accuracies = figure.get_axes()
    assert [line.get_label() for line in rates.get_lines()][3:] == ["one (1 of 3 collapsed)"]
    for _, x, y in lines(rates):  # a straight line from 0.3 to 0 over 470 updates
        assert (len(x), x[0], x[-1]) == (470, pytest.approx(1 / 235), 2)
        assert y[0] == pytest.approx(0.3 * 469 / 470)
        assert y[234] == pytest.approx(0.15)
        assert y[-1] == 0
    drawn = [y for _, _, y in lines(accuracies)]
    assert drawn == [[0.8] * 2, [0.9] * 2, [0.1] * 2, pytest.approx([0.85] * 2)]
    assert lines(losses)[3][2] == pytest.approx([0.5] * 10)
    assert lines(losses)[3][1][4] == 1.0, "the last window of an epoch ends with it"


def test_the_fixed_rates_shares_and_accuracies():
    runs = [
        a_run("fixed-0.5", 0, test_acc=0.8),
        a_run("fixed-0.5", 1, C, test_acc=0.1),
        a_run("fixed-1", 0, C, test_acc=0.1),
    ]
    shares, accuracies = figures_exercises.fixed_figure(runs).get_axes()
    assert [text.get_text() for text in shares.texts] == ["1 of 2", "1 of 1"]
    points = [(x, y) for _, x, y in lines(shares) if len(x) == 1]
    assert points == [([0.5], [0.5]), ([1.0], [1.0])]
    # Clopper and Pearson by hand: of 1 in 1, 0.025 to 1.
    assert lines(shares)[2][2] == pytest.approx([0.025, 1])
    assert [y for _, _, y in lines(accuracies)] == [[0.8], [0.8], []]


def test_the_grid_of_warmups():
    runs = [
        a_run(exercises.warmup_name(0, 1.0), 0, C),
        a_run(exercises.warmup_name(0, 1.0), 1, C),
        a_run(exercises.warmup_name(0.4, 0.5), 0, test_acc=0.75),
        a_run(exercises.warmup_name(0.4, 0.5), 1, C),
    ]
    lost, accuracy = figures_exercises.warmup_figure(runs).get_axes()
    rows, columns = len(exercises.WARMUPS), len(exercises.PEAKS)
    assert lost.images[0].get_array().shape == (rows, columns)
    at = {text.get_text(): text.get_position() for text in lost.texts}
    assert at == {"2 of 2": (columns - 1, 0), "1 of 2": (0, rows - 1)}
    at = {text.get_text(): text.get_position() for text in accuracy.texts}
    assert at == {"none trained": (columns - 1, 0), "0.750": (0, rows - 1)}


def test_a_plateaus_rates_are_those_of_the_runs_own_losses():
    """The second epoch has the loss of the first: the third has a third of the rate."""
    rates = figures_exercises.rates_of(a_run("plateau", num_epochs=3))
    assert rates == pytest.approx([0.3] * 2 * 235 + [0.1] * 235)


def test_the_drawn_rates_are_the_recorded_ones():
    """Of every committed run, in the first and the last update of every epoch."""
    for run in store.read(FIGURES / "exercises" / "runs.jsonl"):
        rates = figures_exercises.rates_of(run).reshape(-1, 235)
        assert rates[:, 0] == pytest.approx([epoch.lr_first for epoch in run.epochs])
        assert rates[:, -1] == pytest.approx([epoch.lr_last for epoch in run.epochs])


def test_only_exercises_with_runs_are_drawn():
    drawn = figures_exercises.draw_all([a_run("plateau"), a_run("fixed-0.3")])
    assert list(drawn) == ["1-fixed-rate.svg", "plateau.svg"]
    assert set(figures_exercises.DRAWINGS) == {exercise.name for exercise in exercises.EXERCISES}
