from __future__ import annotations

import mxnet as mx
import numpy as onp
from mxnet import autograd, gluon, init, np, npx

from d2l_lrsched.nets import NETS

npx.set_np()
LOSS = gluon.loss.SoftmaxCrossEntropyLoss()


def gradients(name):
    """Of a batch, at the parameters that seed 0 draws."""
    net = NETS[name]()
    net.initialize()
    mx.random.seed(0)
    net.initialize(init.Xavier(), force_reinit=True)
    images = np.array(onp.random.default_rng(0).random((64, 1, 28, 28)), dtype="float32")
    with autograd.record():
        losses = LOSS(net(images), np.arange(64) % 10)
    losses.backward()
    return [p.grad().asnumpy() for p in net.collect_params().values()]


def test_it_is_lenet_within_rounding():
    for ours, theirs in zip(gradients("fast"), gradients("chapter")):
        assert ours.shape == theirs.shape
        assert onp.abs(ours - theirs).max() < 2e-5 * onp.abs(theirs).max()
