"""One cycle and restarts: values by hand, then PyTorch's."""

from __future__ import annotations

import math
import pickle
import random
import warnings

import pytest

import d2l_lrsched as lrs
from d2l_lrsched.schedulers.cycles import one_cycle, restarts

HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        # 0.3 * 10 is 3: half a wave from 0.2 over the updates 1 to 3, then one over 3 to 10
        (
            one_cycle(10, 1.0, 0.2),
            [0.2, 0.2, 0.6, 1, *((1 + math.cos(math.pi * k / 7)) / 2 for k in range(1, 8)), 0, 0],
        ),
        # 0.3 * 12 is 3.6, so the peak is at 4, and the fall has 8 updates
        (
            one_cycle(12, 1.0, 0.2, 0.1),
            [0.2, 0.2, 0.4, 0.8, 1]
            + [0.1 + 0.45 * (1 + math.cos(math.pi * k / 8)) for k in range(1, 9)]
            + [0.1],
        ),
        (one_cycle(5, 1.0, 0.2, rise=0.5), [0.2, 0.2, 1, 0.75, 0.25, 0, 0]),  # 2.5, to even
        (one_cycle(4, 1.0, 0.2), [0.2, 1, 0.75, 0.25, 0, 0]),  # 1.2: the first has the peak
        (one_cycle(3, 1.0, 0.2, 0.5), [0.2, 1, 0.75, 0.5, 0.5]),
        (one_cycle(2, 1.0, 0.2, 0.5), [0.2, 1, 0.5, 0.5]),
        (one_cycle(1, 1.0, 0.2, 0.5), [0.2, 1, 0.5, 0.5]),
        (one_cycle(3, 1.0, 0.2, rise=0.99), [0.2, 0.2, 1, 0, 0]),  # the last has the end
        (one_cycle(3, 1.0, rise=0), [0, 1, 0.5, 0, 0]),
        (restarts([5], 1.0), [1, 1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2, 0, 0, 0]),
        (
            restarts([3, 5], 1.0, 0.5),
            [1, 1, 0.75, 0.5, 1, 0.75 + HALF / 4, 0.75, 0.75 - HALF / 4, 0.5, 0.5],
        ),
        (restarts([1], 1.0, 0.5), [1, 1, 0.5, 0.5]),
        (restarts([2], 1.0, 0.5), [1, 1, 0.5, 0.5]),
        (restarts([3], 1.0, 0.5), [1, 1, 0.75, 0.5, 0.5]),
        (restarts([1, 2, 1, 3], 1.0, 0.5), [1, 1, 1, 0.5, 1, 1, 0.75, 0.5, 0.5]),
    ],
)
def test_the_rates_are_those_worked_out_by_hand(scheduler, expected):
    assert [scheduler(n) for n in range(len(expected))] == pytest.approx(expected, abs=1e-15)


EACH = {
    "one cycle": one_cycle(2350, 0.3, 0.012, 0.003),
    "restarts": restarts([335, 672, 1343], 0.3, 0.003),
    "factor 3": restarts([2 * 3**i for i in range(6)], 0.3),
}


def test_peaks_and_ends_are_hit_exactly():
    """Not but for rounding: the run's own numbers, 30 % of which is 705."""
    whole = EACH["one cycle"]
    assert (whole(1), whole(705), whole(2350), whole(10**9)) == (0.012, 0.3, 0.003, 0.003)
    assert whole(704) < 0.3 > whole(706)
    cycles = EACH["restarts"]
    for first, last in ((1, 335), (336, 1007), (1008, 2350)):
        assert (cycles(first), cycles(last)) == (0.3, 0.003)
    assert cycles(10**9) == 0.003


def test_with_the_factor_three_five_restarts_are_where_the_sums_are():
    """After 2, 8, 26, 80 and 242 updates; the end is at 728."""
    peaks = [n for n in range(1, 1000) if EACH["factor 3"](n) == 0.3]
    assert peaks == [1, 3, 9, 27, 81, 243]
    assert [n for n in range(1, 729) if EACH["factor 3"](n) == 0] == [2, 8, 26, 80, 242, 728]


@pytest.mark.parametrize("name", EACH)
def test_they_are_values_and_no_call_changes_them(name):
    scheduler = EACH[name]
    counts = list(range(2400))
    before = [scheduler(n) for n in counts]
    again = pickle.loads(pickle.dumps(scheduler))
    assert again == scheduler
    assert hash(again) is not None
    random.Random(0).shuffle(counts)
    assert {n: again(n) for n in counts} == dict(enumerate(before))
    assert scheduler == EACH[name]
    assert scheduler != EACH["factor 3" if name != "factor 3" else "restarts"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: one_cycle(0, 1.0), "max_update must be an integer >= 1, got 0"),
        (lambda: one_cycle(9, 0), "base_lr must be a finite number > 0, got 0"),
        (lambda: one_cycle(9, 1.0, 2), r"begin_lr must be .* <= base_lr=1.0, got 2"),
        (lambda: one_cycle(9, 1.0, 0, 2), r"final_lr must be .* <= base_lr=1.0, got 2"),
        (lambda: one_cycle(9, 1.0, rise=1), "rise must be a number >= 0 and < 1, got 1"),
        (lambda: restarts([], 1.0), r"lengths must be a non-empty list .*, got \[\]"),
        (lambda: restarts(9, 1.0), "lengths must be a non-empty list .*, got 9"),
        (lambda: restarts([3, 0], 1.0), r"lengths\[1\] must be an integer >= 1, got 0"),
        (lambda: restarts([3], 1.0, 2), r"final_lr must be .* <= base_lr=1.0, got 2"),
    ],
)
def test_a_bad_argument_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_both_are_public():
    assert (lrs.schedulers.one_cycle, lrs.schedulers.restarts) == (one_cycle, restarts)


def torchs(make, steps):
    """Return the rates of a PyTorch scheduler's first updates, stepped as in training."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no update was made
        scheduler, rates = make(torch.optim.lr_scheduler, optimizer), []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
    return rates


@pytest.mark.parametrize(("total", "rise"), [(10, 0.3), (2350, 0.3), (20, 0.25), (8, 0.5)])
def test_one_cycle_is_pytorchs_where_the_peak_is_at_a_whole_update(total, rise):
    settings = {"total_steps": total, "pct_start": rise, "cycle_momentum": False}
    theirs = torchs(lambda module, sgd: module.OneCycleLR(sgd, 1.0, **settings), total)
    ours = one_cycle(total, 1.0, 1 / 25, 1 / 250_000, rise)
    assert [ours(n) for n in range(1, total + 1)] == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("first", "factor", "cycles"), [(4, 1, 3), (5, 2, 4), (2, 3, 6)])
def test_restarts_are_pytorchs_but_for_each_cycles_end(first, factor, cycles):
    lengths = [first * factor**i for i in range(cycles)]
    theirs = torchs(
        lambda module, sgd: module.CosineAnnealingWarmRestarts(sgd, first, factor), sum(lengths)
    )
    ours = restarts([length + 1 for length in lengths], 1.0)
    ends = {sum(lengths[: i + 1]) + i + 1 for i in range(cycles)}
    rates = [ours(n) for n in range(1, sum(lengths) + cycles + 1) if n not in ends]
    assert rates == pytest.approx(theirs, abs=1e-12)
    assert [ours(n) for n in ends] == [0] * cycles
