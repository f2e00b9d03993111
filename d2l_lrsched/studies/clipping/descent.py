r"""The paper's problem of two weights, L = w1^2 + w2^2, descended with and without clipping.

Its gradient is 2w, so everything happens on the straight line through the start and 0, and every
step is known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mxnet import autograd, gluon, np, npx

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


@dataclass(frozen=True)
class Descent:
    """What T steps of sgd did: T + 1 points, the start and what each step led to.

    `weights` are pairs (w1, w2), `losses` w1^2 + w2^2 at each of them, and `norms` the gradient's
    there, before clipping; no step follows the last one. Without clipping `clip_norm` is None.
    """

    learning_rate: float
    clip_norm: float | None
    weights: list[tuple[float, float]]
    losses: list[float]
    norms: list[float]


def descend(
    learning_rate: float, num_steps: int = NUM_STEPS, clip_norm: float | None = None
) -> Descent:
    r"""Minimize w1^2 + w2^2 from `START` with Gluon's autograd and sgd, clipped or not.

    MXNet's sgd rounds the learning rate, the same at every step, to float32; all else is float64,
    and numbers past that are inf or nan.

    Raises
    ------
    FloatingPointError
        With clipping, if the norm of the gradient is not finite.

    Notes
    -----
    Source: paper 4.1, with the steps of its 3.3. With the rate :math:`\eta` and without clipping

    .. math:: w_t = (1 - 2 \eta)^t \, w_0.

    With clipping at c all points are :math:`w_t = r_t \, w_0 / \lVert w_0 \rVert` with the signed
    distance :math:`r_0 = \lVert w_0 \rVert` and

    .. math:: r_{t+1} = \begin{cases}
              r_t - \eta c \, \operatorname{sign}(r_t) & 2 \lvert r_t \rvert > c \\
              (1 - 2 \eta) \, r_t                      & 2 \lvert r_t \rvert \le c
              \end{cases}

    So the distance falls by :math:`\eta c` a step until the norm is that of the threshold. From
    there on nothing is clipped, unless the rate is above 1: then each step leads away from 0 again,
    until clipping throws it back. Such a descent does not converge, but neither does it leave: once
    no farther from 0 than :math:`(\eta - 1/2) c` it stays so, and jumps from side to side.
    """
    npx.set_np()  # per thread
    # Zeros, not MXNet's random default, which would take numbers from the global generator.
    weights = gluon.Parameter("weights", shape=(2,), dtype="float64", init="zeros")
    weights.initialize()
    weights.set_data(np.array(START, dtype="float64"))
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


def descents() -> list[Descent]:
    """Return the paper's problem at each of the `RATES`, without and with its clipping."""
    return [
        descend(rate, clip_norm=clip_norm)
        for rate in RATES.values()
        for clip_norm in (None, CLIP_NORM)
    ]


def settled(descent: Descent) -> int | None:
    """Return the first step from which on the loss stays below 1e-3; None if there is none.

    It counts updates: 0 is the start. A loss that is nan is not below.
    """
    above = [step for step, loss in enumerate(descent.losses) if not loss < SETTLED]
    first = above[-1] + 1 if above else 0
    return first if first < len(descent.losses) else None
