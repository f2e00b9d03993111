from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched.studies.exercises import experiments, figures
from made_up import a_run, an_epoch

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
    figure = figures.curves(runs, {"poly-1": "one", "poly-4": "four"})
    rates, losses, accuracies = figure.get_axes()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one (1 of 3 collapsed)"]
    for _, x, y in lines(rates):  # a straight line from 0.3 to 0 over 470 updates
        assert (len(x), x[0], x[-1]) == (470, pytest.approx(1 / 235), 2)
        assert y[0] == pytest.approx(0.3 * 469 / 470)
        assert y[234] == pytest.approx(0.15)
        assert y[-1] == 0
    drawn = [y for _, _, y in lines(accuracies)]
    assert drawn == [[0.8] * 2, [0.9] * 2, [0.1] * 2, pytest.approx([0.85] * 2)]
    assert lines(losses)[3][2] == pytest.approx([0.5] * 10)
    assert lines(losses)[3][1][4] == 1.0, "the last window of an epoch ends with it"


def test_each_seed_of_a_plateau_has_the_rates_of_its_own_losses():
    stuck = a_run("plateau", 0, num_epochs=3)
    epochs = [an_epoch(train_loss=loss) for loss in (0.5, 0.4, 0.3)]
    falling = a_run("plateau", 1, epochs=epochs)
    rates = figures.curves([stuck, falling], {"plateau": "a plateau"}).axes[0]
    first, second, mean = (y for _, _, y in lines(rates))
    assert first == pytest.approx([0.3] * 470 + [0.1] * 235)
    assert second == [0.3] * 705
    assert mean == pytest.approx([0.3] * 470 + [0.2] * 235)


def test_the_fixed_rates_shares_and_accuracies():
    runs = [
        a_run("fixed-0.5", 0, test_acc=0.8),
        a_run("fixed-0.5", 1, C, test_acc=0.1),
        a_run("fixed-1", 0, C, test_acc=0.1),
    ]
    shares, accuracies = figures.fixed_rates(runs).get_axes()
    assert [text.get_text() for text in shares.texts] == ["1 of 2", "1 of 1"]
    points = [(x, y) for _, x, y in lines(shares) if len(x) == 1]
    assert points == [([0.5], [0.5]), ([1.0], [1.0])]
    # Clopper and Pearson by hand: of 1 in 1, 0.025 to 1.
    assert lines(shares)[2][2] == pytest.approx([0.025, 1])
    drawn = [y for _, _, y in lines(accuracies)]
    assert drawn == [[0.8], [0.8], [], [pytest.approx(np.nan, nan_ok=True)]]


def test_the_grid_of_warmups():
    runs = [
        a_run(experiments.warmup_name(0, 1.0), 0, C),
        a_run(experiments.warmup_name(0, 1.0), 1, C),
        a_run(experiments.warmup_name(0.4, 0.5), 0, test_acc=0.75),
        a_run(experiments.warmup_name(0.4, 0.5), 1, C),
    ]
    collapsed, accuracy = figures.warmups(runs).get_axes()
    rows, columns = len(experiments.WARMUPS), len(experiments.PEAKS)
    for axes, value in ((collapsed, 0.5), (accuracy, 0.75)):
        values = axes.images[0].get_array()
        assert values.shape == (rows, columns)
        assert values[rows - 1, 0] == value
    for axes, texts in (
        (collapsed, {"2 of 2": (columns - 1, 0), "1 of 2": (0, rows - 1)}),
        (accuracy, {"none trained": (columns - 1, 0), "0.750": (0, rows - 1)}),
    ):
        assert {t.get_text(): t.get_position() for t in axes.texts if t.get_text()} == texts


def test_only_exercises_with_runs_are_drawn():
    drawn = figures.draw_all([a_run("plateau"), a_run("fixed-0.1")])
    assert list(drawn) == ["1-fixed-rate.svg", "plateau.svg"]
    assert list(figures.FIGURES) == [exercise.figure for exercise in experiments.EXERCISES]
