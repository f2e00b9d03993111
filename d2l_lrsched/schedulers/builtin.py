"""MXNet's four schedulers as pure functions of the number of updates.

Names, arguments and arithmetic are MXNet's; the classes derive from MXNet's. Each returns for every
`num_update` what a fresh MXNet object returns at the end of the calls 0, 1, ..., `num_update`, to
the bit: repeated products where MXNet multiplies again and again. No call changes anything.
MXNet's own answer depends on the calls before: Factor and MultiFactor never go back, Poly and
Cosine give `base_lr` when first called past the end. MXNet's documentation puts drops one update
too early, and says 0 past the end where its code holds `final_lr`. `num_update` counts updates
(minibatches); the first that MXNet's optimizers ask for is 1.

All four can start with a warmup (paper 3.2.2), while ``num_update < warmup_steps``::

    warmup_begin_lr + (base_lr - warmup_begin_lr) * num_update / warmup_steps  mode 'linear'
    warmup_begin_lr                                                            mode 'constant'

`warmup_steps` is an integer of at least 0, `warmup_begin_lr` lies between 0 and `base_lr`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import mul
from typing import Any

from mxnet import lr_scheduler

from d2l_lrsched import checks

from .schedule import Schedule, TakesBaseLr, check_factor, check_warmup

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
        As for all four, see the module. A bad argument is a `ValueError`.

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
            **check_warmup(self.warmup_steps, self.warmup_begin_lr, self.warmup_mode, base_lr),
        )
        lr_scheduler.FactorScheduler.__init__(self, **self._arguments())
        self._foresee()

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        drops = (num_update - 1) // self.step  # -1 at 0, where the rate is that of no drop
        if drops <= self._known:
            return self._rates[drops]
        rate, left = self._rates[self._known], drops - self._known
        while left > 0 and not self._stays(rate):
            rate = math.prod(repeat(self.factor, min(left, _KNOWN_DROPS)), start=rate)
            left -= _KNOWN_DROPS
        return self.stop_factor_lr if rate < self.stop_factor_lr else rate

    def _foresee(self) -> None:
        """Work out the rates after 0, 1, ... drops, up to the one that stays for ever."""
        rates = []
        for rate in accumulate(repeat(self.factor, _KNOWN_DROPS), mul, initial=self.base_lr):
            rates.append(self.stop_factor_lr if rate < self.stop_factor_lr else rate)
            if self._stays(rate):
                break
        self._keep(_known=len(rates) - 1, _rates=[*rates, self.base_lr])

    def _stays(self, rate: float) -> bool:
        return rate <= self.stop_factor_lr or rate * self.factor == rate

    def __getstate__(self) -> dict[str, Any]:
        # What follows from the arguments need not travel in a pickle.
        return {name: value for name, value in vars(self).items() if name != "_rates"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._keep(**state)
        self._foresee()


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
        As for all four, see the module. A bad argument is a `ValueError`.

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
            **check_warmup(self.warmup_steps, self.warmup_begin_lr, self.warmup_mode, base_lr),
        )
        lr_scheduler.MultiFactorScheduler.__init__(self, **self._arguments())
        factors = repeat(self.factor, len(self.step))
        self._keep(_rates=list(accumulate(factors, mul, initial=base_lr)))

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        return self._rates[bisect_left(self.step, num_update)]


@dataclass(eq=False, repr=False)
class PolyScheduler(Schedule, lr_scheduler.PolyScheduler):
    """Bring the rate from `base_lr` to `final_lr` along a power of the remaining time.

    With ``s = (num_update - warmup_steps) / (max_update - warmup_steps)``::

        warmup                                          num_update < warmup_steps
        final_lr + (base_lr - final_lr) * (1 - s)**pwr  up to max_update
        final_lr                                        past max_update

    At `warmup_steps` (at 0 without a warmup) the rate is `base_lr`; at 0 of a warmup it is
    `warmup_begin_lr`; at `max_update` and ever after it is `final_lr`.

    Parameters
    ----------
    max_update : int
        Updates until `final_lr`, the warmup included; at least 1 and above `warmup_steps`.
    base_lr : float
        The highest rate, above 0. Assigning another one later warns and changes nothing.
    pwr : float
        The power, above 0: 1 is a straight line, and the larger, the earlier the rate falls.
    final_lr : float
        The last rate, from 0 to `base_lr`.
    warmup_steps, warmup_begin_lr, warmup_mode
        As for all four, see the module. A bad argument is a `ValueError`.

    Notes
    -----
    Source: book section 11.15.5, exercise 2; `mxnet.lr_scheduler.PolyScheduler`.

    Examples
    --------
    >>> scheduler = PolyScheduler(max_update=4, base_lr=1.0)
    >>> [scheduler(n) for n in range(6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    max_update: int
    base_lr: float = 0.01
    pwr: float = 2
    final_lr: float = 0
    warmup_steps: int = 0
    warmup_begin_lr: float = 0
    warmup_mode: str = "linear"

    def __post_init__(self) -> None:
        self._keep(**_check_decay(self), pwr=checks.positive("pwr", self.pwr))
        lr_scheduler.PolyScheduler.__init__(self, **self._arguments())

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update >= self.max_update:
            return self._end
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        s = (num_update - self.warmup_steps) / self.max_steps
        return self.final_lr + (self.base_lr - self.final_lr) * (1 - s) ** self.pwr


@dataclass(eq=False, repr=False)
class CosineScheduler(Schedule, lr_scheduler.CosineScheduler):
    """Bring the rate from `base_lr` to `final_lr` along half a wave of the cosine.

    With ``s = (num_update - warmup_steps) / (max_update - warmup_steps)``::

        warmup                                                   num_update < warmup_steps
        final_lr + (base_lr - final_lr) * (1 + cos(pi * s)) / 2  up to max_update
        final_lr                                                 past max_update

    At `warmup_steps` (at 0 without a warmup) the rate is `base_lr`; at 0 of a warmup it is
    `warmup_begin_lr`; at `max_update` and ever after it is `final_lr`.

    Parameters
    ----------
    max_update : int
        Updates until `final_lr`, the warmup included; at least 1 and above `warmup_steps`.
    base_lr : float
        The highest rate, above 0. Assigning another one later warns and changes nothing.
    final_lr : float
        The last rate, from 0 to `base_lr`.
    warmup_steps, warmup_begin_lr, warmup_mode
        As for all four, see the module. A bad argument is a `ValueError`.

    Notes
    -----
    Source: book 11.15.3.3, equation 11.15.1; paper 3.2.3; `mxnet.lr_scheduler.CosineScheduler`.

    Examples
    --------
    >>> scheduler = CosineScheduler(max_update=20, base_lr=0.5, final_lr=0.01)
    >>> [round(scheduler(n), 3) for n in (0, 10, 20, 1000)]
    [0.5, 0.255, 0.01, 0.01]
    """

    max_update: int
    base_lr: float = 0.01
    final_lr: float = 0
    warmup_steps: int = 0
    warmup_begin_lr: float = 0
    warmup_mode: str = "linear"

    def __post_init__(self) -> None:
        self._keep(**_check_decay(self))
        lr_scheduler.CosineScheduler.__init__(self, **self._arguments())

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update >= self.max_update:
            return self._end
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        done = num_update - self.warmup_steps
        wave = (1 + math.cos(math.pi * done / self.max_steps)) / 2
        return self.final_lr + (self.base_lr - self.final_lr) * wave


def _check_decay(given: Any) -> dict[str, Any]:
    """Return the arguments that Poly and Cosine share as plain values, by name."""
    max_update = checks.count("max_update", given.max_update)
    base_lr = checks.positive("base_lr", given.base_lr)
    final_lr = checks.rate("final_lr", given.final_lr, "base_lr", base_lr)
    warmup = check_warmup(given.warmup_steps, given.warmup_begin_lr, given.warmup_mode, base_lr)
    if warmup["warmup_steps"] >= max_update:
        raise ValueError(
            f"warmup_steps must be less than max_update={max_update!r}, got {given.warmup_steps!r}"
        )
    # MXNet's formulas give a float at the end, whatever the argument was.
    rates = {"base_lr": base_lr, "final_lr": final_lr, "_end": float(final_lr)}
    return {"max_update": max_update, **rates, **warmup}


def _check_steps(steps: Any) -> list[int]:
    """Return a new list of plain integers, each at least 1 and above the one before."""
    allowed = "a non-empty list of strictly increasing integers >= 1"
    if not isinstance(steps, (list, tuple)) or not steps:
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    counts = [checks.count(f"step[{i}]", step) for i, step in enumerate(steps)]
    if any(later <= earlier for earlier, later in zip(counts, counts[1:])):
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    return counts
