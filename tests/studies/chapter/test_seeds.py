from __future__ import annotations

import math

import numpy as np
import pytest

from d2l_lrsched import drawing
from d2l_lrsched.studies.chapter import seeds, verdicts
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.published import PRINTED
from made_up import FIGURES, a_run, an_epoch, committed


def run(experiment, seed, train_loss=0.3, outcome="trained"):
    numbers = {"train_loss": train_loss, "train_acc": 0.9}
    epochs = [an_epoch(**numbers, test_acc=accuracy) for accuracy in (0.5, 0.85)]
    return a_run(experiment, seed, outcome, epochs=[*epochs[:1] * 29, epochs[1]])


@pytest.fixture(scope="module")
def runs():
    trained = [run(name, seed, 0.3 + seed / 100) for name in EXPERIMENTS for seed in range(5)]
    return [
        *trained,
        run("cosine", 9, 2.303, "collapsed"),
        run("constant", 9, math.nan, "non-finite"),
    ]


@pytest.fixture(scope="module")
def panels(runs):
    return seeds.baseline(runs).axes


def rows_of(panel):
    return dict(zip((t.get_text() for t in panel.get_yticklabels()), panel.get_yticks()))


def test_dots_are_the_runs_that_trained(panels):
    dots = [line.get_xydata() for line in panels[0].lines if line.get_alpha() == 0.4]
    assert len(dots) == len(EXPERIMENTS)
    for row, points in enumerate(dots):
        np.testing.assert_allclose(points[:, 0], [0.3, 0.31, 0.32, 0.33, 0.34])
        assert np.abs(points[:, 1] - row).max() < 0.5


def test_bars_and_marks_are_the_verdicts(runs, panels):
    judged = verdicts.compare(runs)
    for panel, number in zip(panels, verdicts.NUMBERS):
        rows = {label.split("\n")[0]: y for label, y in rows_of(panel).items()}
        for verdict in (v for v in judged if v.number == number):
            row = rows[verdict.experiment]
            lines = [line for line in panel.lines if set(line.get_ydata()) == {row}]
            (bar,) = (line for line in lines if len(line.get_xdata()) == 2)
            assert tuple(bar.get_xdata()) == (verdict.low, verdict.high)
            (mark,) = (line for line in lines if len(line.get_xdata()) == 1)
            assert mark.get_xdata()[0] == getattr(PRINTED[verdict.experiment], number)
            style = seeds.MARKERS[verdict.verdict]
            assert (mark.get_marker(), mark.get_color()) == (style["marker"], style["color"])


def test_verdicts_differ_in_shape_and_not_in_color_alone():
    assert len({style["marker"] for style in seeds.MARKERS.values()}) == len(seeds.MARKERS) == 3


def test_the_collapsed_are_counted_and_squash_nothing(panels):
    loss = panels[0]
    labels = list(rows_of(loss))
    assert "cosine\n1 of 6 collapsed" in labels
    assert "constant\n1 of 6 collapsed" in labels
    assert loss.get_xlim()[1] < 1
    assert [text.get_text() for text in loss.texts] == ["the book's collapsed: 2.303"]


def test_without_runs_of_an_experiment_there_is_no_row_and_too_few_have_no_bar():
    figure = seeds.baseline([run("cosine", 0)])
    for panel in figure.axes:
        assert list(rows_of(panel)) == ["cosine"]
        assert [len(line.get_xdata()) for line in panel.lines] == [1, 1], "ours and the book's"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:1] == ["one of our runs"]
    assert len(legend.get_texts()) == 2


def test_every_run_has_a_curve_and_the_collapsed_are_dashed(runs):
    panels = {axes.get_title(): axes for axes in seeds.curves(runs).axes if axes.get_title()}
    assert set(panels) == set(EXPERIMENTS)
    styles = [line.get_linestyle() for line in panels["cosine"].lines]
    assert styles == ["-"] * 5 + ["--", "None"]  # the last is the book's ring
    for line in panels["cosine"].lines[:6]:
        assert list(line.get_ydata()) == [*[0.5] * 29, 0.85]
    ring = panels["cosine"].lines[-1].get_xydata()
    assert ring.tolist() == [[30, PRINTED["cosine"].test_acc]]
    assert len(panels["cosine-per-epoch"].lines) == 5


def test_the_committed_figures_are_drawn_from_the_committed_runs(tmp_path):
    full = verdicts.distinct(run for run in committed("chapter") if run.num_epochs == 30)
    for file, draw in seeds.FIGURES.items():
        drawn = drawing.save(draw(full), tmp_path / file).read_bytes()
        assert drawn == (FIGURES / "chapter" / file).read_bytes(), file
