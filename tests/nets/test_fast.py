from __future__ import annotations

import mxnet as mx
import numpy as onp
import pytest
from mxnet import autograd, gluon, init, np, npx

from d2l_lrsched.data.batches import load_fashion_mnist
from d2l_lrsched.nets import NETS
from d2l_lrsched.schedulers.builtin import CosineScheduler

npx.set_np()
LOSS = gluon.loss.SoftmaxCrossEntropyLoss()


def initialized(name):
    net = NETS[name]()
    net.initialize()
    mx.random.seed(0)
    net.initialize(init.Xavier(), force_reinit=True)
    net(np.zeros((1, 1, 28, 28)))
    return net


def parameters(net, read=True):
    held = net.collect_params().values()
    return [p.data().asnumpy() for p in held] if read else list(held)


def gradients(net, images, labels):
    with autograd.record():
        scores = net(images)
        losses = LOSS(scores, labels)
    losses.backward()
    return [scores.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values())]


def test_the_parameters_are_those_of_lenet():
    theirs, ours = (parameters(initialized(name)) for name in ("chapter", "fast"))
    assert [a.shape for a in ours] == [a.shape for a in theirs]
    for a, b in zip(ours, theirs):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", ["chapter", "fast"])
def test_it_is_uninitialized_and_hybridized(name, tmp_path):
    with pytest.raises(RuntimeError, match="not been initialized"):
        NETS[name]()(np.zeros((1, 1, 28, 28)))
    initialized(name).export(str(tmp_path / "net"))  # which MXNet refuses a net that is no graph


def errors(arrays, exact):
    """The largest difference of each array, relative to its largest number."""
    return [onp.abs(a - b).max() / onp.abs(b).max() for a, b in zip(arrays, exact)]


def rounding_errors(train_iter, scheduler):
    """The largest errors of scores and gradients at every update of an epoch of the chapter's net.

    Returns {arrangement: one error an update}. The truth is MXNet's own float64, which rounds
    5e8 times finer, at the same parameters. Only so is rounding seen by itself: left to train
    on, any two nets that round differently drift apart, by some percent of the parameters after
    235 updates, and the chapter's net drifts from float64 no less than ours from the chapter's.
    """
    nets = {name: initialized(name) for name in ("chapter", "fast")}
    exact = initialized("chapter")
    exact.cast("float64")
    settings = {"lr_scheduler": scheduler}
    trainer = gluon.Trainer(nets["chapter"].collect_params(), "sgd", settings)
    found = {name: [] for name in nets}
    for X, y in train_iter:
        for net in (nets["fast"], exact):
            for ours, theirs in zip(parameters(net, read=False), parameters(nets["chapter"])):
                ours.set_data(np.array(theirs, dtype=ours.dtype))
        truth = gradients(exact, X.astype("float64"), y)
        for name in ("fast", "chapter"):
            found[name].append(max(errors(gradients(nets[name], X, y), truth)))
        trainer.step(X.shape[0])
    return found


def assert_fast_rounds_no_worse(found):
    chapter, fast = (onp.array(found[name]) for name in ("chapter", "fast"))
    print("median and largest error:", [(onp.median(e), e.max()) for e in (chapter, fast)])
    assert 0 < onp.median(fast) < 2 * onp.median(chapter)
    assert fast.max() < 2 * chapter.max()
    assert onp.median(chapter) < 1e-4  # else float64 computes something else


def test_fast_is_equal_within_rounding(small_iters):
    scheduler = CosineScheduler(max_update=51, base_lr=0.2, final_lr=0.01)
    assert_fast_rounds_no_worse(rounding_errors(small_iters()[0], scheduler))


@pytest.mark.slow
def test_fast_is_equal_within_rounding_at_every_update_of_an_epoch():
    """The whole data, 235 updates; about a minute."""
    scheduler = CosineScheduler(max_update=235, base_lr=0.2, final_lr=0.01)
    train_iter, _ = load_fashion_mnist(256, seed=0)
    assert_fast_rounds_no_worse(rounding_errors(train_iter, scheduler))
