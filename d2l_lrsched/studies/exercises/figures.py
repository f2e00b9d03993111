"""The figures of the exercises that are answered by training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from statistics import fmean
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from d2l_lrsched import drawing
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.frames import WINDOW_ENDS, window_means
from d2l_lrsched.runs.record import Run
from d2l_lrsched.schedulers import tell
from d2l_lrsched.studies.chapter.verdicts import share_interval
from d2l_lrsched.studies.clipping.measures import CONFIDENCE
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises.experiments import EXPERIMENTS

# Colors of Okabe and Ito; the dashes say the same without them.
_STYLES: Sequence[dict[str, Any]] = (
    {"color": "#000000", "ls": "-"},
    {"color": "#0072B2", "ls": "--"},
    {"color": "#D55E00", "ls": "-."},
    {"color": "#009E73", "ls": ":"},
    {"color": "#CC79A7", "ls": (0, (5, 1, 1, 1, 1, 1))},
)


def curves_figure(runs: Iterable[Run], labels: Mapping[str, str]) -> Figure:
    """Draw learning rate, training loss and test accuracy of every run, over epochs.

    The loss is the mean of every 50 batches. Every seed is a thin line; the thick one is the mean
    over the seeds that trained, and the legend counts the others.

    Parameters
    ----------
    runs : iterable of Run
    labels : mapping
        Experiment -> what the legend calls it; others are not drawn. At most five.
    """
    runs = list(runs)
    with drawing.look():
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        rates, losses, accuracies = panels = figure.subplots(1, 3)
        for (name, label), style in zip(labels.items(), _STYLES):
            ours = [run for run in runs if run.experiment == name]
            lost = sum(run.outcome != "trained" for run in ours)
            if ours:
                label += f" ({lost} of {len(ours)} collapsed)" if lost else ""
                _draw(rates, ours, _rates, style, label)
                _draw(losses, ours, _losses, style)
                _draw(accuracies, ours, _accuracies, style)
        rates.set_ylabel("learning rate", size=8)
        losses.set_ylabel("train loss, of 50 batches", size=8)
        accuracies.set_ylabel("test accuracy", size=8)
        _zoom(losses, accuracies)
        for axes in panels:
            axes.set_xlabel("epoch", size=8)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlim(left=0)
        _tidy(panels)
        figure.legend(loc="outside lower center", ncol=len(labels), frameon=False, fontsize=8)
    return figure


def fixed_figure(runs: Iterable[Run]) -> Figure:
    """Draw exercise 1: by the constant rate, who collapses, and how well the others classify."""
    runs = list(runs)
    with drawing.look():
        figure = Figure(figsize=(9, 3), layout="constrained")
        shares, accuracies = panels = figure.subplots(1, 2)
        for rate in exercises.FIXED_RATES:
            ours = [run for run in runs if run.experiment == exercises.fixed_name(rate)]
            if not ours:
                continue
            lost, n = sum(run.outcome != "trained" for run in ours), len(ours)
            low, high = share_interval(lost, n, 1 - CONFIDENCE)
            shares.plot([rate, rate], [low, high], color="0.85", lw=5, solid_capstyle="butt")
            shares.plot(rate, lost / n, "o", color="#D55E00")
            shares.annotate(
                f"{lost} of {n}",
                (rate, lost / n),
                (0, 6),
                textcoords="offset points",
                ha="center",
                size=7,
            )
            trained = [run.final.test_acc for run in ours if run.outcome == "trained"]
            accuracies.plot([rate] * len(trained), trained, "o", color="#0072B2", ms=4, alpha=0.6)
            if trained:
                accuracies.plot(rate, fmean(trained), "_", color="k", ms=18)
        shares.set_ylabel("share collapsed, with its 95 % interval", size=8)
        shares.set_ylim(-0.03, 1.12)
        accuracies.set_ylabel("test accuracy of those that trained", size=8)
        for axes in panels:
            axes.set_xscale("log")
            axes.set_xlim(0.8 * min(exercises.FIXED_RATES), 1.25 * max(exercises.FIXED_RATES))
            axes.set_xticks(exercises.FIXED_RATES, [f"{r:g}" for r in exercises.FIXED_RATES])
            axes.set_xticks([], minor=True)
            axes.set_xlabel("constant learning rate", size=8)
        _tidy(panels)
    return figure


def warmup_figure(runs: Iterable[Run]) -> Figure:
    """Draw exercise 4: by length of warmup and peak rate, who collapses, and the accuracies."""
    runs = list(runs)
    lost = np.full((len(exercises.WARMUPS), len(exercises.PEAKS)), np.nan)
    accuracy, texts = lost.copy(), {}
    for row, warmup in enumerate(exercises.WARMUPS):
        for column, peak in enumerate(exercises.PEAKS):
            name = exercises.warmup_name(warmup, peak)
            ours = [run for run in runs if run.experiment == name]
            trained = [run.final.test_acc for run in ours if run.outcome == "trained"]
            if ours:
                lost[row, column] = 1 - len(trained) / len(ours)
                texts[row, column] = f"{len(ours) - len(trained)} of {len(ours)}"
            if trained:
                accuracy[row, column] = fmean(trained)
    with drawing.look():
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _heat(left, lost, "collapsed runs", "Oranges", (0, 1), texts)
        span = (np.nanmin(accuracy), np.nanmax(accuracy)) if np.isfinite(accuracy).any() else (0, 1)
        shown = {
            cell: f"{accuracy[cell]:.3f}" if np.isfinite(accuracy[cell]) else "none trained"
            for cell in texts
        }
        _heat(right, accuracy, "mean test accuracy of those that trained", "Blues", span, shown)
    return figure


def _heat(
    axes: Axes,
    values: np.ndarray,
    title: str,
    cmap: str,
    span: tuple[float, float],
    texts: Mapping[tuple[int, int], str],
) -> None:
    low, high = span
    # Wider than the values, so that black text stays readable on the darkest.
    axes.imshow(values, cmap=cmap, vmin=low, vmax=high + (high - low or 1), aspect="auto")
    for (row, column), text in texts.items():
        axes.text(column, row, text, ha="center", va="center", size=9)
    axes.set_xticks(range(len(exercises.PEAKS)), [f"{peak:g}" for peak in exercises.PEAKS])
    labels = [f"{100 * warmup:g} %" for warmup in exercises.WARMUPS]
    axes.set_yticks(range(len(exercises.WARMUPS)), labels)
    axes.set_xlabel("peak learning rate", size=8)
    axes.set_ylabel("warmup, share of the run", size=8)
    axes.set_title(title, size=9)
    axes.tick_params(labelsize=8)


Line = tuple[np.ndarray, np.ndarray]


def rates_of(run: Run) -> np.ndarray:
    """Return the learning rate of every update of a run of an exercise, first to last.

    A scheduler that listens is told the run's own losses again.
    """
    optimizer_params, _ = EXPERIMENTS[run.experiment].prepare(UPDATES_PER_EPOCH, run.num_epochs)
    scheduler = optimizer_params.get("lr_scheduler", lambda n: optimizer_params["learning_rate"])
    rates: list[float] = []
    for epoch in run.epochs:
        first, last = len(rates) + 1, len(rates) + UPDATES_PER_EPOCH
        rates += [scheduler(n) for n in range(first, last + 1)]
        tell(scheduler, epoch.train_loss, last)
    return np.array(rates)


def _rates(run: Run) -> Line:
    rates = rates_of(run)
    return np.arange(1, len(rates) + 1) / UPDATES_PER_EPOCH, rates


def _losses(run: Run) -> Line:
    return (np.arange(len(run.epochs))[:, None] + WINDOW_ENDS).ravel(), window_means(run)


def _accuracies(run: Run) -> Line:
    return np.arange(1, len(run.epochs) + 1), np.array([e.test_acc for e in run.epochs])


def _draw(
    axes: Axes,
    runs: Iterable[Run],
    line_of: Callable[[Run], Line],
    style: Mapping[str, Any],
    label: str | None = None,
) -> None:
    trained: list[Line] = []
    for run in runs:
        x, y = line_of(run)
        axes.plot(x, y, **style, lw=0.5, alpha=0.4)
        trained += [(x, y)] if run.outcome == "trained" else []
    if trained:
        mean = np.mean([y for _, y in trained], axis=0)
        axes.plot(trained[0][0], mean, **style, lw=1.6, label=label)
    else:
        axes.plot([], [], **style, lw=1.6, label=label)  # the legend's


def _zoom(losses: Axes, accuracies: Axes) -> None:
    """Leave the first steps, which dwarf all differences, out of sight."""
    losses.set_ylim(0.1, 1.0)
    accuracies.set_ylim(0.7, 0.93)


def _tidy(panels: Iterable[Axes]) -> None:
    for axes in panels:
        axes.grid(alpha=0.4)
        axes.tick_params(labelsize=7)


class Drawing(NamedTuple):
    """The file of an exercise's figure, and what draws it from runs."""

    file: str
    draw: Callable[[Iterable[Run]], Figure]


#: Exercise -> its figure.
DRAWINGS: Mapping[str, Drawing] = MappingProxyType(
    {
        exercises.FIXED.name: Drawing("1-fixed-rate.svg", fixed_figure),
        exercises.EXPONENT.name: Drawing(
            "2-exponent.svg",
            partial(
                curves_figure,
                labels={
                    exercises.UNLOWERED: "constant",
                    **{exercises.poly_name(x): f"exponent {x:g}" for x in exercises.EXPONENTS},
                },
            ),
        ),
        exercises.DEEPER.name: Drawing(
            "3-deeper.svg",
            partial(
                curves_figure,
                labels={e.name: e.name.partition("-")[2] for e in exercises.DEEPER.experiments},
            ),
        ),
        exercises.WARMUP.name: Drawing("4-warmup.svg", warmup_figure),
        exercises.PLATEAU.name: Drawing(
            "plateau.svg",
            partial(
                curves_figure,
                labels={
                    exercises.UNLOWERED: "constant",
                    "plateau": "lowered on a plateau",
                    "plateau-warmup": "the same after a warmup to 0.5",
                },
            ),
        ),
    }
)


def draw_all(runs: Iterable[Run]) -> dict[str, Figure]:
    """Return file -> figure, for every exercise that there are runs of."""
    runs = list(runs)
    names = {run.experiment for run in runs}
    return {
        DRAWINGS[exercise.name].file: DRAWINGS[exercise.name].draw(runs)
        for exercise in exercises.EXERCISES
        if names.intersection(exercise.names)
    }
