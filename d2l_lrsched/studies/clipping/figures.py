"""The paper's figures: the four combinations, who collapses, and the problem of two weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from d2l_lrsched import drawing
from d2l_lrsched.drawing import COLLAPSED, TRAINED
from d2l_lrsched.runs.frames import of_epochs, of_experiment, of_runs, of_windows
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.clipping.claims import ARMS, LOWER, REMEDIES
from d2l_lrsched.studies.clipping.descent import RATES, SETTLED, Descent

_LOSS = "train loss, of 50 batches"
#: Guessing has the loss 2.3; what lies above this, as some that run away, leaves the picture.
_HIGHEST_LOSS = 3.0
_SAVED = {**TRAINED, "lw": 1.2}
_OTHERS: dict[str, Any] = {"color": "0.75", "lw": 0.6}
QUADRATIC_FIGURE = "quadratic.svg"
# The same in all columns; what diverges or falls out of sight leaves the picture.
_WEIGHTS, _NORMS, _LOSSES = (-7.5, 7.5), (1e-4, 1e5), (1e-8, 1e9)
_CLIPPED: dict[str, Any] = {"color": drawing.BLUE, "lw": 1.6, "marker": "o", "ms": 3.5, "mew": 0}
_UNCLIPPED: dict[str, Any] = {
    **{"color": drawing.VERMILION, "lw": 1.2, "ls": "--"},
    **{"marker": "D", "ms": 4.5, "mew": 1, "fillstyle": "none"},
}
_THRESHOLD = {"color": "k", "lw": 1, "ls": ":"}
_SETTLED = {"color": "0.4", "lw": 1, "ls": "-."}


@drawing.figure(10, 4.6)
def arms(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw every run of the arms, a column an arm.

    Above, the mean training loss of every 50 batches; below, the test accuracy after each epoch.
    """
    runs = list(runs)
    trained, losses, epochs = of_runs(runs).trained, of_windows(runs), of_epochs(runs)
    shown = (*ARMS, LOWER)
    grid = figure.subplots(2, len(shown), sharex=True, sharey="row")
    for arm, (above, below) in zip(shown, grid.T):
        ours = of_experiment(trained, arm)
        drawing.curves(above, of_experiment(losses, arm).unstack("seed"), ours)
        drawing.curves(below, of_experiment(epochs.test_acc, arm).unstack("seed"), ours)
        above.set_title(f"{arm}\n{(~ours).sum()} of {len(ours)} collapsed")
        below.set_xlabel("epoch")
    grid[0, 0].set(ylabel=_LOSS, ylim=(0, _HIGHEST_LOSS))
    grid[1, 0].set_ylabel("test accuracy")
    drawing.legend(figure, {"trained": TRAINED, "collapsed": COLLAPSED})


@drawing.figure(10, 2.7)
def collapse(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw the training loss of the seeds that collapse, without and with each remedy.

    A row for each of `REMEDIES` without which a seed collapsed, or for all where none did: left
    the runs without, then those with. Only these seeds have a color, the same all along the row.
    """
    runs = list(runs)
    trained, losses = of_runs(runs).trained, of_windows(runs)
    remedies = dict(REMEDIES)
    shown = [plain for plain in remedies if not of_experiment(trained, plain).all()] or [*remedies]
    figure.set_figheight(2.3 * len(shown) + 0.4)
    columns = 1 + max(len(remedies[plain]) for plain in shown)
    grid = figure.subplots(len(shown), columns, sharey=True, squeeze=False)
    for plain, row in zip(shown, grid):
        without = of_experiment(trained, plain)
        seeds = without.index[~without]
        names = (plain, *remedies[plain])
        for axes, name in zip(row, names):
            ours = of_experiment(trained, name)
            curves = of_experiment(losses, name).unstack("seed")
            for seed in sorted(ours.index, key=seeds.__contains__):  # the others first, beneath
                style = (_SAVED if ours[seed] else COLLAPSED) if seed in seeds else _OTHERS
                style = style if ours[seed] else {**style, "ls": "--"}
                axes.plot(curves.index, curves[seed], **style)
            axes.set_title(f"{name}\n{(~ours).sum()} of {len(ours)} collapsed")
            axes.set_xlabel("epoch")
        for axes in row[len(names) :]:
            axes.set_axis_off()
        row[0].set(ylabel=_LOSS, ylim=(0, _HIGHEST_LOSS))
    styles = {
        "collapsed, as on the left": COLLAPSED,
        "collapsed on the left, trained": _SAVED,
        "trained on the left": _OTHERS,
    }
    drawing.legend(figure, styles)


@drawing.figure(8, 7.2)
def quadratic(figure: Figure, descents: Iterable[Descent]) -> None:
    """Draw the descents, one column a learning rate, those with and without clipping together.

    Above, their paths over the contours of the loss, with the circle inside which nothing is
    clipped; all lie on one line. Below, the gradient's norm before clipping with the threshold,
    and the loss with the value below which it counts as settled, both logarithmic: a point at 0
    is left out.
    """
    columns: dict[float, list[Descent]] = {}
    for descent in descents:
        columns.setdefault(descent.learning_rate, []).append(descent)
    names = {rate: f"rate {rate:g}, {name}" for name, rate in RATES.items()}
    ratios = (1.35, 1, 1)
    grid = figure.subplots(3, len(columns), squeeze=False, sharey="row", height_ratios=ratios)
    for (rate, of_rate), (paths, norms, losses) in zip(columns.items(), grid.T):
        for radius in range(1, 11):  # where the loss is 1, 4, 9, ...
            paths.add_patch(Circle((0, 0), radius, fill=False, color="0.8", lw=0.6))
        for descent in of_rate:
            style = _UNCLIPPED if descent.clip_norm is None else _CLIPPED
            paths.plot(*zip(*descent.weights), **style)
            for axes, values in ((norms, descent.norms), (losses, descent.losses)):
                shown = np.where(np.array(values) > 0, values, np.nan)
                axes.plot(shown, **{**style, "ms": 0.6 * style["ms"]})
            if descent.clip_norm is not None:
                norms.axhline(descent.clip_norm, **_THRESHOLD)
                # The gradient is 2w: its norm is the threshold at half of it.
                paths.add_patch(Circle((0, 0), descent.clip_norm / 2, fill=False, **_THRESHOLD))
        place = {"xytext": (-5, 3), "textcoords": "offset points", "ha": "right", "size": 8}
        paths.annotate("start", of_rate[0].weights[0], **place)
        paths.set(xlim=_WEIGHTS, ylim=_WEIGHTS, aspect="equal", xlabel="$w_1$")
        paths.set(xticks=(-5, 0, 5), yticks=(-5, 0, 5))
        paths.set_title(names.get(rate, f"rate {rate:g}"))
        paths.grid(False)
        norms.set(yscale="log", ylim=_NORMS)
        losses.set(yscale="log", ylim=_LOSSES, xlabel="step")
        losses.axhline(SETTLED, **_SETTLED)
    for axes, label in zip(grid[:, 0], ("$w_2$", "gradient norm before clipping", "loss")):
        axes.set_ylabel(label)
    styles = {
        "with clipping": _CLIPPED,
        "without clipping": _UNCLIPPED,
        "the norm is the threshold": _THRESHOLD,
        "settled below this": _SETTLED,
    }
    drawing.legend(figure, styles)


#: File -> what draws it from runs; `QUADRATIC_FIGURE` is of descents.
FIGURES: Mapping[str, Callable[[Iterable[Run]], Figure]] = {
    "arms.svg": arms,
    "collapse.svg": collapse,
}
