"""MXNet's schedulers that fall to a last rate: Poly and Cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mxnet import lr_scheduler

from d2l_lrsched import checks
from d2l_lrsched.schedulers.schedule import Schedule, check_warmup


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
        As for all four, see `builtin`. A bad argument is a `ValueError`.

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
        As for all four, see `builtin`. A bad argument is a `ValueError`.

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
    warmup = check_warmup(given, base_lr)
    if warmup["warmup_steps"] >= max_update:
        raise ValueError(
            f"warmup_steps must be less than max_update={max_update!r}, got {given.warmup_steps!r}"
        )
    # MXNet's formulas give a float at the end, whatever the argument was.
    rates = {"base_lr": base_lr, "final_lr": final_lr, "_end": float(final_lr)}
    return {"max_update": max_update, **rates, **warmup}
