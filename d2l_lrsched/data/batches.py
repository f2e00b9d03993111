"""Fashion-MNIST as minibatches: the numbers and the order of the book's ``DataLoader``.

The book (section "The Image Classification Dataset", ``d2l.load_data_fashion_mnist``) transforms
one image at a time. Here the images stay uint8 in memory and become float32 a batch at a time,
which gives the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator

import mxnet as mx
import numpy as np

from d2l_lrsched import checks
from d2l_lrsched.data import CURRENT, FIRST
from d2l_lrsched.data import source as files
from d2l_lrsched.data.split import held_out_rows, rows


class Batches:
    """Minibatches of images and labels; each ``iter()`` begins a new epoch.

    Parameters
    ----------
    images : ndarray
        uint8 of shape (n, height, width), in 0..255, in any layout: a transposed view will do.
    labels : ndarray
        Class indices, integers of shape (n,).
    batch_size : int
        Examples in a batch; the last batch of an epoch holds what is left.
    seed : int, optional
        In 0..2**32 - 1: shuffle anew for every epoch, in the order that gluon's
        ``DataLoader(shuffle=True)`` draws after ``numpy.random.seed(seed)``, epoch after epoch.
        NumPy's global generator is left alone. None: the order of `images`.

    Yields
    ------
    X : mxnet.np.ndarray
        float32 of shape (batch, 1, height, width), in [0, 1], as by gluon's ``ToTensor``.
    y : mxnet.np.ndarray
        int32 of shape (batch,), as from gluon's ``FashionMNIST``.

    Raises
    ------
    ValueError
        If an argument is not as described.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        seed: int | None = None,
    ) -> None:
        if images.dtype != np.uint8 or images.ndim != 3:
            raise ValueError(
                f"images must be uint8 (n, height, width), got {images.dtype} {images.shape}"
            )
        if labels.dtype.kind not in "iu" or labels.ndim != 1:
            raise ValueError(f"labels must be integers (n,), got {labels.dtype} {labels.shape}")
        if len(images) != len(labels):
            raise ValueError(
                f"images and labels must be as many, got {len(images)} and {len(labels)}"
            )
        self.images = images
        self.labels = labels
        self.batch_size = checks.count("batch_size", batch_size)
        # The legacy generator, since gluon's RandomSampler shuffles with NumPy's legacy global one.
        self._generator = None if seed is None else np.random.RandomState(_check_seed(seed))

    @property
    def num_examples(self) -> int:
        """The number of examples in an epoch."""
        return len(self.labels)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self.num_examples // self.batch_size)

    def __iter__(self) -> Iterator[tuple[mx.np.ndarray, mx.np.ndarray]]:
        """Begin an epoch; the order is drawn now, whether or not the epoch is used up."""
        order = np.arange(self.num_examples)
        if self._generator is not None:
            self._generator.shuffle(order)
        return self._epoch(order)

    def _epoch(self, order: np.ndarray) -> Iterator[tuple[mx.np.ndarray, mx.np.ndarray]]:
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            # Divided, as ToTensor does: a product with 1 / 255 differs in the last bit.
            X = self.images[rows, None].astype(np.float32, order="C") / np.float32(255)
            y = self.labels[rows].astype(np.int32)
            # Not copied: MXNet owns them from now on.
            yield tuple(mx.nd.from_numpy(a).as_np_ndarray() for a in (X, y))


def load_fashion_mnist(
    batch_size: int,
    *,
    data_dir: files.PathLike | None = None,
    seed: int = 0,
    release: str | None = None,
    split: int | None = None,
    held_out: int = 0,
) -> tuple[Batches, Batches]:
    """Load Fashion-MNIST, downloading it into our own cache where it is nowhere to be found.

    Parameters
    ----------
    batch_size : int
        Examples in a batch. With 256: 235 and 40 batches, the last of 96 and of 16 examples.
    data_dir : path, optional
        The folder that holds the four files; by default see `files.candidates`.
    seed : int
        Of the order of the training examples; see `Batches`.
    release : {'2017-08-26'}, optional
        The first, which the book had and which can no longer be downloaded; by default today's.
    split : int, optional
        The seed of another split of all examples into those to train and those to test on, as
        many of each class; by default the release's own.
    held_out : int
        So many of the training examples, a tenth of each class and always the same, are not trained
        but tested on, in place of the test set: to choose by, so that the test set stays unseen.

    Returns
    -------
    train_iter, test_iter : Batches
        60000 examples, shuffled anew each epoch, and 10000 in their own order; with `held_out` so
        many fewer, and these.

    Raises
    ------
    ValueError
        If `batch_size` is not a positive int, `seed` or `split` not an int in 0..2**32 - 1,
        `release` none, or `held_out` not a multiple of 10 that leaves some of each class.
    files.DataError
        If the data is missing, damaged or out of reach.
    """
    checks.count("batch_size", batch_size)
    _check_seed(seed)
    if release is not None:
        checks.choice("release", release, (FIRST,))
    if split is not None:
        _check_seed(split, "split")
    held_out = checks.count("held_out", held_out, minimum=0)
    train_x, train_y, test_x, test_y = files.load(data_dir, release or CURRENT).values()
    if split is not None:
        images, labels = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y])
        train, test = rows(split, labels, len(train_y))
        train_x, train_y, test_x, test_y = images[train], labels[train], images[test], labels[test]
    if held_out:
        kept, held = held_out_rows(held_out, train_y)
        test_x, test_y = train_x[held], train_y[held]
        train_x, train_y = train_x[kept], train_y[kept]
    return Batches(train_x, train_y, batch_size, seed), Batches(test_x, test_y, batch_size)


def _check_seed(seed: int, name: str = "seed") -> int:
    return checks.count(name, seed, minimum=0, maximum=2**32 - 1)
