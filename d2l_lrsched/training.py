"""The chapter's training loop, without its waiting for the device at every batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from mxnet import autograd, gluon, init, np

from d2l_lrsched import clipping
from d2l_lrsched.checkpoint import Checkpoint
from d2l_lrsched.display import Display, choose
from d2l_lrsched.history import Epoch, History, Point, of_norms
from d2l_lrsched.schedulers import tell

DISPLAY_EVERY = 50  # batches, as in the chapter


class Batches(Protocol):
    """What is trained on: an iterable of (X, y) that knows how many batches it has."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...


def train(
    net: gluon.Block,
    train_iter: Batches,
    test_iter: Batches,
    num_epochs: int,
    loss: Callable,
    trainer: gluon.Trainer,
    ctx: Any,
    *,
    clip_norm: float | None = None,
    nonfinite: str = "raise",
    display: str | Display = "auto",
    checkpoint: Checkpoint | None = None,
) -> History:
    r"""Initialize `net` with Xavier and train it, as the chapter does (book section 11.15.1).

    One update per batch :math:`B` with the learning rate :math:`\eta_n` of update n (the first
    has n = 1): :math:`\theta \leftarrow \theta - \eta_n \nabla_\theta \frac{1}{|B|}
    \sum_{i \in B} \ell_i(\theta)`. With `clip_norm` the mean gradient is first clipped by its
    global norm (the paper's 3.3).

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
        A scheduler with a `tell`, as `PlateauScheduler`, is told every epoch's training loss.
    ctx : mxnet.Context
        Where to train: ``d2l.try_gpu()``.
    clip_norm : float, optional
        The threshold for the mean gradient's global norm; see `clipping.clip_global_norm`. The
        Trainer must not update on a kvstore, as on one CPU it never does.
    nonfinite : {'raise', 'skip'}, optional
        With `clip_norm`, what follows from a gradient that holds inf or nan. It is made zero, so
        that it never reaches the parameters (but such a batch does reach BatchNorm's running
        statistics), and is found when the norms are read, every 50 batches. 'raise' ends the
        training with an error that names the arrays; 'skip' goes on and counts.
    display : {'auto', 'notebook', 'bar', 'lines', 'none'} or Display, optional
        What is shown; see `d2l_lrsched.display.choose`.
    checkpoint : Checkpoint, optional
        Written after every epoch; where its file is there already, the run goes on from it and
        ends with the parameters and numbers of an uninterrupted one, to the bit. `train_iter`
        must draw an epoch's order in ``iter()``, as `data.Batches` does.

    Returns
    -------
    History
        A run whose loss turns non-finite ends after that epoch: nothing can mend its parameters.

    Raises
    ------
    ValueError
        If num_epochs is not a positive integer, an iterator is empty, clip_norm is not finite and
        positive, nonfinite or display is unknown, or there is a checkpoint and the optimizer is
        not sgd without momentum.
    FloatingPointError
        With `clip_norm` and 'raise', if a gradient is not finite.
    """
    if isinstance(num_epochs, bool) or not isinstance(num_epochs, int) or num_epochs < 1:
        raise ValueError(f"num_epochs={num_epochs!r}: must be an integer of at least 1")
    for name, batches in (("train_iter", train_iter), ("test_iter", test_iter)):
        if len(batches) == 0:
            raise ValueError(f"{name} is empty: it must hold at least one batch")
    if clip_norm is not None:
        clipping.check_threshold("clip_norm", clip_norm)
    clipping.check_nonfinite(nonfinite)
    shown = choose(display, num_epochs)
    net.initialize(force_reinit=True, ctx=ctx, init=init.Xavier())
    parameters = {k: p for k, p in net.collect_params().items() if p.grad_req != "null"}
    history = History()
    if checkpoint is not None:
        checkpoint.check(trainer)
        history = checkpoint.restore(net, trainer, train_iter, num_epochs)
        _show_again(history, shown)
    for epoch in range(len(history.epochs), num_epochs):
        if history.epochs and history.outcome == "non-finite":
            break  # nothing can mend its parameters
        start = time.perf_counter()
        sums, norms = _Sums(), _Norms(list(parameters))
        for i, (X, y) in enumerate(train_iter):
            X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)  # noqa: E741
            l.backward()
            if clip_norm is None:
                trainer.step(X.shape[0])
            else:  # gradient, clip, learning rate, update
                trainer.allreduce_grads()
                gradients = [p.grad(ctx) for p in parameters.values()]
                squares = clipping.sums_of_squares(gradients)
                norm = clipping.clip_global_norm(gradients, clip_norm, X.shape[0], "skip")
                norms.add(norm, squares)
                trainer.update(X.shape[0])
            sums.add(l.sum(), _num_correct(y_hat, y), X.shape[0])
            if i == 0:
                lr_first = trainer.learning_rate
            if (i + 1) % DISPLAY_EVERY == 0:
                # The book's own abscissa counts i, not i + 1, batches as done.
                point = Point(epoch + i / len(train_iter), *sums.averages())
                history.points.append(point)
                norms.read(nonfinite)
                shown.progress(
                    point.epoch, point.train_loss, point.train_acc, trainer.learning_rate
                )
        lr_last = trainer.learning_rate
        train_loss, train_acc = sums.averages()
        of_clipping = of_norms(norms.read(nonfinite), clip_norm) if clip_norm else {}
        test_acc, spread = _evaluate(net, test_iter, ctx)
        seconds = time.perf_counter() - start
        history.epochs.append(
            Epoch(
                train_loss, train_acc, test_acc, lr_first, lr_last, spread, seconds, **of_clipping
            )
        )
        tell(trainer.optimizer.lr_scheduler, train_loss, trainer.optimizer.num_update)
        if checkpoint is not None:
            checkpoint.save(net, history)
        shown.epoch(epoch + 1, train_loss, train_acc, test_acc, lr_last)
    shown.close(str(history))
    return history


def _show_again(history: History, shown: Display) -> None:
    points = iter(history.points)
    per_epoch = len(history.points) // max(len(history.epochs), 1)
    for i, epoch in enumerate(history.epochs, start=1):
        for point in islice(points, per_epoch):
            shown.progress(point.epoch, point.train_loss, point.train_acc, epoch.lr_last)
        shown.epoch(i, epoch.train_loss, epoch.train_acc, epoch.test_acc, epoch.lr_last)


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


class _Norms:
    """An epoch's norms before clipping, left on the device until they are asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._unread: list[tuple[np.ndarray, np.ndarray]] = []
        self._norms: list[float] = []

    def add(self, norm: np.ndarray, squares: np.ndarray) -> None:
        self._unread.append((norm, squares))

    def read(self, nonfinite: str) -> list[float]:
        """Return all norms of the epoch so far."""
        for norm, squares in self._unread:
            self._norms.append(float(norm))
            if nonfinite == "raise" and not math.isfinite(self._norms[-1]):
                pairs = zip(self._names, squares.asnumpy())
                bad = [name for name, square in pairs if not math.isfinite(square)]
                raise FloatingPointError(
                    f"batch {len(self._norms)} of the epoch: the gradient of {', '.join(bad)} is "
                    "not finite; nonfinite='skip' goes on without such updates"
                )
        self._unread.clear()
        return self._norms


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
