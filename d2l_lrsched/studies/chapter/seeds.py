"""The figures of all seeds: our runs beside the book's numbers, and all their curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.drawing import COLLAPSED, SMALL, TRAINED
from d2l_lrsched.runs.frames import collapsed, of_each, of_epochs, of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS, PUBLISHED
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import (
    CONSISTENT,
    DIFFERENT,
    INCONCLUSIVE,
    Verdict,
    compare,
)

LABELS = {"train_loss": "train loss", "train_acc": "train accuracy", "test_acc": "test accuracy"}
_RING: dict[str, Any] = {"ls": "", "fillstyle": "none", "mew": 1.5}
#: Verdict -> how the book's number looks: the shapes say the same as the colors.
MARKERS: Mapping[str, Mapping[str, Any]] = {
    CONSISTENT: {**_RING, "marker": "o", "color": drawing.BLUE},
    DIFFERENT: {"ls": "", "marker": "D", "color": drawing.VERMILION},
    INCONCLUSIVE: {**_RING, "marker": "s", "color": drawing.BLACK},
}
_POINT: dict[str, Any] = {"marker": "o", "ls": "", "color": "k", "ms": 4, "mew": 0, "alpha": 0.4}
_PRINTED = {**_RING, "marker": "o", "color": "k"}


@drawing.figure(5, 1)
def baseline(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw the last epoch of every run that trained, and the book's numbers as judged.

    Three panels, one a number, with one row an experiment of which there are runs, in the
    chapter's order. Each run that trained is a dot; a bar is the interval in which a new one
    would fall; the book's number has the color and the shape of its verdict. Collapsed runs,
    ours and the book's, are words: their numbers would squash everything else.
    """
    runs = list(runs)
    judged, table = compare(runs), of_runs(runs)
    groups = of_each(table, EXPERIMENTS)
    figure.set_figheight(3 * (0.25 * len(groups) + 0.5) + 0.7)
    for axes, (number, label) in zip(figure.subplots(3, 1), LABELS.items()):
        verdicts = {v.experiment: v for v in judged if v.number == number}
        _limit(axes, table[number][table.trained], verdicts.values())
        for row, (name, ours) in enumerate(groups.items()):
            _row(axes, row, name, ours[number][ours.trained], number, verdicts.get(name))
        labels = [
            name
            if of.trained.all()
            else "{}\n{} of {} collapsed".format(name, *collapsed(of.trained))
            for name, of in groups.items()
        ]
        axes.set_yticks(range(len(groups)), labels)
        axes.set_yticks([row + 0.5 for row in range(len(groups) - 1)], minor=True)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_title(label)
        axes.tick_params(axis="y", which="both", length=0)
        axes.grid(False, axis="y")
        axes.grid(axis="y", which="minor")
    of_numbers = [v for v in judged if v.number in LABELS]
    styles: dict[str, Mapping[str, Any]] = {"one of our runs": _POINT}
    if any(np.isfinite(v.low) for v in of_numbers):
        styles["where one more would fall"] = drawing.BAR
    given = {v.verdict for v in of_numbers}
    styles |= {f"the book's, {v}": style for v, style in MARKERS.items() if v in given}
    drawing.legend(figure, styles, ncol=2, fontsize=SMALL)


def _limit(axes: Axes, trained: pd.Series, verdicts: Iterable[Verdict]) -> None:
    """Show all runs and all printed numbers; intervals only so far that they squash neither."""
    verdicts = list(verdicts)
    shown = [*trained, *(float(v.published) for v in verdicts)]
    if not shown:
        return
    reach = (max(shown) - min(shown)) / 2
    ends = [end for v in verdicts for end in (v.low, v.high) if np.isfinite(end)]
    shown.extend(np.clip(ends, min(shown) - reach, max(shown) + reach))
    room = 0.04 * (max(shown) - min(shown)) or 0.01
    axes.set_xlim(min(shown) - room, max(shown) + room)


def _row(
    axes: Axes, row: int, name: str, trained: pd.Series, number: str, verdict: Verdict | None
) -> None:
    if verdict and np.isfinite(verdict.low):
        axes.plot([verdict.low, verdict.high], [row, row], **drawing.BAR)
    # Five heights by seed, so that equal values stay apart.
    axes.plot(trained, row + 0.1 * (trained.index % 5 - 2), **_POINT)
    if verdict:
        axes.plot(verdict.published, row, **MARKERS[verdict.verdict])
    elif name in PRINTED and PRINTED[name].collapsed:
        words = f"the book's collapsed: {getattr(PRINTED[name], number):.3f}"
        on_the_right = trained.empty or trained.mean() < sum(axes.get_xlim()) / 2
        x, side = (0.98, "right") if on_the_right else (0.02, "left")
        place = {"transform": axes.get_yaxis_transform(), "ha": side, "va": "center"}
        axes.text(x, row, words, size=SMALL, style="italic", **place)


@drawing.figure(5, 1.25 * len(PUBLISHED) + 0.4)
def curves(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw the test accuracy of every run over its epochs, one panel an experiment.

    Left as published, right per epoch. Solid curves trained, dashed ones collapsed or turned
    non-finite; rings are what the book prints.
    """
    runs = list(runs)
    trained, accuracies = of_runs(runs).trained, of_epochs(runs).test_acc
    grid = figure.subplots(len(PUBLISHED), 2, sharex=True, sharey=True)
    for row, name in zip(grid, PUBLISHED):
        for axes, key in zip(row, (name, f"{name}-per-epoch")):
            if key not in EXPERIMENTS:
                axes.set_axis_off()
                continue
            ours = of_experiment(accuracies, key).unstack("seed")
            drawing.curves(axes, ours, of_experiment(trained, key))
            if key in PRINTED:
                axes.plot(EXPERIMENTS[key].num_epochs, PRINTED[key].test_acc, **_PRINTED)
            axes.set_title(key, size=8)
    grid[0, 0].set_ylim(0, 1)
    for axes in grid[:, 0]:
        axes.set_ylabel("test accuracy", size=SMALL)
    for axes in grid[-1]:
        axes.set_xlabel("epoch", size=SMALL)
    # Nothing was published per epoch at a constant rate: that cell is free.
    styles = {"trained": TRAINED, "collapsed": COLLAPSED, "the book's": _PRINTED}
    drawing.legend(grid[0, 1], styles, loc="center", ncol=1)


#: File -> what draws it from runs.
FIGURES: Mapping[str, Callable[[Iterable[Run]], Figure]] = {
    "baseline.svg": baseline,
    "curves.svg": curves,
}
