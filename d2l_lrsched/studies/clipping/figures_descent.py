"""The figure of the paper's problem of two weights: paths, gradient norms and losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from d2l_lrsched import drawing
from d2l_lrsched.studies.clipping.descent import RATES, SETTLED, Descent

QUADRATIC_FIGURE = "quadratic.svg"
# The same in all columns; what diverges or falls out of sight leaves the picture.
_WEIGHTS = (-7.5, 7.5)
_NORMS = (1e-4, 1e5)
_LOSSES = (1e-8, 1e9)
# Colors of Okabe and Ito, told apart by nearly everybody; dashes and shapes say the same.
_CLIPPED: dict[str, Any] = {"color": "#0072B2", "lw": 1.6, "marker": "o", "ms": 3.5, "mew": 0}
_UNCLIPPED: dict[str, Any] = {
    **{"color": "#D55E00", "lw": 1.2, "ls": "--"},
    **{"marker": "D", "ms": 4.5, "mew": 1, "fillstyle": "none"},
}
_THRESHOLD: dict[str, Any] = {"color": "#000000", "lw": 1, "ls": ":"}
_SETTLED: dict[str, Any] = {"color": "0.4", "lw": 1, "ls": "-."}
_SIZE = 8


def quadratic_figure(descents: Iterable[Descent]) -> Figure:
    """Draw the descents, one column a learning rate, those with and without clipping together.

    Above, their paths over the contours of the loss, with the circle inside which nothing is
    clipped; all lie on one line. Below, the gradient's norm before clipping with the threshold,
    and the loss with the value below which it counts as settled, both logarithmic: a point at 0
    is left out.

    Parameters
    ----------
    descents : iterable of Descent
        At least one; columns in the order in which their rates come first.
    """
    columns: dict[float, list[Descent]] = {}
    for descent in descents:
        columns.setdefault(descent.learning_rate, []).append(descent)
    names = {rate: f"rate {rate:g}, {name}" for name, rate in RATES.items()}
    with drawing.look():
        figure = Figure(figsize=(8, 7.2), layout="constrained")
        grid = figure.subplots(
            3, len(columns), squeeze=False, sharey="row", height_ratios=(1.35, 1, 1)
        )
        for (rate, of_rate), (paths, norms, losses) in zip(columns.items(), grid.T):
            _draw_contours(paths, of_rate)
            for descent in of_rate:
                paths.plot(*zip(*descent.weights), **_style(descent))
                _draw_steps(norms, descent.norms, _style(descent))
                _draw_steps(losses, descent.losses, _style(descent))
                if descent.clip_norm is not None:
                    norms.axhline(descent.clip_norm, **_THRESHOLD)
            paths.set_title(names.get(rate, f"rate {rate:g}"), size=9)
            paths.set(xlim=_WEIGHTS, ylim=_WEIGHTS, aspect="equal")
            paths.set(xticks=(-5, 0, 5), yticks=(-5, 0, 5))
            paths.set_xlabel("$w_1$", size=_SIZE)
            norms.set(yscale="log", ylim=_NORMS)
            losses.set(yscale="log", ylim=_LOSSES)
            losses.axhline(SETTLED, **_SETTLED)
            losses.set_xlabel("step", size=_SIZE)
            for axes in (norms, losses):
                axes.grid(alpha=0.4)
        for axes, label in zip(grid[:, 0], ("$w_2$", "gradient norm before clipping", "loss")):
            axes.set_ylabel(label, size=_SIZE)
        for axes in grid.flat:
            axes.tick_params(labelsize=_SIZE)
        handles = [
            Line2D([], [], label="with clipping", **_CLIPPED),
            Line2D([], [], label="without clipping", **_UNCLIPPED),
            Line2D([], [], label="the norm is the threshold", **_THRESHOLD),
            Line2D([], [], label="settled below this", **_SETTLED),
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncol=4, frameon=False, fontsize=_SIZE
        )
    return figure


def _style(descent: Descent) -> Mapping[str, Any]:
    return _UNCLIPPED if descent.clip_norm is None else _CLIPPED


def _draw_contours(axes: Axes, descents: Sequence[Descent]) -> None:
    """Draw the loss's contours, circles at the distances 1, 2, ..., and where clipping ends."""
    for radius in range(1, 11):
        axes.add_patch(Circle((0, 0), radius, fill=False, color="0.8", lw=0.6))
    for descent in descents:
        if descent.clip_norm is not None:
            # The gradient is 2w: its norm is the threshold at half of it.
            axes.add_patch(Circle((0, 0), descent.clip_norm / 2, fill=False, **_THRESHOLD))
    start = descents[0].weights[0]
    axes.annotate("start", start, (-5, 3), textcoords="offset points", ha="right", size=_SIZE)


def _draw_steps(axes: Axes, values: Sequence[float], style: Mapping[str, Any]) -> None:
    """Draw values over 0, 1, 2, ...; no logarithmic axis can hold a 0."""
    shown = np.where(np.array(values) > 0, values, np.nan)
    axes.plot(shown, **{**style, "ms": 0.6 * style["ms"]})
