from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched.studies.clipping import claims, figures
from d2l_lrsched.studies.clipping.descent import Descent
from d2l_lrsched.studies.clipping.experiments import COLLAPSE
from made_up import a_run

T, C = "trained", "collapsed"
LEVELS = {T: 0.5, C: 2.3}


def some_runs(outcomes):
    """Seeds 0 and 1 of every arm and remedy, which trained unless it is said otherwise."""
    return [
        a_run(name, seed, outcome, train_loss=LEVELS[outcome], test_acc=0.1 * (seed + 1))
        for name in (*claims.ARMS, claims.LOWER, *COLLAPSE)
        for seed, outcome in enumerate(outcomes.get(name, (T, T)))
    ]


@pytest.fixture(scope="module")
def runs():
    """Seed 1 collapses without a remedy, and with clipping seed 0 does."""
    return some_runs({"neither": (T, C), "rate-0.3": (T, C), "clipping": (C, T)})


def curves(axes):
    return [(line.get_linestyle(), *map(list, line.get_data())) for line in axes.get_lines()]


def test_the_arms_curves_are_the_runs(runs):
    panels = figures.arms(runs).get_axes()
    losses, accuracies = panels[:5], panels[5:]
    assert [axes.get_title() for axes in losses] == [
        "neither\n1 of 2 collapsed",
        "clipping\n1 of 2 collapsed",
        "scheduler\n0 of 2 collapsed",
        "both\n0 of 2 collapsed",
        "lower-rate\n0 of 2 collapsed",
    ]
    # The last window of an epoch, of 35 batches, ends with it.
    ends = pytest.approx([k * 50 / 234.375 for k in range(1, 5)] + [1.0])
    (solid, x, trained), (dashed, _, collapsed) = curves(losses[0])
    assert (solid, dashed) == ("-", "--")
    assert x[:5] == ends
    assert [value - 1 for value in x[5:]] == ends
    assert (trained, collapsed) == (pytest.approx([0.5] * 10), pytest.approx([2.3] * 10))
    assert {axes.get_ylim() for axes in losses} == {(0, 3)}, "though one loss runs away"
    assert curves(accuracies[0]) == [("-", [1, 2], [0.1] * 2), ("--", [1, 2], [0.2] * 2)]


def test_the_seeds_that_collapse_have_a_color_all_along_the_row(runs):
    panels = figures.collapse(runs).get_axes()
    assert [axes.get_title() for axes in panels] == [
        "rate-0.3\n1 of 2 collapsed",
        "rate-0.3-clipped\n0 of 2 collapsed",
        "rate-0.3-warmup\n0 of 2 collapsed",
        "",
        "",
        "neither\n1 of 2 collapsed",
        "clipping\n1 of 2 collapsed",
        "scheduler\n0 of 2 collapsed",
        "both\n0 of 2 collapsed",
        "lower-rate\n0 of 2 collapsed",
    ]
    for axes in (*panels[:3], *panels[5:]):
        other, colored = axes.get_lines()
        assert other.get_color() == "0.75"
        assert colored.get_color() != "0.75"
        assert colored.get_ydata()[0] == pytest.approx(LEVELS[C if colored.is_dashed() else T])
    assert panels[6].get_lines()[0].is_dashed(), "the one that collapses with clipping alone"


def test_a_row_without_a_collapse_is_left_out_unless_none_has_one():
    titles = [axes.get_title() for axes in figures.collapse(some_runs({"neither": (C, C)})).axes]
    assert [title.split("\n")[0] for title in titles] == [*claims.ARMS, claims.LOWER]
    without = figures.collapse(some_runs({})).axes
    assert [axes.get_title().split("\n")[1] for axes in without if axes.axison] == [
        "0 of 2 collapsed"
    ] * 8


def test_one_legend_names_all_lines(runs):
    for figure in (figures.arms(runs), figures.collapse(runs)):
        (legend,) = figure.legends
        shown = {(line.get_color(), line.is_dashed()) for line in legend.get_lines()}
        drawn = {(line.get_color(), line.is_dashed()) for a in figure.axes for line in a.lines}
        # One that collapses with a remedy only is dashed and has no color: two rows of the legend.
        assert drawn - {("0.75", True)} == shown


# The problem of two weights


def along(rate, clip_norm, distances):
    """A descent whose points lie at signed distances from 0 along (0.6, 0.8)."""
    r = np.array(distances)
    weights = list(zip((0.6 * r).tolist(), (0.8 * r).tolist()))
    return Descent(rate, clip_norm, weights, (r**2).tolist(), (2 * abs(r)).tolist())


DESCENTS = (
    along(0.4, None, [5, 1, 0.2, 0.04]),
    along(0.4, 1.0, [5, 4.6, 4.2, 3.8]),
    along(0.9, None, [5, -4, 3.2, -2.56]),
    along(0.9, 1.0, [5, 4.1, 3.2, 2.3]),
    along(1.1, None, [5, -6, 7.2, -8.64]),
    along(1.1, 1.0, [5, 3.9, 2.8, 1.7]),
)


@pytest.fixture(scope="module")
def grid():
    return np.reshape(figures.quadratic(DESCENTS).axes, (3, 3))


def curve(axes, clipped):
    (line,) = (line for line in axes.lines if line.get_marker() == ("o" if clipped else "D"))
    return line


def test_lines_are_the_descents(grid):
    for i, descent in enumerate(DESCENTS):
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


def test_the_threshold_and_the_settled_loss_are_drawn(grid):
    for paths, norms, losses in grid.T:
        (line,) = (line for line in norms.lines if line.get_linestyle() == ":")
        assert list(line.get_ydata()) == [1, 1]
        (circle,) = (patch for patch in paths.patches if patch.get_linestyle() == ":")
        assert circle.radius == 0.5
        (line,) = (line for line in losses.lines if line.get_linestyle() == "-.")
        assert list(line.get_ydata()) == [0.001, 0.001]


def test_with_and_without_differ_in_more_than_color(grid):
    for axes in grid.flat:
        clipped, unclipped = curve(axes, True), curve(axes, False)
        assert clipped.get_color() != unclipped.get_color()
        assert clipped.get_linestyle() != unclipped.get_linestyle()


def test_a_point_at_0_is_left_out_of_the_logarithms():
    paths, norms, losses = figures.quadratic([along(0.25, None, [5, 0])]).axes
    assert paths.get_title() == "rate 0.25"
    np.testing.assert_array_equal(curve(norms, False).get_ydata(), [10, np.nan])
    np.testing.assert_array_equal(curve(losses, False).get_ydata(), [25, np.nan])
