"""The figures of the exercises that are answered by training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from d2l_lrsched import drawing, stats
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.frames import (
    collapsed,
    of_each,
    of_epochs,
    of_experiment,
    of_runs,
    of_windows,
)
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.exercises.experiments import (
    DEEPER,
    EXERCISES,
    EXPERIMENTS,
    EXPONENTS,
    FIXED_RATES,
    PEAKS,
    UNLOWERED,
    WARMUPS,
    fixed_name,
    poly_name,
    warmup_name,
)

_DASHES: Sequence[Any] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


@drawing.figure(9, 3.2)
def curves(figure: Figure, runs: Iterable[Run], labels: Mapping[str, str]) -> None:
    """Draw learning rate, training loss and test accuracy of every run, over epochs.

    Of at most five experiments, those that `labels` have a name for in the legend. The loss is the
    mean of every 50 batches. Every seed is a thin line; the thick one is the mean over the seeds
    that trained, of the rates the median, so that it is one that a run had. The legend counts the
    others.
    """
    runs = list(runs)
    trained, epochs = of_runs(runs).trained, of_epochs(runs)
    panels = figure.subplots(1, 3)
    numbers = {
        "learning rate": _rates(runs, labels),
        "train loss, of 50 batches": of_windows(runs),
        "test accuracy": epochs.test_acc,
    }
    for (name, label), color, dashes in zip(labels.items(), drawing.COLORS, _DASHES):
        ours = of_experiment(trained, name)
        if ours.empty:
            continue
        if not ours.all():
            label += " ({} of {} collapsed)".format(*collapsed(ours))
        for axes, (what, number) in zip(panels, numbers.items()):
            table = of_experiment(number, name).unstack("seed")
            # Most schedules' rates are the same for all seeds.
            first = np.unique(table, axis=1, return_index=True)[1]
            distinct = table.iloc[:, np.sort(first)]
            axes.plot(table.index, distinct, color=color, ls=dashes, lw=0.5, alpha=0.4)
            trained_only = table.loc[:, ours]
            middle = trained_only.median if what == "learning rate" else trained_only.mean
            axes.plot(table.index, middle(axis=1), color=color, ls=dashes, lw=1.6, label=label)
    for axes, number in zip(panels, numbers):
        axes.set(xlabel="epoch", ylabel=number)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(left=0)
    # The first steps, which dwarf all differences, are out of sight.
    panels[1].set_ylim(0.1, 1.0)
    panels[2].set_ylim(0.7, 0.93)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=len(labels))


def _rates(runs: Iterable[Run], names: Iterable[str]) -> pd.Series:
    """Return the rate of every update by experiment, seed and epoch, where the update ends it."""
    rates = {
        (run.experiment, run.seed): pd.Series(
            EXPERIMENTS[run.experiment].rates([epoch.train_loss for epoch in run.epochs]),
            np.arange(1, len(run.epochs) * UPDATES_PER_EPOCH + 1) / UPDATES_PER_EPOCH,
        )
        for run in runs
        if run.experiment in names
    }
    return pd.concat(rates, names=["experiment", "seed", "epoch"])


@drawing.figure(9, 3)
def fixed_rates(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw exercise 1: by the constant rate, who collapses, and how well the others classify."""
    rates = {fixed_name(rate): rate for rate in FIXED_RATES}
    shares, accuracies = figure.subplots(1, 2)
    for name, ours in of_each(of_runs(runs), rates).items():
        rate = rates[name]
        died, n = collapsed(ours.trained)
        shares.plot([rate, rate], stats.share(died, n), **drawing.BAR)
        shares.plot(rate, died / n, "o", color=drawing.VERMILION)
        place = {"xytext": (-6, 1), "textcoords": "offset points", "ha": "right", "size": 7.5}
        shares.annotate(f"{died} of {n}", (rate, died / n), **place)
        accuracy = ours.test_acc[ours.trained]
        points = {"color": drawing.BLUE, "ms": 4, "alpha": 0.6}
        accuracies.plot([rate] * len(accuracy), accuracy, "o", **points)
        accuracies.plot(rate, accuracy.mean(), "_", color="k", ms=18)
    shares.set(ylabel="share collapsed, with its 95 % interval", ylim=(-0.03, 1.12))
    accuracies.set_ylabel("test accuracy of those that trained")
    for axes in (shares, accuracies):
        axes.set(xlabel="constant learning rate", xscale="log")
        axes.set_xlim(0.6 * min(FIXED_RATES), 1.25 * max(FIXED_RATES))
        axes.set_xticks(FIXED_RATES, [f"{rate:g}" for rate in FIXED_RATES])
        axes.set_xticks([], minor=True)


@drawing.figure(9, 3.2)
def warmups(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw exercise 4: by length of warmup and peak rate, who collapses, and the accuracies."""
    table = of_runs(runs)
    cells = [of_experiment(table, warmup_name(share, peak)) for share in WARMUPS for peak in PEAKS]
    shares = [1 - ours.trained.mean() for ours in cells]
    counts = ["{} of {}".format(*collapsed(ours.trained)) if len(ours) else "" for ours in cells]
    accuracy = [ours.test_acc[ours.trained].mean() for ours in cells]
    means = [
        f"{mean:.3f}" if np.isfinite(mean) else "none trained" * bool(count)
        for mean, count in zip(accuracy, counts)
    ]
    span = (np.nanmin(accuracy), np.nanmax(accuracy)) if np.isfinite(accuracy).any() else (0, 1)
    left, right = figure.subplots(1, 2)
    _heat(left, shares, counts, "Oranges", (0, 1))
    _heat(right, accuracy, means, "Blues", span)
    left.set_title("collapsed runs")
    right.set_title("mean test accuracy of those that trained")


def _heat(
    axes: Axes,
    values: Sequence[float],
    texts: Sequence[str],
    cmap: str,
    span: tuple[float, float],
) -> None:
    """Draw a row a length of warmup, a column a peak; texts where there are runs."""
    low, high = span
    cells = np.reshape(values, (len(WARMUPS), len(PEAKS)))
    # Wider than the values, so that black text stays readable on the darkest.
    axes.imshow(cells, cmap=cmap, vmin=low, vmax=high + (high - low or 1), aspect="auto")
    for (row, column), text in zip(np.ndindex(cells.shape), texts):
        axes.text(column, row, text, ha="center", va="center", size=9)
    axes.set_xticks(range(len(PEAKS)), [f"{peak:g}" for peak in PEAKS])
    axes.set_yticks(range(len(WARMUPS)), [f"{100 * share:g} %" for share in WARMUPS])
    axes.set(xlabel="peak learning rate", ylabel="warmup, share of the run")
    axes.grid(False)


#: File -> what draws it from runs.
FIGURES: Mapping[str, Callable[[Iterable[Run]], Figure]] = {
    "1-fixed-rate.svg": fixed_rates,
    "2-exponent.svg": partial(
        curves,
        labels={UNLOWERED: "constant rate", **{poly_name(x): f"exponent {x:g}" for x in EXPONENTS}},
    ),
    "3-deeper.svg": partial(curves, labels={name: name.partition("-")[2] for name in DEEPER.names}),
    "4-warmup.svg": warmups,
    "plateau.svg": partial(
        curves,
        labels={
            UNLOWERED: "constant rate",
            "plateau": "lowered on a plateau",
            "plateau-warmup": "the same after a warmup to 0.5",
        },
    ),
}


def draw_all(runs: Iterable[Run]) -> dict[str, Figure]:
    """Return file -> figure, for every exercise that there are runs of."""
    runs = list(runs)
    names = {run.experiment for run in runs}
    return {e.figure: FIGURES[e.figure](runs) for e in EXERCISES if names.intersection(e.names)}
