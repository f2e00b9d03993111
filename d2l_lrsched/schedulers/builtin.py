"""MXNet's four schedulers as pure functions of the number of updates.

Names, arguments and arithmetic are MXNet's; the classes derive from MXNet's. Each returns for every
`num_update` what a fresh MXNet object returns at the end of the calls 0, 1, ..., `num_update`.
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

from mxnet import lr_scheduler

from ._base import (
    Smooth,
    Stepwise,
    check_count,
    check_factor,
    check_positive,
    check_rate,
    check_steps,
    check_warmup,
)


class FactorScheduler(Stepwise, lr_scheduler.FactorScheduler):
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

    def __init__(
        self,
        step: int,
        factor: float = 1,
        stop_factor_lr: float = 1e-8,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        step = check_count("step", step)
        factor = check_factor(factor)
        base_lr = check_positive("base_lr", base_lr)
        stop_factor_lr = check_rate("stop_factor_lr", stop_factor_lr, "base_lr", base_lr)
        warmup = check_warmup(warmup_steps, warmup_begin_lr, warmup_mode, base_lr)
        self._base_lr = base_lr
        arguments = (step, factor, stop_factor_lr, base_lr, *warmup)
        super().__init__(*arguments)
        self._wrap(lr_scheduler.FactorScheduler, arguments)


class MultiFactorScheduler(Stepwise, lr_scheduler.MultiFactorScheduler):
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

    def __init__(
        self,
        step: list[int],
        factor: float = 1,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        step = check_steps(step)
        factor = check_factor(factor)
        base_lr = check_positive("base_lr", base_lr)
        warmup = check_warmup(warmup_steps, warmup_begin_lr, warmup_mode, base_lr)
        self._base_lr = base_lr
        arguments = (step, factor, base_lr, *warmup)
        super().__init__(*arguments)
        self._wrap(lr_scheduler.MultiFactorScheduler, arguments)


class PolyScheduler(Smooth, lr_scheduler.PolyScheduler):
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

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        pwr: float = 2,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        max_update = check_count("max_update", max_update)
        base_lr = check_positive("base_lr", base_lr)
        pwr = check_positive("pwr", pwr)
        final_lr = check_rate("final_lr", final_lr, "base_lr", base_lr)
        warmup = check_warmup(warmup_steps, warmup_begin_lr, warmup_mode, base_lr, max_update)
        self._base_lr = base_lr
        self.pwr = pwr  # MXNet keeps it as `power`
        arguments = (max_update, base_lr, pwr, final_lr, *warmup)
        super().__init__(*arguments)
        self._wrap(lr_scheduler.PolyScheduler, arguments)


class CosineScheduler(Smooth, lr_scheduler.CosineScheduler):
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

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        max_update = check_count("max_update", max_update)
        base_lr = check_positive("base_lr", base_lr)
        final_lr = check_rate("final_lr", final_lr, "base_lr", base_lr)
        warmup = check_warmup(warmup_steps, warmup_begin_lr, warmup_mode, base_lr, max_update)
        self._base_lr = base_lr
        arguments = (max_update, base_lr, final_lr, *warmup)
        super().__init__(*arguments)
        self._wrap(lr_scheduler.CosineScheduler, arguments)
