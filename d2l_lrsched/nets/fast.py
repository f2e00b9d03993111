"""The chapter's LeNet arranged for speed: convolutions by `kernels`, dense layers by MXNet."""

from __future__ import annotations

import sys
from functools import cache
from threading import Timer
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import nn
from mxnet.util import np_array

from d2l_lrsched.nets import kernels
from d2l_lrsched.nets.kernels import CHANNELS, FEATURES, KERNEL, POOLED, SIDES

_IMAGE = 1, SIDES[0], SIDES[0]
_PARAMETERS = {  # as those of `lenet`
    "conv0_weight": (CHANNELS[0], 1, KERNEL, KERNEL),
    "conv0_bias": (CHANNELS[0],),
    "conv1_weight": (CHANNELS[1], CHANNELS[0], KERNEL, KERNEL),
    "conv1_bias": (CHANNELS[1],),
}
_OPERATOR = "d2l_lrsched_convolutions"
#: Seconds of silence before the compilation is told of.
PATIENCE = 2.0


def fast_lenet() -> nn.HybridSequential:
    """Return a `lenet` that is equal to it within float32 rounding, and faster on a CPU.

    Its parameters have the same shapes in the same order; sums are taken in another. The
    convolutions, with relu and max pooling, are compiled for this processor, once: the first call
    of an installation takes some seconds more. All shapes are known from the start:
    ``initialize`` draws the parameters at once, so seed ``mx.random`` after any first
    ``initialize`` to draw those of `lenet`.

    Returns
    -------
    mxnet.gluon.nn.HybridSequential
        Hybridized and uninitialized, like `lenet`. A call raises ValueError unless it is given
        float32 images of shape (n, 1, 28, 28), on a CPU context, that want no gradient.
    """
    _compile()
    net = _Fast()
    net.add(
        _Convolutions(),
        nn.Dense(120, activation="relu", in_units=FEATURES),
        nn.Dense(84, activation="relu", in_units=120),
        nn.Dense(10, in_units=84),
    )
    net.hybridize(static_alloc=True, static_shape=True)
    return net


class _Fast(nn.HybridSequential):
    def forward(self, x: Any) -> Any:
        if isinstance(x, mx.nd.NDArray):  # not a symbol, as of `export`
            if x.ctx.device_type == "gpu":
                raise ValueError(f"fast_lenet is for the CPU; on a GPU use lenet; {_got(x)}")
            if x.dtype != np.float32 or x.shape[1:] != _IMAGE:
                raise ValueError(f"images must be float32 (n, 1, 28, 28), {_got(x)}")
            if x.grad is not None:
                raise ValueError("fast_lenet gives images no gradient, as attached here: use lenet")
        return super().forward(x)


def _got(x: mx.nd.NDArray) -> str:
    return f"got {np.dtype(x.dtype).name} {x.shape} on {x.ctx}"


class _Convolutions(nn.HybridBlock):
    """Both convolutions of `lenet`, each with relu and pooling: (n, 1, 28, 28) -> (n, 400)."""

    def __init__(self) -> None:
        super().__init__()
        with self.name_scope():
            for name, shape in _PARAMETERS.items():
                init = "zeros" if name.endswith("bias") else None
                setattr(self, name, self.params.get(name, shape=shape, init=init))

    def hybrid_forward(self, F: Any, x: Any, **parameters: Any) -> Any:
        arrays = [x, *(parameters[name] for name in _PARAMETERS)]
        custom = (mx.sym if F is mx.sym else mx.nd).Custom
        out = custom(*(array.as_nd_ndarray() for array in arrays), op_type=_OPERATOR)
        return out.as_np_ndarray()


# MXNet hands an operator arrays of the kind that is on when it is registered.
with np_array(False):

    @mx.operator.register(_OPERATOR)
    class _Properties(mx.operator.CustomOpProp):
        def list_arguments(self) -> list[str]:
            return ["images", *_PARAMETERS]

        def infer_shape(self, shapes: list) -> tuple[list, list]:
            n = shapes[0][0]
            return [[n, *_IMAGE], *map(list, _PARAMETERS.values())], [[n, FEATURES]]

        def declare_backward_dependency(self, dy: list, data: list, out: list) -> list:
            return [*dy, *data]

        def create_operator(self, ctx: Any, shapes: Any, types: Any) -> mx.operator.CustomOp:
            return _Operator()


class _Operator(mx.operator.CustomOp):
    """What MXNet calls: one object sees one forward pass and its backward pass."""

    def forward(self, is_train: bool, req: list, in_data: list, out_data: list, aux: list) -> None:
        images, weight0, bias0, weight1, bias1 = map(_view, in_data)
        n = len(images)
        kept = n if is_train else 0
        self._kept = (
            np.empty(kept * FEATURES, np.uint8),
            np.empty(kept * POOLED, np.float32),
            np.empty(kept * POOLED, np.uint8),
        )
        out = np.empty((n, FEATURES), np.float32)
        weights = kernels.rows(weight0), bias0, kernels.rows(weight1), bias1
        kernels.forward(images.reshape(-1), *weights, out.reshape(-1), *self._kept)
        self.assign(out_data[0], req[0], out)

    def backward(
        self, req: list, out_grad: list, in_data: list, out_data: list, in_grad: list, aux: list
    ) -> None:
        if req[0] != "null":
            raise ValueError("fast_lenet gives images no gradient: use lenet")
        images, _, _, weight1, _ = map(_view, in_data)
        sums = [np.zeros(size, np.float32) for size in kernels.SIZES]
        dy = _view(out_grad[0]).reshape(-1)
        kernels.backward(images.reshape(-1), kernels.rows(weight1), *self._kept, dy, *sums)
        for to, how, name, found in zip(in_grad[1:], req[1:], _PARAMETERS, sums):
            shape = _PARAMETERS[name]
            gradient = kernels.from_rows(found, shape) if len(shape) > 1 else found
            # MXNet adds only its own arrays, and sets numpy's in less time.
            self.assign(to, how, mx.nd.from_numpy(gradient) if how == "add" else gradient)


class _Capsule:
    def __init__(self, array: mx.nd.NDArray) -> None:
        self._capsule = array.to_dlpack_for_read()

    def __dlpack__(self, stream: None = None) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU, to which MXNet's cpu(1) belongs, too


def _view(array: mx.nd.NDArray) -> np.ndarray:
    """Return a view, read-only, of an array that is up to date."""
    return np.from_dlpack(_Capsule(array))


@cache
def _compile() -> None:
    """Compile the kernels by a call, unless that was done before; say so if it takes long."""
    told = Timer(PATIENCE, _tell)
    told.daemon = True
    told.start()
    try:
        data = [mx.nd.zeros(shape) for shape in ((1, *_IMAGE), *_PARAMETERS.values())]
        scores = [mx.nd.zeros((1, FEATURES))]
        operator = _Operator()
        with np_array(False):
            operator.forward(True, ["write"], data, scores, [])
            operator.backward(["null"] * len(data), scores, data, scores, data, [])
    finally:
        told.cancel()


def _tell() -> None:
    message = "getting the fast net ready; the first time it is compiled for this processor"
    print(f"d2l_lrsched: {message}", file=sys.stderr, flush=True)
