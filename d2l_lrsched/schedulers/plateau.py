"""The scheduler that is told how training goes, and lowers the rate when progress stops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from d2l_lrsched import checks

from .schedule import Schedule, check_factor


@dataclass(eq=False, repr=False)
class PlateauScheduler(Schedule):
    """Multiply the rate by `factor` whenever a metric has stopped to improve.

    ::

        max(stop_factor_lr, base_lr * factor**k)

    where k counts the drops at updates before `num_update`. The metric is told after an epoch (or
    whenever it is measured), by ``tell(metric, num_update)``. It has improved if it is below
    ``best - threshold * abs(best)``, with the best before; after `patience` metrics in a row that
    have not, the rate drops, from update ``num_update + 1`` on, and the counting begins anew. At 0,
    and up to the first drop, the rate is `base_lr`.

    `d2l_lrsched.train` tells it every epoch's training loss. Of all schedulers here it alone has a
    state, which telling changes and calling never does: the rates of past updates stay what they
    were. The state travels in a pickle, and so in gluon's ``Trainer.save_states``; two such
    schedulers are equal if arguments and state are. The repr shows the arguments. Behind a
    `WarmupScheduler` it is told from the end of the warmup on; behind `PerEpoch` it counts epochs.

    Parameters
    ----------
    base_lr : float
        The first rate, above 0. Assigning another one later warns and changes nothing.
    factor : float
        In (0, 1].
    patience : int
        Metrics in a row without improvement that make the rate drop, at least 1.
    threshold : float
        The relative improvement that counts as one, from 0 to below 1.
    stop_factor_lr : float
        The lowest rate, from 0 to `base_lr`.

    Notes
    -----
    Source: book section 11.15.4, in words; PyTorch's ``ReduceLROnPlateau``, with `patience` counted
    from 1 and without a cooldown. MXNet has none.

    Examples
    --------
    >>> scheduler = PlateauScheduler(base_lr=1.0, factor=0.5, patience=2, threshold=0)
    >>> for num_update, loss in ((10, 3.0), (20, 3.0), (30, 3.5)):
    ...     scheduler.tell(loss, num_update)
    >>> [scheduler(n) for n in (0, 30, 31)]
    [1.0, 1.0, 0.5]
    """

    base_lr: float = 0.1
    factor: float = 0.1
    patience: int = 2
    threshold: float = 0.01
    stop_factor_lr: float = 1e-7

    def __post_init__(self) -> None:
        base_lr = checks.positive("base_lr", self.base_lr)
        self._keep(
            base_lr=base_lr,
            factor=check_factor(self.factor),
            patience=checks.count("patience", self.patience),
            threshold=checks.number(
                "threshold", self.threshold, "a number >= 0 and < 1", lambda x: 0 <= x < 1
            ),
            stop_factor_lr=checks.rate("stop_factor_lr", self.stop_factor_lr, "base_lr", base_lr),
        )
        self._best = math.inf
        self._waited = 0
        self._told = -1
        self._drops: tuple[int, ...] = ()

    @property
    def drops(self) -> tuple[int, ...]:
        """The updates after which the rate dropped."""
        return self._drops

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        k = sum(drop < num_update for drop in self._drops)
        return max(self.stop_factor_lr, self.base_lr * self.factor**k)

    def tell(self, metric: float, num_update: int) -> None:
        """Take note of a metric that was measured after `num_update` updates.

        Parameters
        ----------
        metric : float
            The lower, the better; nan and the infinities are no improvement.
        num_update : int
            More than with the metric before.

        Raises
        ------
        ValueError
            If an argument is not as said above; the state stays as it was.
        """
        if not isinstance(metric, Real) or isinstance(metric, bool):
            raise ValueError(f"metric must be a number, the lower the better, got {metric!r}")
        num_update = checks.count("num_update", num_update, minimum=0)
        if num_update <= self._told:
            raise ValueError(
                f"num_update must be above {self._told}, that of the metric before, got "
                f"{num_update!r}: every run needs a new PlateauScheduler"
            )
        self._told = num_update
        # The first finite metric is always below infinity. Below 0 a share less is a lower number.
        share = math.copysign(self.threshold, self._best)
        if math.isfinite(metric) and metric < (1 - share) * self._best:
            self._best, self._waited = float(metric), 0
            return
        self._waited += 1
        if self._waited == self.patience:
            self._drops, self._waited = (*self._drops, num_update), 0

    def check_fits(self, updates_per_epoch: int | None, num_update: int) -> None:
        """Raise ValueError if what comes after `num_update` has been told already."""
        if self._told > num_update:
            raise ValueError(
                f"the PlateauScheduler has been told of update {self._told}, and the training "
                f"begins after {num_update}: every run needs a new PlateauScheduler"
            )

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return vars(self) == vars(other)

    # Equal schedulers have equal arguments, and these never change.
    __hash__ = Schedule.__hash__
