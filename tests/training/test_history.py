from __future__ import annotations

import math

import pytest

from d2l_lrsched.training.history import Epoch, History, of_norms


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


def test_skipped_updates_are_counted_and_told():
    epochs = [Epoch(0.5, 0.8, 0.75, 0.1, 0.1, 1.0, 1.0, 1.0, 2.0, 0.5, n) for n in (2, 0, 1)]
    assert History(epochs).skipped == 3
    assert str(History(epochs)).endswith("(3 updates skipped: their gradient was not finite)")
    assert history(1.0).skipped == 0


def test_a_skipped_update_spoils_the_loss_but_not_the_network():
    def ended(spread, norm_median, skipped):
        return History(
            [Epoch(math.nan, 0.8, 0.75, 0.1, 0.1, spread, 1.0, norm_median, 2.0, 0.0, skipped)]
        )

    assert ended(1.0, 0.5, 1).outcome == "trained"
    assert ended(0.001, 0.5, 1).outcome == "collapsed"
    assert ended(1.0, math.nan, 9).outcome == "non-finite", "all were skipped"
    assert ended(math.nan, 0.5, 1).outcome == "non-finite"
    assert ended(1.0, 0.5, 0).outcome == "non-finite"


def test_what_an_epoch_says_of_its_norms():
    """Above the threshold are 2 of 5 updates; what is not finite was skipped, not clipped.

    Of five steps the first is kept whole, two by a quarter and a third, and two not at all.
    """
    assert of_norms([0.5, 4.0, math.inf, 3.0, math.nan], clip_norm=1) == {
        "norm_median": 3.0,
        "norm_max": 4.0,
        "clipped": 0.4,
        "skipped": 2,
        "kept": (1 + 1 / 4 + 1 / 3) / 5,
    }
    none = of_norms([math.nan], clip_norm=1)
    assert math.isnan(none["norm_median"])
    assert math.isnan(none["norm_max"])
    assert (none["clipped"], none["skipped"], none["kept"]) == (0, 1, 0)
