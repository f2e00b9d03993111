from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, init, npx
from mxnet.gluon import nn

from d2l_lrsched import drawing
from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.training.range_test import RangeTest, Sweep, range_test


def sweep(losses, spreads=None, seed=0, first=1.0):
    """Return a sweep whose rates are `first` and then twice as high each."""
    rates = [first * 2**k for k in range(len(losses))]
    return Sweep(seed, rates, list(losses), spreads or [1.0] * len(losses))


#: Every number eleven times: the median of eleven updates shows it in the middle of its row.
def rows(*losses):
    return [loss for loss in losses for _ in range(11)]


def test_smoothing_is_by_centred_medians_that_shrink_at_the_ends():
    losses = [5, 1, 4, 2, 3, 9, 0, 7]
    # of 1, 3, 5, 7, 7, 5, 3 and 1 updates
    assert sweep(losses).smoothed == [5, 4, 3, 3, 3, 3, 7, 7]
    assert sweep([1.0, math.nan, 2.0]).smoothed == [1, 2, 2]


def test_the_marks_by_hand():
    """From 2 down to 1 and up to 3, in rows of eleven: a tenth of the fall is 0.1.

    Of the eleven around an update six are of the next row from the middle between the rows on, so
    that the smoothed loss changes exactly where the loss does.
    """
    one = sweep(rows(2, 1.95, 1.5, 1, 1.05, 3))
    assert one.smoothed[5:-5] == one.losses[5:-5]
    assert (one.falls, one.lowest, one.rises, one.collapsed) == (22, 33, 55, None)


def test_a_rise_that_comes_down_again_counts_and_the_fall_is_the_last():
    one = sweep(rows(2, 1.5, 1.95, 1.4, 1.6, 1, 1))
    assert (one.falls, one.lowest) == (33, 55)
    assert one.rises == 44, "from 1.4 by more than 0.1"


def test_where_nothing_falls_or_rises_there_is_no_mark():
    flat = sweep([2.3] * 30)
    assert (flat.falls, flat.lowest, flat.rises, flat.collapsed) == (None, 0, None, None)
    falling = sweep(rows(2, 1.5, 1))
    assert (falling.falls, falling.lowest, falling.rises) == (11, 22, None)


def test_collapse_is_twenty_alike_in_a_row_or_a_loss_that_is_not_finite():
    def spreads(*alike):
        return [0.009 if i in alike else 0.01 for i in range(60)]

    assert sweep([1.0] * 60, spreads(*range(7, 26))).collapsed is None
    assert sweep([1.0] * 60, spreads(*range(7, 27))).collapsed == 7
    assert sweep([1.0] * 60, spreads(*range(19), *range(20, 40))).collapsed == 20
    assert sweep([1.0, 1.0, math.inf]).collapsed == 2
    lost = sweep(rows(2, 1, 1, 1, 2), [1.0] * 22 + [0.0] * 33)
    assert (lost.falls, lost.lowest, lost.rises, lost.collapsed) == (11, 11, 22, 22)


def test_the_suggestion_is_the_middle_of_what_holds_for_all_seeds():
    """The first falls at 2**11 and rises at 2**33; the other's rates are four times as high."""
    losses = rows(2, 1.5, 1, 3)
    tested = RangeTest([sweep(losses), sweep(losses, seed=1, first=4.0)])
    assert tested.marked("falls") == [2.0**11, 2.0**13]
    assert tested.marked("rises") == [2.0**33, 2.0**35]
    assert tested.suggestion == pytest.approx(2.0**23)
    assert str(tested) == (
        "loss begins to fall at 2e+03 to 8.2e+03, is lowest at 4.2e+06 to 1.7e+07, "
        "turns up again at 8.6e+09 to 3.4e+10; "
        "suggested: 8.4e+06"
    )


@pytest.mark.parametrize(
    "others",
    [
        [sweep([2.3] * 30)],  # one never falls
        [sweep(rows(2, 1, 3), first=2.0**12)],  # where it falls, the first has risen
    ],
)
def test_seeds_that_do_not_agree_suggest_nothing(others):
    assert RangeTest([sweep(rows(2, 1, 3)), *others]).suggestion is None
    assert RangeTest([sweep(rows(2, 1.5, 1))]).suggestion is None, "none turns up"


# --- for real -------------------------------------------------------------------------------------


@pytest.fixture
def batches(small_iters):
    """What makes batches: six of 8 images, by the seed."""
    return lambda seed: small_iters(seed, 48)[0]


def test_the_rates_rise_geometrically_over_an_epoch(batches):
    npx.set_np()
    tested = range_test(lenet, batches, seeds=2, low=0.01, high=1000)
    assert [sweep.seed for sweep in tested.sweeps] == [0, 1]
    for one in tested.sweeps:
        assert one.rates == pytest.approx([0.01, 0.1, 1, 10, 100, 1000])
        assert len(one.losses) == len(one.spreads) == 6
    first, second = tested.sweeps
    assert first.losses[0] != second.losses[0]
    again = range_test(lenet, batches, seeds=1, low=0.01, high=1000)
    assert again.sweeps[0] == first


def test_a_loss_that_is_not_finite_ends_a_seed_before_its_update(batches):
    npx.set_np()

    def linear():
        net = nn.Sequential()
        net.add(nn.Dense(10))
        return net

    def squares(scores, y):
        return ((scores - 1) ** 2).sum(axis=1)

    (one,) = range_test(linear, batches, squares, seeds=1, low=1e10, high=1e30).sweeps
    assert 1 < len(one.losses) < 6
    assert not math.isfinite(one.losses[-1])
    assert one.collapsed == len(one.losses) - 1


def test_weights_are_as_wide_as_xaviers():
    """Of 84 inputs and 120 outputs, and of 5 x 5 kernels from 6 to 16 channels: uniform."""
    from d2l_lrsched.training.range_test import _Xavier

    npx.set_np()
    for shape in ((120, 84), (16, 6, 5, 5)):
        ours, theirs = mx.np.zeros(shape), mx.np.zeros(shape)
        _Xavier(0)._init_weight("weight", ours)
        init.Xavier()._init_weight("weight", theirs)
        width = math.sqrt(6 / (sum(shape[:2]) * math.prod(shape[2:])))
        for drawn in (ours, theirs):
            assert 0.98 * width < abs(drawn).max() <= width
        assert float(ours.std()) == pytest.approx(width / math.sqrt(3), rel=0.03)


def test_nothing_of_the_users_is_changed(batches, small_iters):
    """Their net, Trainer and iterator, and the random numbers that everybody draws from."""
    npx.set_np()

    def train_on(between):
        mx.random.seed(3)
        np.random.seed(3)
        net, train_iter = lenet(), small_iters(0, 48)[0]
        net.initialize(init=init.Xavier())
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        numbers = []
        for step in range(2):
            if step:
                between()
            for X, y in train_iter:
                with autograd.record():
                    l = loss(net(X), y)  # noqa: E741
                l.backward()
                trainer.step(len(y))
                numbers.append(float(l.sum()))
        weights = [p.data().asnumpy().tobytes() for p in net.collect_params().values()]
        drawn = (mx.np.random.uniform(size=5).tolist(), np.random.uniform(size=5).tolist())
        return numbers, weights, trainer.optimizer.num_update, trainer.learning_rate, drawn

    assert train_on(lambda: range_test(lenet, batches, seeds=1)) == train_on(lambda: None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 0}, "seeds must be an integer >= 1, got 0"),
        ({"low": 0}, "low must be a finite number > 0, got 0"),
        ({"low": 2, "high": 2}, "low must be less than high=2, got 2"),
    ],
)
def test_a_bad_argument_is_named(settings, message, batches):
    npx.set_np()
    with pytest.raises(ValueError, match=message):
        range_test(lenet, batches, **settings)


def test_the_figure_has_every_seed_its_marks_and_the_suggestion():
    tested = RangeTest([sweep(rows(2, 1.5, 1, 3)), sweep(rows(2, 1.5, 1, 3), first=4.0)])
    (axes,) = drawing.range_test(tested).axes
    assert axes.get_xscale() == "log"
    curves = [line for line in axes.get_lines() if len(line.get_xdata()) == 44]
    assert [list(line.get_ydata()) for line in curves[:2]] == [
        tested.sweeps[0].losses,
        tested.sweeps[0].smoothed,
    ]
    marked = [line.get_xdata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert marked == [2.0**11, 2.0**22, 2.0**33, 2.0**13, 2.0**24, 2.0**35]
    assert axes.get_lines()[-1].get_xdata() == [tested.suggestion] * 2
