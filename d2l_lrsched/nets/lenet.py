"""The network of the chapter, and a deeper one for its third exercise."""

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


def small_resnet() -> nn.Sequential:
    """Return a ResNet of the book's residual blocks, uninitialized, that two cores can train.

    ::

        (n, 1, 28, 28)
        -> conv 16 @ 3x3, stride 2, batch norm, relu -> (n, 16, 14, 14)
        -> residual 16                               -> (n, 16, 14, 14)
        -> residual 32, stride 2                     -> (n, 32, 7, 7)
        -> residual 64, stride 2                     -> (n, 64, 4, 4)
        -> global average pool, dense 10             -> (n, 10) scores

    Seven convolutions deep, next to which two more adapt the shortcuts; 78,378 parameters, batch
    norm's running statistics included. The blocks are ``d2l.Residual`` (book section 8.6), which
    is not hybrid, so the network is not either.

    Returns
    -------
    mxnet.gluon.nn.Sequential
    """
    from d2l import mxnet as d2l  # slow to import, and only exercise 3 needs it

    net = nn.Sequential()
    net.add(
        nn.Conv2D(channels=16, kernel_size=3, strides=2, padding=1),
        nn.BatchNorm(),
        nn.Activation("relu"),
        d2l.Residual(16),
        d2l.Residual(32, use_1x1conv=True, strides=2),
        d2l.Residual(64, use_1x1conv=True, strides=2),
        nn.GlobalAvgPool2D(),
        nn.Dense(10),
    )
    return net
