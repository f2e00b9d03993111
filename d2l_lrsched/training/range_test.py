"""The learning-rate range test: a rate that rises from update to update, until the net is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy
from mxnet import autograd, gluon, init, np
from mxnet.util import is_np_array

from d2l_lrsched import checks
from d2l_lrsched.training import inputs
from d2l_lrsched.training.history import COLLAPSED_SPREAD, Number

#: Updates on either side of the one whose smoothed loss is the median of all these.
HALF_WINDOW = 5
#: The share of a seed's whole fall that counts as having begun to fall, and as turning up again.
SHARE = 0.1
#: So many collapsed updates in a row end a seed's test.
LOST = 20


@dataclass(frozen=True)
class Sweep:
    """One seed's test, an entry an update, as far as it came.

    `losses` are the batches' means before each update, in nats; `spreads` are, before it, the
    largest difference between two examples of the batch in the score of one class. None among
    these, as a file has it in place of what is not finite, becomes nan.
    """

    seed: int
    rates: list[float]
    losses: list[Number]
    spreads: list[Number]

    def __post_init__(self) -> None:
        for values in (self.losses, self.spreads):
            values[:] = [math.nan if value is None else value for value in values]

    @property
    def smoothed(self) -> list[float]:
        """Centred medians of the losses, over fewer updates near both ends; inf where not finite.

        So nothing is shifted towards later updates, as a running mean would.
        """
        losses = [loss if math.isfinite(loss) else math.inf for loss in self.losses]
        found = []
        for i in range(len(losses)):
            half = min(HALF_WINDOW, i, len(losses) - 1 - i)
            found.append(median(losses[i - half : i + half + 1]))
        return found

    @property
    def collapsed(self) -> int | None:
        """The first of `LOST` collapsed updates in a row, or where the loss is not finite."""
        row = 0
        for i, (loss, spread) in enumerate(zip(self.losses, self.spreads)):
            if not math.isfinite(loss):
                return i
            row = row + 1 if spread < COLLAPSED_SPREAD else 0
            if row == LOST:
                return i - LOST + 1
        return None

    @property
    def lowest(self) -> int:
        """Where the smoothed loss is lowest, before the net collapses."""
        before = self.smoothed[: self.collapsed]
        return min(range(len(before)), key=before.__getitem__, default=0)

    @property
    def falls(self) -> int | None:
        """From where on, until it is lowest, the smoothed loss lies `SHARE` of its fall down.

        None if it never falls: its start is as low.
        """
        smoothed, lowest = self.smoothed, self.lowest
        whole = smoothed[0] - smoothed[lowest]
        if not whole > 0:
            return None
        high = [i for i in range(lowest) if smoothed[i] > smoothed[0] - SHARE * whole]
        return high[-1] + 1

    @property
    def rises(self) -> int | None:
        """Where, once it fell, the smoothed loss is first `SHARE` of its fall above its lowest.

        Or where the net collapses, if that is earlier; None where it does neither.
        """
        if self.falls is None:
            return self.collapsed
        smoothed = self.smoothed
        enough, low = SHARE * (smoothed[0] - smoothed[self.lowest]), math.inf
        for i in range(self.falls, len(smoothed)):
            low = min(low, smoothed[i])
            if smoothed[i] > low + enough or i == self.collapsed:
                return i
        return None


@dataclass(frozen=True)
class RangeTest:
    """The tests of several seeds, and what they suggest."""

    sweeps: list[Sweep]

    def marked(self, mark: str) -> list[float]:
        """Return the rates of a mark, 'falls', 'lowest', 'rises' or 'collapsed', where it is."""
        places = [(sweep, getattr(sweep, mark)) for sweep in self.sweeps]
        return [sweep.rates[place] for sweep, place in places if place is not None]

    @property
    def suggestion(self) -> float | None:
        r"""The geometric middle :math:`\sqrt{a b}` of two rates, or None.

        a is the largest rate at which a seed's loss begins to fall, so that all have begun; b is
        the smallest at which one turns up again or collapses. None if a seed's loss never falls, if
        none turns up, or if a is not below b.
        """
        falls, rises = self.marked("falls"), self.marked("rises")
        if len(falls) < len(self.sweeps) or not rises or max(falls) >= min(rises):
            return None
        return math.sqrt(max(falls) * min(rises))

    def __str__(self) -> str:
        """Return the marks and the suggestion in one line, of each mark least and most."""
        words = {
            "falls": "begins to fall",
            "lowest": "is lowest",
            "rises": "turns up again",
            "collapsed": "the net collapses",
        }
        parts = []
        for mark, said in words.items():
            if rates := self.marked(mark):
                seeds = f" ({len(rates)} of {len(self.sweeps)} seeds)"
                some = seeds if len(rates) < len(self.sweeps) else ""
                places = dict.fromkeys(f"{rate:.2g}" for rate in (min(rates), max(rates)))
                parts.append(f"{said} at {' to '.join(places)}{some}")
        rate = self.suggestion
        return f"loss {', '.join(parts)}; suggested: {'none' if rate is None else f'{rate:.2g}'}"


def range_test(
    make_net: Callable[[], gluon.Block],
    make_batches: Callable[[int], inputs.Batches],
    loss: Callable | None = None,
    ctx: Any = None,
    *,
    seeds: int = 5,
    low: float = 1e-3,
    high: float = 10,
) -> RangeTest:
    r"""Train fresh nets for one epoch each while the learning rate rises from `low` to `high`.

    By SGD without momentum: update n of N has the rate
    :math:`\text{low} \cdot (\text{high}/\text{low})^{(n-1)/(N-1)}`. A seed ends early where its
    loss is not finite, or after 20 updates in a row before which the class scores of any two
    examples of the batch differed by less than 0.01: a collapsed net has the loss of a new one, so
    that the loss alone does not tell.

    What is measured holds for a rate that passes by; over a whole training the highest that is
    stable may well be lower. What is suggested is one to begin with, and nothing is set by it: of
    LeNet it is below the rates that the study `choice` found to be good.

    Parameters
    ----------
    make_net : callable
        () -> a new net, not initialized. Its weights are drawn as by Xavier, its biases are 0.
    make_batches : callable
        seed -> what one epoch iterates over, with a length, as `Batches(..., seed=seed)`; never a
        training's own iterator, whose next order would be drawn.
    loss : callable, optional
        (scores, y) -> losses, one an example; by default the softmax's cross-entropy.
    ctx : mxnet.Context, optional
        Where to train; by default the current one.
    seeds : int
        How many tests: with the seeds 0, 1, ...
    low, high : float
        The first and the last rate, ``0 < low < high``.

    Returns
    -------
    RangeTest
        Printed, it tells the marks and the suggested rate, which is `suggestion`;
        `drawing.range_test` draws it.

    Raises
    ------
    ValueError
        If an argument is not as said.
    RuntimeError
        If ``npx.set_np()`` has not been called in this thread.

    Notes
    -----
    It gets no net and no Trainer, and draws from generators of its own: networks, optimizers and
    the global random numbers of MXNet and NumPy stay as they are, unless the net or the batches use
    them, as dropout does.

    Source: Smith (2017), arXiv:1506.01186, section 3.3, which looks at the accuracy of one run.
    """
    if not is_np_array():
        raise RuntimeError("call mxnet.npx.set_np() in this thread, before the net is made")
    low, high = checks.positive("low", low), checks.positive("high", high)
    if low >= high:
        raise ValueError(f"low must be less than high={high!r}, got {low!r}")
    loss = loss or gluon.loss.SoftmaxCrossEntropyLoss()
    return RangeTest(
        [
            _sweep(make_net(), make_batches(seed), loss, ctx, seed, low, high)
            for seed in range(checks.count("seeds", seeds))
        ]
    )


def _sweep(
    net: gluon.Block,
    batches: inputs.Batches,
    loss: Callable,
    ctx: Any,
    seed: int,
    low: float,
    high: float,
) -> Sweep:
    inputs.check_iterable("make_batches(seed)", batches, 1)
    net.initialize(_Xavier(seed), ctx=ctx, force_reinit=True)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": low})
    sweep, last = Sweep(seed, [], [], []), max(1, len(batches) - 1)
    for n, (X, y) in enumerate(_on(batches, ctx)):
        trainer.set_learning_rate(low * (high / low) ** (n / last))
        with autograd.record():
            y_hat = net(X)
            l = loss(y_hat, y)  # noqa: E741
        l.backward()
        sweep.rates.append(float(trainer.learning_rate))
        sweep.losses.append(float(l.mean()))
        sweep.spreads.append(float((y_hat.max(axis=0) - y_hat.min(axis=0)).max()))
        if sweep.collapsed is not None:
            break
        trainer.step(X.shape[0])
    return sweep


def _on(batches: Iterable[inputs.Batch], ctx: Any) -> Iterable[inputs.Batch]:
    return batches if ctx is None else ((X.as_in_ctx(ctx), y.as_in_ctx(ctx)) for X, y in batches)


class _Xavier(init.Xavier):
    """Xavier's weights, drawn from a generator of its own: MXNet's is everybody's."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = numpy.random.default_rng(seed)

    def _init_weight(self, name: str, arr: Any) -> None:
        area = math.prod(arr.shape[2:])
        scale = math.sqrt(3 / ((arr.shape[0] + arr.shape[1]) * area / 2))
        arr[:] = np.array(self._generator.uniform(-scale, scale, arr.shape), dtype=arr.dtype)
