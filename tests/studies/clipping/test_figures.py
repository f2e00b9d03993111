from __future__ import annotations

import pytest

from d2l_lrsched.studies.clipping import claims
from d2l_lrsched.studies.clipping import figures as figures_clipping
from d2l_lrsched.studies.clipping.experiments import COLLAPSE
from made_up import a_run

T, C = "trained", "collapsed"
LEVELS = {T: 0.5, C: 2.3}


@pytest.fixture
def runs():
    """Seeds 0 and 1 of every arm and remedy; seed 1 dies without, and `clipping` kills seed 0."""
    outcomes = {"neither": (T, C), "rate-0.3": (T, C), "clipping": (C, T)}
    return [
        a_run(name, seed, outcome, train_loss=LEVELS[outcome], test_acc=0.1 * (seed + 1))
        for name in (*claims.ARMS, *COLLAPSE)
        for seed, outcome in enumerate(outcomes.get(name, (T, T)))
    ]


def curves(axes):
    return [(line.get_linestyle(), *map(list, line.get_data())) for line in axes.get_lines()]


def test_the_arms_curves_are_the_runs(runs):
    panels = figures_clipping.arms_figure(runs).get_axes()
    losses, accuracies = panels[:4], panels[4:]
    assert [axes.get_title() for axes in losses] == [
        "neither\n1 of 2 collapsed",
        "clipping\n1 of 2 collapsed",
        "scheduler\n0 of 2 collapsed",
        "both\n0 of 2 collapsed",
    ]
    # The last window of an epoch, of 35 batches, ends with it.
    ends = pytest.approx([k * 50 / 234.375 for k in range(1, 5)] + [1.0])
    (solid, x, alive), (dashed, _, dead) = curves(losses[0])
    assert (solid, dashed) == ("-", "--")
    assert x[:5] == ends
    assert [value - 1 for value in x[5:]] == ends
    assert (alive, dead) == (pytest.approx([0.5] * 10), pytest.approx([2.3] * 10))
    assert curves(accuracies[0]) == [("-", [1, 2], [0.1] * 2), ("--", [1, 2], [0.2] * 2)]


def test_the_seeds_that_die_have_a_color_all_along_the_row(runs):
    panels = figures_clipping.collapse_figure(runs).get_axes()
    titles = [axes.get_title() for axes in panels]
    assert titles == [
        "rate-0.3\n1 of 2 seeds collapsed",
        "rate-0.3-clipped\n1 of 1 saved, 0 others lost",
        "rate-0.3-warmup\n1 of 1 saved, 0 others lost",
        "",
        "neither\n1 of 2 seeds collapsed",
        "clipping\n1 of 1 saved, 1 others lost",
        "scheduler\n1 of 1 saved, 0 others lost",
        "both\n1 of 1 saved, 0 others lost",
    ]
    for axes in (*panels[:3], *panels[4:]):
        other, died = axes.get_lines()
        assert other.get_color() == "0.75"
        assert died.get_color() != "0.75"
        assert died.get_ydata()[0] == pytest.approx(LEVELS[C if died.is_dashed() else T])
    assert panels[5].get_lines()[0].is_dashed(), "the one that clipping kills"
