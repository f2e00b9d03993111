"""The study's figure: how the accuracy on held-out pictures depends on the peak rate."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.runs.frames import of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.choice import tuning
from d2l_lrsched.studies.choice.experiments import SCHEDULES, TUNE, Arm, scores

#: What is in sight.
LOWEST, HIGHEST = 0.78, 0.92
_SEED = {"marker": "o", "ls": "", "ms": 3, "color": drawing.BLUE, "alpha": 0.6}
_MEDIAN = {"color": drawing.BLACK, "lw": 1.2}
_CHOSEN = {"marker": "D", "ls": "", "ms": 7, "color": drawing.BLACK, "mfc": "none"}
_GOOD = {"color": drawing.GREEN, "lw": 6, "alpha": 0.35, "solid_capstyle": "butt"}
_LOST = {"marker": "x", "ls": "", "ms": 4, "mew": 1.2, "color": drawing.VERMILION}
_SUGGESTED = {"color": drawing.BLACK, "ls": ":", "lw": 1.2}
_STYLES = {
    "a network": _SEED,
    "median, lost ones as 0": _MEDIAN,
    "chosen": _CHOSEN,
    "good peaks": _GOOD,
    "lost: collapsed or not finite": _LOST,
    "suggested by the range test": _SUGGESTED,
}


@drawing.figure(9, 6.6)
def sensitivity(figure: Figure, runs: Iterable[Run], suggestion: float | None) -> None:
    """Draw a panel a schedule: over the peaks, the accuracies of the tuning runs, and the choice.

    Runs that did not train are crosses at the bottom, one above the other. `suggestion` is the
    range test's, a rate or None.
    """
    runs = list(runs)
    found, table = scores(runs), of_runs(runs)
    panels = figure.subplots(3, 4, sharex=True, sharey=True)
    shown = dict(zip(SCHEDULES, panels.flat))
    for schedule, of_peaks in found.items():
        axes = shown[schedule]
        for peak in of_peaks:
            ours = of_experiment(table, Arm(TUNE, schedule, peak).name)
            accuracies = ours.test_acc[ours.trained]
            axes.plot([peak] * len(accuracies), accuracies, **_SEED)
            heights = [0.05 + 0.06 * i for i in range(len(ours) - len(accuracies))]
            axes.plot([peak] * len(heights), heights, transform=axes.get_xaxis_transform(), **_LOST)
        _choice(axes, of_peaks)
        if suggestion is not None:
            axes.axvline(suggestion, **_SUGGESTED)
    for schedule, axes in shown.items():
        axes.set(title=schedule, xscale="log", ylim=(LOWEST, HIGHEST))
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
        drawing.legend(axes, _STYLES, loc="center", ncol=1)
    figure.supxlabel("peak learning rate", size=8)
    figure.supylabel("accuracy on the held-out pictures after the last epoch", size=8)


def _choice(axes: Axes, of_peaks: tuning.Scores) -> None:
    good, best = tuning.good(of_peaks), tuning.best(of_peaks)
    low = of_peaks[best] - tuning.GOOD
    axes.plot([good.low, good.high], [low, low], **_GOOD)
    axes.plot(*zip(*sorted(of_peaks.items())), **_MEDIAN)
    axes.plot(best, of_peaks[best], **_CHOSEN)
