"""The figure of Langevin sampling: the last samples, and the variances on the way there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from d2l_lrsched import drawing
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling.record import Pooled, Samples, pool

SGLD_FIGURE = "sgld.svg"
#: The settings whose samples are drawn.
PANELS = {
    "paper": "the paper's schedule",
    "fixed-moderate": "fixed step 0.003",
    "fixed-large": "fixed step 0.03",
    "sgd-moderate": "0.003, no noise injected",
    "sgd-paper": "schedule, no noise injected",
}
# Colors of Okabe and Ito; the markers say the same without them.
_STYLES: dict[str, dict[str, Any]] = {
    "paper": {"color": "#0072B2", "marker": "o"},
    "fixed-small": {"color": "#56B4E9", "marker": "v"},
    "fixed-moderate": {"color": "#E69F00", "marker": "s"},
    "fixed-large": {"color": "#D55E00", "marker": "D"},
    "fixed-unstable": {"color": "#000000", "marker": "x"},
    "sgd-moderate": {"color": "#CC79A7", "marker": "P"},
    "sgd-paper": {"color": "#009E73", "marker": "^"},
}
_CURVE: dict[str, Any] = {"lw": 1.0}
_POINTS: dict[str, Any] = {"ls": "", "ms": 4, "fillstyle": "none", "mew": 1}
_POSTERIOR: dict[str, Any] = {"color": "#000000", "lw": 1.4}
_EXACT: dict[str, Any] = {"color": "0.35", "lw": 1.1, "ls": "--"}
#: Half the width of the panels, in theta's units.
_REACH = 1.35
#: Holds 95 % of a Gaussian in the plane.
_RADIUS = math.sqrt(-2 * math.log(0.05))
_VARIANCES = (1e-2, 1e3)
_DISTANCES = (1e-2, 1e2)
_SIZE = 8


def sgld_figure(records: Iterable[Samples]) -> Figure:
    """Draw the samples at the end, and variances and distances over the updates.

    Above, chains of all seeds in the plane of theta with the ellipse that holds 95 % of the
    posterior (solid) and that of the exact prediction (dashed). Below, over the updates: the
    variance along the posterior's narrow axis divided by the posterior's, and the 2-Wasserstein
    distance from the posterior; markers are sampled, curves are the exact prediction. What leaves
    the picture diverges.

    Parameters
    ----------
    records : iterable of Samples
        Settings without a record are left out.
    """
    records = list(records)
    pooled = {sampled.setting.name: sampled for sampled in pool(records)}
    with drawing.look():
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        grid = figure.add_gridspec(2, 10, height_ratios=(1, 1.35))
        for i, (name, title) in enumerate(PANELS.items()):
            axes = figure.add_subplot(grid[0, 2 * i : 2 * i + 2])
            points = [point for r in records if r.setting == name for point in r.final]
            _draw_samples(axes, pooled.get(name), points)
            axes.set_title(title, size=_SIZE)
            if i:
                axes.set_yticklabels([])
            else:
                axes.set_ylabel(r"$\theta_2$", size=_SIZE)
        variances = figure.add_subplot(grid[1, :5])
        distances = figure.add_subplot(grid[1, 5:])
        for name, sampled in pooled.items():
            exact = sampled.exact.variance[:, 0]
            _draw_course(variances, sampled.updates, sampled.found.variance[:, 0], exact, name)
            _draw_course(
                distances, sampled.updates, sampled.found.distance, sampled.exact.distance, name
            )
        variances.axhline(1, **_POSTERIOR)
        variances.set_ylim(_VARIANCES)
        variances.set_title("variance, narrow axis / the posterior's", size=_SIZE)
        distances.set_ylim(_DISTANCES)
        distances.set_title("$W_2$ from the posterior, in its standard deviations", size=_SIZE)
        for axes in (variances, distances):
            axes.set(xscale="log", yscale="log")
            axes.set_xlabel("update", size=_SIZE)
            axes.grid(alpha=0.4)
        for axes in figure.axes:
            axes.tick_params(labelsize=_SIZE)
        _draw_legend(figure, list(pooled.values()))
    return figure


def _draw_samples(axes: Axes, sampled: Pooled | None, points: Sequence[Sequence[float]]) -> None:
    if sampled is not None:
        style = _STYLES[sampled.setting.name]
        axes.plot(*np.transpose(points), **style, ls="", ms=2.5, mew=0, alpha=0.5)
        axes.plot(*_ellipse(sampled.exact.mean[-1], sampled.exact.variance[-1]), **_EXACT)
    axes.plot(*_ellipse(np.zeros(2), np.ones(2)), **_POSTERIOR)
    center = langevin.POSTERIOR_MEAN
    axes.set(xlim=center[0] + [-_REACH, _REACH], ylim=center[1] + [-_REACH, _REACH])
    axes.set(aspect="equal", xticks=(0, 1, 2), yticks=(1, 2, 3))
    axes.set_xlabel(r"$\theta_1$", size=_SIZE)


def _ellipse(mean: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return theta on the 95 % ellipse of a Gaussian given in posterior units, (2, points)."""
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return langevin.from_standard(mean + _RADIUS * np.sqrt(variances) * circle).T


def _draw_course(
    axes: Axes, updates: Sequence[int], found: ArrayLike, exact: ArrayLike, name: str
) -> None:
    style = _STYLES[name]
    axes.plot(updates, exact, color=style["color"], **_CURVE)
    axes.plot(updates, found, **style, **_POINTS)


def _draw_legend(figure: Figure, pooled: Sequence[Pooled]) -> None:
    handles = [
        Line2D([], [], label=s.setting.name, **_STYLES[s.setting.name], **{**_POINTS, "ls": "-"})
        for s in pooled
    ]
    handles += [
        Line2D([], [], label="posterior", **_POSTERIOR),
        Line2D([], [], label="exact prediction of the chains", **_EXACT),
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncol=5, frameon=False, fontsize=_SIZE
    )
