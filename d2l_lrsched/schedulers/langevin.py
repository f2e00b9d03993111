"""The scheduler of sampling: a rate that falls for ever, but not too fast.

`num_update` counts updates (minibatches), and the first that MXNet's optimizers ask for is 1. An
argument that is not as said is a `ValueError`. A `base_lr` that is assigned later changes nothing,
and a warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from d2l_lrsched import checks

from .schedule import Schedule


@dataclass(eq=False, repr=False)
class LangevinScheduler(Schedule):
    """Let the rate fall as a power of the number of updates, for ever and towards 0.

    ::

        a / (b + num_update)**gamma  for every num_update >= 0

    At 0 the rate is ``a / b**gamma``, which is the scheduler's `base_lr`; it has no end and stays
    above 0. With `gamma` in (0.5, 1] the sum of all rates diverges and that of their squares does
    not: stochastic gradient Langevin dynamics needs the first to reach every place however far,
    and the second to let the errors of its steps vanish.

    Parameters
    ----------
    a : float
        The scale, above 0.
    b : float
        The updates by which the fall is delayed, above 0.
    gamma : float
        The power, in (0.5, 1].

    Notes
    -----
    Source: Welling and Teh, "Bayesian learning via stochastic gradient Langevin dynamics" (2011),
    section 2, with equation (2), the condition on the two sums.

    Examples
    --------
    >>> scheduler = LangevinScheduler(a=8.0, b=2.0, gamma=1)
    >>> [scheduler(n) for n in (0, 2, 6, 14)]
    [4.0, 2.0, 1.0, 0.5]
    """

    a: float
    b: float
    gamma: float = 0.55

    def __post_init__(self) -> None:
        self._keep(
            a=checks.positive("a", self.a),
            b=checks.positive("b", self.b),
            gamma=_check_gamma(self.gamma),
        )
        checks.positive("a / b**gamma", self.base_lr)

    @property
    def base_lr(self) -> float:
        """The rate at 0."""
        return self(0)

    @classmethod
    def between(
        cls, base_lr: float, final_lr: float, max_update: int, gamma: float = 0.55
    ) -> LangevinScheduler:
        """Return the scheduler of this `gamma` that falls from one rate to another.

        Parameters
        ----------
        base_lr : float
            The rate at 0, above `final_lr`.
        final_lr : float
            The rate at `max_update`, above 0. Past it the rate falls on.
        max_update : int
            At least 1.
        gamma : float
            The power, in (0.5, 1].

        Raises
        ------
        ValueError
            If an argument is not as said above.

        Examples
        --------
        >>> LangevinScheduler.between(4.0, 0.5, max_update=14, gamma=1)
        LangevinScheduler(a=8.0, b=2.0, gamma=1)
        """
        first = checks.positive("base_lr", base_lr)
        last = checks.positive("final_lr", final_lr)
        if last >= first:
            raise ValueError(f"final_lr must be a number < base_lr={first!r}, got {final_lr!r}")
        gamma = _check_gamma(gamma)
        try:
            fall = (first / last) ** (1 / gamma)
        except OverflowError:
            raise ValueError(
                f"final_lr must be less far below base_lr={first!r}, got {final_lr!r}"
            ) from None
        b = checks.count("max_update", max_update) / (fall - 1)
        return cls(first * b**gamma, b, gamma)

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        return self.a / (self.b + num_update) ** self.gamma


def _check_gamma(value: float) -> float:
    return checks.number("gamma", value, "a number > 0.5 and <= 1", lambda x: 0.5 < x <= 1)
