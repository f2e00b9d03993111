r"""The paper's problem of two weights, L = w1^2 + w2^2, descended with and without clipping.

Its gradient is 2w, so everything happens on the straight line through the start and 0, and every
step is known beforehand: `descend` measures, `closed_form` says what must come out.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mxnet import autograd, gluon, np, npx

from d2l_lrsched import checks
from d2l_lrsched.clipping import clip_global_norm, global_norm

#: Here the gradient's norm is 2 sqrt(34) = 11.66: above 10, as the paper has it without clipping.
START = (3.0, 5.0)
#: Without clipping each step multiplies the weights by 1 - 2 rate: 0.2, -0.8 and -1.2.
RATES: Mapping[str, float] = {"fast": 0.4, "oscillating": 0.9, "diverging": 1.1}
#: The paper's threshold (4.2).
CLIP_NORM = 1.0
NUM_STEPS = 40
#: A loss below this counts as the minimum reached; the first one is 34.
SETTLED = 1e-3
TABLE_HEADER = (
    "learning rate",
    "clipping",
    "gradient norm at the start",
    "norm applied in the first step",
    "largest gradient norm after the start",
    "final loss",
    "settled at step",
)


@dataclass(frozen=True)
class Descent:
    """What T steps of sgd did: T + 1 points, the start and what each step led to.

    Parameters
    ----------
    learning_rate : float
    clip_norm : float or None
        The threshold of clipping; None without clipping.
    weights : list of (float, float)
        T + 1 pairs (w1, w2).
    losses : list of float
        w1^2 + w2^2 at each of them.
    norms : list of float
        The gradient's norm at each of them, before clipping; no step follows the last one.
    """

    learning_rate: float
    clip_norm: float | None
    weights: list[tuple[float, float]]
    losses: list[float]
    norms: list[float]


def descend(
    learning_rate: float,
    num_steps: int,
    clip_norm: float | None = None,
    start: tuple[float, float] = START,
) -> Descent:
    """Minimize w1^2 + w2^2 with Gluon's autograd and sgd, the gradient clipped or not.

    Parameters
    ----------
    learning_rate : float
        Finite and above 0, the same at every step. MXNet's sgd rounds it to float32; all else is
        float64.
    num_steps : int
        Updates, at least 1.
    clip_norm : float, optional
        Threshold of the gradient's norm, finite and above 0; without it nothing is clipped.
    start : tuple of two floats
        The weights before the first step, both finite.

    Returns
    -------
    Descent
        Of ``num_steps + 1`` points. Numbers past float64 are inf or nan.

    Raises
    ------
    ValueError
        If an argument is not as said.
    FloatingPointError
        With clipping, if the norm of the gradient is not finite.

    Notes
    -----
    Source: paper 4.1, with the steps of its 3.3. Within float64 rounding the points are those of
    ``closed_form(float(numpy.float32(learning_rate)), ...)``.

    With clipping each step is ``learning_rate * clip_norm`` long, and the distance to 0 falls by
    as much (less where a rate above 1/2 steps over 0), until it is ``clip_norm / 2`` at most,
    where the norm is that of the threshold. From there on nothing is clipped, unless the rate is
    above 1: then each step multiplies by ``abs(1 - 2 * learning_rate) > 1`` and leads away from 0
    again, until clipping throws it back. Such a descent does not converge, but neither does it
    leave: once no farther from 0 than ``(learning_rate - 1/2) * clip_norm`` it stays so, and jumps
    from side to side.
    """
    _check(learning_rate, num_steps, clip_norm, start)
    npx.set_np()  # per thread
    # Zeros, not MXNet's random default, which would take numbers from the global generator.
    weights = gluon.Parameter("weights", shape=(2,), dtype="float64", init="zeros")
    weights.initialize()
    weights.set_data(np.array(start, dtype="float64"))
    trainer = gluon.Trainer([weights], "sgd", {"learning_rate": learning_rate})
    descent = Descent(learning_rate, clip_norm, [], [], [])

    def compute_gradient() -> None:
        with autograd.record():
            loss = (weights.data() ** 2).sum()
        loss.backward()
        trainer.allreduce_grads()
        w1, w2 = weights.data().tolist()
        descent.weights.append((w1, w2))
        descent.losses.append(float(loss))
        descent.norms.append(global_norm([weights.grad()]))

    for _ in range(num_steps):
        compute_gradient()
        if clip_norm is not None:
            clip_global_norm([weights.grad()], clip_norm)
        trainer.update(1)
    compute_gradient()  # of the point that the last step led to
    return descent


def closed_form(
    learning_rate: float,
    num_steps: int,
    clip_norm: float | None = None,
    start: tuple[float, float] = START,
) -> list[tuple[float, float]]:
    r"""Return the weights that `descend` must find, by formula and in float64.

    Without clipping, with the rate :math:`\eta`,

    .. math:: w_t = (1 - 2 \eta)^t \, w_0.

    With clipping at c, all points are :math:`w_t = r_t \, w_0 / \lVert w_0 \rVert` with the signed
    distance :math:`r_0 = \lVert w_0 \rVert` and

    .. math:: r_{t+1} = \begin{cases}
              r_t - \eta c \, \operatorname{sign}(r_t) & 2 \lvert r_t \rvert > c \\
              (1 - 2 \eta) \, r_t                      & 2 \lvert r_t \rvert \le c
              \end{cases}

    Parameters
    ----------
    learning_rate, num_steps, clip_norm, start
        As for `descend`; here the rate is used unrounded.

    Returns
    -------
    list of (float, float)
        ``num_steps + 1`` pairs (w1, w2).

    Raises
    ------
    ValueError
        If an argument is not as said.

    Notes
    -----
    Source: paper 4.1 and 3.1.2, worked out: the gradient is 2w, of norm :math:`2 \lvert r \rvert`.

    Examples
    --------
    >>> closed_form(0.25, 3, start=(4.0, 8.0))
    [(4.0, 8.0), (2.0, 4.0), (1.0, 2.0), (0.5, 1.0)]
    >>> closed_form(0.25, 3, clip_norm=8, start=(0.0, 5.0))  # clipped while |w| is above 4
    [(0.0, 5.0), (0.0, 3.0), (0.0, 1.5), (0.0, 0.75)]
    """
    _check(learning_rate, num_steps, clip_norm, start)
    threshold = math.inf if clip_norm is None else clip_norm
    distance = math.hypot(*start)
    scales = [1.0]  # r_t / r_0, which a start at 0 has too
    for _ in range(num_steps):
        scale = scales[-1]
        if 2 * abs(scale) * distance > threshold:
            scale -= math.copysign(learning_rate * threshold / distance, scale)
        else:
            scale *= 1 - 2 * learning_rate
        scales.append(scale)
    return [(scale * start[0], scale * start[1]) for scale in scales]


def settled(descent: Descent) -> int | None:
    """Return the first step from which on the loss stays below 1e-3; None if there is none.

    It counts updates: 0 is the start. A loss that is nan is not below.
    """
    above = [step for step, loss in enumerate(descent.losses) if not loss < SETTLED]
    first = above[-1] + 1 if above else 0
    return first if first < len(descent.losses) else None


def table_rows(descents: Iterable[Descent]) -> list[tuple[str, ...]]:
    """Return the paper's table 4.2 with measured numbers: a row of texts for each descent.

    Parameters
    ----------
    descents : iterable of Descent

    Returns
    -------
    list of tuple of str
        With the columns of `TABLE_HEADER`; numbers have three digits. The norm applied is measured
        too: the first step's length divided by the rate.

    Notes
    -----
    Source: paper 4.2, which gives one number a row (above 10, and 1) and calls clipping slow.
    """
    rows: list[tuple[str, ...]] = []
    for descent in descents:
        step = settled(descent)
        applied = math.dist(*descent.weights[:2]) / descent.learning_rate
        rows.append(
            (
                f"{descent.learning_rate:.3g}",
                "no" if descent.clip_norm is None else f"at {descent.clip_norm:.3g}",
                f"{descent.norms[0]:.3g}",
                f"{applied:.3g}",
                f"{max(descent.norms[1:]):.3g}",
                f"{descent.losses[-1]:.3g}",
                "never" if step is None else str(step),
            )
        )
    return rows


def _check(learning_rate: Any, num_steps: Any, clip_norm: Any, start: Any) -> None:
    checks.positive("learning_rate", learning_rate)
    checks.count("num_steps", num_steps)
    if clip_norm is not None:
        checks.positive("clip_norm", clip_norm)
    if not (
        isinstance(start, (tuple, list))
        and len(start) == 2
        and all(isinstance(w, numbers.Real) and not isinstance(w, bool) for w in start)
        and all(map(math.isfinite, start))
    ):
        raise ValueError(f"start must be two finite numbers, got {start!r}")
