"""One cycle up and down, and cosines that start again: made of the package's other schedulers.

`num_update` counts updates (minibatches), and the first that MXNet's optimizers ask for is 1. That
one has the first rate here, so that peaks and ends fall on whole updates and are trained with:

============================  =====================================  ==============================
elsewhere                     the peak                               the end, and past it
============================  =====================================  ==============================
PyTorch's OneCycleLR          between updates, where 0.3 of them is  hit; then the rate rises again
                              not whole
PyTorch's                     the first update of every cycle        never hit: the next peak is in
CosineAnnealingWarmRestarts                                          its place
optax's cosine_onecycle       0.3 of the updates, rounded down       hit after the last; then held
fastai's fit_one_cycle        a quarter of the updates               hit
here                          a whole update                         hit by the last; then held
============================  =====================================  ==============================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from d2l_lrsched import checks

from .builtin import CosineScheduler
from .compose import SequentialScheduler
from .schedule import Schedule


@dataclass(eq=False, repr=False)
class _Rise(Schedule):
    """Bring the rate from `begin_lr`, at 1, to `base_lr`, at `top`, along half a wave of a cosine.

    As the first part of `one_cycle`, which has checked the arguments.
    """

    top: int
    base_lr: float
    begin_lr: float

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates, fewer than `top`."""
        s = max(0, num_update - 1) / max(1, self.top - 1)
        return self.begin_lr + (self.base_lr - self.begin_lr) * (1 - math.cos(math.pi * s)) / 2


def one_cycle(
    max_update: int, base_lr: float, begin_lr: float = 0, final_lr: float = 0, rise: float = 0.3
) -> SequentialScheduler:
    """Return a schedule that rises to a peak, then falls to the end of the run, along cosines.

    With n the number of updates, T = `max_update`, and the whole update nearest to ``rise * T``,
    from 1 to T - 1, as ``top``::

        begin_lr                                                             n <= 1
        begin_lr + (base_lr - begin_lr) * (1 - cos(pi (n-1) / (top-1))) / 2  1 <= n < top
        final_lr + (base_lr - final_lr) * (1 + cos(pi (n-top) / (T-top))) / 2  top <= n <= T
        final_lr                                                             n > T

    At `top` the rate is `base_lr`, also where that is the first update; at T it is `final_lr`, but
    for a T of 1, whose only update has the peak.

    Parameters
    ----------
    max_update : int
        Updates of the run, at least 1.
    base_lr : float
        The peak, above 0.
    begin_lr, final_lr : float
        The rates of the first and the last update, from 0 to `base_lr`.
    rise : float
        The share of the run until the peak, at least 0 and below 1. A half is rounded to even.

    Raises
    ------
    ValueError
        If an argument is not as said.

    Notes
    -----
    Source: Smith and Topin (2017), arXiv:1708.07120, whose lines are straight; the cosines are
    fastai's. With a whole ``rise * T`` these are PyTorch's OneCycleLR's rates, of update n - 1
    there, with ``cycle_momentum=False``; momentum is never changed here.

    Examples
    --------
    >>> scheduler = one_cycle(10, base_lr=1.0, begin_lr=0.5)
    >>> [round(scheduler(n), 2) for n in (0, 1, 2, 3, 10, 11)]
    [0.5, 0.5, 0.75, 1.0, 0.0, 0.0]
    """
    max_update = checks.count("max_update", max_update)
    base_lr = checks.positive("base_lr", base_lr)
    begin_lr = checks.rate("begin_lr", begin_lr, "base_lr", base_lr)
    rise = checks.number("rise", rise, "a number >= 0 and < 1", lambda x: 0 <= x < 1)
    top = max(1, min(round(rise * max_update), max_update - 1))
    down = CosineScheduler(max(1, max_update - top), base_lr, final_lr)
    return SequentialScheduler([(_Rise(top, base_lr, begin_lr), top), down])


def restarts(lengths: Sequence[int], base_lr: float, final_lr: float = 0) -> SequentialScheduler:
    """Return cosines from a peak to a last rate, one after another, each of so many updates.

    In a cycle of L updates that comes after S others, with n the number of updates::

        final_lr + (base_lr - final_lr) * (1 + cos(pi (n-S-1) / (L-1))) / 2  S < n <= S + L
        final_lr                                                   past the last cycle

    Every cycle's first update, ``S + 1``, has `base_lr`, and so has 0; its last, ``S + L``, has
    `final_lr`. A cycle of one update has the peak.

    Parameters
    ----------
    lengths : list of int
        Of the cycles, in updates, each at least 1: whole numbers, whose sums meet no rounding.
    base_lr : float
        The peak, above 0.
    final_lr : float
        The rate at every cycle's end, from 0 to `base_lr`.

    Raises
    ------
    ValueError
        If an argument is not as said.

    Notes
    -----
    Source: Loshchilov and Hutter (2016), arXiv:1608.03983. PyTorch's CosineAnnealingWarmRestarts
    gives the rates of cycles of L updates for its own of L - 1, without the last.

    Examples
    --------
    >>> scheduler = restarts([3, 5], base_lr=1.0)
    >>> [round(scheduler(n), 2) for n in range(10)]
    [1.0, 1.0, 0.5, 0.0, 1.0, 0.85, 0.5, 0.15, 0.0, 0.0]
    """
    if not isinstance(lengths, (list, tuple)) or not lengths:
        raise ValueError(f"lengths must be a non-empty list of integers >= 1, got {lengths!r}")
    counts = [checks.count(f"lengths[{i}]", length) for i, length in enumerate(lengths)]
    waves = [CosineScheduler(max(1, length - 1), base_lr, final_lr) for length in counts]
    # The first stands also for 0, so that it begins with update 1, and all others after it.
    pairs: Any = chain([(waves[0], 1)], zip(waves, counts[:-1]))
    return SequentialScheduler([*pairs, waves[-1]])
