"""What `train` is given, looked at before it costs anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Protocol

from mxnet import gluon, np

Batch = tuple[np.ndarray, np.ndarray]


class Batches(Protocol):
    """What is trained on: an iterable of (X, y) that knows how many batches it has.

    Each ``iter()`` begins anew.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


def check_iterable(name: str, batches: Batches, num_epochs: int) -> None:
    if len(batches) == 0:
        raise ValueError(f"{name} must hold at least one batch, got {batches!r} of length 0")
    if num_epochs > 1 and isinstance(batches, Iterator):
        raise ValueError(
            f"{name} must begin anew with every iter(), got an iterator that is used up after one "
            f"of {num_epochs} epochs: {batches!r}"
        )


def begun(name: str, batches: Batches) -> Iterable[Batch]:
    """Return the batches of one epoch, the first of which has been looked at."""
    iterator = iter(batches)
    first = list(islice(iterator, 1))
    if not first:
        _check_length(name, 0, len(batches))
    _check_batch(name, 1, *first[0])
    return chain(first, iterator)


def checked(name: str, batches: Iterable[Batch], length: int, ctx: Any) -> Iterator[Batch]:
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


def check_shapes(y_hat: np.ndarray, l: np.ndarray, examples: int) -> None:  # noqa: E741
    if y_hat.ndim != 2 or len(y_hat) != examples:
        raise ValueError(f"net must give scores ({examples}, classes), got {y_hat.shape}")
    if l.shape != (examples,):
        raise ValueError(f"loss must give one loss an example, ({examples},), got {l.shape}")


def trained_by(trainer: gluon.Trainer, net: gluon.Block) -> dict[str, gluon.Parameter]:
    """Return by name what the Trainer updates, as it need not be all of the net nor only that."""
    updated = {p for p in trainer._params if p.grad_req != "null"}
    of_net = {name: p for name, p in net.collect_params().items() if p in updated}
    others = updated.difference(of_net.values())
    return {**of_net, **{p.name: p for p in trainer._params if p in others}}
