"""The chapter's training loop, without its waiting for the device at every batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from mxnet import autograd, gluon, init, np

from d2l_lrsched.display import Display, choose

DISPLAY_EVERY = 50  # batches, as in the chapter
# Below this the scores, and so the class probabilities, differ by less than 1 % between images.
# In the chapter's runs dead networks show at most 0.0003 (often rounding alone, 1e-8), and the
# least that a live one shows is 0.45, before its first update.
COLLAPSED_SPREAD = 0.01


class Batches(Protocol):
    """What is trained on: an iterable of (X, y) that knows how many batches it has."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    `train_loss` and `train_acc` are averages over the epoch's examples, each taken before the
    update that its batch caused; `test_acc` is measured after the last update. `lr_first` and
    `lr_last` are the learning rates of the first and last update. `score_spread` is the largest
    difference between two test images in the score of one class: 0 means that the network no
    longer sees its input. `seconds` covers training and test.
    """

    train_loss: float
    train_acc: float
    test_acc: float
    lr_first: float
    lr_last: float
    score_spread: float
    seconds: float


@dataclass(frozen=True)
class Point:
    """One point of the chapter's training curves: averages since the epoch began."""

    epoch: float
    train_loss: float
    train_acc: float


@dataclass
class History:
    """What `train` measured: a list of `Epoch` and the curve's points between them."""

    epochs: list[Epoch] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """'trained', 'collapsed' (all outputs equal at the end, to 1 %) or 'non-finite'."""
        last = self.epochs[-1]
        if not (math.isfinite(last.train_loss) and math.isfinite(last.score_spread)):
            return "non-finite"
        return "collapsed" if last.score_spread < COLLAPSED_SPREAD else "trained"

    @property
    def collapsed(self) -> bool:
        """Whether the network ended with the same output for every test image."""
        return self.outcome == "collapsed"

    def __str__(self) -> str:
        """Return the chapter's closing line, and what befell the run where something did."""
        last = self.epochs[-1]
        line = (
            f"train loss {last.train_loss:.3f}, train acc {last.train_acc:.3f}, "
            f"test acc {last.test_acc:.3f}"
        )
        if self.outcome == "collapsed":
            first = len(self.epochs)
            while first > 1 and self.epochs[first - 2].score_spread < COLLAPSED_SPREAD:
                first -= 1
            line += f" (collapsed: every test image gets the same scores since epoch {first})"
        if self.outcome == "non-finite":
            line += f" (non-finite: stopped after epoch {len(self.epochs)})"
        return line


def train(
    net: gluon.Block,
    train_iter: Batches,
    test_iter: Batches,
    num_epochs: int,
    loss: Callable,
    trainer: gluon.Trainer,
    ctx: Any,
    *,
    display: str | Display = "auto",
) -> History:
    r"""Initialize `net` with Xavier and train it, as the chapter does (book section 11.15.1).

    One update per batch :math:`B` with the learning rate :math:`\eta_n` of update n (the first
    has n = 1): :math:`\theta \leftarrow \theta - \eta_n \nabla_\theta \frac{1}{|B|}
    \sum_{i \in B} \ell_i(\theta)`.

    Every parameter and every number is identical to the bit to those of the book's loop under
    the same seeds and number of threads. The sums of loss and hits stay on the device and are
    read every 50 batches, so that the device never waits for Python.

    Parameters
    ----------
    net : mxnet.gluon.Block
        Its parameters are initialized anew.
    train_iter, test_iter : iterables of (X, y), with a length
        X float32 (n, 1, 28, 28); y class indices (n,).
    num_epochs : int
    loss : callable
        (scores (n, 10), y (n,)) -> losses (n,), one an example.
    trainer : mxnet.gluon.Trainer
        A new one, with a new scheduler, for each run: MXNet resets neither its count of updates
        nor its momentum. Its learning rate is read after the first and last update of an epoch
        and with every display, which calls the scheduler once more with the same count.
    ctx : mxnet.Context
        Where to train: ``d2l.try_gpu()``.
    display : {'auto', 'notebook', 'bar', 'lines', 'none'} or Display, optional
        What is shown; see `d2l_lrsched.display.choose`.

    Returns
    -------
    History
        A run whose loss turns non-finite ends after that epoch: nothing can mend its parameters.

    Raises
    ------
    ValueError
        If num_epochs is not a positive integer, an iterator is empty or display is
        unknown.
    """
    if isinstance(num_epochs, bool) or not isinstance(num_epochs, int) or num_epochs < 1:
        raise ValueError(f"num_epochs={num_epochs!r}: must be an integer of at least 1")
    for name, batches in (("train_iter", train_iter), ("test_iter", test_iter)):
        if len(batches) == 0:
            raise ValueError(f"{name} is empty: it must hold at least one batch")
    shown = choose(display, num_epochs)
    net.initialize(force_reinit=True, ctx=ctx, init=init.Xavier())
    history = History()
    for epoch in range(num_epochs):
        start = time.perf_counter()
        sums = _Sums()
        for i, (X, y) in enumerate(train_iter):
            X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)  # noqa: E741
            l.backward()
            trainer.step(X.shape[0])
            sums.add(l.sum(), _num_correct(y_hat, y), X.shape[0])
            if i == 0:
                lr_first = trainer.learning_rate
            if (i + 1) % DISPLAY_EVERY == 0:
                # The book's own abscissa counts i, not i + 1, batches as done.
                point = Point(epoch + i / len(train_iter), *sums.averages())
                history.points.append(point)
                shown.progress(
                    point.epoch, point.train_loss, point.train_acc, trainer.learning_rate
                )
        lr_last = trainer.learning_rate
        train_loss, train_acc = sums.averages()
        test_acc, spread = _evaluate(net, test_iter, ctx)
        seconds = time.perf_counter() - start
        history.epochs.append(
            Epoch(train_loss, train_acc, test_acc, lr_first, lr_last, spread, seconds)
        )
        shown.epoch(epoch + 1, train_loss, train_acc, test_acc, lr_last)
        if history.outcome == "non-finite":
            break
    shown.close(str(history))
    return history


class _Sums:
    """Sums over examples, left on the device until they are asked for.

    They are added up in float64 on the host, batch by batch, as the book adds them: the same
    numbers to the bit, but the device need not be waited for at every batch.
    """

    def __init__(self) -> None:
        self._unread: list[tuple[np.ndarray, np.ndarray]] = []
        self._loss = self._correct = 0.0
        self._examples = 0

    def add(self, loss: np.ndarray, correct: np.ndarray, examples: int) -> None:
        self._unread.append((loss, correct))
        self._examples += examples

    def averages(self) -> tuple[float, float]:
        """Return loss and accuracy per example."""
        for loss, correct in self._unread:
            self._loss += float(loss)
            self._correct += float(correct)
        self._unread.clear()
        return self._loss / self._examples, self._correct / self._examples


def _num_correct(y_hat: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how many scores (n, c) are highest for the class y (n,), still on the device."""
    return (y_hat.argmax(axis=1).astype(y.dtype) == y).astype(y.dtype).sum()


def _evaluate(net: gluon.Block, test_iter: Batches, ctx: Any) -> tuple[float, float]:
    """Return accuracy and score spread (see `Epoch`) over the test set."""
    correct, lowest, highest, examples = [], [], [], 0
    for X, y in test_iter:
        X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
        y_hat = net(X)
        correct.append(_num_correct(y_hat, y))
        lowest.append(y_hat.min(axis=0))
        highest.append(y_hat.max(axis=0))
        examples += X.shape[0]
    spread = np.stack(highest).max(axis=0) - np.stack(lowest).min(axis=0)
    return sum(map(float, correct)) / examples, float(spread.max())
