from __future__ import annotations

import math

import pytest

from d2l_lrsched.history import Epoch, History


def history(*spreads, loss=0.5):
    return History([Epoch(loss, 0.8, 0.75, 0.1, 0.1, spread, 1.0) for spread in spreads])


def test_the_closing_line_is_the_chapters():
    assert str(history(1.0, loss=0.30661)) == "train loss 0.307, train acc 0.800, test acc 0.750"


def test_the_closing_line_says_since_when_a_run_is_dead():
    # Dead in epoch 1, alive in 2, dead from 3 on: rounding, or one relu with a pulse.
    assert str(history(0.0, 1.0, 1e-8, 2e-4)).endswith("since epoch 3)")


@pytest.mark.parametrize(
    ("measured", "outcome"),
    [
        (history(1.0), "trained"),
        (history(0.0, 0.011), "trained"),
        (history(1.0, 0.009), "collapsed"),
        (history(1.0, loss=math.nan), "non-finite"),
        (history(1.0, loss=math.inf), "non-finite"),
        (history(math.nan), "non-finite"),
    ],
)
def test_outcomes_go_by_the_last_epoch(measured, outcome):
    assert measured.outcome == outcome
    assert measured.collapsed == (outcome == "collapsed")
