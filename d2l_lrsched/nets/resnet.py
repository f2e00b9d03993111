"""A deeper network, for the chapter's third exercise."""

from __future__ import annotations

from mxnet.gluon import nn


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
