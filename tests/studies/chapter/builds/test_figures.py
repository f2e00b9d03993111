from __future__ import annotations

from itertools import chain

from d2l_lrsched.studies.chapter.builds import figures
from d2l_lrsched.studies.chapter.published import PRINTED


def test_all_that_trained_is_drawn_and_the_chapters_numbers_are_marked(drawn, builds):
    figure = figures.builds(drawn, builds)
    left, right = figure.axes[2 * figures.SHOWN.index("cosine") :][:2]
    for axes, number in ((left, "train_loss"), (right, "test_acc")):
        lines = [line for line in axes.lines if line.get_marker() == "o"]
        shown = [sorted(line.get_xdata()) for line in lines]
        theirs = builds[(builds.experiment == "cosine") & builds.trained]
        assert shown[0] == sorted(theirs[number])
        ours = drawn[(drawn.experiment == "cosine") & drawn.trained]
        assert sorted(chain(*shown[1:])) == sorted(ours[number]), "none twice, none left out"
        (mark,) = (line for line in axes.lines if line.get_marker() == "D")
        assert mark.get_xdata() == [getattr(PRINTED["cosine"], number)]
    constant = figure.axes[2 * figures.SHOWN.index("constant")]
    assert "D" not in {line.get_marker() for line in constant.lines}, "the chapter's collapsed"


def test_no_draw_of_the_constant_is_drawn_twice(drawn, builds):
    """Its book's weights are those of a seed."""
    axes = figures.builds(drawn, builds).axes[0]
    shown = [line.get_xdata() for line in axes.lines if line.get_marker() == "o"]
    ours = drawn[(drawn.experiment == "constant") & drawn.trained]
    assert sum(len(x) for x in shown[1:]) == len(ours)
