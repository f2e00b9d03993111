"""The figure of Langevin sampling: the last samples, and the variances on the way there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling.record import Pooled, Samples, pool

#: The settings whose samples are drawn.
PANELS = {
    "paper": "the paper's schedule",
    "fixed-moderate": "fixed step 0.003",
    "fixed-large": "fixed step 0.03",
    "sgd-moderate": "0.003, no noise injected",
    "sgd-paper": "schedule, no noise injected",
}
#: Setting -> its color and, saying the same, the shape of its points.
STYLES: Mapping[str, Mapping[str, Any]] = {
    "paper": {"color": drawing.BLUE, "marker": "o"},
    "fixed-small": {"color": "#56B4E9", "marker": "v"},
    "fixed-moderate": {"color": "#E69F00", "marker": "s"},
    "fixed-large": {"color": drawing.VERMILION, "marker": "D"},
    "fixed-unstable": {"color": drawing.BLACK, "marker": "x"},
    "sgd-moderate": {"color": drawing.PINK, "marker": "P"},
    "sgd-paper": {"color": drawing.GREEN, "marker": "^"},
}
_POINTS: dict[str, Any] = {"ms": 4, "fillstyle": "none", "mew": 1}
_POSTERIOR: dict[str, Any] = {"color": drawing.BLACK, "lw": 1.4}
_EXACT: dict[str, Any] = {"color": "0.35", "lw": 1.1, "ls": "--"}
#: Half the width of the panels, in theta's units.
_REACH = 1.35
#: Holds 95 % of a Gaussian in the plane.
_RADIUS = math.sqrt(-2 * math.log(0.05))


@drawing.figure(9, 5.4)
def sgld(figure: Figure, records: Iterable[Samples]) -> None:
    """Draw the samples at the end, and variances and distances over the updates.

    Above, chains of all seeds in the plane of theta with the ellipse that holds 95 % of the
    posterior (solid) and that of the exact prediction (dashed). Below, over the updates: the
    variance along the posterior's narrow axis divided by the posterior's, and the 2-Wasserstein
    distance from the posterior; points are sampled, curves are the exact prediction. What leaves
    the picture diverges. Settings without a record are left out.
    """
    records = list(records)
    pooled = {of.setting.name: of for of in pool(records)}
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.6))
    planes = above.subplots(1, len(PANELS), sharey=True)
    for axes, (name, title) in zip(planes, PANELS.items()):
        points = [point for record in records if record.setting == name for point in record.final]
        _plane(axes, pooled.get(name), points)
        axes.set_title(title, size=8)
    planes[0].set_ylabel(r"$\theta_2$")
    variances, distances = below.subplots(1, 2)
    for name, of in pooled.items():
        courses = (
            (variances, of.found.variance[:, 0], of.exact.variance[:, 0]),
            (distances, of.found.distance, of.exact.distance),
        )
        for axes, found, exact in courses:
            axes.plot(of.updates, exact, color=STYLES[name]["color"], lw=1)
            axes.plot(of.updates, found, ls="", **STYLES[name], **_POINTS)
    variances.axhline(1, **_POSTERIOR)
    variances.set(ylim=(1e-2, 1e3), title="variance, narrow axis / the posterior's")
    title = "$W_2$ from the posterior, in its standard deviations"
    distances.set(ylim=(1e-2, 1e2), title=title)
    for axes in (variances, distances):
        axes.set(xscale="log", yscale="log", xlabel="update")
    styles = {
        **{name: {**STYLES[name], **_POINTS} for name in pooled},
        "posterior": _POSTERIOR,
        "exact prediction of the chains": _EXACT,
    }
    drawing.legend(below, styles, ncol=5)


def _plane(axes: Axes, of: Pooled | None, points: Sequence[Sequence[float]]) -> None:
    if of is not None:
        axes.plot(*np.transpose(points), **STYLES[of.setting.name], ls="", ms=2.5, mew=0, alpha=0.5)
        axes.plot(*_ellipse(of.exact.mean[-1], of.exact.variance[-1]), **_EXACT)
    axes.plot(*_ellipse(np.zeros(2), np.ones(2)), **_POSTERIOR)
    center = posterior.POSTERIOR_MEAN
    axes.set(xlim=center[0] + [-_REACH, _REACH], ylim=center[1] + [-_REACH, _REACH])
    axes.set(aspect="equal", xticks=(0, 1, 2), yticks=(1, 2, 3), xlabel=r"$\theta_1$")
    axes.grid(False)


def _ellipse(mean: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return theta on the 95 % ellipse of a Gaussian given in posterior units, (2, points)."""
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return posterior.from_standard(mean + _RADIUS * np.sqrt(variances) * circle).T


#: File -> what draws it from samples.
FIGURES: Mapping[str, Callable[[Iterable[Samples]], Figure]] = {"sgld.svg": sgld}
