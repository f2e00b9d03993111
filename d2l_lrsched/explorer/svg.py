"""The explorer's drawings: two panels of lines each, as svg that the page's style colours."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.explorer.stored import Group
from d2l_lrsched.explorer.texts import TEXTS

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 56, 424, 52, 226  # where the axes end

#: Its class for the style, and the points.
Line = tuple[str, "Sequence[float] | np.ndarray", "Sequence[float] | np.ndarray"]


def rates_svg(rates: Mapping[str, np.ndarray], reading: str, language: str) -> str:
    """Draw the learning rates over the whole run and over the first epoch.

    Of the updates 1, 2, ... of whole epochs, in both readings; the chosen one, `reading`, is drawn
    solid, the other dashed.
    """
    texts = TEXTS[language]
    top = _round_up(max(values.max() for values in rates.values()))
    num_updates = len(rates[reading])
    panels, names = [], {}
    for title, length in (("whole", num_updates), ("first", UPDATES_PER_EPOCH)):
        lines: list[Line] = []
        for of, values in rates.items():
            style = f"{of} chosen" if of == reading else f"{of} other"
            label = texts[f"line.{of}"]
            names[style] = texts["chosen"].format(label) if of == reading else label
            kept = drawn(values[:length])
            lines.append((style, kept + 1, values[kept]))
        labels = (texts[title], texts["update"], texts["rate"])
        panels.append((labels, (length, top), lines))
    whole, first = panels
    epochs = _epochs_above(num_updates // UPDATES_PER_EPOCH, texts["epoch"])
    return _side_by_side(_panel(*whole, epochs), _panel(*first), names)


def runs_svg(groups: Iterable[Group], language: str) -> str:
    """Draw training loss and test accuracy of stored runs, each at the ends of its epochs."""
    texts = TEXTS[language]
    runs = [run for group in groups for run in group.runs]
    num_epochs = max(run.num_epochs for run in runs)
    panels = []
    for number, top in (("train_loss", 2.5), ("test_acc", 1.0)):
        lines = []
        for run in runs:
            values = [getattr(epoch, number) for epoch in run.epochs]
            style = "trained" if run.outcome == "trained" else "collapsed"
            lines.append((style, range(1, len(values) + 1), values))
        panels.append(_panel((texts[number], texts["epoch"], ""), (num_epochs, top), lines))
    styles = ("trained", "collapsed")
    seen = [style for style in styles if any(style == of for of, *_ in lines)]
    loss, accuracy = panels
    return _side_by_side(loss, accuracy, {style: texts[style] for style in seen})


def drawn(values: np.ndarray, points: int = UPDATES_PER_EPOCH) -> np.ndarray:
    """Return the indices of `values` that suffice to draw them.

    An even grid, and both ends of every step by more than 1/500 of the range, so that jumps stay
    upright where they are. A schedule rises and falls once, so these are some hundreds at most.
    """
    grid = np.linspace(0, len(values) - 1, min(points, len(values))).round().astype(int)
    jumps = np.flatnonzero(np.abs(np.diff(values)) > np.ptp(values) / 500)
    return np.unique(np.concatenate([grid, jumps, jumps + 1]))


def _side_by_side(left: str, right: str, names: Mapping[str, str]) -> str:
    legend = "".join(
        f'<span><svg class="sample" viewBox="0 0 30 10"><path class="{style}" d="M0 5H30"/></svg> '
        f"{html.escape(name)}</span>"
        for style, name in names.items()
    )
    return f'<div class="panels">{left}{right}</div><p class="legend">{legend}</p>'


def _panel(
    labels: tuple[str, str, str], ends: tuple[float, float], lines: Iterable[Line], above: str = ""
) -> str:
    """Draw lines over axes from 0 to `ends`; `labels` are those of the panel, of x and of y."""
    title, x_label, y_label = map(html.escape, labels)
    right, top = ends
    across = "".join(
        f'<path class="grid" d="M{_x(tick, right):.2f} {TOP}V{BOTTOM}"/>'
        f'<text x="{_x(tick, right):.2f}" y="{BOTTOM + 16}" class="middle">{tick:.6g}</text>'
        for tick in _ticks(right)
    )
    upwards = "".join(
        f'<path class="grid" d="M{LEFT} {_y(tick, top):.2f}H{RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{_y(tick, top) + 4:.2f}" class="end">{tick:.6g}</text>'
        for tick in _ticks(top)
    )
    middle = (TOP + BOTTOM) / 2
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f'<text x="{WIDTH / 2}" y="14" class="middle title">{title}</text>'
        f'<g class="across">{across}</g><g class="upwards">{upwards}</g>{above}'
        f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 10}" class="middle">{x_label}</text>'
        f'<text transform="translate(12 {middle}) rotate(-90)" class="middle">{y_label}</text>'
        f"{''.join(_line(line, right, top) for line in lines)}</svg>"
    )


def _line(line: Line, right: float, top: float) -> str:
    style, xs, ys = line
    if len(xs) == 1:
        at = f'cx="{_x(xs[0], right):.2f}" cy="{_y(ys[0], top):.2f}"'
        return f'<circle class="{style}" {at} r="2.5"/>'
    points = " ".join(f"{_x(x, right):.2f},{_y(y, top):.2f}" for x, y in zip(xs, ys))
    return f'<polyline class="{style}" points="{points}"/>'


def _epochs_above(num_epochs: int, label: str) -> str:
    """Write the epochs over the updates."""
    ticks = (int(tick) for tick in _ticks(num_epochs) if tick == int(tick))
    return f'<text x="{LEFT}" y="{TOP - 20}" class="middle">{label}</text>' + "".join(
        f'<text x="{_x(tick, num_epochs):.2f}" y="{TOP - 6}" class="middle">{tick}</text>'
        for tick in ticks
    )


def _x(value: float, right: float) -> float:
    return LEFT + value / right * (RIGHT - LEFT)


def _y(value: float, top: float) -> float:
    return BOTTOM - value / top * (BOTTOM - TOP)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 3, 5 times a power of 10, so that a drag seldom moves the axis."""
    power = 10.0 ** math.floor(math.log10(value or 1))
    return next(n * power for n in (1, 2, 3, 5, 10) if value <= n * power * (1 + 1e-9))


def _ticks(end: float) -> list[float]:
    """Return 4 to 7 round numbers from 0 to `end`."""
    step = _round_up(end / 6.5)
    return [i * step for i in range(int(end / step * (1 + 1e-9)) + 1)]
