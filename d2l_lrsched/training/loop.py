"""The chapter's training loop, without its waiting for the device at every batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from mxnet import autograd, gluon, init, np
from mxnet.util import is_np_array

from d2l_lrsched import checks, clipping
from d2l_lrsched.schedulers.schedule import check_fits, tell
from d2l_lrsched.training import inputs
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display, choose
from d2l_lrsched.training.history import DISPLAY_EVERY, Epoch, History, Point, of_norms

#: Parameters that MXNet's operations on several can take.
MOST_AT_ONCE = 50


def train(
    net: gluon.Block,
    train_iter: inputs.Batches,
    test_iter: inputs.Batches,
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
        It may update a part of the parameters only; the rest stay as they were initialized.
    ctx : mxnet.Context
        Where to train: ``d2l.try_gpu()``.
    clip_norm : float, optional
        The threshold for the global norm of the mean gradient of what the Trainer updates; see
        `clipping.clip_global_norm`. The Trainer must not update on a kvstore, as on one CPU it
        never does.
    nonfinite : {'raise', 'skip'}, optional
        With `clip_norm`, what follows from a gradient that holds inf or nan. It is made zero, so
        that it never reaches the parameters (but such a batch does reach BatchNorm's running
        statistics), and is found when the norms are read, every 50 batches. 'raise' ends the
        training with an error that names the arrays; 'skip' goes on and counts.
    display : {'auto', 'notebook', 'bar', 'lines', 'none'} or Display, optional
        What is shown; see `d2l_lrsched.training.display.choose`.
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
        Before the first update, if an argument is not as said: an iterator is empty, or used up by
        one epoch; a batch is empty, or its labels, the net's scores or the losses are not of the
        shapes above; a `PerEpoch` was built for other epochs; a `PlateauScheduler` was told by
        another run; there is a checkpoint and the optimizer is not new, or not sgd without
        momentum. Later, if an iterator gives other batches than it has announced; what the net has
        learned stays in it, and in the checkpoint.
    RuntimeError
        If ``npx.set_np()`` has not been called in this thread.
    FloatingPointError
        With `clip_norm` and 'raise', if a gradient is not finite.
    """
    if not is_np_array():
        raise RuntimeError(
            "MXNet's numpy semantics are off in this thread: call mxnet.npx.set_np() in it, before "
            "the net, the loss and the Trainer are made"
        )
    num_epochs = checks.count("num_epochs", num_epochs)
    for name, batches in (("train_iter", train_iter), ("test_iter", test_iter)):
        inputs.check_iterable(name, batches, num_epochs)
    if clip_norm is not None:
        clip_norm = checks.positive("clip_norm", clip_norm)
    checks.choice("nonfinite", nonfinite, clipping.NONFINITE)
    check_fits(trainer.optimizer.lr_scheduler, len(train_iter), trainer.optimizer.num_update)
    if checkpoint is not None:
        checkpoint.check(trainer)
    shown = choose(display, num_epochs)
    test_batches = inputs.begun("test_iter", test_iter)
    net.initialize(force_reinit=True, ctx=ctx, init=init.Xavier())
    trained = inputs.trained_by(trainer, net)
    history, begin_num_update, clip = History(), trainer.optimizer.num_update, None
    if checkpoint is not None:
        history = checkpoint.restore(net, trainer, train_iter, num_epochs)
        _show_again(history, shown)
    hits = _Hits()
    hits.hybridize()
    if trainer.optimizer.aggregate_num:  # one operation updates all, and not four parameters
        trainer.optimizer.aggregate_num = min(len(trained), MOST_AT_ONCE)
    for epoch in range(len(history.epochs), num_epochs):
        if history.epochs and history.outcome == "non-finite":
            break  # nothing can mend its parameters
        start = time.perf_counter()
        sums, norms, examples = _Unread(), _Unread(), 0
        for i, (X, y) in enumerate(inputs.checked("train_iter", train_iter, len(train_iter), ctx)):
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)  # noqa: E741
            if i == 0:
                inputs.check_shapes(y_hat, l, X.shape[0])
            l.backward()
            if clip_norm is None:
                trainer.step(X.shape[0])
            else:  # gradient, clip, learning rate, update
                trainer.allreduce_grads()
                clip = clip or clipping.Clipper([p.grad(ctx) for p in trained.values()], clip_norm)
                norms.add(*clip(X.shape[0]))
                trainer.update(X.shape[0])
            sums.add(l.sum(), hits(y_hat, y))
            examples += X.shape[0]
            if i == 0:
                lr_first = float(trainer.learning_rate)
            if (i + 1) % DISPLAY_EVERY == 0:
                # The book's own abscissa counts i, not i + 1, batches as done.
                history.points.append(
                    Point(epoch + i / len(train_iter), *_averages(sums, examples))
                )
                if nonfinite == "raise":
                    _finite(norms, trained)
                shown.progress(history.points[-1], float(trainer.learning_rate))
        lr_last = float(trainer.learning_rate)
        train_loss, train_acc = _averages(sums, examples)
        if nonfinite == "raise":
            _finite(norms, trained)
        of_clipping = of_norms([float(n) for n, _ in norms.read()], clip_norm) if clip_norm else {}
        tested = inputs.checked("test_iter", test_batches, len(test_iter), ctx)
        test_acc, spread = _evaluate(net, hits, tested)
        test_batches = test_iter
        seconds = time.perf_counter() - start
        measured = (train_loss, train_acc, test_acc, lr_first, lr_last, spread, seconds)
        history.epochs.append(Epoch(*measured, **of_clipping))
        tell(trainer.optimizer.lr_scheduler, train_loss, trainer.optimizer.num_update)
        if checkpoint is not None:
            checkpoint.save(net, begin_num_update, history)
        shown.epoch(epoch + 1, history.epochs[-1])
    shown.close(str(history))
    return history


def _show_again(history: History, shown: Display) -> None:
    points = iter(history.points)
    per_epoch = len(history.points) // max(len(history.epochs), 1)
    needed = 0 if getattr(shown, "needs_past", True) else len(history.epochs) - 1
    for i, epoch in enumerate(history.epochs):
        of_epoch = list(islice(points, per_epoch))
        if i >= needed:
            for point in of_epoch:
                shown.progress(point, epoch.lr_last)
            shown.epoch(i + 1, epoch)


class _Unread:
    """Numbers that stay on the device until they are asked for, a row a batch."""

    def __init__(self) -> None:
        self._unread: list[tuple[np.ndarray, ...]] = []
        self._rows: list[tuple[Any, ...]] = []

    def add(self, *row: np.ndarray) -> None:
        self._unread.append(row)

    def read(self) -> list[tuple[Any, ...]]:
        """Return all rows of the epoch so far, on the host."""
        self._rows += [tuple(array.asnumpy() for array in row) for row in self._unread]
        self._unread.clear()
        return self._rows


def _averages(sums: _Unread, examples: int) -> tuple[float, float]:
    """Return loss and accuracy per example.

    The batches' are added up in float64 on the host, one by one, as the book adds them: the same
    numbers to the bit, but the device need not be waited for at every batch.
    """
    losses, hits = zip(*sums.read())
    return sum(map(float, losses)) / examples, sum(map(float, hits)) / examples


def _finite(norms: _Unread, names: Iterable[str]) -> None:
    """Raise FloatingPointError, with the names of the gradients, if a norm is not finite."""
    for batch, (norm, squares) in enumerate(norms.read()):
        if not math.isfinite(norm):
            bad = [name for name, square in zip(names, squares) if not math.isfinite(square)]
            raise FloatingPointError(
                f"batch {batch + 1} of the epoch: the gradient of {', '.join(bad)} is not finite; "
                "nonfinite='skip' goes on without such updates"
            )


class _Hits(gluon.HybridBlock):
    """How many scores (n, c) are highest for the class y (n,), still on the device."""

    def hybrid_forward(self, F: Any, y_hat: Any, y: Any) -> Any:
        right = F.np.argmax(y_hat, axis=1).astype("int64") == y.astype("int64")
        return right.astype("int64").sum()


def _evaluate(
    net: gluon.Block, hits: gluon.Block, batches: Iterable[inputs.Batch]
) -> tuple[float, float]:
    """Return accuracy and score spread (see `Epoch`) over the test set."""
    correct, lowest, highest, examples = [], [], [], 0
    for X, y in batches:
        y_hat = net(X)
        correct.append(hits(y_hat, y))
        lowest.append(y_hat.min(axis=0))
        highest.append(y_hat.max(axis=0))
        examples += X.shape[0]
    spread = np.stack(highest).max(axis=0) - np.stack(lowest).min(axis=0)
    return sum(map(float, correct)) / examples, float(spread.max())
