from __future__ import annotations

import math

import numpy as np
import pytest

from d2l_lrsched.studies.chapter import figures_baseline, verdicts
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from made_up import a_run, an_epoch


def run(experiment, seed, train_loss=0.3, outcome="trained"):
    numbers = {"train_loss": train_loss, "train_acc": 0.9}
    epochs = [an_epoch(**numbers, test_acc=accuracy) for accuracy in (0.5, 0.85)]
    return a_run(experiment, seed, outcome, epochs=[*epochs[:1] * 29, epochs[1]])


@pytest.fixture
def runs():
    alive = [run(name, seed, 0.3 + seed / 100) for name in CHAPTER for seed in range(5)]
    return [
        *alive,
        run("cosine", 9, 2.303, "collapsed"),
        run("constant", 9, math.nan, "non-finite"),
    ]


@pytest.fixture
def panels(runs):
    return figures_baseline.baseline_figure(runs, verdicts.compare(runs)).axes


def rows_of(panel):
    return dict(zip((t.get_text() for t in panel.get_yticklabels()), panel.get_yticks()))


def test_dots_are_the_runs_that_trained(panels):
    loss = panels[0]
    dots = [line.get_xydata() for line in loss.lines if line.get_alpha() == 0.4]
    assert len(dots) == len(CHAPTER)
    for row, points in enumerate(dots):
        np.testing.assert_allclose(points[:, 0], [0.3, 0.31, 0.32, 0.33, 0.34])
        assert np.abs(points[:, 1] - row).max() < 0.5


def test_bars_and_marks_are_the_verdicts(runs, panels):
    found = verdicts.compare(runs)
    for panel, number in zip(panels, verdicts.NUMBERS):
        rows = rows_of(panel)
        for verdict in (v for v in found if v.number == number):
            (row,) = (y for label, y in rows.items() if label.split("\n")[0] == verdict.experiment)
            lines = [line for line in panel.lines if set(line.get_ydata()) == {row}]
            (bar,) = (line for line in lines if len(line.get_xdata()) == 2)
            assert tuple(bar.get_xdata()) == (verdict.low, verdict.high)
            (mark,) = (line for line in lines if len(line.get_xdata()) == 1)
            assert mark.get_xdata()[0] == getattr(PRINTED[verdict.experiment], number)
            style = figures_baseline._MARKERS[verdict.verdict]
            assert (mark.get_marker(), mark.get_color()) == (style["marker"], style["color"])


def test_verdicts_differ_in_shape_and_not_in_color_alone():
    shapes = [style["marker"] for style in figures_baseline._MARKERS.values()]
    assert len(set(shapes)) == 3


def test_the_dead_are_counted_and_squash_nothing(panels):
    loss = panels[0]
    labels = list(rows_of(loss))
    assert "cosine\n1 of 6 collapsed" in labels
    assert "constant\n1 of 6 collapsed" in labels
    assert loss.get_xlim()[1] < 1
    assert [text.get_text() for text in loss.texts] == ["the book's collapsed: 2.303"]


def test_without_runs_of_an_experiment_there_is_no_row():
    some = [run("cosine", seed, 0.36 + seed / 1000) for seed in range(3)]
    panel = figures_baseline.baseline_figure(some, verdicts.compare(some)).axes[0]
    assert list(rows_of(panel)) == ["cosine"]


def test_every_run_has_a_curve_and_the_dead_are_dashed(runs):
    panels = {a.get_title(): a for a in figures_baseline.curves_figure(runs).axes if a.get_title()}
    assert set(panels) == set(CHAPTER)
    styles = [line.get_linestyle() for line in panels["cosine"].lines]
    assert styles == ["-"] * 5 + ["--", "None"]  # the last is the book's ring
    for line in panels["cosine"].lines[:6]:
        assert list(line.get_ydata()) == [*[0.5] * 29, 0.85]
    ring = panels["cosine"].lines[-1].get_xydata()
    assert ring.tolist() == [[30, PRINTED["cosine"].test_acc]]
    assert len(panels["cosine-per-epoch"].lines) == 5
