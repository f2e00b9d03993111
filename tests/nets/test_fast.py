from __future__ import annotations

import math
import os
import subprocess
import sys
import time

import mxnet as mx
import numpy as onp
import pytest
from mxnet import autograd, gluon, init, np, npx

from d2l_lrsched.data.batches import load_fashion_mnist
from d2l_lrsched.nets import LENETS, NETS, fast
from d2l_lrsched.schedulers.builtin import CosineScheduler

npx.set_np()
LOSS = gluon.loss.SoftmaxCrossEntropyLoss()


def initialized(name, ctx=None):
    net = NETS[name]()
    net.initialize(ctx=ctx)
    mx.random.seed(0)
    net.initialize(init.Xavier(), force_reinit=True, ctx=ctx)
    for one in ctx or [None]:
        net(np.zeros((1, 1, 28, 28), ctx=one))
    return net


def both(ctx=None):
    return [initialized(name, ctx) for name in ("chapter", "lanes")]


def parameters(net, read=True):
    held = net.collect_params().values()
    return [p.data().asnumpy() for p in held] if read else list(held)


def a_batch(n, ctx=None):
    images = onp.random.default_rng(n).random((n, 1, 28, 28), dtype="float32")
    return np.array(images, dtype="float32", ctx=ctx), np.array(onp.arange(n) % 10, ctx=ctx)


def backward(net, images, labels, scale=1):
    with autograd.record():
        scores = net(images)
        losses = LOSS(scores, labels) * scale
    losses.backward()
    return scores.asnumpy()


def gradients(net, images, labels, scale=1):
    """Return the scores, and the gradients of all parameters that have one."""
    scores = backward(net, images, labels, scale)
    held = [p for p in net.collect_params().values() if p.grad_req != "null"]
    return [scores, *(p.grad(images.ctx).asnumpy() for p in held)]


def assert_same(nets, images, labels):
    theirs, ours = (gradients(net, images, labels) for net in nets)
    assert len(theirs) == len(ours)
    assert max(errors(ours, theirs)) < 2e-5


def test_the_parameters_are_those_of_lenet():
    theirs, ours = (parameters(initialized(name)) for name in ("chapter", "lanes"))
    assert [a.shape for a in ours] == [a.shape for a in theirs]
    for a, b in zip(ours, theirs):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", ["chapter", "lanes"])
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
    nets = {name: initialized(name) for name in ("chapter", "lanes")}
    exact = initialized("chapter")
    exact.cast("float64")
    settings = {"lr_scheduler": scheduler}
    trainer = gluon.Trainer(nets["chapter"].collect_params(), "sgd", settings)
    found = {name: [] for name in nets}
    for X, y in train_iter:
        for net in (nets["lanes"], exact):
            for ours, theirs in zip(parameters(net, read=False), parameters(nets["chapter"])):
                ours.set_data(np.array(theirs, dtype=ours.dtype))
        truth = gradients(exact, X.astype("float64"), y)
        for name in nets:
            found[name].append(max(errors(gradients(nets[name], X, y), truth)))
        trainer.step(X.shape[0])
    return found


def assert_fast_rounds_no_worse(found):
    chapter, fast = (onp.array(found[name]) for name in ("chapter", "lanes"))
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


@pytest.mark.parametrize("n", [1, 7, 8, 17, 96, 256])
def test_any_number_of_images_will_do(n):
    assert_same(both(), *a_batch(n))


def test_the_first_of_equals_is_the_largest_as_in_lenet():
    images, labels = a_batch(8)
    images[:] = 0.5
    images[0] = 0
    assert_same(both(), images, labels)


def test_frozen_parameters_stay_as_they_are_and_keep_nothing_from_the_others():
    nets = both()
    for net in nets:
        for frozen in (0, 3):
            parameters(net, read=False)[frozen].grad_req = "null"
    assert_same(nets, *a_batch(9))


def test_gradients_are_added_where_that_is_asked():
    nets = both()
    images, labels = a_batch(9)
    for net in nets:
        for parameter in parameters(net, read=False):
            parameter.grad_req = "add"
            parameter.grad()[:] = 0
        backward(net, images, labels)
    assert_same(nets, images, labels)


def test_two_passes_forward_and_then_one_back():
    found = []
    for net in both():
        with autograd.record():
            losses = [LOSS(net(images), labels).sum() for images, labels in map(a_batch, (5, 6))]
            total = losses[0] + losses[1]
        total.backward()
        found.append([p.grad().asnumpy() for p in parameters(net, read=False)])
    assert max(errors(*found[::-1])) < 2e-5


def test_several_contexts():
    ctx = [mx.cpu(0), mx.cpu(1)]
    nets = both(ctx)
    for one in ctx:
        assert_same(nets, *a_batch(9, one))


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_an_image_that_is_not_finite_shows_where_no_unit_is_active(bad):
    images, labels = a_batch(8)
    images[2, 0, 5, 5] = bad
    for net in both():
        parameters(net, read=False)[1].set_data(np.full(6, -math.inf))
        assert shows(net, images, labels)


def shows(net, images, labels, scale=1):
    """Whether training would see that something is not finite: in the scores or a gradient."""
    return not all(onp.isfinite(a).all() for a in gradients(net, images, labels, scale))


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_shows_wherever_it_does_in_lenet(bad):
    images, labels = a_batch(8)
    seen = {"loss": [shows(net, images, labels, bad) for net in both()]}
    images[2, 0, 5, 5] = bad
    seen["image"] = [shows(net, images, labels) for net in both()]
    images, labels = a_batch(8)
    for i, name in enumerate(fast._PARAMETERS):
        nets = both()
        for net in nets:
            parameter = parameters(net, read=False)[i]
            values = parameter.data().asnumpy()
            values.flat[0] = bad
            parameter.set_data(np.array(values))
        seen[name] = [shows(net, images, labels) for net in nets]
    assert seen["loss"] == seen["image"] == [True, True]
    hidden = [name for name, (theirs, ours) in seen.items() if theirs and not ours]
    assert not hidden, seen


def test_what_it_cannot_take(monkeypatch):
    net = initialized("lanes")
    for wrong in (np.zeros((2, 1, 28, 27)), np.zeros((2, 28, 28))):
        with pytest.raises(ValueError, match=r"images must be float32 \(n, 1, 28, 28\), got"):
            net(wrong)
    with pytest.raises(ValueError, match=r"float32 .*, got float64 \(2, 1, 28, 28\) on cpu\(0\)"):
        net(np.zeros((2, 1, 28, 28), dtype="float64"))
    images, _ = a_batch(2)
    images.attach_grad()
    with pytest.raises(ValueError, match=r"gives images no gradient, .*: use lenet"):
        net(images)
    monkeypatch.setattr(np.ndarray, "ctx", mx.gpu(0))
    with pytest.raises(ValueError, match=r"is for the CPU; on a GPU use lenet; got .* on gpu\(0\)"):
        net(np.zeros((2, 1, 28, 28)))


def test_images_that_come_from_something_with_a_gradient_get_none(capfd):
    net = initialized("lanes")
    images, _ = a_batch(2)
    images.attach_grad()
    with autograd.record():
        scores = net(images * 1)
    scores.backward()
    with pytest.raises(mx.MXNetError):  # the operator runs in a thread of MXNet's
        images.grad.asnumpy()
    assert "ValueError: fast_lenet gives images no gradient: use lenet" in capfd.readouterr().out


def test_a_compilation_that_takes_long_is_told(monkeypatch, capsys):
    monkeypatch.setattr(fast, "PATIENCE", 0.05)
    monkeypatch.setattr(fast._Operator, "forward", lambda *given: time.sleep(0.5))
    monkeypatch.setattr(fast._Operator, "backward", lambda *given: None)
    fast._compile.__wrapped__()
    message = "getting the fast net ready; the first time it is compiled for this processor"
    assert capsys.readouterr().err == f"d2l_lrsched: {message}\n"
    monkeypatch.setattr(fast, "PATIENCE", 60)
    fast._compile.__wrapped__()
    assert capsys.readouterr().err == ""


def test_records_tell_it_from_the_former_fast_net():
    """Whose name no other net may have."""
    assert LENETS == {"chapter": "chapter", "fast": "lanes"}
    assert {*LENETS.values()} < {*NETS}
    assert "fast" not in NETS


@pytest.mark.slow
def test_processes_that_compile_at_once(tmp_path):
    """With an empty cache for all of them; half a minute."""
    code = "from d2l_lrsched.nets.fast import fast_lenet; fast_lenet(); print('ready')"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", code]
    options = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    for _ in range(2):  # the second time from the cache
        started = [subprocess.Popen(command, text=True, **options) for _ in range(3)]
        told = [process.communicate() for process in started]
        assert [out for out, _ in told] == ["ready\n"] * 3
        assert not any("Error" in err for _, err in told), told
    assert not any(err for _, err in told), told
