"""What all schedulers share: value semantics, the rule for `base_lr`, and the argument checks."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any

Scheduler = Callable[[int], float]
"""Any callable from the number of updates to a learning rate."""

WARMUP_MODES = ("linear", "constant")


def tell(scheduler: Any, metric: float, num_update: int) -> None:
    """Tell any scheduler of a metric, as `PlateauScheduler.tell`; most do not listen."""
    if hasattr(scheduler, "tell"):
        scheduler.tell(metric, num_update)


class Schedule:
    """A scheduler that is a value: compared, hashed, printed and pickled by its arguments.

    A subclass keeps each constructor argument under the argument's own name, and its base rate in
    ``_base_lr``. Attributes are read-only by convention; `base_lr` alone may be assigned, because
    MXNet does so.
    """

    _base_lr: float

    @property
    def base_lr(self) -> float:
        """The rate that MXNet's optimizers compare with their own ``learning_rate``.

        An optimizer that is given both a ``learning_rate`` and a scheduler assigns the former here
        (adam, rmsprop and others always do, with 0.001 for want of a better one). Assigning an
        equal value does nothing. Any other is refused with a `UserWarning`, and the schedule stays
        as it was built; `builtin.FactorScheduler` and `builtin.MultiFactorScheduler` take it.
        """
        return self._current_base_lr()

    @base_lr.setter
    def base_lr(self, value: float) -> None:
        if value != self.base_lr:
            self._assign_base_lr(value)

    def _current_base_lr(self) -> float:
        return self._base_lr

    def _assign_base_lr(self, value: float) -> None:
        kept = self.base_lr
        warnings.warn(
            f"{type(self).__name__} keeps its base_lr={kept!r} and ignores {value!r}, the learning "
            f"rate it was assigned: pass learning_rate={kept!r} to the optimizer, or build the "
            "scheduler with the rate you want",
            UserWarning,
            stacklevel=3,
        )

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule) or type(self) is not type(other):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        values = self._arguments().values()
        return hash((type(self), *(tuple(v) if isinstance(v, list) else v for v in values)))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # Rebuilt from the arguments, so nothing that a call left behind travels in a pickle.
        return type(self), tuple(self._arguments().values())


class Stepwise(Schedule):
    """What MXNet's step-by-step schedulers lack: a way back, and a `base_lr` that stays.

    Assigning `base_lr` makes the scheduler the one built with that rate, and its equality and hash
    change. A rate that the other arguments forbid is refused with a warning, what is no rate with a
    `ValueError`. MXNet's optimizers assign it when they are given a ``learning_rate`` too; MXNet's
    own schedulers then leave the warmup aiming at the old rate, and the rate jumps where it ends.
    """

    def _wrap(self, mxnet_class: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._fresh = partial(mxnet_class, *arguments)
        self._rewind()

    def _rewind(self) -> None:
        # MXNet's object overwrites its base_lr on the way, so a private one walks in our place.
        self._walk: Scheduler = self._fresh().__call__
        self._last = 0

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self._last:
            self._rewind()
        self._last = num_update
        return self._walk(num_update)

    def _assign_base_lr(self, value: float) -> None:
        arguments = {**self._arguments(), "base_lr": check_positive("base_lr", value)}
        try:
            rebuilt = type(self)(**arguments)
        except ValueError:  # a rate, but not with the other arguments: below stop_factor_lr, say
            super()._assign_base_lr(value)
            return
        for name, attribute in vars(rebuilt).items():
            setattr(self, name, attribute)


class Smooth(Schedule):
    """What MXNet's formula schedulers lack: `final_lr` at the end, however it is reached."""

    max_update: int

    def _wrap(self, mxnet_class: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._formula: Scheduler = mxnet_class(*arguments).__call__
        self._end = self._formula(self.max_update)

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        return self._formula(num_update) if num_update < self.max_update else self._end


def check_number(name: str, value: Any, allowed: str) -> float:
    """Return `value` as a plain Python number, or raise if it is not a finite one."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = int(value) if isinstance(value, Integral) else float(value)
        # False for NaN, for infinities, and for integers that no float can hold.
        if abs(number) <= sys.float_info.max:
            return number
    raise ValueError(f"{name} must be {allowed}, got {value!r}")


def check_positive(name: str, value: Any) -> float:
    """Return `value` as a plain number above 0."""
    allowed = "a finite number > 0"
    number = check_number(name, value, allowed)
    if number <= 0:
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return number


def check_rate(name: str, value: Any, limit_name: str = "", limit: float | None = None) -> float:
    """Return `value` as a plain number of at least 0 and, if given, at most `limit`."""
    allowed = "a finite number >= 0"
    if limit is not None:
        allowed += f" and <= {limit_name}={limit!r}"
    number = check_number(name, value, allowed)
    if number < 0 or (limit is not None and number > limit):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return number


def check_factor(value: Any) -> float:
    """Return `value` as a plain number in (0, 1]."""
    allowed = "a number > 0 and <= 1"
    number = check_number("factor", value, allowed)
    if not 0 < number <= 1:
        raise ValueError(f"factor must be {allowed}, got {value!r}")
    return number


def check_count(name: str, value: Any, minimum: int = 1) -> int:
    """Return `value` as a plain integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}")
    if int(value) > sys.maxsize:  # the formulas would turn it into a float
        raise ValueError(f"{name} must be an integer <= {sys.maxsize}, got a larger one")
    return int(value)


def check_steps(steps: Any) -> list[int]:
    """Return a new list of plain integers, each at least 1 and above the one before."""
    allowed = "a non-empty list of strictly increasing integers >= 1"
    if not isinstance(steps, (list, tuple)) or not steps:
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    counts = [check_count(f"step[{i}]", step) for i, step in enumerate(steps)]
    if any(later <= earlier for earlier, later in zip(counts, counts[1:])):
        raise ValueError(f"step must be {allowed}, got {steps!r}")
    return counts


def check_warmup(
    steps: Any,
    begin_lr: Any,
    mode: Any,
    target: float,
    max_update: int | None = None,
    target_name: str = "base_lr",
) -> tuple[int, float, str]:
    """Return the three warmup arguments as plain values.

    `begin_lr` is at most `target`, and `steps` leave some of `max_update`, if given, to the decay.
    """
    steps = check_count("warmup_steps", steps, minimum=0)
    if max_update is not None and steps >= max_update:
        raise ValueError(f"warmup_steps must be less than max_update={max_update!r}, got {steps!r}")
    begin_lr = check_rate("warmup_begin_lr", begin_lr, target_name, target)
    if not isinstance(mode, str) or mode not in WARMUP_MODES:
        raise ValueError(f"warmup_mode must be 'linear' or 'constant', got {mode!r}")
    return steps, begin_lr, mode


def check_scheduler(name: str, scheduler: Any) -> float:
    """Return the rate at 0 of `scheduler`, or raise if it is not a callable that gives a rate."""
    if not callable(scheduler):
        raise ValueError(
            f"{name} must be a callable from the number of updates to a learning rate, "
            f"got {scheduler!r}"
        )
    return check_rate(f"{name}(0)", scheduler(0))
