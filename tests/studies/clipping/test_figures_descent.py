from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched.studies.clipping import figures_descent as figures_quadratic
from d2l_lrsched.studies.clipping.descent import Descent


def along(rate, clip_norm, distances):
    """A descent whose points lie at signed distances from 0 along (0.6, 0.8)."""
    r = np.array(distances)
    weights = list(zip((0.6 * r).tolist(), (0.8 * r).tolist()))
    return Descent(rate, clip_norm, weights, (r**2).tolist(), (2 * abs(r)).tolist())


@pytest.fixture
def descents():
    return [
        along(0.4, None, [5, 1, 0.2, 0.04]),
        along(0.4, 1.0, [5, 4.6, 4.2, 3.8]),
        along(0.9, None, [5, -4, 3.2, -2.56]),
        along(0.9, 1.0, [5, 4.1, 3.2, 2.3]),
        along(1.1, None, [5, -6, 7.2, -8.64]),
        along(1.1, 1.0, [5, 3.9, 2.8, 1.7]),
    ]


@pytest.fixture
def grid(descents):
    return np.reshape(figures_quadratic.quadratic_figure(descents).axes, (3, 3))


def curve(axes, clipped):
    (line,) = (line for line in axes.lines if line.get_marker() == ("o" if clipped else "D"))
    return line


def test_lines_are_the_descents(descents, grid):
    for i, descent in enumerate(descents):
        paths, norms, losses = (curve(axes, i % 2) for axes in grid[:, i // 2])
        np.testing.assert_array_equal(paths.get_xydata(), descent.weights)
        np.testing.assert_array_equal(norms.get_xydata(), list(enumerate(descent.norms)))
        np.testing.assert_array_equal(losses.get_xydata(), list(enumerate(descent.losses)))


def test_titles_scales_and_limits(grid):
    titles = [axes.get_title() for axes in grid[0]]
    assert titles == ["rate 0.4, fast", "rate 0.9, oscillating", "rate 1.1, diverging"]
    for axes in grid[1:].flat:
        assert axes.get_yscale() == "log"
    for row in grid:
        assert len({axes.get_ylim() for axes in row}) == 1  # comparable
    low, high = grid[0, 0].get_ylim()
    assert low < -6 < 5 < high < 8  # the diverging path leaves it


def test_the_threshold_is_drawn(grid):
    for paths, norms in grid[:2].T:
        (line,) = (line for line in norms.lines if line.get_linestyle() == ":")
        assert list(line.get_ydata()) == [1, 1]
        (circle,) = (patch for patch in paths.patches if patch.get_linestyle() == ":")
        assert circle.radius == 0.5


def test_the_loss_that_counts_as_settled_is_drawn(grid):
    for axes in grid[2]:
        (line,) = (line for line in axes.lines if line.get_linestyle() == "-.")
        assert list(line.get_ydata()) == [0.001, 0.001]


def test_with_and_without_differ_in_more_than_color(grid):
    for axes in grid.flat:
        clipped, unclipped = curve(axes, True), curve(axes, False)
        assert clipped.get_color() != unclipped.get_color()
        assert clipped.get_linestyle() != unclipped.get_linestyle()
        assert clipped.get_marker() != unclipped.get_marker()


def test_one_legend_names_all_lines(descents):
    figure = figures_quadratic.quadratic_figure(descents)
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[:2] == ["with clipping", "without clipping"]
    assert len(labels) == 4
    assert all(axes.get_legend() is None for axes in figure.axes)


def test_a_point_at_0_is_left_out_of_the_logarithms():
    figure = figures_quadratic.quadratic_figure([along(0.25, None, [5, 0])])
    paths, norms, losses = figure.axes
    assert paths.get_title() == "rate 0.25"
    np.testing.assert_array_equal(curve(norms, False).get_ydata(), [10, np.nan])
    np.testing.assert_array_equal(curve(losses, False).get_ydata(), [25, np.nan])
