"""What several test modules share."""

from __future__ import annotations

import os

# Before MXNet is imported: bits depend on the number of threads.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MPLBACKEND", "agg")

import pytest

from d2l_lrsched import files


@pytest.fixture(scope="session")
def arrays():
    """The four checked arrays of the real Fashion-MNIST."""
    return files.read_all(files.locate(download=False))


@pytest.fixture
def small_iters(arrays):
    """Return a maker of (train_iter, test_iter) over 404 and 100 real images, 8 a batch.

    51 training batches: one display point, and a last batch of 4.
    """
    from mxnet import npx

    from d2l_lrsched.data import Batches

    npx.set_np()

    def make(seed=0):
        train = Batches(
            arrays["train-images-idx3-ubyte"][:404],
            arrays["train-labels-idx1-ubyte"][:404],
            8,
            seed,
        )
        test = Batches(
            arrays["t10k-images-idx3-ubyte"][:100], arrays["t10k-labels-idx1-ubyte"][:100], 8
        )
        return train, test

    return make
