"""The schedulers written from scratch: the chapter's two, and a straight line.

`num_update` counts updates (minibatches), and the first that MXNet's optimizers ask for is 1. An
argument that is not as said is a `ValueError`. A `base_lr` that is assigned later changes nothing,
and a warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from d2l_lrsched import checks

from .schedule import Schedule, check_factor


@dataclass(eq=False, repr=False)
class SquareRootScheduler(Schedule):
    """Let the rate fall with the square root of the number of updates.

    ::

        lr * (num_update + 1)**-0.5  for every num_update >= 0

    At 0 the rate is `lr`; it has no end and stays above 0.

    Parameters
    ----------
    lr : float
        The rate at 0, above 0. It is the scheduler's `base_lr`.

    Notes
    -----
    Source: book section 11.15.2.

    Examples
    --------
    >>> scheduler = SquareRootScheduler(lr=1.0)
    >>> [scheduler(n) for n in (0, 3, 15)]
    [1.0, 0.5, 0.25]
    """

    lr: float = 0.1

    def __post_init__(self) -> None:
        self._keep(lr=checks.positive("lr", self.lr))

    @property
    def base_lr(self) -> float:
        """The rate at 0."""
        return self.lr

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        return self.lr * (num_update + 1.0) ** -0.5


@dataclass(eq=False, repr=False)
class FactorScheduler(Schedule):
    """Multiply the rate by `factor` at every update, down to `stop_factor_lr`.

    ::

        max(stop_factor_lr, base_lr * factor**(num_update + 1))  for every num_update >= 0

    At 0 the rate is ``base_lr * factor``, already one factor below `base_lr`, as in the book; from
    the update on where the product falls below `stop_factor_lr` the rate stays there.

    The book's class multiplies its own rate at each call. Called with 0, 1, 2, ... once each, it
    draws the same curve as this one. In training it would not: MXNet calls a scheduler several
    times in one update (for LeNet sgd 3 times, adam 10 times) and again at each read of
    ``trainer.learning_rate``, so the rate would fall several times an update and differ from one
    parameter to the next. Here the rate depends on `num_update` alone.

    Parameters
    ----------
    factor : float
        In (0, 1].
    stop_factor_lr : float
        The lowest rate, from 0 to `base_lr`.
    base_lr : float
        The rate before the first factor, above 0.

    Notes
    -----
    Source: book section 11.15.3.1. MXNet's class of the same name, with a `step` and a warmup, is
    `d2l_lrsched.schedulers.builtin.FactorScheduler`.

    Examples
    --------
    >>> scheduler = FactorScheduler(factor=0.5, stop_factor_lr=0.125, base_lr=2.0)
    >>> [scheduler(n) for n in range(6)]
    [1.0, 0.5, 0.25, 0.125, 0.125, 0.125]
    """

    factor: float = 1
    stop_factor_lr: float = 1e-7
    base_lr: float = 0.1

    def __post_init__(self) -> None:
        base_lr = checks.positive("base_lr", self.base_lr)
        self._keep(
            factor=check_factor(self.factor),
            stop_factor_lr=checks.rate("stop_factor_lr", self.stop_factor_lr, "base_lr", base_lr),
            base_lr=base_lr,
        )

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        return max(self.stop_factor_lr, self.base_lr * self.factor ** (num_update + 1))


@dataclass(eq=False, repr=False)
class LinearScheduler(Schedule):
    """Bring the rate from `base_lr` to `final_lr` along a straight line.

    ::

        final_lr + (base_lr - final_lr) * (1 - num_update / max_update)  up to max_update
        final_lr                                                         past max_update

    At 0 the rate is `base_lr`, at `max_update` and ever after `final_lr`.

    Parameters
    ----------
    max_update : int
        Updates until `final_lr` is reached, at least 1.
    base_lr : float
        The first rate, above 0.
    final_lr : float
        The last rate, from 0 to `base_lr`.

    Notes
    -----
    Source: paper 3.2.4, which has ``final_lr = 0``, counts epochs (see `PerEpoch`) and leaves open
    what follows the end.

    Examples
    --------
    >>> scheduler = LinearScheduler(max_update=4, base_lr=1.0)
    >>> [scheduler(n) for n in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0, 0]
    """

    max_update: int
    base_lr: float = 0.01
    final_lr: float = 0

    def __post_init__(self) -> None:
        base_lr = checks.positive("base_lr", self.base_lr)
        self._keep(
            max_update=checks.count("max_update", self.max_update),
            base_lr=base_lr,
            final_lr=checks.rate("final_lr", self.final_lr, "base_lr", base_lr),
        )

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update >= self.max_update:
            return self.final_lr
        remaining = 1 - num_update / self.max_update
        return self.final_lr + (self.base_lr - self.final_lr) * remaining
