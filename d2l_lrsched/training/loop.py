"""The chapter's training loop, without its waiting for the device at every batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Protocol

from mxnet import autograd, gluon, init, np
from mxnet.util import is_np_array

from d2l_lrsched import checks, clipping
from d2l_lrsched.schedulers.schedule import check_fits, tell
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display, choose
from d2l_lrsched.training.history import Epoch, History, Point, of_norms

DISPLAY_EVERY = 50  # batches, as in the chapter


Batch = tuple[np.ndarray, np.ndarray]


class Batches(Protocol):
    """What is trained on: an iterable of (X, y) that knows how many batches it has.

    Each ``iter()`` begins anew.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


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
        _check_iterable(name, batches, num_epochs)
    if clip_norm is not None:
        clip_norm = checks.positive("clip_norm", clip_norm)
    checks.choice("nonfinite", nonfinite, clipping.NONFINITE)
    check_fits(trainer.optimizer.lr_scheduler, len(train_iter), trainer.optimizer.num_update)
    if checkpoint is not None:
        checkpoint.check(trainer)
    shown = choose(display, num_epochs)
    test_batches = _begun("test_iter", test_iter)
    net.initialize(force_reinit=True, ctx=ctx, init=init.Xavier())
    trained = _trained(net, trainer)
    history, begin_num_update = History(), trainer.optimizer.num_update
    if checkpoint is not None:
        history = checkpoint.restore(net, trainer, train_iter, num_epochs)
        _show_again(history, shown)
    for epoch in range(len(history.epochs), num_epochs):
        if history.epochs and history.outcome == "non-finite":
            break  # nothing can mend its parameters
        start = time.perf_counter()
        sums, norms = _Sums(), _Norms(list(trained))
        for i, (X, y) in enumerate(_checked("train_iter", train_iter, len(train_iter), ctx)):
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)  # noqa: E741
            if i == 0:
                _check_shapes(y_hat, l, X.shape[0])
            l.backward()
            if clip_norm is None:
                trainer.step(X.shape[0])
            else:  # gradient, clip, learning rate, update
                trainer.allreduce_grads()
                gradients = [p.grad(ctx) for p in trained.values()]
                squares = clipping.sums_of_squares(gradients)
                norm = clipping.clip_global_norm(gradients, clip_norm, X.shape[0], "skip")
                norms.add(norm, squares)
                trainer.update(X.shape[0])
            sums.add(l.sum(), _num_correct(y_hat, y), X.shape[0])
            if i == 0:
                lr_first = float(trainer.learning_rate)
            if (i + 1) % DISPLAY_EVERY == 0:
                # The book's own abscissa counts i, not i + 1, batches as done.
                point = Point(epoch + i / len(train_iter), *sums.averages())
                history.points.append(point)
                norms.read(nonfinite)
                lr = float(trainer.learning_rate)
                shown.progress(point.epoch, point.train_loss, point.train_acc, lr)
        lr_last = float(trainer.learning_rate)
        train_loss, train_acc = sums.averages()
        of_clipping = of_norms(norms.read(nonfinite), clip_norm) if clip_norm else {}
        test_acc, spread = _evaluate(net, _checked("test_iter", test_batches, len(test_iter), ctx))
        test_batches = test_iter
        seconds = time.perf_counter() - start
        history.epochs.append(
            Epoch(
                train_loss, train_acc, test_acc, lr_first, lr_last, spread, seconds, **of_clipping
            )
        )
        tell(trainer.optimizer.lr_scheduler, train_loss, trainer.optimizer.num_update)
        if checkpoint is not None:
            checkpoint.save(net, begin_num_update, history)
        shown.epoch(epoch + 1, train_loss, train_acc, test_acc, lr_last)
    shown.close(str(history))
    return history


def _check_iterable(name: str, batches: Batches, num_epochs: int) -> None:
    if len(batches) == 0:
        raise ValueError(f"{name} must hold at least one batch, got {batches!r} of length 0")
    if num_epochs > 1 and isinstance(batches, Iterator):
        raise ValueError(
            f"{name} must begin anew with every iter(), got an iterator that is used up after one "
            f"of {num_epochs} epochs: {batches!r}"
        )


def _begun(name: str, batches: Batches) -> Iterable[Batch]:
    """Return the batches of one epoch, the first of which has been looked at."""
    iterator = iter(batches)
    first = list(islice(iterator, 1))
    if not first:
        _check_length(name, 0, len(batches))
    _check_batch(name, 1, *first[0])
    return chain(first, iterator)


def _checked(name: str, batches: Iterable[Batch], length: int, ctx: Any) -> Iterator[Batch]:
    """Yield the batches of one epoch, moved to `ctx`; raise where they are not as announced."""
    number = 0
    for number, (X, y) in enumerate(batches, start=1):
        _check_batch(name, number, X, y)
        yield X.as_in_ctx(ctx), y.as_in_ctx(ctx)
    _check_length(name, number, length)


def _check_length(name: str, number: int, length: int) -> None:
    if number != length:
        raise ValueError(
            f"{name} must give as many batches in every epoch as its length of {length} says, got "
            f"{number}: is it an iterator that is used up? The net keeps what it has learned"
        )


def _check_batch(name: str, number: int, X: np.ndarray, y: np.ndarray) -> None:
    # Labels (n, 1) against hits (n,) would broadcast to (n, n).
    if X.shape[0] == 0 or y.shape != X.shape[:1]:
        raise ValueError(
            f"{name} must give X (n, ...) and y (n,) with n >= 1, got {X.shape} and {y.shape} as "
            f"batch {number}"
        )


def _check_shapes(y_hat: np.ndarray, l: np.ndarray, examples: int) -> None:  # noqa: E741
    if y_hat.ndim != 2 or len(y_hat) != examples:
        raise ValueError(f"net must give scores ({examples}, classes), got {y_hat.shape}")
    if l.shape != (examples,):
        raise ValueError(f"loss must give one loss an example, ({examples},), got {l.shape}")


def _trained(net: gluon.Block, trainer: gluon.Trainer) -> dict[str, gluon.Parameter]:
    """Return by name what the Trainer updates, as it need not be all of the net nor only that."""
    updated = {p for p in trainer._params if p.grad_req != "null"}
    of_net = {name: p for name, p in net.collect_params().items() if p in updated}
    others = updated.difference(of_net.values())
    return {**of_net, **{p.name: p for p in trainer._params if p in others}}


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


def _evaluate(net: gluon.Block, batches: Iterable[Batch]) -> tuple[float, float]:
    """Return accuracy and score spread (see `Epoch`) over the test set."""
    correct, lowest, highest, examples = [], [], [], 0
    for X, y in batches:
        y_hat = net(X)
        correct.append(_num_correct(y_hat, y))
        lowest.append(y_hat.min(axis=0))
        highest.append(y_hat.max(axis=0))
        examples += X.shape[0]
    spread = np.stack(highest).max(axis=0) - np.stack(lowest).min(axis=0)
    return sum(map(float, correct)) / examples, float(spread.max())
