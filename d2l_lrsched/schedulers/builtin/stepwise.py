"""MXNet's schedulers that drop in steps: Factor and MultiFactor."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, repeat
from operator import mul
from typing import Any

from mxnet import lr_scheduler

from d2l_lrsched import checks
from d2l_lrsched.schedulers.schedule import TakesBaseLr, check_factor, check_warmup

#: So many drops are worked out beforehand, for a call costs MXNet next to nothing.
_KNOWN_DROPS = 2**16


@dataclass(eq=False, repr=False)
class FactorScheduler(TakesBaseLr, lr_scheduler.FactorScheduler):
    """Multiply the rate by `factor` once every `step` updates, down to `stop_factor_lr`.

    With k the number of drops so far, ``k = max(0, ceil(num_update / step) - 1)``::

        warmup                                    num_update < warmup_steps
        max(stop_factor_lr, base_lr * factor**k)  otherwise

    At 0 the rate is `base_lr`, or `warmup_begin_lr` with a warmup. At `step` it is still `base_lr`.
    Drops within the warmup all show at its end. Once at `stop_factor_lr` the rate stays there.

    Parameters
    ----------
    step : int
        Updates between two drops, at least 1.
    factor : float
        In (0, 1].
    stop_factor_lr : float
        The lowest rate, from 0 to `base_lr`.
    base_lr : float
        The first rate, above 0. Assigning it makes the scheduler the one built with that rate.
    warmup_steps, warmup_begin_lr, warmup_mode
        As for all four, see `builtin`. A bad argument is a `ValueError`.

    Notes
    -----
    Source: book section 11.15.3.1; `mxnet.lr_scheduler.FactorScheduler`.

    Examples
    --------
    >>> scheduler = FactorScheduler(step=2, factor=0.5, base_lr=1.0)
    >>> [scheduler(n) for n in range(6)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    step: int
    factor: float = 1
    stop_factor_lr: float = 1e-8
    base_lr: float = 0.01
    warmup_steps: int = 0
    warmup_begin_lr: float = 0
    warmup_mode: str = "linear"

    def __post_init__(self) -> None:
        base_lr = checks.positive("base_lr", self.base_lr)
        self._keep(
            step=checks.count("step", self.step),
            factor=check_factor(self.factor),
            stop_factor_lr=checks.rate("stop_factor_lr", self.stop_factor_lr, "base_lr", base_lr),
            base_lr=base_lr,
            **check_warmup(self, base_lr),
        )
        lr_scheduler.FactorScheduler.__init__(self, **self._arguments())

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        drops = max(0, (num_update - 1) // self.step)
        known = _after_drops(self.base_lr, self.factor, self.stop_factor_lr)
        rate, left = known[min(drops, len(known) - 1)], drops - len(known) + 1
        while left > 0 and not _stays(rate, self.factor, self.stop_factor_lr):
            rate = math.prod(repeat(self.factor, min(left, _KNOWN_DROPS)), start=rate)
            left -= _KNOWN_DROPS
        return max(rate, self.stop_factor_lr)


@lru_cache(maxsize=8, typed=True)
def _after_drops(rate: float, factor: float, lowest: float) -> list[float]:
    """Return the rates after 0, 1, ... drops, to one that stays or to the last that is kept."""
    rates = [rate]
    while len(rates) <= _KNOWN_DROPS and not _stays(rates[-1], factor, lowest):
        rates.append(rates[-1] * factor)
    return rates


def _stays(rate: float, factor: float, lowest: float) -> bool:
    return rate <= lowest or rate * factor == rate


@dataclass(eq=False, repr=False)
class MultiFactorScheduler(TakesBaseLr, lr_scheduler.MultiFactorScheduler):
    """Multiply the rate by `factor` once after each of the given numbers of updates.

    With k the number of entries of `step` below `num_update`::

        warmup               num_update < warmup_steps
        base_lr * factor**k  otherwise

    At 0 the rate is `base_lr`, or `warmup_begin_lr` with a warmup. At ``step[i]`` it is still the
    higher one. Drops within the warmup all show at its end. Past the last step the rate stays.

    Parameters
    ----------
    step : list of int
        Where the rate drops, strictly increasing, each at least 1. A tuple will do; copied.
    factor : float
        In (0, 1].
    base_lr : float
        The first rate, above 0. Assigning it makes the scheduler the one built with that rate.
    warmup_steps, warmup_begin_lr, warmup_mode
        As for all four, see `builtin`. A bad argument is a `ValueError`.

    Notes
    -----
    Source: book section 11.15.3.2; `mxnet.lr_scheduler.MultiFactorScheduler`.

    Examples
    --------
    >>> scheduler = MultiFactorScheduler(step=[2, 4], factor=0.5, base_lr=1.0)
    >>> [scheduler(n) for n in range(6)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    step: list[int]
    factor: float = 1
    base_lr: float = 0.01
    warmup_steps: int = 0
    warmup_begin_lr: float = 0
    warmup_mode: str = "linear"

    def __post_init__(self) -> None:
        base_lr = checks.positive("base_lr", self.base_lr)
        self._keep(
            step=_check_steps(self.step),
            factor=check_factor(self.factor),
            base_lr=base_lr,
            **check_warmup(self, base_lr),
        )
        lr_scheduler.MultiFactorScheduler.__init__(self, **self._arguments())
        factors = repeat(self.factor, len(self.step))
        self._keep(_rates=list(accumulate(factors, mul, initial=base_lr)))

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        return self._rates[bisect_left(self.step, num_update)]


def _check_steps(steps: Any) -> list[int]:
    """Return a new list of plain integers, each at least 1 and above the one before."""
    allowed = "a non-empty list of strictly increasing integers >= 1"
    if not isinstance(steps, (list, tuple)) or not steps:
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    counts = [checks.count(f"step[{i}]", step) for i, step in enumerate(steps)]
    if any(later <= earlier for earlier, later in zip(counts, counts[1:])):
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    return counts
