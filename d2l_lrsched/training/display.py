"""What is seen of a training run while it goes on.

A display is told the running averages every few batches (`progress`), the finished epochs
(`epoch`) and the closing line (`close`). `train` calls it; anyone may write another.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

from tqdm import tqdm

from d2l_lrsched import checks


class Display(Protocol):
    """The three things that `train` tells."""

    def progress(self, epoch: float, train_loss: float, train_acc: float, lr: float) -> None:
        """Averages over the running epoch's examples so far; `epoch` is 1.5 in mid-second."""

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None:
        """Epoch number `epoch` (the first is 1) is done; `lr` is that of its last update."""

    def close(self, line: str) -> None:
        """Training is over; `line` sums it up."""


class Silent:
    """Shows nothing."""

    def progress(self, epoch: float, train_loss: float, train_acc: float, lr: float) -> None: ...

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None: ...

    def close(self, line: str) -> None: ...


class Lines(Silent):
    """One line an epoch, for logs and pipes."""

    def __init__(self, num_epochs: int) -> None:
        self._num_epochs = num_epochs

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None:
        print(
            f"epoch {epoch}/{self._num_epochs}: train loss {train_loss:.3f}, "
            f"train acc {train_acc:.3f}, test acc {test_acc:.3f}, lr {lr:.4g}",
            flush=True,
        )

    def close(self, line: str) -> None:
        print(line, flush=True)


class Bar(Silent):
    """A progress bar over the epochs, for a terminal."""

    def __init__(self, num_epochs: int) -> None:
        self._bar = tqdm(
            total=num_epochs,
            unit="epoch",
            bar_format="{l_bar}{bar}| {n:.1f}/{total} epochs [{elapsed}<{remaining}{postfix}]",
        )
        self._test_acc = float("nan")

    def progress(self, epoch: float, train_loss: float, train_acc: float, lr: float) -> None:
        self._bar.set_postfix(
            {
                "loss": f"{train_loss:.3f}",
                "train acc": f"{train_acc:.3f}",
                "test acc": f"{self._test_acc:.3f}",
                "lr": f"{lr:.4g}",
            },
            refresh=False,
        )
        self._bar.update(epoch - self._bar.n)

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None:
        self._test_acc = test_acc
        self.progress(epoch, train_loss, train_acc, lr)

    def close(self, line: str) -> None:
        self._bar.close()
        print(line, flush=True)


class Notebook(Silent):
    """The book's own live plot, ``d2l.Animator``."""

    def __init__(self, num_epochs: int) -> None:
        from d2l import mxnet as d2l  # slow to import, and only notebooks need it

        self._animator = d2l.Animator(
            xlabel="epoch", xlim=[0, num_epochs], legend=["train loss", "train acc", "test acc"]
        )

    def progress(self, epoch: float, train_loss: float, train_acc: float, lr: float) -> None:
        self._animator.add(epoch, (train_loss, train_acc, None))

    def epoch(
        self, epoch: int, train_loss: float, train_acc: float, test_acc: float, lr: float
    ) -> None:
        self._animator.add(epoch, (None, None, test_acc))

    def close(self, line: str) -> None:
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
    "none": lambda num_epochs: Silent(),
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
        # sys.stderr is None where a program was started without one.
        in_terminal = sys.stderr is not None and sys.stderr.isatty()
        display = "notebook" if _in_notebook() else "bar" if in_terminal else "lines"
    return _BY_NAME[display](num_epochs)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # By name, for IPython may not be there; Colab's and Spyder's shells are derived from it.
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in type(shell).__mro__)
