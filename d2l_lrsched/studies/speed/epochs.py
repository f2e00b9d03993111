"""A process of the benchmark: trains and tests one epoch for every line that it reads.

``python -m d2l_lrsched.studies.speed.epochs KIND DATA_DIR`` prints ``ready``, and then, for each
line of its standard input, a line of JSON with the epoch's seconds and the process's peak memory.
For an epoch of ours the line may name one of `EXTRAS`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from d2l_lrsched.data import BATCH_SIZE, source

LEARNING_RATE, CLIP_NORM = 0.1, 0.5  # some updates are clipped, some are not
MATRIX_SIZE, NUM_PRODUCTS = 2048, 16

Epoch = Callable[..., None]
#: What an epoch of ours may have beside the training.
EXTRAS = ("bar", "checkpoint", "clipping")


def ours(data_dir: str, net: str) -> Epoch:
    """Run `train` with one of our nets for one epoch, plain or with one of `EXTRAS`."""
    from d2l import mxnet as d2l
    from mxnet import gluon, npx

    from d2l_lrsched.data.batches import load_fashion_mnist
    from d2l_lrsched.nets import NETS
    from d2l_lrsched.training import loop
    from d2l_lrsched.training.checkpoint import Checkpoint

    npx.set_np()
    if net == "lanes" and os.environ.get("DNNL_VERBOSE") == "1":
        _be_verbose()
    iters = load_fashion_mnist(BATCH_SIZE, data_dir=data_dir)
    model, ctx, loss = NETS[net](), d2l.try_gpu(), gluon.loss.SoftmaxCrossEntropyLoss()
    model.initialize(ctx=ctx)
    loss.hybridize()

    def epoch(extra: str = "") -> None:
        trainer = gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": LEARNING_RATE})
        with tempfile.TemporaryDirectory() as folder:  # a new one, or there is nothing to train
            loop.train(
                *(model, *iters, 1, loss, trainer, ctx),
                display="bar" if extra == "bar" else "none",
                checkpoint=Checkpoint(Path(folder, "run.npz"), {})
                if extra == "checkpoint"
                else None,
                clip_norm=CLIP_NORM if extra == "clipping" else None,
            )

    return epoch


def _be_verbose() -> None:
    """Have numba's kernels tell their times as oneDNN's do."""
    from d2l_lrsched.nets import kernels

    def told(direction: str, kernel: Callable[..., None], *arguments: Any) -> None:
        start = time.perf_counter()
        kernel(*arguments)
        ms = 1000 * (time.perf_counter() - start)
        print(
            f"numba_verbose,exec,cpu,convolutions,numba,{direction},,{ms:.4f}", file=sys.__stdout__
        )

    for direction in ("forward", "backward"):
        kernel = getattr(kernels, direction)
        setattr(kernels, direction, partial(told, direction, kernel))


def book(data_dir: str) -> Epoch:
    """Run the loop of section 11.15.1 with d2l's helpers and data loaders, but nothing drawn."""
    from d2l import mxnet as d2l
    from mxnet import autograd, gluon, init, np, npx

    from d2l_lrsched.nets.lenet import lenet

    npx.set_np()
    train_x, train_y, test_x, test_y = source.read_all(data_dir).values()
    to_tensor = gluon.data.vision.transforms.ToTensor()
    train_loader, test_loader = (
        gluon.data.DataLoader(
            gluon.data.ArrayDataset(
                np.array(images[..., None], dtype="uint8"), labels.astype("int32")
            ).transform_first(to_tensor),
            BATCH_SIZE,
            shuffle=shuffle,
            num_workers=d2l.get_dataloader_workers(),
        )
        for images, labels, shuffle in ((train_x, train_y, True), (test_x, test_y, False))
    )
    net, ctx, loss = lenet(), d2l.try_gpu(), gluon.loss.SoftmaxCrossEntropyLoss()
    net.initialize(ctx=ctx, init=init.Xavier())
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": LEARNING_RATE})

    def epoch() -> None:
        totals = d2l.Accumulator(3)
        for X, y in train_loader:
            X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)  # noqa: E741
            l.backward()
            trainer.step(X.shape[0])
            totals.add(l.sum(), d2l.accuracy(y_hat, y), X.shape[0])
        d2l.evaluate_accuracy_gpu(net, test_loader)

    return epoch


def pytorch(data_dir: str, memory_format: str, compiled: bool = False) -> Epoch:
    """Run the same network and loop in PyTorch, the data in memory, its sums read at the end."""
    import torch
    from torch import nn

    # frombuffer, since PyTorch wants a newer numpy than MXNet bears.
    train_x, train_y, test_x, test_y = (
        torch.frombuffer(bytearray(array.tobytes()), dtype=torch.uint8).reshape(array.shape)
        for array in source.read_all(data_dir).values()
    )
    layout = getattr(torch, memory_format)
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2, 2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    ).to(memory_format=layout)
    if compiled:
        net = torch.compile(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    loss = nn.CrossEntropyLoss()

    def batches(x: Any, y: Any, order: Any) -> Iterator[tuple[Any, Any]]:
        for rows in order.split(BATCH_SIZE):
            yield (x[rows, None].float() / 255).to(memory_format=layout), y[rows].long()

    def epoch() -> None:
        total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for X, y in batches(train_x, train_y, torch.randperm(len(train_x))):
            y_hat = net(X)
            l = loss(y_hat, y)  # noqa: E741
            optimizer.zero_grad()
            l.backward()
            optimizer.step()
            total += l.detach() * len(y)
            hits += (y_hat.argmax(1) == y).sum()
        with torch.no_grad():
            for X, y in batches(test_x, test_y, torch.arange(len(test_x))):
                hits += (net(X).argmax(1) == y).sum()
        total.item(), hits.item()

    return epoch


def matrix_product(data_dir: str) -> Epoch:
    """Run `NUM_PRODUCTS` float32 products of matrices by numpy's BLAS: the machine's peak."""
    a = np.random.default_rng(0).random((MATRIX_SIZE, MATRIX_SIZE), dtype=np.float32)
    out = np.empty_like(a)

    def epoch() -> None:
        for _ in range(NUM_PRODUCTS):
            np.matmul(a, a, out=out)

    return epoch


KINDS: dict[str, Callable[[str], Epoch]] = {
    "book": book,
    "chapter": partial(ours, net="chapter"),
    "lanes": partial(ours, net="lanes"),
    "PyTorch": partial(pytorch, memory_format="contiguous_format"),
    "PyTorch, channels last": partial(pytorch, memory_format="channels_last"),
    "PyTorch, compiled": partial(pytorch, memory_format="channels_last", compiled=True),
    "matrix product": matrix_product,
}


def main(kind: str, data_dir: str) -> None:
    epoch = KINDS[kind](data_dir)
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        with contextlib.redirect_stdout(sys.stderr):  # the progress bar's closing line
            epoch(*line.split())
        seconds = time.perf_counter() - start
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
