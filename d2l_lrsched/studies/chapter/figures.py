"""The chapter's figures, drawn from records and schedules in d2l's look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.drawing import D2L_FIGSIZE, D2L_FORMATS, look
from d2l_lrsched.files import PathLike
from d2l_lrsched.runs.experiment import NUM_EPOCHS, known
from d2l_lrsched.runs.record import Run
from d2l_lrsched.schedulers.scratch import FactorScheduler
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.experiments import PUBLISHED
from d2l_lrsched.studies.chapter.published import PRINTED

#: The one schedule that the chapter plots without training with it (11.15.3.1).
FACTOR_FIGURE = "11.15.3.1-factor-schedule.svg"
FACTOR_STEPS = 50
OVERVIEW_FIGURE = "overview.svg"
PLOTTED_AND_TRAINED_FIGURE = "plotted-and-trained.svg"


def schedule_figure(values: Sequence[float], title: str) -> Figure:
    """Draw a schedule as the chapter does: its values at 0, 1, 2, ..."""
    with look():
        figure = Figure(figsize=D2L_FIGSIZE)
        axes = figure.subplots()
        axes.plot(range(len(values)), values, D2L_FORMATS[0])
        axes.set(title=title, xlabel="t", ylabel="learning rate")
        axes.grid()
    return figure


def factor_figure() -> Figure:
    """Draw the chapter's FactorScheduler (11.15.3.1) over 50 calls."""
    scheduler = FactorScheduler(factor=0.9, stop_factor_lr=1e-2, base_lr=2.0)
    return schedule_figure([scheduler(t) for t in range(FACTOR_STEPS)], "11.15.3.1 Factor")


def training_figure(run: Run) -> Figure:
    """Draw a run's training curves as the chapter's Animator leaves them."""
    with look():
        figure = Figure(figsize=D2L_FIGSIZE)
        axes = figure.subplots()
        epochs, train_loss, train_acc = zip(*run.points) if run.points else ((), (), ())
        ends = range(1, len(run.epochs) + 1)
        curves = (
            (epochs, train_loss, "train loss"),
            (epochs, train_acc, "train acc"),
            (ends, [epoch.test_acc for epoch in run.epochs], "test acc"),
        )
        for (x, y, label), fmt in zip(curves, D2L_FORMATS):
            axes.plot(x, y, fmt, label=label, marker=_marker(x), clip_on=len(x) != 1)
        axes.set(
            title=_title(run),
            xlabel="epoch",
            xlim=(0, run.num_epochs),
        )
        axes.legend()
        axes.grid()
    return figure


def _title(run: Run) -> str:
    """Return section and title, and what sets the run apart from the chapter's."""
    experiment = CHAPTER[run.experiment]
    title = experiment.heading
    if run.num_epochs != experiment.num_epochs or run.seed:
        epochs = "1 epoch" if run.num_epochs == 1 else f"{run.num_epochs} epochs"
        title += f"\n{epochs}, seed {run.seed}"
    return title


def overview_figure(runs: Iterable[Run]) -> Figure:
    """Draw what the chapter's runs really trained with, and what came of it.

    Left, the learning rate of every update, as published (solid: per update) and as intended
    (dashed: per epoch), both axes logarithmic; right, the test accuracies of the runs that live,
    the book's printed values as circles at the end, and the names of the runs that collapsed.

    Parameters
    ----------
    runs : iterable of Run
        Of each experiment the last one is drawn, if there is one.
    """
    drawn = {run.experiment: run for run in runs}
    with look():
        figure = Figure(figsize=(9, 4))
        rates, accuracies = figure.subplots(1, 2)
        dead = []
        for i, name in enumerate(PUBLISHED):
            for key, fmt in ((name, "-"), (f"{name}-per-epoch", "--")):
                if key not in drawn:
                    continue
                run, style = drawn[key], {"color": f"C{i}", "linestyle": fmt, "alpha": 0.8}
                label = CHAPTER[name].title if key == name else None
                rates.plot(*_rates(run), label=label, **style)
                if run.outcome == "trained":
                    accuracy = [epoch.test_acc for epoch in run.epochs]
                    accuracies.plot(range(1, len(accuracy) + 1), accuracy, **style)
                else:
                    dead.append(f"ours: {key}")
            if name in drawn:
                end = (drawn[name].num_epochs, PRINTED[name].test_acc)
                if PRINTED[name].collapsed:
                    dead.append(f"the book's: {name}")
                else:
                    circle = {"marker": "o", "fillstyle": "none", "markeredgewidth": 2}
                    accuracies.plot(*end, color=f"C{i}", clip_on=False, **circle)
        rates.set(xlabel=f"update ({UPDATES_PER_EPOCH} an epoch)", ylabel="learning rate")
        rates.set(xscale="log", yscale="log")
        rates.set_title("solid: per update, as published\ndashed: per epoch, as intended", size=9)
        accuracies.set(xlabel="epoch", ylabel="test accuracy", ylim=(0.6, 0.92))
        accuracies.set_title("circles: the book's printed values", size=9)
        if dead:
            text = "\n".join(["collapsed, at 0.1:", *dead])
            accuracies.text(0.97, 0.04, text, transform=accuracies.transAxes, ha="right", size=8)
        for axes in (rates, accuracies):
            axes.grid()
        figure.legend(loc="lower center", ncol=len(PUBLISHED), frameon=False)
        figure.tight_layout(rect=(0, 0.08, 1, 1))
    return figure


@drawing.figure(6, 2.6)
def plotted_and_trained(figure: Figure) -> None:
    """Draw the chapter's cosine as the book plots it, and the rate that its Trainer used."""
    optimizer_params, plotted = CHAPTER["cosine"].prepare(UPDATES_PER_EPOCH)
    updates = range(1, NUM_EPOCHS * UPDATES_PER_EPOCH + 1)
    used = [optimizer_params["lr_scheduler"](n) for n in updates]
    axes = figure.subplots()
    axes.plot(plotted, "--", color=drawing.BLUE, label="as the book draws it, over epochs")
    axes.plot(
        [n / UPDATES_PER_EPOCH for n in updates],
        used,
        color=drawing.VERMILION,
        label=f"as the Trainer used it, {UPDATES_PER_EPOCH} updates an epoch",
    )
    axes.set(xlabel="epoch", ylabel="learning rate", title="11.15.3.3 Cosine, max_update=20")
    axes.set(xlim=(-0.3, NUM_EPOCHS), ylim=(0, None))
    axes.legend()


def _marker(x: Sequence[float]) -> str:
    return "." if len(x) == 1 else ""  # one point makes no line


def _rates(run: Run) -> tuple[list[int], list[float]]:
    """Return the updates of a run and the rate of each, the schedule being plotted beforehand."""
    optimizer_params, _ = CHAPTER[run.experiment].prepare(UPDATES_PER_EPOCH)
    rate = optimizer_params.get("learning_rate")
    schedule = optimizer_params.get("lr_scheduler", lambda n: rate)
    updates = list(range(1, run.num_epochs * UPDATES_PER_EPOCH + 1))
    # A warmup from 0 starts with a rate that no logarithmic axis can hold.
    return updates, [schedule(n) or float("nan") for n in updates]


def draw_run(run: Run, folder: PathLike) -> list[Path]:
    """Write a run's figures, named by section, into the folder: its schedule and its training."""
    experiment = CHAPTER[run.experiment]
    stem = Path(folder) / f"{experiment.section}-{run.experiment}"
    written = []
    if run.schedule is not None:
        figure = schedule_figure(run.schedule, experiment.heading)
        written.append(drawing.save(figure, f"{stem}-schedule.svg"))
    written.append(drawing.save(training_figure(run), f"{stem}-training.svg"))
    return written


def draw_overview(runs: Iterable[Run], folder: PathLike) -> list[Path]:
    """Write the overview of the runs of full length into the folder, if there is one.

    What is no run of the chapter's, as `experiments.known` has it, is left out.
    """
    ours = [run for run in runs if known(run, CHAPTER)]
    full = [run for run in ours if run.num_epochs == CHAPTER[run.experiment].num_epochs]
    return [drawing.save(overview_figure(full), Path(folder) / OVERVIEW_FIGURE)] if full else []
