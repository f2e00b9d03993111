from __future__ import annotations

import math
import pickle

import pytest

from d2l_lrsched.schedulers import (
    PerEpoch,
    PlateauScheduler,
    SequentialScheduler,
    WarmupScheduler,
    tell,
)
from d2l_lrsched.schedulers.scratch import LinearScheduler


def told(scheduler, metrics, each=10):
    for i, metric in enumerate(metrics, start=1):
        scheduler.tell(metric, i * each)
    return scheduler


def halving(patience=2, threshold=0.1, **arguments):
    return PlateauScheduler(1.0, 0.5, patience, threshold, **arguments)


def test_the_rate_drops_after_so_many_metrics_without_progress():
    """Best 5, 4; 3.7 is not below 3.6; 3.61 neither: drop. 3.0 < 3.6 improves; twice not: drop."""
    scheduler = told(halving(), [5, 4, 3.7, 3.61, 3.0, 2.9, 2.8, 2.0])
    assert scheduler.drops == (40, 70)
    assert [scheduler(n) for n in (0, 1, 40, 41, 70, 71, 10**6)] == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_exactly_the_threshold_is_no_improvement():
    assert told(halving(1, 0.5), [4, 2]).drops == (20,)
    assert told(halving(1, 0), [4, 4]).drops == (20,)
    assert told(halving(1, 0), [4, 3.999]).drops == ()


def test_patience_begins_anew_with_an_improvement_and_with_a_drop():
    assert told(halving(2, 0), [4, 4, 3, 3, 2, 2]).drops == ()
    assert told(halving(2, 0), [4, 4, 4, 4]).drops == (30,)
    assert told(halving(2, 0), [4, 4, 4, 4, 4]).drops == (30, 50)


def test_the_rate_stops_at_its_lowest():
    scheduler = told(halving(1, 0, stop_factor_lr=0.2), [1] * 10)
    assert scheduler(10**6) == 0.2


def test_what_is_not_finite_is_no_improvement():
    assert told(halving(2, 0), [4, math.nan, math.inf]).drops == (30,)
    assert told(halving(2, 0), [math.nan, math.nan]).drops == (20,)
    assert told(halving(2, 0), [4, -math.inf, 3, 3, 3]).drops == (50,)


def test_calling_changes_nothing():
    scheduler = told(halving(1, 0), [1, 1])
    order = [5, 100, 0, 21, 20]
    assert [scheduler(n) for n in order] == [1, 0.5, 1, 0.5, 1] == [scheduler(n) for n in order]
    assert scheduler == told(halving(1, 0), [1, 1])


def test_the_state_is_part_of_the_value_and_travels_in_a_pickle():
    ours, fresh = told(halving(2, 0), [1, 1]), halving(2, 0)
    copy = pickle.loads(pickle.dumps(WarmupScheduler(ours, 5))).scheduler
    assert copy == ours != fresh
    assert hash(copy) == hash(ours)
    for scheduler in (ours, copy):
        scheduler.tell(1, 30)
    assert copy.drops == ours.drops == (30,)
    assert eval(repr(ours)) == fresh


def test_behind_a_warmup_it_is_told_from_its_end_on():
    """20 updates of warmup: the metric after them is of the warmup, and of no use."""
    scheduler = WarmupScheduler(halving(1, 0), 20)
    told(scheduler, [1, 1, 1, 1])
    assert scheduler.scheduler.drops == (20,)
    assert [scheduler(n) for n in (0, 10, 20, 40, 41)] == [0, 0.5, 1, 1, 0.5]


def test_read_per_epoch_it_counts_epochs():
    scheduler = told(PerEpoch(halving(1, 0), 10), [1, 1, 1])
    assert scheduler.scheduler.drops == (1, 2)
    assert [scheduler(n) for n in (1, 20, 21, 30, 31)] == [1, 1, 0.5, 0.5, 0.25]


def test_of_schedulers_in_sequence_the_one_that_gave_the_rate_is_told():
    """By its own count; at 20, where the first one ends, the next has given the last rate."""
    first, last = halving(1, 0), halving(1, 0)
    scheduler = told(SequentialScheduler([(first, 20), (LinearScheduler(9), 20), last]), [1] * 6)
    assert (first.drops, last.drops) == ((), (10, 20))
    assert [scheduler(n) for n in (50, 51, 61)] == [1, 0.5, 0.25]


def test_those_that_need_no_metric_are_not_told():
    tell(None, 1.0, 1)
    tell(lambda n: 0.1, 1.0, 1)
    tell(LinearScheduler(9), 1.0, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_lr", 0),
        ("factor", 1.5),
        ("patience", 0),
        ("patience", 1.0),
        ("threshold", 1),
        ("threshold", -0.1),
        ("threshold", math.nan),
        ("stop_factor_lr", 2),
    ],
)
def test_arguments_that_cannot_be(name, value):
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        PlateauScheduler(**{"base_lr": 1.0, name: value})


@pytest.mark.parametrize("metric", ["0.5", None, True])
def test_metrics_that_cannot_be(metric):
    scheduler = halving()
    with pytest.raises(ValueError, match="metric must be a number"):
        scheduler.tell(metric, 10)
    assert scheduler == halving()


def test_below_0_a_share_less_is_a_lower_number():
    """-2 -> -2.3 is 15 % lower, -2.3 -> -2.4 is 4 % lower, -2.3 -> -2.6 is 13 % lower."""
    assert told(halving(1), [1.0, 0.0, -2.0, -2.3, -2.4, -2.6], each=1).drops == (5,)


def test_one_that_has_been_told_by_another_run_does_not_fit_a_new_one():
    scheduler = halving()
    scheduler.tell(1.0, 12)
    scheduler.check_fits(6, 12)  # a training that goes on after update 12
    for whole, begin in (
        (scheduler, 0),
        (WarmupScheduler(scheduler, 5), 16),
        (SequentialScheduler([(halving(), 5), scheduler]), 16),
        (PerEpoch(scheduler, 6), 71),
    ):
        with pytest.raises(ValueError, match=r"told of update 12, .* needs a new PlateauScheduler"):
            whole.check_fits(6, begin)


def test_a_count_that_goes_back_asks_for_a_new_scheduler():
    scheduler = told(halving(), [1])
    with pytest.raises(ValueError, match=r"above 10, .* got 10: .* new Plateau"):
        scheduler.tell(1, 10)
    with pytest.raises(ValueError, match="num_update must be an integer >= 0, got -1"):
        scheduler.tell(1, -1)
