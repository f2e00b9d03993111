"""Every number that the builds printed and every draw of ours, weights and orders told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.drawing import SMALL
from d2l_lrsched.studies.chapter.builds.draws import UNSEEDED
from d2l_lrsched.studies.chapter.builds.measures import GROUPS, of_book_weights, today
from d2l_lrsched.studies.chapter.published import PRINTED

#: Shown of each experiment; at 0.5 too few trained to be drawn.
SHOWN = [name for name in GROUPS if not name.startswith("early")]
LABELS = {"train_loss": "training loss", "test_acc": "test accuracy"}
_DOT: Mapping[str, Any] = {"marker": "o", "ls": "", "ms": 2.2, "mew": 0, "alpha": 0.5}
#: From the top of a panel downwards.
STRIPS: Mapping[str, Mapping[str, Any]] = {
    "builds of the book": {**_DOT, "color": drawing.BLACK},
    "ours, with the book's weights": {**_DOT, "color": drawing.BLUE},
    "ours, with other weights": {**_DOT, "color": drawing.PINK},
    "ours, on another split": {**_DOT, "color": drawing.GREEN},
}
_CHAPTER: Mapping[str, Any] = {"marker": "D", "ls": "", "ms": 5, "color": drawing.VERMILION}


@drawing.figure(5, 0.72 * len(SHOWN) + 0.9)
def builds(figure: Figure, draws: pd.DataFrame, printed: pd.DataFrame) -> None:
    """Draw the last epoch of all that trained: a row an experiment, four strips in each.

    From above: the builds, and ours with the weights that the book's process draws, with other
    weights (a tick is the mean of one initialization), and on other splits. Diamonds are the
    chapter's own printed numbers.

    Parameters
    ----------
    draws, printed : DataFrame
        As `measures.of_draws` and `measures.of_builds` give them.
    """
    grid = figure.subplots(len(SHOWN), 2, sharex="col")
    for row, name in zip(grid, SHOWN):
        theirs = printed[(printed.experiment == name) & printed.trained]
        others = today(draws, name)
        others = others[others.weights != UNSEEDED[0]] if name == "constant" else others
        of = (draws.experiment == name) & draws.trained & draws.split.notna()
        strips = (theirs, of_book_weights(draws, name), others, draws[of])
        for axes, number in zip(row, LABELS):
            for y, (values, style) in enumerate(zip(strips, STRIPS.values())):
                _strip(axes, values[number].to_numpy(), -y, style)
            means = others.groupby("weights")[number].mean()
            axes.plot(means, np.full(len(means), -2.0), "|", color="k", ms=5, mew=0.4)
            if name in PRINTED and not PRINTED[name].collapsed:
                axes.plot(getattr(PRINTED[name], number), 0, **_CHAPTER)
            axes.set_ylim(-3.6, 0.6)
            axes.set_yticks([])
            axes.tick_params(axis="y", length=0)
        row[0].set_ylabel(name.replace("-", "\n"), rotation=0, ha="right", va="center", size=SMALL)
    for axes, label in zip(grid[-1], LABELS.values()):
        axes.set_xlabel(label)
    styles = {**STRIPS, "printed in the chapter": _CHAPTER}
    larger = {label: {**style, "ms": 5, "alpha": 1} for label, style in styles.items()}
    drawing.legend(figure, larger, ncol=2, fontsize=SMALL)


def _strip(axes: Axes, values: np.ndarray, y: float, style: Mapping[str, Any]) -> None:
    # Equal values stay apart: their heights go round.
    axes.plot(values, y + 0.12 * (np.arange(len(values)) % 5 - 2), **style)
