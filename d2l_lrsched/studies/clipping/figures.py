"""The figures of the four combinations, and of the runs that collapse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from d2l_lrsched import drawing
from d2l_lrsched.runs.frames import WINDOW_ENDS, window_means
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.collapse import REMEDIES

ARMS_FIGURE = "arms.svg"
COLLAPSE_FIGURE = "collapse.svg"
# Colors of Okabe and Ito; the dashes say the same without them.
_TRAINED: dict[str, Any] = {"color": "#0072B2", "lw": 0.8, "alpha": 0.7}
_LOST: dict[str, Any] = {"color": "#D55E00", "lw": 1.2, "alpha": 0.9, "ls": "--"}
_OTHERS: dict[str, Any] = {"color": "0.75", "lw": 0.6}


def arms_figure(runs: Iterable[Run]) -> Figure:
    """Draw every run of the four combinations, a column an arm.

    Above, the mean training loss of every 50 batches; below, the test accuracy after each epoch.
    Solid curves are of runs that trained, dashed ones of runs that collapsed or turned non-finite.
    """
    runs = list(runs)
    with drawing.look():
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        losses, accuracies = figure.subplots(2, len(ARMS), sharex=True, sharey="row")
        for column, arm in enumerate(ARMS):
            ours = [run for run in runs if run.experiment == arm]
            for run in ours:
                style = _TRAINED if run.outcome == "trained" else _LOST
                _draw_loss(losses[column], run, style)
                accuracy = [epoch.test_acc for epoch in run.epochs]
                accuracies[column].plot(range(1, len(accuracy) + 1), accuracy, **style)
            lost = sum(run.outcome != "trained" for run in ours)
            losses[column].set_title(f"{arm}\n{lost} of {len(ours)} collapsed", size=9)
            accuracies[column].set_xlabel("epoch", size=8)
        losses[0].set_ylabel("train loss, of 50 batches", size=8)
        accuracies[0].set_ylabel("test accuracy", size=8)
        _tidy([*losses, *accuracies])
        _legend(figure, {"trained": _TRAINED, "collapsed": _LOST})
    return figure


def collapse_figure(runs: Iterable[Run]) -> Figure:
    """Draw the training loss of the seeds that collapse, without and with each remedy.

    A row for each of `collapse.REMEDIES`: left the runs without, then those with. Only seeds whose
    run on the left collapsed have a color, the same seeds all along the row.
    """
    runs = list(runs)
    with drawing.look():
        columns = 1 + max(len(remedies) for _, remedies in REMEDIES)
        figure = Figure(figsize=(9, 2.3 * len(REMEDIES) + 0.3), layout="constrained")
        grid = figure.subplots(len(REMEDIES), columns, sharey=True, squeeze=False)
        for row, (plain, remedies) in zip(grid, REMEDIES):
            died = {r.seed for r in runs if r.experiment == plain and r.outcome != "trained"}
            for axes, name in zip(row, (plain, *remedies)):
                _draw_seeds(axes, [run for run in runs if run.experiment == name], died)
                axes.set_title(f"{name}\n{_title(runs, name, plain, died)}", size=8)
                axes.set_xlabel("epoch", size=8)
            for axes in row[1 + len(remedies) :]:
                axes.set_axis_off()
            row[0].set_ylabel("train loss, of 50 batches", size=8)
        _tidy(grid.ravel())
        _legend(
            figure,
            {
                "collapses on the left, collapsed": _LOST,
                "collapses on the left, trained": {**_TRAINED, "lw": 1.2},
                "trains on the left": _OTHERS,
            },
        )
    return figure


def _title(runs: Sequence[Run], name: str, plain: str, died: set[int]) -> str:
    ours = [run for run in runs if run.experiment == name]
    if name == plain:
        return f"{len(died)} of {len(ours)} seeds collapsed"
    again = [run for run in ours if run.seed in died]
    saved = sum(run.outcome == "trained" for run in again)
    lost = sum(run.outcome != "trained" for run in ours) - (len(again) - saved)
    return f"{saved} of {len(again)} saved, {lost} others lost"


def _draw_seeds(axes: Axes, runs: Sequence[Run], died: set[int]) -> None:
    for run in sorted(runs, key=lambda run: run.seed in died):  # the others first, beneath
        if run.seed not in died:
            # One that the remedy kills shows its end as well, but has no color of its own.
            _draw_loss(axes, run, _OTHERS if run.outcome == "trained" else {**_OTHERS, "ls": "--"})
        else:
            _draw_loss(axes, run, _LOST if run.outcome != "trained" else {**_TRAINED, "lw": 1.2})


def _draw_loss(axes: Axes, run: Run, style: Mapping[str, Any]) -> None:
    epochs = np.arange(len(run.epochs))[:, None] + WINDOW_ENDS
    axes.plot(epochs.ravel(), window_means(run), **style)


def _tidy(panels: Iterable[Axes]) -> None:
    for axes in panels:
        axes.grid(alpha=0.4)
        axes.tick_params(labelsize=7)


def _legend(figure: Figure, styles: Mapping[str, Mapping[str, Any]]) -> None:
    handles = [Line2D([], [], label=label, **style) for label, style in styles.items()]
    figure.legend(
        handles=handles, loc="outside lower center", ncol=len(handles), frameon=False, fontsize=8
    )
