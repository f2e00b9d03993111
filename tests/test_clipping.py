from __future__ import annotations

import math
import sys
from fractions import Fraction

import mxnet as mx
import numpy as onp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as float_arrays
from mxnet import autograd, gluon, init, np, npx

from d2l_lrsched.clipping import Clipper, clip_global_norm, clip_value, global_norm
from d2l_lrsched.nets.lenet import lenet

npx.set_np()
EPS = float(onp.finfo("float32").eps)
each_kind = pytest.mark.parametrize("kind", ["np", "nd"])
each_clip = pytest.mark.parametrize("clip", [clip_global_norm, clip_value])
SHAPES = [(6, 1, 5, 5), (6,), (4, 3), (1,)]


def gradients(seed=0, dtype="float32", scale=1.0):
    random = onp.random.RandomState(seed)
    return [(scale * random.normal(size=shape)).astype(dtype) for shape in SHAPES]


def on_device(arrays, kind="np", ctx=None):
    make = np.array if kind == "np" else mx.nd.array
    return [make(a, dtype=a.dtype, ctx=ctx or mx.cpu()) for a in arrays]


def read(arrays):
    return [a.asnumpy() for a in arrays]


def norm_of(arrays, batch_size=1):
    """The norm by numpy in float64 (or more), by scaling safe from overflow."""
    flat = onp.concatenate([onp.asarray(a, dtype=onp.longdouble).ravel() for a in arrays])
    return float(onp.sqrt((flat * flat).sum()) / batch_size)


def same_bits(before, after):
    return all(a.tobytes() == b.tobytes() for a, b in zip(before, after))


@each_kind
@pytest.mark.parametrize("batch_size", [1, 96, 256])
def test_the_global_norm_is_that_of_all_arrays_together_divided_by_the_batch_size(kind, batch_size):
    arrays = gradients()
    found = global_norm(on_device(arrays, kind), batch_size)
    assert isinstance(found, float)
    assert found == pytest.approx(norm_of(arrays, batch_size), rel=1e-12)


def test_a_norm_worked_by_hand():
    assert global_norm([np.array([3.0]), np.array([[4.0], [12.0]])], batch_size=2) == 6.5


@pytest.mark.parametrize("value", [1e19, 1e30, 3e38, 1e-30, 1e-40])
def test_squares_neither_overflow_nor_vanish(value):
    arrays = [onp.full(3, value, "float32"), onp.full(1, -value, "float32")]
    assert global_norm(on_device(arrays)) == pytest.approx(2 * float(arrays[1][0]) * -1, rel=1e-12)
    clipped = on_device(arrays)
    clip_global_norm(clipped, 1e-3)
    factor = min(1, 1e-3 / norm_of(arrays))
    rounding = 2 * EPS + 2.0**-150 / factor  # of the factor, which is denormal beyond 1e37
    for before, after in zip(arrays, read(clipped)):
        onp.testing.assert_allclose(after, before.astype("float64") * factor, rtol=rounding)


@pytest.mark.parametrize(
    ("values", "norm"),
    [
        ([1, math.inf], math.inf),
        ([-math.inf, 1], math.inf),
        ([math.inf, -math.inf, 2], math.inf),
        ([1, math.nan, 3], math.nan),
        ([math.inf, math.nan], math.nan),
    ],
)
def test_norms_that_are_not_finite_come_back_as_they_are(values, norm):
    arrays = [np.ones(5), np.array(values)]
    assert global_norm(arrays) == pytest.approx(norm, nan_ok=True)
    found = float(clip_global_norm(arrays, 1, nonfinite="skip"))
    assert found == pytest.approx(norm, nan_ok=True)


@each_kind
def test_a_gradient_within_the_threshold_keeps_every_bit(kind):
    arrays = [onp.array([0.6, -0.0, 1e-45], "float32"), onp.array([[0.8]], "float32")]
    for max_norm in (norm_of(arrays), 1.0001, 1e30):
        device = on_device(arrays, kind)
        clip_global_norm(device, max_norm)
        assert same_bits(arrays, read(device)), max_norm


@each_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_beyond_it_keeps_its_direction_and_gets_norm_c(kind, dtype):
    arrays, max_norm = gradients(dtype=dtype), 0.37
    device = on_device(arrays, kind)
    before = float(clip_global_norm(device, max_norm, batch_size=96))
    assert before == pytest.approx(norm_of(arrays, 96), rel=1e-12)
    assert before < max_norm, "nothing is to be clipped with this batch size"
    assert same_bits(arrays, read(device))
    before = float(clip_global_norm(device, max_norm, batch_size=2))
    after = read(device)
    eps = float(onp.finfo(dtype).eps)
    assert before == pytest.approx(norm_of(arrays, 2), rel=1e-12)
    assert before > max_norm
    assert norm_of(after, 2) == pytest.approx(max_norm, rel=2 * eps)
    for a, b in zip(arrays, after):
        assert b.dtype == dtype
        expected = a.astype("float64") * (max_norm / norm_of(arrays, 2))
        onp.testing.assert_allclose(b, expected, rtol=2 * eps)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        float_arrays(
            "float32",
            st.integers(1, 4),
            elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
        ),
        min_size=1,
        max_size=3,
    ),
    st.floats(1e-3, 1e3),
)
def test_clipping_twice_is_clipping_once(arrays, max_norm):
    device = on_device(arrays)
    clip_global_norm(device, max_norm)
    once = read(device)
    assert norm_of(once) <= max_norm * (1 + 2 * EPS)
    clip_global_norm(device, max_norm)
    assert same_bits(once, read(device))


@each_clip
def test_raise_names_the_arrays_and_leaves_them_alone(clip):
    arrays = [np.ones(2), np.array([[1.0, math.nan]]), np.array(3.0), np.array([-math.inf])]
    before = read(arrays)
    named = r"arrays\[1\] of shape \(1, 2\), arrays\[3\] of shape \(1,\)$"
    with pytest.raises(FloatingPointError, match=named):
        clip(arrays, 1)
    assert same_bits(before, read(arrays))


@each_clip
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_skip_makes_the_whole_gradient_zero(clip, bad):
    arrays = [np.array([1e30, -2.0]), np.array([[bad], [1.0]])]
    clip(arrays, 1, nonfinite="skip")
    assert not any(a.any() for a in read(arrays))


def test_skip_does_not_wait_for_the_device(monkeypatch):
    arrays = on_device(gradients())

    def asnumpy(self):
        raise AssertionError("waited")

    monkeypatch.setattr(mx.nd.NDArray, "asnumpy", asnumpy)
    norm = clip_global_norm(arrays, 1e-3, nonfinite="skip")
    monkeypatch.undo()
    assert float(norm) == pytest.approx(norm_of(gradients()), rel=1e-12)


def test_the_sums_of_squares_tell_which_array_is_not_finite():
    """1e30 is no number to be blamed, though float32 cannot hold its square."""
    arrays = [np.array([3.0, 4.0]), np.array([[1e30]]), np.array([math.inf])]
    norm, squares = Clipper(arrays, 1.0)(2)
    assert squares.tolist() == [25, float(onp.float32(1e30)) ** 2, math.inf]
    assert float(norm) == math.inf


def test_clip_value_clips_each_element_of_the_mean_gradient():
    arrays = [np.array([8.0, -8.0, 3.0]), mx.nd.array([[-0.0, 4.0, 5.0]])]
    clip_value(arrays, 1, batch_size=4)  # the mean gradient is 2, -2, 0.75 and 0, 1, 1.25
    assert arrays[0].tolist() == [4, -4, 3]
    assert arrays[1].asnumpy().tolist() == [[0, 4, 4]]


def test_the_two_ways_of_clipping_differ_in_direction():
    by_norm, by_value = np.array([3.0, 4.0]), np.array([3.0, 4.0])
    clip_global_norm([by_norm], 1)
    clip_value([by_value], 1)
    onp.testing.assert_allclose(by_norm.asnumpy(), [0.6, 0.8], rtol=1e-6)
    assert by_value.tolist() == [1, 1]


@each_clip
def test_arguments_that_cannot_be(clip):
    with pytest.raises(ValueError, match=r"max_(norm|value) must be a finite number > 0, got 0"):
        clip([np.ones(1)], 0)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1, got 0"):
        clip([np.ones(1)], 1, 0)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1, got 0"):
        global_norm([np.ones(1)], 0)
    with pytest.raises(ValueError, match="nonfinite must be 'raise' or 'skip', got 'ignore'"):
        clip([np.ones(1)], 1, nonfinite="ignore")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([], "arrays must hold at least one array"),
        ([onp.ones(2)], r"arrays\[0\] must be a dense array of MXNet, got a numpy.ndarray"),
        ([np.ones(2), None], r"arrays\[1\] must be .* got a builtins.NoneType"),
        (
            [mx.nd.sparse.zeros("row_sparse", (2, 2))],
            r"arrays\[0\] .* got a .*RowSparseNDArray",
        ),
        ([np.ones(2), np.ones(2, ctx=mx.cpu(1))], r"cpu\(0\) and cpu\(1\): after .*allreduce"),
        ([np.ones(2, dtype="int32")], "must all be float32, or all float64, got int32"),
        ([np.ones(2, dtype="float16")], "must all be .* got float16"),
        ([np.ones(2), np.ones(2, dtype="float64")], "must all be .* got float32 and float64"),
    ],
)
def test_arrays_that_cannot_be_clipped(arrays, message):
    for function in (clip_global_norm, clip_value):
        with pytest.raises(ValueError, match=message):
            function(arrays, 1)
    with pytest.raises(ValueError, match=message):
        global_norm(arrays)


def test_numbers_of_other_kinds():
    assert global_norm([np.array([4.0])], onp.int64(2)) == 2
    array = np.array([3.0, 4.0])
    clip_global_norm([array], Fraction(1))
    onp.testing.assert_allclose(array.asnumpy(), [0.6, 0.8], rtol=1e-6)
    clip_value([array], onp.float32(0.5))
    assert array.tolist() == [0.5, 0.5]


def test_a_float64_norm_that_overflows_is_not_finite_and_says_why():
    with pytest.raises(FloatingPointError, match="the norm, whose squares overflow float64"):
        clip_global_norm([np.array([1e200], dtype="float64")], 1)


def test_an_iterator_of_gradients_will_do():
    arrays = on_device(gradients())
    clip_global_norm(iter(arrays), 1)
    assert global_norm(iter(arrays)) == pytest.approx(1, rel=2 * EPS)


def parameters_after(contexts, num_updates=4, max_norm=1.0):
    """LeNet's parameters after clipped updates on batches of 32 and, last, of 20 examples."""
    mx.random.seed(0)
    net = lenet()
    net.initialize(init.Xavier(), ctx=mx.cpu(0))
    random = onp.random.RandomState(0)
    images = random.uniform(size=(32, 1, 28, 28)).astype("float32")
    labels = random.randint(0, 10, size=32)
    net(np.array(images))  # the shapes, and so the parameters, are known from here on
    net.collect_params().reset_ctx(contexts)
    kvstore = {} if len(contexts) == 1 else {"update_on_kvstore": False}
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5}, **kvstore)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    norms = []
    for update in range(num_updates):
        size = 32 if update < num_updates - 1 else 20
        X = gluon.utils.split_and_load(np.array(images[:size]), contexts)
        y = gluon.utils.split_and_load(np.array(labels[:size]), contexts)
        with autograd.record():
            losses = [loss(net(part), of) for part, of in zip(X, y)]
        autograd.backward(losses)
        trainer.allreduce_grads()
        of_contexts = [
            float(
                clip_global_norm(
                    [p.grad(ctx) for p in net.collect_params().values()], max_norm, size
                )
            )
            for ctx in contexts
        ]
        assert of_contexts == [of_contexts[0]] * len(contexts)
        norms.append(of_contexts[0])
        trainer.update(size)
    return norms, [p.data(contexts[0]).asnumpy() for p in net.collect_params().values()]


def test_two_contexts_give_the_parameters_of_one():
    norms, one = parameters_after([mx.cpu(0)])
    norms_of_two, two = parameters_after([mx.cpu(0), mx.cpu(1)])
    assert max(norms) > 1 > min(norms), "some updates are clipped and some are not"
    assert norms_of_two == pytest.approx(norms, rel=1e-4)
    for a, b in zip(one, two):
        onp.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
    _, unclipped = parameters_after([mx.cpu(0)], max_norm=1e6)
    assert max(abs(a - b).max() for a, b in zip(one, unclipped)) > 1e-3, "clipping does something"


def test_it_needs_no_numpy_semantics_of_the_callers(call):
    """`npx.set_np()` is the thread's, and a process may never have called it."""
    code = (
        "import mxnet as mx; from d2l_lrsched import clip_global_norm, global_norm; "
        "g = [mx.nd.array([6.0]), mx.nd.array([[0.0, 8.0]])]; "
        "print(global_norm(g), float(clip_global_norm(g, 5)), global_norm(g))"
    )
    done = call("-W", "ignore", "-c", code, command=(sys.executable,))
    assert done.stdout == "10.0 10.0 5.0\n", done.stderr
