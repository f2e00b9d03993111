"""The book's own figures, drawn from our runs in d2l's look, and an overview of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.drawing import D2L_FORMATS
from d2l_lrsched.files import PathLike
from d2l_lrsched.runs.experiment import NUM_EPOCHS, known
from d2l_lrsched.runs.record import Run
from d2l_lrsched.schedulers.scratch import FactorScheduler
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS, PUBLISHED
from d2l_lrsched.studies.chapter.published import PRINTED

#: The one schedule that the chapter plots without training with it.
FACTOR_FIGURE = "11.15.3.1-factor-schedule.svg"
FACTOR_STEPS = 50
OVERVIEW_FIGURE = "overview.svg"
PLOTTED_AND_TRAINED_FIGURE = "plotted-and-trained.svg"


@drawing.d2l_figure
def schedule(figure: Figure, run: Run) -> None:
    """Draw the schedule that a run plotted before it trained: its values at 0, 1, 2, ..."""
    _schedule(figure, run.schedule or [], EXPERIMENTS[run.experiment].heading)


@drawing.d2l_figure
def factor(figure: Figure) -> None:
    """Draw the chapter's FactorScheduler (11.15.3.1) over 50 calls."""
    scheduler = FactorScheduler(factor=0.9, stop_factor_lr=1e-2, base_lr=2.0)
    _schedule(figure, [scheduler(t) for t in range(FACTOR_STEPS)], "11.15.3.1 Factor")


def _schedule(figure: Figure, values: Sequence[float], title: str) -> None:
    axes = figure.subplots()
    axes.plot(range(len(values)), values, D2L_FORMATS[0])
    axes.set(title=title, xlabel="t", ylabel="learning rate")
    axes.grid()


@drawing.d2l_figure
def training(figure: Figure, run: Run) -> None:
    """Draw a run's training curves as the chapter's Animator leaves them.

    The title says what sets the run apart from the chapter's.
    """
    axes = figure.subplots()
    epochs, train_loss, train_acc = zip(*run.points) if run.points else ((), (), ())
    test_acc = [epoch.test_acc for epoch in run.epochs]
    curves = (
        (epochs, train_loss, "train loss"),
        (epochs, train_acc, "train acc"),
        (range(1, len(test_acc) + 1), test_acc, "test acc"),
    )
    for (x, y, label), fmt in zip(curves, D2L_FORMATS):
        single = len(x) == 1  # one point makes no line
        axes.plot(x, y, fmt, label=label, marker="." if single else "", clip_on=not single)
    experiment = EXPERIMENTS[run.experiment]
    title = experiment.heading
    if run.num_epochs != experiment.num_epochs or run.seed:
        title += f"\n{run.num_epochs} epoch{'s' * (run.num_epochs > 1)}, seed {run.seed}"
    axes.set(title=title, xlabel="epoch", xlim=(0, run.num_epochs))
    axes.legend()
    axes.grid()


@drawing.figure(9, 4)
def overview(figure: Figure, runs: Iterable[Run]) -> None:
    """Draw what the chapter's runs really trained with, and what came of it.

    Left, the learning rate of every update, as published (solid: per update) and as intended
    (dashed: per epoch), both axes logarithmic; right, the test accuracies of the runs that trained,
    the book's printed values as circles at the end, and the names of the runs that collapsed. Of
    each experiment the last run is drawn, if there is one.
    """
    drawn = {run.experiment: run for run in runs}
    rates, accuracies = figure.subplots(1, 2)
    collapsed = []
    for name, color in zip(PUBLISHED, drawing.COLORS):
        for key, fmt in ((name, "-"), (f"{name}-per-epoch", "--")):
            if key not in drawn:
                continue
            run, style = drawn[key], {"color": color, "linestyle": fmt, "alpha": 0.8}
            values = np.array(EXPERIMENTS[key].rates([epoch.train_loss for epoch in run.epochs]))
            values[values == 0] = np.nan  # a warmup begins there, where no logarithm is
            label = EXPERIMENTS[name].title if key == name else None
            rates.plot(range(1, len(values) + 1), values, label=label, **style)
            if run.outcome == "trained":
                accuracy = [epoch.test_acc for epoch in run.epochs]
                accuracies.plot(range(1, len(accuracy) + 1), accuracy, **style)
            else:
                collapsed.append(f"ours: {key}")
        if name in drawn and PRINTED[name].collapsed:
            collapsed.append(f"the book's: {name}")
        elif name in drawn:
            end = (drawn[name].num_epochs, PRINTED[name].test_acc)
            circle = {"marker": "o", "fillstyle": "none", "markeredgewidth": 2}
            accuracies.plot(*end, color=color, clip_on=False, **circle)
    rates.set(xlabel=f"update ({UPDATES_PER_EPOCH} an epoch)", ylabel="learning rate")
    rates.set(xscale="log", yscale="log")
    dashed = any(line.get_linestyle() == "--" for line in rates.lines)
    title = "solid: per update, as published" if dashed else "per update, as published"
    rates.set_title(title + "; dashed: per epoch, as intended" * dashed)
    accuracies.set(xlabel="epoch", ylabel="test accuracy", ylim=(0.6, 0.92))
    accuracies.set_title("circles: the book's printed values")
    if collapsed:
        text = "\n".join(["collapsed, at 0.1:", *collapsed])
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        place = {"transform": accuracies.transAxes, "ha": "right", "bbox": white}
        accuracies.text(0.97, 0.04, text, size=8, **place)
    figure.legend(loc="outside lower center", ncol=len(PUBLISHED))


@drawing.figure(6, 2.6)
def plotted_and_trained(figure: Figure) -> None:
    """Draw the chapter's cosine as the book plots it, and the rate that its Trainer used."""
    cosine = EXPERIMENTS["cosine"]
    _, plotted = cosine.prepare(UPDATES_PER_EPOCH)
    used = cosine.rates([0.0] * NUM_EPOCHS)
    epochs = [n / UPDATES_PER_EPOCH for n in range(1, len(used) + 1)]
    label = f"as the Trainer used it, {UPDATES_PER_EPOCH} updates an epoch"
    axes = figure.subplots()
    axes.plot(plotted, "--", color=drawing.BLUE, label="as the book draws it, over epochs")
    axes.plot(epochs, used, color=drawing.VERMILION, label=label)
    axes.set(xlabel="epoch", ylabel="learning rate", title="11.15.3.3 Cosine, max_update=20")
    axes.set(xlim=(-0.3, NUM_EPOCHS), ylim=(0, None))
    axes.legend()


def draw_run(run: Run, folder: PathLike) -> list[Path]:
    """Write a run's figures into the folder: its training, and its schedule if the book has it."""
    experiment, kinds = EXPERIMENTS[run.experiment], {"training": training}
    if run.experiment in PUBLISHED and experiment.scheduler is not None:
        kinds["schedule"] = schedule
    stem = f"{experiment.section}-{run.experiment}"
    return [
        drawing.save(draw(run), Path(folder, f"{stem}-{kind}.svg")) for kind, draw in kinds.items()
    ]


def draw_overview(runs: Iterable[Run], folder: PathLike) -> list[Path]:
    """Write the overview of the runs of full length into the folder, if there is one.

    What is no run of the chapter's, as `experiment.known` has it, is left out.
    """
    ours = [run for run in runs if known(run, EXPERIMENTS)]
    full = [run for run in ours if run.num_epochs == EXPERIMENTS[run.experiment].num_epochs]
    return [drawing.save(overview(full), Path(folder) / OVERVIEW_FIGURE)] if full else []


def write(runs: Sequence[Run], stored: Iterable[Run], folder: Path) -> dict[str, OSError]:
    """Draw the runs, each of another experiment, and an overview of all that are stored.

    What is in one figure's way is not in another's: all are tried, and what failed is returned,
    by the experiment's name.
    """
    drawings: dict[str, Callable[[], object]] = {
        run.experiment: partial(draw_run, run, folder) for run in runs
    }
    drawings["overview"] = partial(draw_overview, stored, folder)
    if drawings.keys() >= set(PUBLISHED):  # one of the chapter's figures is of no run
        drawings["factor"] = lambda: drawing.save(factor(), folder / FACTOR_FIGURE)
    failed = {}
    for name, draw in drawings.items():
        try:
            draw()
        except OSError as error:
            failed[name] = error
    return failed
