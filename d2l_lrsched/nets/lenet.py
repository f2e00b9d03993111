"""The network of the chapter."""

from __future__ import annotations

from mxnet.gluon import nn


def lenet() -> nn.HybridSequential:
    """Return the chapter's modern LeNet, hybridized and uninitialized.

    LeNet-5 with relu for sigmoid and max pooling for average pooling (book section 11.15.1)::

        (n, 1, 28, 28)
        -> conv 6 @ 5x5, padding 2, relu -> (n, 6, 28, 28) -> max pool 2 -> (n, 6, 14, 14)
        -> conv 16 @ 5x5, relu          -> (n, 16, 10, 10) -> max pool 2 -> (n, 16, 5, 5)
        -> dense 120, relu -> dense 84, relu -> dense 10  -> (n, 10) scores

    61,706 parameters. `train` initializes them with Xavier; their shapes are known after the
    first batch. Needs ``npx.set_np()``, which importing ``d2l.mxnet`` does not call.

    Returns
    -------
    mxnet.gluon.nn.HybridSequential
    """
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(channels=6, kernel_size=5, padding=2, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Conv2D(channels=16, kernel_size=5, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="relu"),
        nn.Dense(84, activation="relu"),
        nn.Dense(10),
    )
    net.hybridize()
    return net
