from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from d2l_lrsched.explorer.settings import BOOK, READINGS, Settings
from d2l_lrsched.explorer.stored import Group, rates
from d2l_lrsched.explorer.svg import drawn, rates_svg, runs_svg
from made_up import a_run

RATES = {reading: rates(Settings.of(BOOK["cosine"]).scheduler(reading), 30 * 235)
         for reading in READINGS}  # fmt: skip


def test_the_lines_are_the_rates(curves_of):
    """A value to 1/500 of the axis, an update to one in ten thousand of the run."""
    panels = curves_of(rates_svg(RATES, "update", "en"))
    for curves, length in zip(panels, (30 * 235, 235)):
        for name, values in (
            ("update chosen", RATES["update"]),
            ("epoch other", RATES["epoch"]),
        ):
            updates = np.array([x for x, _ in curves[name]])
            assert np.abs(updates - updates.round()).max() < length / 10_000
            assert updates[0] == pytest.approx(1, abs=length / 10_000)
            assert updates[-1] == pytest.approx(length, abs=length / 10_000)
            expected = values[updates.round().astype(int) - 1]
            assert [y for _, y in curves[name]] == pytest.approx(expected, abs=1e-3)
    assert len(panels[1]["update chosen"]) == 235


@pytest.mark.parametrize("top", [1e-7, 0.3, 0.51, 2.0])
@pytest.mark.parametrize("num_epochs", [1, 35, 60])
def test_any_range_is_on_the_axes(top, num_epochs, curves_of):
    values = np.linspace(top, 0, num_epochs * 235)
    svg = rates_svg({"update": values, "epoch": values}, "epoch", "vi")
    line = curves_of(svg)[0]["epoch chosen"]
    (first, highest), (last, lowest) = line[0], line[-1]
    assert first == pytest.approx(1, abs=0.5)
    assert last == pytest.approx(num_epochs * 235, abs=0.5)
    assert (highest, lowest) == pytest.approx((top, 0), abs=top / 300)


def test_the_epochs_stand_over_the_updates():
    svg = rates_svg(RATES, "update", "en")
    whole = ElementTree.fromstring(f"<div>{svg}</div>").find(".//{*}svg")
    texts = {t.text: float(t.get("x")) for t in whole.findall("{*}text") if t.text in ("0", "30")}
    last = whole.findall("{*}polyline")[0].get("points").split()[-1]
    assert texts["30"] == float(last.split(",")[0])  # update 7050 is the end of epoch 30
    assert texts["0"] < texts["30"]


def test_rates_that_are_all_0_lie_on_the_axis(curves_of):
    values = np.zeros(235)
    whole, _ = curves_of(rates_svg({"update": values, "epoch": values}, "epoch", "en"))
    assert {y for _, y in whole["epoch chosen"]} == {0}


def test_the_chosen_reading_is_named_in_both_languages():
    english = rates_svg(RATES, "epoch", "en")
    assert "> read per epoch (chosen)<" in english
    assert "> read per update<" in english
    vietnamese = rates_svg(RATES, "epoch", "vi")
    assert "> đếm theo epoch (đang chọn)<" in vietnamese
    assert ">tốc độ học<" in vietnamese


def test_stored_runs_have_a_line_each_in_both_panels(curves_of):
    trained = a_run("constant", num_epochs=3, train_loss=0.7, test_acc=0.8)
    collapsed = a_run("constant", seed=1, num_epochs=3, outcome="collapsed", train_loss=2.3)
    group = Group("constant", 3, np.full(3 * 235, 0.3), (trained, trained, collapsed))
    svg = runs_svg([group], "en")
    loss, accuracy = curves_of(svg)
    assert len(loss["trained"]) == len(accuracy["trained"]) == 2 * 3
    assert [y for _, y in loss["collapsed"]] == pytest.approx([2.3] * 3, abs=1e-3)
    assert [x for x, _ in accuracy["trained"][:3]] == pytest.approx([1, 2, 3], abs=1e-3)
    assert accuracy["trained"][0][1] == pytest.approx(0.8, abs=1e-3)
    assert "> trained<" in svg
    assert "> collapsed<" in svg
    assert "> collapsed<" not in runs_svg([Group("constant", 3, group.rates, (trained,))], "en")


def test_a_run_of_one_epoch_is_a_point():
    group = Group("constant", 1, np.full(235, 0.3), (a_run("constant", num_epochs=1),))
    assert '<circle class="trained"' in runs_svg([group], "en")


@pytest.mark.parametrize("name", BOOK)
@pytest.mark.parametrize("reading", READINGS)
def test_what_is_drawn_lies_on_the_curve(name, reading):
    values = rates(Settings.of(BOOK[name]).scheduler(reading), 30 * 235)
    kept = drawn(values)
    between = np.interp(np.arange(len(values)), kept, values[kept])
    assert len(kept) <= 700
    assert np.abs(between - values).max() <= max(np.ptp(values), 1e-9) / 300


def test_jumps_stay_upright():
    values = np.repeat([0.5, 0.25], [16 * 235, 14 * 235])
    # The updates 3760 and 3761: the last of 16 epochs, and the first of the 17th.
    assert {16 * 235 - 1, 16 * 235} <= {*drawn(values)}
