"""How figures look and are saved: d2l's look for the chapter's own, one of ours for all others.

The same input gives the same bytes: no date, a fixed salt for the svg's ids, glyphs as paths,
and none of the user's own matplotlib settings.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from d2l_lrsched.files import PathLike, user_path, whole_file

if TYPE_CHECKING:
    import pandas as pd

    from d2l_lrsched.training.range_test import RangeTest

# What d2l.plot and d2l.Animator use.
D2L_FORMATS = ("-", "m--", "g-.")
# Colors of Okabe and Ito, told apart by nearly everybody; dashes or shapes always say the same.
BLACK, BLUE, VERMILION, GREEN, PINK = "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
COLORS = (BLACK, BLUE, VERMILION, GREEN, PINK)
#: The curve of a run that trained, and of one that collapsed or turned non-finite.
TRAINED: Mapping[str, Any] = {"color": BLUE, "lw": 0.8, "alpha": 0.7}
COLLAPSED: Mapping[str, Any] = {"color": VERMILION, "lw": 1.0, "alpha": 0.9, "ls": "--"}
#: An interval, below the points that it is of.
BAR: Mapping[str, Any] = {"color": "0.8", "lw": 6, "solid_capstyle": "butt"}
#: The size of small texts, in points.
SMALL = 7.5
#: Format -> the metadata that leaves the date out.
_UNDATED: Mapping[str, dict[str, None]] = {
    "svg": {"Date": None},
    "png": {},
    "pdf": {"CreationDate": None},
}
_OURS = {
    **{"figure.constrained_layout.use": True, "axes.grid": True},
    **{"axes.labelsize": 8, "axes.titlesize": 9},
    **{"legend.frameon": False, "legend.fontsize": 8},
}


@contextmanager
def look(**settings: Any) -> Iterator[None]:
    """Draw with matplotlib's defaults, which are d2l's, and `settings`, whatever the user's own."""
    with mpl.rc_context():
        mpl.rcdefaults()  # d2l changes nothing but the figure's size
        mpl.rcParams.update({"svg.hashsalt": "d2l_lrsched", "svg.fonttype": "path", **settings})
        yield


def figure(
    width: float, height: float, settings: Mapping[str, Any] = _OURS
) -> Callable[..., Callable[..., Figure]]:
    """Decorate what draws on the empty figure that it is given first: the figure is returned.

    In our own look, or in matplotlib's with other `settings`, and a size in inches.
    """

    def decorator(draw: Callable[..., None]) -> Callable[..., Figure]:
        @wraps(draw)
        def drawn(*args: Any, **kwargs: Any) -> Figure:
            with look(**settings):
                empty = Figure(figsize=(width, height))
                draw(empty, *args, **kwargs)
                # Not by settings: ticks are made when the figure is shown or saved.
                for axes in empty.axes if settings is _OURS else ():
                    axes.tick_params(which="both", labelsize=SMALL, grid_alpha=0.4)
            return empty

        return drawn

    return decorator


#: Decorates as `figure` does, in d2l's look and size: for the chapter's own.
d2l_figure = figure(3.5, 2.5, settings={})


def curves(axes: Axes, table: pd.DataFrame, trained: pd.Series) -> None:
    """Draw one column a seed: solid where the run trained, dashed where it did not."""
    for seed, values in table.items():
        axes.plot(values.index, values, **(TRAINED if trained[seed] else COLLAPSED))


def legend(owner: FigureBase | Axes, styles: Mapping[str, Mapping[str, Any]], **place: Any) -> None:
    """Say what each style means, below the figure if it is not told another place."""
    handles = [Line2D([], [], label=label, **style) for label, style in styles.items()]
    owner.legend(handles=handles, **{"loc": "outside lower center", "ncol": len(handles), **place})


@figure(5, 3.2)
def two_axes(
    figure: Figure,
    schedule: Callable[[int], float],
    num_updates: int,
    updates_per_epoch: int,
    title: str,
) -> None:
    """Draw a schedule at 0, 1, ..., `num_updates`, with updates below and epochs above."""
    axes = figure.subplots()
    updates = range(num_updates + 1)
    axes.plot(updates, [schedule(n) for n in updates])
    axes.set(xlabel="update", ylabel="learning rate", title=textwrap.fill(title, width=60))
    epochs = axes.secondary_xaxis(
        "top", functions=(lambda n: n / updates_per_epoch, lambda e: e * updates_per_epoch)
    )
    epochs.tick_params(labelsize=SMALL)
    epochs.set_xlabel("epoch")


#: What a range test marks -> how.
_MARKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "falls": ("begins to fall", {"marker": "v", "color": GREEN}),
    "lowest": ("lowest", {"marker": "o", "color": BLACK}),
    "rises": ("turns up again", {"marker": "^", "color": PINK}),
    "collapsed": ("collapsed, or not finite", {"marker": "x", "color": VERMILION}),
}


@figure(5, 3.4)
def range_test(figure: Figure, tested: RangeTest) -> None:
    """Draw each seed's losses over the rate, smoothed ones above them, its marks, and a rate."""
    axes = figure.subplots()
    raw, smooth = {"color": BLUE, "lw": 0.5, "alpha": 0.3}, {"color": BLUE, "lw": 1.2, "alpha": 0.8}
    chosen = {"color": BLACK, "ls": ":", "lw": 1.2}
    for sweep in tested.sweeps:
        axes.plot(sweep.rates, sweep.losses, **raw)
        axes.plot(sweep.rates, sweep.smoothed, **smooth)
        for mark, (_, style) in _MARKS.items():
            place = getattr(sweep, mark)
            if place is not None:
                axes.plot(sweep.rates[place], sweep.smoothed[place], ls="", ms=5, **style)
    if tested.suggestion is not None:
        axes.axvline(tested.suggestion, **chosen)
    first = max(sweep.smoothed[0] for sweep in tested.sweeps)
    axes.set(xlabel="learning rate", ylabel="loss of a batch", xscale="log", ylim=(0, 1.5 * first))
    marks = {words: {"ls": "", "ms": 5, **style} for words, style in _MARKS.values()}
    styles = {"a seed's batches": raw, "smoothed": smooth, **marks, "suggested": chosen}
    legend(figure, styles, ncol=3)


def save(figure: Figure, path: PathLike) -> Path:
    """Write the figure as .svg, .png or .pdf, by the path's suffix, whole or not at all.

    Raises
    ------
    ValueError
        If the suffix is another, or `path` is none, as `files.user_path` says.
    OSError
        If the file cannot be written.
    """
    path = user_path(path)
    kind = path.suffix[1:].lower()
    if kind not in _UNDATED:
        raise ValueError(f"{path.name}: a figure's file ends in .{', .'.join(_UNDATED)}")
    with whole_file(path) as temporary, look():
        figure.savefig(temporary, format=kind, bbox_inches="tight", metadata=_UNDATED[kind])
    return path
