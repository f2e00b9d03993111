"""The former fast net, of which some committed runs are: channels of zeros beside the chapter's.

oneDNN's vector kernels want channels by the eight. The chapter's 1 and 6 channels leave the two
convolutions to im2col and a matrix product, and the first pooling to a scalar loop, as the profile
in figures/speed/README.md shows.
"""

from __future__ import annotations

from typing import Any

from mxnet.gluon import nn

_VECTOR = 8  # float32 numbers in an AVX2 register; oneDNN's block of channels


def padded_lenet() -> nn.HybridSequential:
    """Return a `lenet` that is equal to it within float32 rounding, and faster than it.

    Its parameters have the same shapes in the same order. Zeros fill its 6 channels up to 8, and
    the rows that a 5x5 kernel sees of its only input channel become channels themselves. Both
    leave the function and its gradients what they are, but sums are taken in another order. All
    shapes are known from the start: ``initialize`` draws the parameters at once, so seed
    ``mx.random`` after any first ``initialize`` to draw those of `lenet`.

    Returns
    -------
    mxnet.gluon.nn.HybridSequential
        Hybridized and uninitialized, like `lenet`.
    """
    net = nn.HybridSequential()
    net.add(
        _RowsConv2D(channels=6, kernel_size=5, padding=2),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Activation("relu"),
        _PaddedConv2D(channels=16, kernel_size=5, in_channels=6),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Activation("relu"),
        nn.Dense(120, activation="relu", in_units=16 * 5 * 5),
        nn.Dense(84, activation="relu", in_units=120),
        nn.Dense(10, in_units=84),
    )
    net.hybridize(static_alloc=True, static_shape=True)
    return net


class _RowsConv2D(nn.Conv2D):
    """A convolution of one channel, (n, 1, h, w), with zero channels after its own.

    A kernel of k x k over one channel is a kernel of 1 x k over k channels, of which channel r
    holds the image moved up by r - padding rows.
    """

    def __init__(self, channels: int, kernel_size: int, padding: int) -> None:
        super().__init__(channels, kernel_size, padding=padding, in_channels=1)

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any) -> Any:
        channels, k, padding = self._channels, self._kwargs["kernel"][0], self._kwargs["pad"][0]
        more_channels, more_rows = -channels % _VECTOR, -k % _VECTOR
        # Row r of the identity picks row r: products with 1 and sums with 0 change no bit.
        pick = F.np.reshape(F.np.eye(k + more_rows, k), (k + more_rows, 1, k, 1))
        rows = F.npx.convolution(
            x, pick, kernel=(k, 1), pad=(padding, 0), num_filter=k + more_rows, no_bias=True
        )
        weight = F.np.reshape(weight, (channels, k, 1, k))
        weight = F.np.pad(weight, ((0, more_channels), (0, more_rows), (0, 0), (0, 0)))
        bias = F.np.concatenate((bias, F.np.zeros(more_channels)))
        return F.npx.convolution(
            rows, weight, bias, kernel=(1, k), pad=(0, padding), num_filter=channels + more_channels
        )


class _PaddedConv2D(nn.Conv2D):
    """A convolution of (n, in_channels, h, w) with zero channels after its own."""

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any) -> Any:
        more = -self._in_channels % _VECTOR
        weight = F.np.pad(weight, ((0, 0), (0, more), (0, 0), (0, 0)))
        return super().hybrid_forward(F, x, weight, bias)
