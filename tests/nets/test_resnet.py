from __future__ import annotations

import mxnet as mx
from mxnet import init, np, npx

from d2l_lrsched.nets.resnet import small_resnet


def test_shapes_and_parameters():
    """Counted by hand: weights, biases, and four numbers a channel of each batch norm."""
    npx.set_np()
    net = small_resnet()
    net.initialize()
    X = np.zeros((2, 1, 28, 28))
    shapes = []
    for layer in net:
        X = layer(X)
        shapes.append(X.shape[1:])
    assert shapes[2:] == [(16, 14, 14), (16, 14, 14), (32, 7, 7), (64, 4, 4), (64, 1, 1), (10,)]

    def conv(inputs, outputs, size):
        return (inputs * size**2 + 1) * outputs

    stem = conv(1, 16, 3) + 4 * 16
    plain = 2 * conv(16, 16, 3) + 2 * 4 * 16
    halved = sum(
        conv(c, 2 * c, 3) + conv(2 * c, 2 * c, 3) + conv(c, 2 * c, 1) + 2 * 4 * 2 * c
        for c in (16, 32)
    )
    expected = stem + plain + halved + 650
    assert sum(p.data().size for p in net.collect_params().values()) == expected == 78378


def test_it_repeats_itself_to_the_bit():
    npx.set_np()
    outputs = []
    for _ in range(2):
        mx.random.seed(5)
        net = small_resnet()
        net.initialize(init.Xavier())
        outputs.append(net(np.ones((3, 1, 28, 28))).tolist())
    assert outputs[0] == outputs[1]
