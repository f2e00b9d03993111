from __future__ import annotations

import mxnet as mx
import numpy as onp
import pytest
from mxnet import init, np, npx

from d2l_lrsched.nets.lenet import lenet


@pytest.fixture
def net():
    npx.set_np()
    return lenet()


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


def test_it_computes_what_numpy_computes(net):
    """The layers one by one in float64: relu then pooling, padding at the first layer only."""
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
