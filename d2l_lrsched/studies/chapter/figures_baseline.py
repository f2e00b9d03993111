"""The baseline's figures: all our runs beside the book's numbers, and all their curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from d2l_lrsched import drawing
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.experiments import PUBLISHED
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT, INCONCLUSIVE, Verdict

BASELINE_FIGURE, CURVES_FIGURE = "baseline.svg", "curves.svg"
#: The numbers of `verdicts.NUMBERS` in words.
LABELS = {
    "train_loss": "train loss",
    "train_acc": "train accuracy",
    "test_acc": "test accuracy",
}
# Colors of Okabe and Ito, told apart by nearly everybody; the shapes say the same without them.
_BLUE, _ORANGE, _BLACK = "#0072B2", "#D55E00", "#000000"
_MARKERS: Mapping[str, dict[str, Any]] = {
    CONSISTENT: {"marker": "o", "ls": "", "color": _BLUE, "fillstyle": "none", "mew": 1.5},
    DIFFERENT: {"marker": "D", "ls": "", "color": _ORANGE},
    INCONCLUSIVE: {"marker": "s", "ls": "", "color": _BLACK, "fillstyle": "none", "mew": 1.5},
}
_LIVING: dict[str, Any] = {"color": _BLUE, "lw": 0.8, "alpha": 0.6}
_DEAD: dict[str, Any] = {"color": _ORANGE, "lw": 0.8, "alpha": 0.8, "ls": "--"}
_POINT: dict[str, Any] = {"marker": "o", "ls": "", "color": "k", "ms": 4, "mew": 0, "alpha": 0.4}
_BAR: dict[str, Any] = {"color": "0.8", "lw": 7, "solid_capstyle": "butt"}
_RING: dict[str, Any] = {"marker": "o", "ls": "", "color": "k", "fillstyle": "none", "mew": 1.5}


def baseline_figure(runs: Iterable[Run], verdicts: Iterable[Verdict]) -> Figure:
    """Draw the last epoch of every run that trained, and the book's numbers as judged.

    Three panels, one a number, with one row an experiment of which there are runs, in the
    chapter's order. Each run that trained is a dot; a bar is the interval in which a new one
    would fall; the book's number has the color and the shape of its verdict. Collapsed runs,
    ours and the book's, are words: their numbers would squash everything else.

    Parameters
    ----------
    runs : iterable of Run
    verdicts : iterable of Verdict
        What `verdicts.compare` says of them.
    """
    runs = list(runs)
    judged = {(v.experiment, v.number): v for v in verdicts if v.number in LABELS}
    names = [name for name in CHAPTER if any(run.experiment == name for run in runs)]
    labels = [_label(name, runs) for name in names]
    with drawing.look():
        height = 3 * (0.25 * len(names) + 0.5) + 0.7
        figure = Figure(figsize=(5, height), layout="constrained")
        panels: Sequence[Axes] = figure.subplots(3, 1)
        for axes, (number, label) in zip(panels, LABELS.items()):
            of_number = {name: v for (name, of), v in judged.items() if of == number}
            trained = [run for run in runs if run.outcome == "trained"]
            _limit(axes, [getattr(run.final, number) for run in trained], of_number.values())
            for row, name in enumerate(names):
                of_row = [run for run in trained if run.experiment == name]
                _draw_row(axes, row, name, number, of_row, of_number.get(name))
            axes.set_yticks(range(len(names)), labels, size=7.5)
            axes.set_yticks([row + 0.5 for row in range(len(names) - 1)], minor=True)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_title(label, size=9)
            axes.tick_params(axis="x", labelsize=7.5)
            axes.tick_params(axis="y", which="both", length=0)
            axes.grid(axis="x", alpha=0.4)
            axes.grid(axis="y", which="minor", alpha=0.4)
        given = {verdict.verdict for verdict in judged.values()}
        handles = [
            Line2D([], [], label="one of our runs", **_POINT),
            *(
                Line2D([], [], label=f"the book's, {verdict}", **style)
                for verdict, style in _MARKERS.items()
                if verdict in given
            ),
        ]
        if any(np.isfinite(verdict.low) for verdict in judged.values()):
            handles.insert(1, Line2D([], [], label="where one more would fall", **_BAR))
        figure.legend(
            handles=handles, loc="outside lower center", ncol=2, frameon=False, fontsize=7.5
        )
    return figure


def _limit(axes: Axes, values: Sequence[float], verdicts: Iterable[Verdict]) -> None:
    """Show all runs and all printed numbers; intervals only so far that they squash neither."""
    verdicts = list(verdicts)
    shown = [*values, *(float(v.published) for v in verdicts)]
    if not shown:
        return
    reach = (max(shown) - min(shown)) / 2
    ends = [end for v in verdicts for end in (v.low, v.high) if np.isfinite(end)]
    shown.extend(np.clip(ends, min(shown) - reach, max(shown) + reach))
    room = 0.04 * (max(shown) - min(shown)) or 0.01
    axes.set_xlim(min(shown) - room, max(shown) + room)


def _draw_row(
    axes: Axes,
    row: int,
    name: str,
    number: str,
    trained: Sequence[Run],
    verdict: Verdict | None,
) -> None:
    if verdict and np.isfinite(verdict.low):
        axes.plot([verdict.low, verdict.high], [row, row], **_BAR)
    values = [getattr(run.final, number) for run in trained]
    # Five heights by seed, so that equal values stay apart.
    heights = [row + 0.1 * (run.seed % 5 - 2) for run in trained]
    axes.plot(values, heights, **_POINT)
    if verdict:
        axes.plot(verdict.published, row, **_MARKERS[verdict.verdict])
    elif name in PRINTED and PRINTED[name].collapsed:
        words = f"the book's collapsed: {getattr(PRINTED[name], number):.3f}"
        free_right = not values or sum(values) / len(values) < sum(axes.get_xlim()) / 2
        x, side = (0.98, "right") if free_right else (0.02, "left")
        place = axes.get_yaxis_transform()
        axes.text(x, row, words, transform=place, ha=side, va="center", size=7, style="italic")


def _label(name: str, runs: Iterable[Run]) -> str:
    outcomes = [run.outcome for run in runs if run.experiment == name]
    lost = sum(outcome != "trained" for outcome in outcomes)
    return f"{name}\n{lost} of {len(outcomes)} collapsed" if lost else name


def curves_figure(runs: Iterable[Run]) -> Figure:
    """Draw the test accuracy of every run over its epochs, one panel an experiment.

    Left as published, right per epoch. Solid curves trained, dashed ones collapsed or turned
    non-finite; rings are what the book prints.
    """
    runs = list(runs)
    with drawing.look():
        figure = Figure(figsize=(5, 1.25 * len(PUBLISHED) + 0.4), layout="constrained")
        grid = figure.subplots(len(PUBLISHED), 2, sharex=True, sharey=True)
        for row, name in zip(grid, PUBLISHED):
            for axes, key in zip(row, (name, f"{name}-per-epoch")):
                if key not in CHAPTER:
                    axes.set_axis_off()
                    continue
                for run in runs:
                    if run.experiment == key:
                        curve = [epoch.test_acc for epoch in run.epochs]
                        style = _LIVING if run.outcome == "trained" else _DEAD
                        axes.plot(range(1, len(curve) + 1), curve, **style)
                if key in PRINTED:
                    axes.plot(CHAPTER[key].num_epochs, PRINTED[key].test_acc, **_RING)
                axes.set_title(key, size=8)
                axes.tick_params(labelsize=7)
                axes.grid(alpha=0.4)
        grid[0, 0].set_ylim(0, 1)
        for axes in grid[:, 0]:
            axes.set_ylabel("test accuracy", size=7)
        for axes in grid[-1]:
            axes.set_xlabel("epoch", size=7)
        handles = [
            Line2D([], [], label="trained", **_LIVING),
            Line2D([], [], label="collapsed", **_DEAD),
            Line2D([], [], label="the book's", **_RING),
        ]
        # Nothing was published per epoch at a constant rate: that cell is free.
        grid[0, 1].legend(handles=handles, loc="center", frameon=False, fontsize=8)
    return figure
