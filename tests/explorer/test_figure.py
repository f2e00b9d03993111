from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from d2l_lrsched.explorer.figure import rates_svg, runs_svg
from d2l_lrsched.explorer.model import BOOK, Stored, rates
from made_up import a_run

UPDATE = rates(BOOK["cosine"].scheduler("update"), 30 * 235)
EPOCH = rates(BOOK["cosine"].scheduler("epoch"), 30 * 235)


def test_the_lines_are_the_rates(curves_of):
    """A value to 1/500 of the axis, an update to one in ten thousand of the run."""
    curves = curves_of(rates_svg(UPDATE, EPOCH, "update", "en"))
    for name, values, length in (
        ("rate", UPDATE, 30 * 235),
        ("other-reading", EPOCH, 30 * 235),
        ("first-epoch-rate", UPDATE, 235),
        ("first-epoch-other-reading", EPOCH, 235),
    ):
        updates = np.array([x for x, _ in curves[name]])
        assert np.abs(updates - updates.round()).max() < length / 10_000
        assert updates[0] == pytest.approx(1, abs=length / 10_000)
        assert updates[-1] == pytest.approx(length, abs=length / 10_000)
        expected = values[updates.round().astype(int) - 1]
        assert [y for _, y in curves[name]] == pytest.approx(expected, abs=1e-3)
    assert len(curves["first-epoch-rate"]) == 235


def test_a_drag_moves_the_lines_in_the_same_frame(curves_of):
    before = rates_svg(UPDATE, EPOCH, "update", "en")
    after = rates_svg(0.9 * UPDATE, EPOCH, "update", "en")
    assert curves_of(after)["rate"][0][1] == pytest.approx(0.9 * UPDATE[0], abs=1e-3)
    without_lines = [re.sub(r'd="M[\d.L ]+"', "", svg) for svg in (before, after)]
    assert without_lines[0] == without_lines[1]


@pytest.mark.parametrize("top", [1e-7, 0.3, 0.51, 2.0])
@pytest.mark.parametrize("num_epochs", [5, 35, 60])
def test_any_range_is_on_the_axes(top, num_epochs, curves_of):
    values = np.linspace(top, 0, num_epochs * 235)
    drawn = curves_of(rates_svg(values, values, "epoch", "vi"))["rate"]
    (first, highest), (last, lowest) = drawn[0], drawn[-1]
    assert first == pytest.approx(1, abs=0.5)
    assert last == pytest.approx(num_epochs * 235, abs=0.5)
    assert (highest, lowest) == pytest.approx((top, 0), abs=top / 300)


def test_rates_that_are_all_0():
    assert rates_svg(np.zeros(235), np.zeros(235), "epoch", "en")


def test_texts_are_texts_in_both_languages():
    english = rates_svg(UPDATE, EPOCH, "epoch", "en")
    assert ">read per epoch (chosen)<" in english
    assert ">learning rate<" in english
    vietnamese = rates_svg(UPDATE, EPOCH, "epoch", "vi")
    assert ">đếm theo epoch (đang chọn)<" in vietnamese
    assert ">tốc độ học<" in vietnamese


def lines(svg):
    groups = ElementTree.fromstring(svg).findall(".//{*}g")
    paths = (g.find("{*}path") for g in groups if g.get("id").startswith("line2d"))
    styles = [p.get("style", "") for p in paths if p is not None]
    return [style for style in styles if "#dddddd" not in style]


def test_stored_runs_have_a_line_each_in_both_panels():
    living = a_run("constant", num_epochs=3)
    dead = a_run("constant", seed=1, num_epochs=3, outcome="collapsed")
    group = Stored("constant", 3, np.full(3 * 235, 0.3), (living, living, dead))
    drawn = lines(runs_svg([group], "en"))
    # Two for the legend besides; the collapsed are dotted.
    assert len(drawn) == 2 * 3 + 2
    assert sum("stroke-dasharray" in style for style in drawn) == 2 + 1


def test_a_run_of_one_epoch_is_a_point():
    group = Stored("constant", 1, np.full(235, 0.3), (a_run("constant", num_epochs=1),))
    assert "<use" in runs_svg([group], "en")
