from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from d2l_lrsched.runs import frames
from d2l_lrsched.training import loop
from d2l_lrsched.training.history import Point
from made_up import a_run, an_epoch, with_windows


def test_a_row_a_run_holds_the_last_epochs_numbers():
    epochs = [an_epoch(test_acc=0.5), an_epoch(test_acc=0.8)]
    collapsed = a_run("cosine", 3, "collapsed", seconds=7.0)
    table = frames.of_runs([a_run("both", 0, epochs=epochs, seconds=99.0), collapsed])
    assert list(table.index) == [("both", 0), ("cosine", 3)]
    assert list(table.test_acc) == [0.8, 0.5]
    assert list(table.trained) == [True, False]
    assert list(table.outcome) == ["trained", "collapsed"]
    assert list(table.num_epochs) == [2, 2]
    assert list(table.seconds) == [99.0, 7.0], "the whole run's"
    assert table.run["cosine", 3] is collapsed
    assert list((~table.trained).groupby("experiment", sort=False).sum()) == [0, 1]


def test_what_is_not_finite_or_not_measured_is_nan():
    clipped = a_run("both", norm_median=math.nan, norm_max=math.nan, clipped=0.0, skipped=2)
    table = frames.of_runs([a_run(train_loss=math.nan), clipped])
    assert table.train_loss.isna().tolist() == [True, False]
    assert table.norm_median.isna().tolist() == [True, True]
    assert table.skipped.isna().tolist() == [True, False]


def test_a_row_an_epoch_counts_from_1():
    epochs = [an_epoch(seconds=1.0), an_epoch(seconds=2.0)]
    table = frames.of_epochs([a_run("both", 0, epochs=epochs), a_run("both", 5)])
    assert list(table.index) == [(*("both", seed), n) for seed in (0, 5) for n in (1, 2)]
    assert list(table.seconds) == [1.0, 2.0, 0.5, 0.5]


def test_a_row_a_window_ends_where_its_examples_do():
    """Windows of 12,800 of 60,000 images each; the fifth, of 8,800, ends with the epoch."""
    table = frames.of_windows([a_run("both", 3, train_loss=0.25), a_run("both", 5)])
    assert list(table.index.get_level_values("seed")) == [3] * 10 + [5] * 10
    ends = [12.8 / 60, 25.6 / 60, 38.4 / 60, 51.2 / 60, 1]
    places = frames.of_experiment(table, "both")[3].index
    assert list(places) == pytest.approx([*ends, *(1 + end for end in ends)])
    assert list(table) == pytest.approx([0.25] * 10 + [0.5] * 10)
    assert len(frames.of_windows([])) == 0


def test_a_window_is_what_the_training_loop_shows():
    assert frames.WINDOW == loop.DISPLAY_EVERY


def test_window_means_worked_by_hand():
    """2 over 12,800 examples, then 1: (2 + 1) / 2, (2 + 1 + 1) / 3 ..., 72,800 / 60,000."""
    averages = {0.2: 2.0, 0.4: 3 / 2, 0.6: 4 / 3, 0.8: 5 / 4}
    points = [Point(epoch, loss, 0.0) for epoch, loss in averages.items()]
    one = a_run("both", num_epochs=1, points=points, train_loss=72_800 / 60_000)
    assert frames.window_means(one) == pytest.approx([2, 1, 1, 1, 1], abs=1e-12)


def test_window_means_are_recovered_in_order():
    windows = np.random.default_rng(0).uniform(0.2, 2.3, size=(10, 5))
    one = a_run("both", **with_windows(*windows))
    assert frames.window_means(one) == pytest.approx(windows.ravel(), abs=1e-12)


def test_a_curve_of_another_length_is_refused():
    one = a_run("both", 3, num_epochs=1)
    one.points.pop()
    with pytest.raises(ValueError, match="both, seed 3: 3 points in 1 epochs, not 4 an epoch"):
        frames.window_means(one)


def test_a_curve_of_shorter_epochs_is_refused():
    """With 5,000 held out there are 4 points as well, but the last window has 15 batches."""
    one = a_run("both", 3, settings={"net": "lanes", "held_out": 5000})
    with pytest.raises(ValueError, match="both, seed 3: its epochs have not 60000 examples"):
        frames.window_means(one)


def test_one_experiments_rows_are_by_seed_and_there_may_be_none():
    runs = [a_run("both", 4), a_run("neither", 1), a_run("both", 2)]
    table = frames.of_runs(runs)
    assert list(frames.of_experiment(table, "both").index) == [4, 2]
    assert list(frames.of_experiment(table.test_acc, "neither").index) == [1]
    assert len(frames.of_experiment(table, "cosine")) == 0
    nothing = frames.of_runs([])
    assert len(frames.of_experiment(nothing, "both").query("trained")) == 0
    assert (~nothing.trained).sum() == 0
    assert len(frames.of_epochs([])) == 0


TABLE = pd.DataFrame({"a": ["long", "s"], "bb": ["1", ""]})


def test_markdown():
    assert frames.markdown(TABLE) == "| a | bb |\n| --- | --- |\n| long | 1 |\n| s |  |"
    assert frames.markdown(TABLE[:0]) == "| a | bb |\n| --- | --- |"


def test_text_is_aligned_and_whole():
    assert frames.text(TABLE) == "a     bb\nlong  1\ns"
    assert "x" * 300 in frames.text(pd.DataFrame({"a": ["x" * 300]}))
    assert len(frames.text(pd.DataFrame({"a": ["x"] * 300})).splitlines()) == 301


def test_late_oscillation_is_that_of_the_last_five_epochs():
    """0.80, 0.81, ..., 0.84: the sum of squares from the middle is 2 (1 + 4) 1e-4, of 5 numbers."""
    late = [an_epoch(test_acc=acc) for acc in (0.81, 0.80, 0.84, 0.82, 0.83)]
    found = frames.late_oscillation(a_run(epochs=[an_epoch(test_acc=0.1), *late]))
    assert found == pytest.approx(math.sqrt(1e-3 / 4))
    assert math.isnan(frames.late_oscillation(a_run(epochs=late[:4])))
