"""Schedulers made of schedulers: a warmup before any, one after another, one read per epoch.

A part is any callable from the number of updates to a learning rate, a plain function included. It
has to be pure for the whole to be pure, and is called with 0 once at construction: where it gives
no finite rate of at least 0, and where an argument is not as said, that is a `ValueError`.
`num_update` counts updates (minibatches), and the first that MXNet's optimizers ask for is 1.

A composed scheduler reports its (first) part's `base_lr`, or the part's rate at 0 if it has none.
Assigning another one warns and changes nothing, whatever the part itself would do. Equality, repr
and pickling go by the parts; a lambda cannot be pickled, and a function is not rebuilt by its repr.
`tell` hands a metric on to the part that rules, if it listens as `PlateauScheduler` does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from d2l_lrsched import checks

from .schedule import Schedule, Scheduler, check_fits, check_scheduler, check_warmup, tell


def _base_lr_of(scheduler: Scheduler) -> float:
    return scheduler.base_lr if hasattr(scheduler, "base_lr") else scheduler(0)


@dataclass(eq=False, repr=False)
class WarmupScheduler(Schedule):
    """Warm up to the first rate of any scheduler, then hand over to it.

    With ``target = scheduler(0)``::

        warmup_begin_lr + (target - warmup_begin_lr) * num_update / warmup_steps
                                            num_update < warmup_steps, mode 'linear'
        warmup_begin_lr                     num_update < warmup_steps, mode 'constant'
        scheduler(num_update - warmup_steps)                                 otherwise

    At 0 the rate is `warmup_begin_lr`, at `warmup_steps` it is the target; `scheduler` counts from
    its own 0 there, and what it does at its end comes `warmup_steps` later. Note that MXNet counts
    the warmup within `max_update`: ``CosineScheduler(20, warmup_steps=5)`` gives the rates of
    ``WarmupScheduler(CosineScheduler(15), 5)``.

    Parameters
    ----------
    scheduler : callable
        The scheduler that follows the warmup.
    warmup_steps : int
        Updates of warmup, at least 0.
    warmup_begin_lr : float
        The rate at 0, from 0 to the target.
    warmup_mode : str
        'linear' or 'constant'.

    Notes
    -----
    Source: book section 11.15.3.4; paper 3.2.2, which counts epochs (see `PerEpoch`). MXNet has a
    warmup within each of its classes instead.

    Examples
    --------
    >>> from d2l_lrsched.schedulers.scratch import LinearScheduler
    >>> scheduler = WarmupScheduler(LinearScheduler(4, base_lr=1.0), warmup_steps=2)
    >>> [scheduler(n) for n in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0]
    """

    scheduler: Scheduler
    warmup_steps: int
    warmup_begin_lr: float = 0
    warmup_mode: str = "linear"

    def __post_init__(self) -> None:
        target = check_scheduler("scheduler", self.scheduler)
        self._keep(**check_warmup(self, target, "scheduler(0)"))

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update >= self.warmup_steps:
            return self.scheduler(num_update - self.warmup_steps)
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        # Asked anew, because assigning the base_lr of a part may move the target.
        increase = self.scheduler(0) - self.warmup_begin_lr
        return self.warmup_begin_lr + increase * num_update / self.warmup_steps

    def tell(self, metric: float, num_update: int) -> None:
        """Tell `scheduler`, which counts from the end of the warmup; nobody is told before."""
        if num_update > self.warmup_steps:
            tell(self.scheduler, metric, num_update - self.warmup_steps)

    def check_fits(self, updates_per_epoch: int | None, num_update: int) -> None:
        """Raise ValueError if a training cannot go on from `num_update` with `scheduler`."""
        check_fits(self.scheduler, updates_per_epoch, max(0, num_update - self.warmup_steps))

    @property
    def base_lr(self) -> float:
        """The base rate of `scheduler`."""
        return _base_lr_of(self.scheduler)


@dataclass(eq=False, repr=False)
class SequentialScheduler(Schedule):
    """Use several schedulers one after another, each counting from its own 0.

    For ``[(first, a), (second, b), last]``::

        first(num_update)           num_update < a
        second(num_update - a)      a <= num_update < a + b
        last(num_update - (a + b))  a + b <= num_update

    At 0 the rate is ``first(0)``, at each boundary it is the next scheduler's rate at 0, and past
    the last boundary `last` is asked for ever. Since MXNet's first update is 1, the first
    scheduler's rate at 0 is not trained with, and it rules ``a - 1`` updates.

    Parameters
    ----------
    schedulers : list
        Pairs ``(scheduler, num_updates)``, with `num_updates` at least 1, then one bare scheduler.
        It is copied.

    Notes
    -----
    Source: this package; neither the book nor the paper nor MXNet has it.

    Examples
    --------
    >>> from d2l_lrsched.schedulers.scratch import LinearScheduler
    >>> down = LinearScheduler(2, base_lr=1.0)
    >>> scheduler = SequentialScheduler([(down, 2), down])
    >>> [scheduler(n) for n in range(6)]
    [1.0, 0.5, 1.0, 0.5, 0, 0]
    """

    schedulers: Sequence[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.schedulers, (list, tuple)) or not self.schedulers:
            raise ValueError(
                "schedulers must be a non-empty list of pairs (scheduler, num_updates) with a "
                f"bare scheduler at its end, got {self.schedulers!r}"
            )
        *pairs, last = self.schedulers
        pairs = [_checked_pair(f"schedulers[{i}]", pair) for i, pair in enumerate(pairs)]
        name = f"schedulers[{len(pairs)}]"
        if isinstance(last, (list, tuple)):
            raise ValueError(f"{name}, the last, must be a bare scheduler, got {last!r}")
        check_scheduler(name, last)
        self._keep(schedulers=[*pairs, last])
        self._starts = (0, *accumulate(num_updates for _, num_updates in pairs))
        self._parts = tuple(zip((*(part for part, _ in pairs), last), self._starts))

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        scheduler, start = self._at(num_update)
        return scheduler(num_update - start)

    def tell(self, metric: float, num_update: int) -> None:
        """Tell the scheduler that gave the rate of `num_update`, by its own count."""
        scheduler, start = self._at(num_update)
        tell(scheduler, metric, num_update - start)

    def check_fits(self, updates_per_epoch: int | None, num_update: int) -> None:
        """Raise ValueError if a training cannot go on from `num_update` with each scheduler."""
        for scheduler, start in self._parts:
            check_fits(scheduler, updates_per_epoch, max(0, num_update - start))

    @property
    def base_lr(self) -> float:
        """The base rate of the first scheduler."""
        return _base_lr_of(self._parts[0][0])

    def _at(self, num_update: int) -> tuple[Scheduler, int]:
        return self._parts[bisect_right(self._starts, num_update) - 1]


def _checked_pair(name: str, pair: Any) -> tuple[Scheduler, int]:
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError(f"{name} must be a pair (scheduler, num_updates), got {pair!r}")
    scheduler, num_updates = pair
    check_scheduler(f"{name}[0]", scheduler)
    return scheduler, checks.count(f"num_updates in {name}", num_updates)


@dataclass(eq=False, repr=False)
class PerEpoch(Schedule):
    """Read a scheduler in epochs: every update of one epoch gets the same rate.

    ::

        scheduler(max(0, num_update - 1) // updates_per_epoch)

    MXNet's first update is 1, so the updates 1 to `updates_per_epoch` are epoch 0 and get
    ``scheduler(0)``, as does 0, which is asked for only if ``trainer.learning_rate`` is read before
    training. At ``updates_per_epoch + 1`` epoch 1 begins. Past the end it is up to `scheduler`.

    Parameters
    ----------
    scheduler : callable
        A scheduler whose counts are meant as epochs.
    updates_per_epoch : int
        Minibatches in one epoch, at least 1.

    Notes
    -----
    Source: the book draws its schedulers over epochs and the paper writes them so, while MXNet
    counts updates; this is the bridge.

    Examples
    --------
    >>> from d2l_lrsched.schedulers.scratch import LinearScheduler
    >>> scheduler = PerEpoch(LinearScheduler(2, base_lr=1.0), updates_per_epoch=3)
    >>> [scheduler(n) for n in range(8)]
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0]
    """

    scheduler: Scheduler
    updates_per_epoch: int

    def __post_init__(self) -> None:
        check_scheduler("scheduler", self.scheduler)
        self._keep(updates_per_epoch=checks.count("updates_per_epoch", self.updates_per_epoch))

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        return self.scheduler(self._epoch(num_update))

    def tell(self, metric: float, num_update: int) -> None:
        """Tell `scheduler`, by the number of the epoch, the first being 0."""
        tell(self.scheduler, metric, self._epoch(num_update))

    def check_fits(self, updates_per_epoch: int | None, num_update: int) -> None:
        """Raise ValueError if the epochs of the training are of another length."""
        if updates_per_epoch not in (None, self.updates_per_epoch):
            raise ValueError(
                f"the PerEpoch was built for updates_per_epoch={self.updates_per_epoch}, and "
                f"train_iter has {updates_per_epoch} batches: build it with that number"
            )
        check_fits(self.scheduler, None, self._epoch(num_update))

    @property
    def base_lr(self) -> float:
        """The base rate of `scheduler`."""
        return _base_lr_of(self.scheduler)

    def _epoch(self, num_update: int) -> int:
        return max(0, num_update - 1) // self.updates_per_epoch
