"""The explorer's drawings, as svg for a page.

matplotlib draws a frame once for each range of the axes, 0.1 s, and it is kept; a drag then moves
nothing but the lines in it, which takes a millisecond.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.drawing import UNDATED, look
from d2l_lrsched.explorer.model import READINGS, Stored, drawn
from d2l_lrsched.explorer.texts import TEXTS

# Okabe and Ito's: told apart without colour vision, too.
BLUE, VERMILION = "#0072B2", "#D55E00"
COLORS = dict(zip(READINGS, (BLUE, VERMILION)))
#: The group of each line in the svg: of the chosen reading, then of the other, in each panel.
LINES = (("rate", "other-reading"), ("first-epoch-rate", "first-epoch-other-reading"))
SIZE = (8.4, 3.0)
PANELS = ((0.075, 0.25, 0.405, 0.56), (0.58, 0.25, 0.405, 0.56))


def rates_svg(chosen: np.ndarray, other: np.ndarray, reading: str, language: str) -> str:
    """Draw the learning rates over the whole run and over the first epoch.

    Parameters
    ----------
    chosen, other : numpy.ndarray
        The rates of the updates 1, 2, ... of whole epochs, in the two readings.
    reading : {'update', 'epoch'}
        The chosen one, drawn solid; the other is dashed.
    language : {'vi', 'en'}
    """
    top = _round_up(max(chosen.max(), other.max()))
    svg, boxes = _rates_frame(len(chosen) // UPDATES_PER_EPOCH, top, reading, language)
    for names, (left, bottom, width, height), length in zip(
        LINES, boxes, (len(chosen), UPDATES_PER_EPOCH)
    ):
        for name, values in zip(names, (chosen[:length], other[:length])):
            kept = drawn(values, points=UPDATES_PER_EPOCH)
            x = left + (kept + 1) / length * width
            y = bottom - values[kept] / top * height
            path = "M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in zip(x, y))
            svg = svg.replace(f'<path d="{name}"', f'<path d="{path}"')
    return svg


@lru_cache(maxsize=256)
def _rates_frame(
    num_epochs: int, top: float, reading: str, language: str
) -> tuple[str, list[tuple[float, float, float, float]]]:
    """Return the svg with the lines' names for their paths, and left, bottom, width, height.

    These are where update 0 and rate 0 lie, and how far it is to the last update and to `top`.
    """
    texts = TEXTS[language]
    other = READINGS[1 - READINGS.index(reading)]
    boxes = []
    with _look("rates"):
        figure = Figure(figsize=SIZE)
        ends = (num_epochs * UPDATES_PER_EPOCH, UPDATES_PER_EPOCH)
        for panel, names, end, title in zip(PANELS, LINES, ends, ("whole", "first")):
            axes = _axes(figure, panel, texts[title], end, top, 1.19)
            axes.set(xlabel=texts["update"], ylabel=texts["rate"])
            for name, of, style in zip(names, (reading, other), ("-", (0, (4, 2)))):
                label = texts[f"line.{of}"]
                label = texts["chosen"].format(label) if of == reading else label
                axes.plot(*[[0, 1]] * 2, gid=name, label=label, color=COLORS[of], ls=style, lw=1.6)
            (left, bottom), (right, upper) = axes.transData.transform([(0, 0), (end, top)])
            # The svg counts points from above, matplotlib dots from below.
            dot, height = 72 / figure.dpi, SIZE[1] * 72
            boxes.append(
                (left * dot, height - bottom * dot, (right - left) * dot, (upper - bottom) * dot)
            )
        _epochs_above(figure.axes[0], num_epochs, texts["epoch"])
        _legend(figure)
        svg = _as_svg(figure)
    for name in (name for names in LINES for name in names):
        svg = re.sub(rf'(<g id="{name}">\s*<path d=)"[^"]*"', rf'\1"{name}"', svg)
    return svg, boxes


def runs_svg(groups: Iterable[Stored], language: str) -> str:
    """Draw training loss and test accuracy of stored runs, each at the ends of its epochs."""
    texts, groups = TEXTS[language], list(groups)
    num_epochs = max(group.num_epochs for group in groups)
    labels = {True: texts["trained"], False: texts["collapsed"]}
    styles = {True: {"color": BLUE, "ls": "-"}, False: {"color": VERMILION, "ls": ":"}}
    with _look("runs"):
        figure = Figure(figsize=SIZE)
        for panel, number, top in zip(PANELS, ("train_loss", "test_acc"), (2.5, 1.0)):
            axes = _axes(figure, panel, texts[number], num_epochs, top, 1.03)
            axes.set_xlabel(texts["epoch"])
            for run in (run for group in groups for run in group.runs):
                trained = run.outcome == "trained"
                values = [getattr(epoch, number) for epoch in run.epochs]
                axes.plot(
                    range(1, len(values) + 1),
                    values,
                    label=labels.pop(trained, None),  # the first of its kind stands for all
                    marker="." if len(values) == 1 else "",
                    lw=1.2,
                    alpha=0.7,
                    **styles[trained],
                )
        _legend(figure)
        return _as_svg(figure)


@contextmanager
def _look(salt: str) -> Iterator[None]:
    """Draw as the package's figures, but with texts as texts, and other ids in each svg."""
    with look():
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": salt,
                "path.simplify": False,
                "font.size": 9,
                "axes.titlesize": 10,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        )
        yield


def _axes(
    figure: Figure,
    panel: tuple[float, float, float, float],
    title: str,
    right: float,
    top: float,
    title_y: float,
) -> Axes:
    axes = figure.add_axes(panel)
    # Ticks that are given and a title with a place cost matplotlib half the time of its own.
    for axis, end in ((axes.xaxis, right), (axes.yaxis, top)):
        ticks = _ticks(end)
        axis.set_ticks(ticks, [f"{tick:.6g}" for tick in ticks])
        axis.set_tick_params(length=0)
    margin = 0.04 * top  # for the line's width at both ends
    axes.set(xlim=(0, right), ylim=(-margin, top + margin))
    axes.set_title(title, y=title_y)
    axes.grid(color="#dddddd")
    return axes


def _epochs_above(axes: Axes, num_epochs: int, label: str) -> None:
    """Write the epochs over the updates: a second axis would double the time of the frame."""
    place = {"transform": axes.get_xaxis_transform(), "va": "bottom"}
    ticks = [int(tick) for tick in _ticks(num_epochs) if tick == int(tick)]
    for tick in ticks:
        axes.text(tick * UPDATES_PER_EPOCH, 1.02, str(tick), ha="center", **place)
    axes.text(0, 1.11, label, ha="left", transform=axes.transAxes, va="bottom")


def _legend(figure: Figure) -> None:
    lines = [line for axes in figure.axes[:1] for line in axes.get_lines()]
    named = [line for line in lines if not line.get_label().startswith("_")]
    figure.legend(handles=named, loc="lower center", ncol=2, frameon=False, handlelength=3)


def _as_svg(figure: Figure) -> str:
    """Return the figure as an element that is as wide as its place on the page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata=UNDATED["svg"])
    svg = out.getvalue()
    width, height = (value * 72 for value in SIZE)
    size = f'role="img" width="100%" viewBox="0 0 {width:g} {height:g}"'
    svg = re.sub(r' (width|height|viewBox)="[^"]*"', "", svg[svg.index("<svg") :], count=3)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg", f"<svg {size}", 1)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 3, 5 times a power of 10, so that a drag seldom moves the axis."""
    power = 10.0 ** math.floor(math.log10(value or 1))
    return next(n * power for n in (1, 2, 3, 5, 10) if value <= n * power * (1 + 1e-9))


def _ticks(end: float) -> list[float]:
    """Return 4 to 7 round numbers from 0 to `end`."""
    step = _round_up(end / 6.5)
    return [i * step for i in range(int(end / step * (1 + 1e-9)) + 1)]
