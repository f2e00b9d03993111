"""What is seen of a training run while it goes on.

A display is told the running averages every few batches (`progress`), the finished epochs
(`epoch`) and the closing line (`close`). `train` calls it; anyone may write another.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from tqdm import tqdm

from d2l_lrsched import checks
from d2l_lrsched.streams import is_terminal
from d2l_lrsched.training.history import Epoch, Point


class Display:
    """The three things that `train` tells; this one shows nothing of them.

    Of a run that goes on from a checkpoint, `train` tells the epochs that it has had once more, for
    a curve; a display whose `needs_past` is False is told the last of them only.
    """

    needs_past = True

    def progress(self, point: Point, lr: float) -> None:
        """Averages over the running epoch's examples so far; `lr` is the last update's."""

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Epoch `number`, the first being 1, is done."""

    def close(self, line: str) -> None:
        """Training is over; `line` sums it up."""


class Lines(Display):
    """One line an epoch, for logs and pipes."""

    needs_past = False

    def __init__(self, num_epochs: int) -> None:
        self._num_epochs = num_epochs

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Print it."""
        print(
            f"epoch {number}/{self._num_epochs}: train loss {epoch.train_loss:.3f}, train acc "
            f"{epoch.train_acc:.3f}, test acc {epoch.test_acc:.3f}, lr {epoch.lr_last:.4g}",
            flush=True,
        )

    def close(self, line: str) -> None:
        """Print it."""
        print(line, flush=True)


class Bar(Display):
    """A progress bar over the epochs, for a terminal."""

    needs_past = False

    def __init__(self, num_epochs: int) -> None:
        self._bar = tqdm(
            total=num_epochs,
            unit="epoch",
            bar_format="{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}{postfix}]",
        )
        self._test_acc = math.nan

    def progress(self, point: Point, lr: float) -> None:
        """Move on to the point."""
        numbers = {"loss": point.train_loss, "train acc": point.train_acc}
        shown = {k: f"{v:.3f}" for k, v in {**numbers, "test acc": self._test_acc}.items()}
        self._bar.set_postfix({**shown, "lr": f"{lr:.4g}"}, refresh=False)
        self._bar.update(point.epoch - self._bar.n)

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Move on to the epoch's end."""
        self._test_acc = epoch.test_acc
        self.progress(Point(number, epoch.train_loss, epoch.train_acc), epoch.lr_last)

    def close(self, line: str) -> None:
        """End the bar."""
        self._bar.close()
        print(line, flush=True)


class Notebook(Display):
    """The book's own live plot, ``d2l.Animator``."""

    def __init__(self, num_epochs: int) -> None:
        from d2l import mxnet as d2l  # slow to import, and only notebooks need it

        self._animator = d2l.Animator(
            xlabel="epoch", xlim=[0, num_epochs], legend=["train loss", "train acc", "test acc"]
        )

    def progress(self, point: Point, lr: float) -> None:
        """Draw the point."""
        self._animator.add(point.epoch, (point.train_loss, point.train_acc, None))

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Draw the test accuracy."""
        self._animator.add(number, (None, None, epoch.test_acc))

    def close(self, line: str) -> None:
        """Give the notebook its own figures back."""
        _figures_as_configured()
        print(line, flush=True)


def _figures_as_configured() -> None:
    """Undo what ``d2l.Animator`` does to a notebook: all its later figures would be svg."""
    from matplotlib_inline import backend_inline, config

    if _in_notebook():
        formats = config.InlineBackend.instance().figure_formats
        backend_inline.set_matplotlib_formats(*formats)


_BY_NAME: dict[str, Any] = {
    "notebook": Notebook,
    "bar": Bar,
    "lines": Lines,
    "none": lambda num_epochs: Display(),
}


def choose(display: str | Display, num_epochs: int) -> Display:
    """Return the display meant by `display`.

    Parameters
    ----------
    display : str or Display
        'auto' takes 'notebook' in a notebook, 'bar' in a terminal, else 'lines'; 'none' shows
        nothing; anything that is no string is taken as it is.
    num_epochs : int
        Epochs to come.

    Raises
    ------
    ValueError
        For an unknown name, and for an object that lacks a method of `Display`.
    """
    if not isinstance(display, str):
        for method in ("progress", "epoch", "close"):
            if not callable(getattr(display, method, None)):
                raise ValueError(f"display must have a method {method}, got {display!r}")
        return display
    checks.choice("display", display, ("auto", *_BY_NAME))
    if display == "auto":
        in_terminal = is_terminal(sys.stderr)
        display = "notebook" if _in_notebook() else "bar" if in_terminal else "lines"
    return _BY_NAME[display](num_epochs)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # By name, for IPython may not be there; Colab's and Spyder's shells are derived from it.
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in type(shell).__mro__)
