"""What all schedulers share: value semantics, the rule for `base_lr`, and what they ask of parts.

A bad argument is a `ValueError` that names it and shows the value, at construction.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import Field
from typing import Any, ClassVar

from d2l_lrsched import checks

Scheduler = Callable[[int], float]
"""Any callable from the number of updates to a learning rate."""

WARMUP_MODES = ("linear", "constant")


def tell(scheduler: Any, metric: float, num_update: int) -> None:
    """Tell any scheduler of a metric, as `PlateauScheduler.tell`; most do not listen.

    In a loop of your own: ``tell(trainer.optimizer.lr_scheduler, loss, trainer.optimizer.
    num_update)``. It reaches the Trainer's own scheduler also after ``trainer.load_states``, which
    puts another object in the place of the one that was given.
    """
    if hasattr(scheduler, "tell"):
        scheduler.tell(metric, num_update)


def check_fits(scheduler: Any, updates_per_epoch: int | None, num_update: int) -> None:
    """Raise ValueError if a training cannot go on from `num_update` with the scheduler.

    `updates_per_epoch` is None where the scheduler does not count updates.
    """
    if hasattr(scheduler, "check_fits"):
        scheduler.check_fits(updates_per_epoch, num_update)


class Schedule:
    """A scheduler that is a value: compared, hashed, printed and pickled by its arguments.

    Subclasses are dataclasses whose fields are the constructor's arguments, as plain Python values,
    and `base_lr` is a field or a property. No field can be assigned later, and no call changes an
    attribute, so that threads and trainers may share a scheduler. A class derived from one of them
    behaves as its parent, whatever its constructor takes.

    MXNet assigns `base_lr`: an optimizer that is given both a ``learning_rate`` and a scheduler
    sets it to the former (adam, rmsprop and others always do, to 0.001 for want of a better one).
    An equal value does nothing. Any other is refused with a `UserWarning`, and the schedule stays
    as it was built; `builtin.FactorScheduler` and `builtin.MultiFactorScheduler` take it.
    """

    __dataclass_fields__: ClassVar[dict[str, Field]]

    def __setattr__(self, name: str, value: Any) -> None:
        built = name in vars(self)
        if name == "base_lr" and (built or name not in self.__dataclass_fields__):
            if value != self.base_lr:  # type: ignore[attr-defined]
                self._assign_base_lr(value)
        elif name in self.__dataclass_fields__ and built:
            if value != vars(self)[name]:
                raise AttributeError(
                    f"{type(self).__name__}.{name} cannot be assigned: build another scheduler"
                )
        else:
            super().__setattr__(name, value)

    def _assign_base_lr(self, value: float) -> None:
        kept = self.base_lr  # type: ignore[attr-defined]
        warnings.warn(
            f"{type(self).__name__} keeps its base_lr={kept!r} and ignores {value!r}, the learning "
            f"rate it was assigned: pass learning_rate={kept!r} to the optimizer, or build the "
            "scheduler with the rate you want",
            UserWarning,
            stacklevel=3,
        )

    def _keep(self, **arguments: Any) -> None:
        """Put the checked arguments in the place of the given ones."""
        vars(self).update(arguments)

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

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


class TakesBaseLr(Schedule):
    """A schedule that takes the `base_lr` that it is assigned, as MXNet's stepwise ones do.

    It becomes the scheduler built with that rate, and its equality and hash change. A rate that the
    other arguments forbid is refused with a warning, what is no rate with a `ValueError`. MXNet's
    own schedulers leave the warmup aiming at the old rate, and the rate jumps where it ends.
    """

    def _assign_base_lr(self, value: float) -> None:
        other = copy.copy(self)
        other._keep(base_lr=checks.positive("base_lr", value))
        try:
            other.__post_init__()  # type: ignore[attr-defined]
        except ValueError:  # a rate, but not with the other arguments: below stop_factor_lr, say
            super()._assign_base_lr(value)
            return
        self._keep(**vars(other))


def check_factor(value: Any) -> float:
    """Return `value` as a plain number in (0, 1]."""
    return checks.number("factor", value, "a number > 0 and <= 1", lambda x: 0 < x <= 1)


def check_warmup(given: Any, target: float, target_name: str = "base_lr") -> dict[str, Any]:
    """Return the three warmup arguments of a scheduler as plain values, by name."""
    begin_lr = checks.rate("warmup_begin_lr", given.warmup_begin_lr, target_name, target)
    return {
        "warmup_steps": checks.count("warmup_steps", given.warmup_steps, minimum=0),
        "warmup_begin_lr": begin_lr,
        "warmup_mode": checks.choice("warmup_mode", given.warmup_mode, WARMUP_MODES),
    }


def check_scheduler(name: str, scheduler: Any) -> float:
    """Return the rate at 0 of `scheduler`, or raise if it is not a callable that gives a rate."""
    if not callable(scheduler):
        raise ValueError(
            f"{name} must be a callable from the number of updates to a learning rate, "
            f"got {scheduler!r}"
        )
    return checks.rate(f"{name}(0)", scheduler(0))
