r"""Many trainings of the chapter's LeNet side by side on one GPU, in PyTorch.

One GPU trains a hundred LeNets in little more time than one, if every layer is one product of
matrices for all of them. The function is the chapter's, to float32 rounding: the same weights to
begin with, order of the images, rates and updates as `training.loop.train`, whose numbers these
are held against by a test. Needs PyTorch and NumPy, and not MXNet, which draws the weights and
reads the schedules elsewhere: see `d2l_lrsched.studies.chapter.builds.draws`.

Shapes: r runs, n images of a batch, in s slices so that no product of matrices is too long.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from d2l_lrsched.data import BATCH_SIZE
from d2l_lrsched.data.content import read_all
from d2l_lrsched.data.split import rows

#: Shapes of the chapter's LeNet, in the order of its parameters.
SHAPES = (
    *((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)),
    *((120, 400), (120,), (84, 120), (84,), (10, 84), (10,)),
)
#: What is measured of every epoch.
MEASURED = ("train_loss", "train_acc", "test_acc", "score_spread")
#: Slices of a batch in the convolutions; it divides 256, and 96, the last batch.
SLICES = 8
TEST_AT_ONCE = 400
#: Runs side by side in `main`.
AT_ONCE = 64


class Convolution(torch.autograd.Function):
    """A 5x5 convolution of every run's images with its own weights, as products of matrices."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Return (r*s, k, n/s, h - 4, w - 4) of x (r*s, c, n/s, h, w), w (r, k, c*25), b (r, k)."""
        slices = len(x) // len(w)
        patches = x.unfold(3, 5, 1).unfold(4, 5, 1).permute(0, 1, 5, 6, 2, 3, 4)
        columns = patches.reshape(len(x), w.shape[2], -1)
        w, b = w.repeat_interleave(slices, 0), b.repeat_interleave(slices, 0)
        ctx.save_for_backward(columns, w)
        ctx.shape, ctx.slices = x.shape, slices
        y = torch.baddbmm(b[:, :, None], w, columns)
        return y.view(len(x), w.shape[1], *patches.shape[4:])

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients; of x only where it is asked for."""
        columns, w = ctx.saved_tensors
        (_, c, n, height, width), slices = ctx.shape, ctx.slices
        dy = dy.reshape(*dy.shape[:2], -1)
        dw = torch.bmm(dy, columns.transpose(1, 2)).view(-1, slices, *w.shape[1:]).sum(1)
        db = dy.sum(2).view(-1, slices, w.shape[1]).sum(1)
        if not ctx.needs_input_grad[0]:
            return None, dw, db
        h, v = height - 4, width - 4
        patches = torch.bmm(w.transpose(1, 2), dy).view(-1, c, 5, 5, n, h, v)
        dx = dy.new_zeros(ctx.shape)
        for i in range(5):
            for j in range(5):
                dx[..., i : i + h, j : j + v] += patches[:, :, i, j]
        return dx, dw, db


def scores(parameters: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Return (r, n, 10) of every run's own images (r, n, 28, 28) in [0, 1]."""
    w1, b1, w2, b2, *dense = parameters
    r, n = images.shape[:2]
    x = functional.pad(images, (2, 2, 2, 2)).view(r * SLICES, 1, n // SLICES, 32, 32)
    for w, b in ((w1, b1), (w2, b2)):
        y = Convolution.apply(x, w.flatten(2), b)
        shape = y.shape
        y = functional.max_pool2d(torch.relu(y).flatten(1, 2), 2)
        x = y.view(*shape[:3], shape[3] // 2, shape[4] // 2)
    h = x.transpose(1, 2).reshape(r, n, 400)
    for i in range(0, 6, 2):
        w, b = dense[i : i + 2]
        h = torch.baddbmm(b[:, None], h, w.transpose(1, 2))
        h = torch.relu(h) if i < 4 else h
    return h


def orders(seeds: np.ndarray, num_examples: int, num_epochs: int) -> Iterator[np.ndarray]:
    """Yield each epoch's order of the examples for each seed, (seeds, examples): `Batches`'."""
    generators = [np.random.RandomState(seed) for seed in seeds]
    for _ in range(num_epochs):
        order = np.tile(np.arange(num_examples), (len(seeds), 1))
        for row, generator in zip(order, generators):
            generator.shuffle(row)
        yield order


def update(
    parameters: list[torch.Tensor], images: torch.Tensor, classes: torch.Tensor, eta: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Make one update of every run, in place; return the sums of losses and of hits before, (r,).

    :math:`\theta \leftarrow \theta - \eta \nabla_\theta \frac{1}{n} \sum_i \ell_i(\theta)`, with
    every run's own :math:`\eta` (r,), images (r, n, 28, 28) and classes (r, n).
    """
    y_hat = scores(parameters, images)
    losses = functional.cross_entropy(y_hat.transpose(1, 2), classes, reduction="none").sum(1)
    gradients = torch.autograd.grad(losses.sum() / images.shape[1], parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients):
            parameter -= eta.view(-1, *[1] * (gradient.dim() - 1)) * gradient
        return losses.double(), (y_hat.argmax(2) == classes).sum(1).double()


def train_many(
    weights: np.ndarray,
    rates: np.ndarray,
    order_seeds: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    train_rows: np.ndarray,
    test_rows: np.ndarray,
    device: str = "cuda",
    update: Callable[..., tuple[torch.Tensor, torch.Tensor]] = update,
) -> dict[str, np.ndarray]:
    """Train r LeNets; return what each epoch of each measured, by name, (r, epochs).

    Parameters
    ----------
    weights : ndarray
        float32 (r, 61706): the parameters to begin with, flat, in the order of `SHAPES`.
    rates : ndarray
        (r, updates): the learning rate of every update; the updates are whole epochs.
    order_seeds : ndarray
        (r,): of the order of the training examples.
    images, labels : ndarray
        uint8 (m, 28, 28) in 0..255 and (m,), the pool of examples.
    train_rows, test_rows : ndarray
        (r, examples): which of the pool each run is trained and tested on.
    device : str
        PyTorch's name of it.
    update : callable
        `update`, or what ``torch.compile`` makes of it; for whole batches.

    Returns
    -------
    dict of str to ndarray
        `train_loss`, `train_acc`, `test_acc` and `score_spread`, as in `training.history.Epoch`.
    """
    r, num_examples = train_rows.shape
    num_batches = -(-num_examples // BATCH_SIZE)
    flat = torch.from_numpy(weights).to(device).split([int(np.prod(s)) for s in SHAPES], 1)
    parameters = [p.reshape(r, *s).clone().requires_grad_() for p, s in zip(flat, SHAPES)]
    pool = torch.from_numpy(images).to(device).float() / 255
    classes = torch.from_numpy(labels.astype(np.int64)).to(device)
    eta = torch.from_numpy(rates.astype(np.float32)).to(device).split(num_batches, 1)
    train, test = (torch.from_numpy(rows).to(device) for rows in (train_rows, test_rows))
    seeds, seed_of = np.unique(order_seeds, return_inverse=True)
    epochs: list[list[np.ndarray]] = []
    for rate, order in zip(eta, orders(seeds, num_examples, len(eta))):
        batches = train.gather(1, torch.from_numpy(order[seed_of]).to(device)).split(BATCH_SIZE, 1)
        sums = []
        for i, batch in enumerate(batches):
            make = update if batch.shape[1] == BATCH_SIZE else globals()["update"]
            sums.append(make(parameters, pool[batch], classes[batch], rate[:, i]))
        losses, hits = (torch.stack(of).sum(0) / num_examples for of in zip(*sums))
        with torch.no_grad():
            parts = [scores(parameters, pool[rows]) for rows in test.split(TEST_AT_ONCE, 1)]
        found = torch.cat(parts, 1)
        right = (found.argmax(2) == classes[test]).double().mean(1)
        spread = (found.amax(1) - found.amin(1)).amax(1)
        epochs.append([x.cpu().numpy() for x in (losses, hits, right, spread)])
    return {name: np.stack(of, 1) for name, of in zip(MEASURED, zip(*epochs))}


def main(plan: str, made: str, data: str, seconds: str) -> None:
    """Make the runs of a plan until the time is over; what is made is kept as it comes.

    Parameters
    ----------
    plan, made : path
        See `d2l_lrsched.studies.chapter.builds.draws`.
    data : path
        The folder of the four Fashion-MNIST files.
    seconds : str
        No more runs begin when the last ones' time is longer than what is left.
    """
    start, last, results = time.monotonic(), 0.0, []
    train_x, train_y, test_x, test_y = read_all(data).values()
    images, labels = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y])
    with np.load(plan) as file:
        given = dict(file)
    splits = {split: rows(split, labels, len(train_y)) for split in set(given["splits"].tolist())}
    compiled = torch.compile(update)
    for begin in range(0, len(given["orders"]), AT_ONCE):
        if time.monotonic() - start + last > float(seconds):
            break
        began = time.monotonic()
        # The last are made up to as many, for whose shapes all is compiled.
        chosen = np.resize(np.arange(len(given["orders"]))[begin : begin + AT_ONCE], AT_ONCE)
        train_rows, test_rows = zip(*(splits[split] for split in given["splits"][chosen].tolist()))
        results.append(
            train_many(
                given["weights"][given["weights_of"][chosen]],
                given["rates"][given["rates_of"][chosen]],
                given["orders"][chosen],
                images,
                labels,
                np.stack(train_rows),
                np.stack(test_rows),
                update=compiled,
            )
        )
        number = min(begin + AT_ONCE, len(given["orders"]))
        measured = {n: np.concatenate([of[n] for of in results])[:number] for n in MEASURED}
        made_with = f"torch {torch.__version__}, {torch.cuda.get_device_name()}"
        np.savez_compressed(made, **measured, made_with=made_with)
        last = time.monotonic() - began
        print(f"{number} of {len(given['orders'])} runs, {last:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
