from __future__ import annotations

import mxnet as mx
import pytest
from mxnet import init, np, npx

from d2l_lrsched.nets import lenet as model


@pytest.fixture
def net():
    npx.set_np()
    return model.lenet()


def test_it_has_the_61706_parameters_of_lenet(net):
    net.initialize(init.Xavier())
    scores = net(np.zeros((2, 1, 28, 28)))
    shapes = [p.shape for p in net.collect_params().values()]
    assert scores.shape == (2, 10)
    assert shapes == [
        (6, 1, 5, 5),
        (6,),
        (16, 6, 5, 5),
        (16,),
        (120, 400),
        (120,),
        (84, 120),
        (84,),
        (10, 84),
        (10,),
    ]
    # 6*25 + 6, 16*6*25 + 16, 400*120 + 120, 120*84 + 84, 84*10 + 10
    assert sum(p.data().size for p in net.collect_params().values()) == (
        156 + 2416 + 48120 + 10164 + 850
    )
    assert 156 + 2416 + 48120 + 10164 + 850 == 61706


def test_it_is_hybridized(net):
    assert net._active


def test_it_is_uninitialized(net):
    with pytest.raises(RuntimeError, match="not been initialized"):
        net(np.zeros((1, 1, 28, 28)))


def test_it_computes_what_numpy_computes(net):
    """The layers one by one in float64: relu then pooling, padding at the first layer only."""
    import numpy as onp

    mx.random.seed(0)
    net.initialize(init.Xavier())
    rng = onp.random.default_rng(0)
    image = rng.random((1, 1, 28, 28))
    ours = net(np.array(image, dtype="float32")).asnumpy()
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = (
        p.data().asnumpy().astype("float64") for p in net.collect_params().values()
    )

    def conv(x, w, b):
        windows = onp.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))
        return onp.einsum("cijkl,ockl->oij", windows, w) + b[:, None, None]

    def relu(x):
        return onp.maximum(x, 0)

    def pool(x):
        c, h, w = x.shape
        return x.reshape(c, h // 2, 2, w // 2, 2).max(axis=(2, 4))

    x = pool(relu(conv(onp.pad(image[0], ((0, 0), (2, 2), (2, 2))), w1, b1)))
    x = pool(relu(conv(x, w2, b2))).ravel()
    x = relu(w4 @ relu(w3 @ x + b3) + b4)
    onp.testing.assert_allclose(ours[0], w5 @ x + b5, rtol=1e-4, atol=1e-5)


def test_the_small_resnets_shapes_and_parameters():
    """Counted by hand: weights, biases, and four numbers a channel of each batch norm."""
    npx.set_np()
    net = model.small_resnet()
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


def test_the_small_resnet_repeats_itself_to_the_bit():
    npx.set_np()
    outputs = []
    for _ in range(2):
        mx.random.seed(5)
        net = model.small_resnet()
        net.initialize(init.Xavier())
        outputs.append(net(np.ones((3, 1, 28, 28))).tolist())
    assert outputs[0] == outputs[1]
