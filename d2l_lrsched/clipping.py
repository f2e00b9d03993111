r"""Gradient clipping: by the global norm of all gradients together, and elementwise.

Gluon's gradients are sums over the batch, for `trainer.update(batch_size)` divides by its size
later. Every norm and threshold here is that of the mean gradient, which the paper (*Ứng dụng
Gradient Clipping và Learning Rate Scheduler trong huấn luyện mô hình học sâu*) calls g: with raw
gradients :math:`G_1, \ldots, G_k` and n examples

.. math:: \lVert g \rVert = \frac{1}{n} \sqrt{\sum_j \sum_i G_{j,i}^2}.

A step of a loop of your own, the paper's 3.3::

    loss.backward()
    trainer.allreduce_grads()
    parameters = net.collect_params().values()
    gradients = [p.grad() for p in parameters if p.grad_req != "null"]
    clip_global_norm(gradients, 1.0, X.shape[0])
    trainer.update(X.shape[0])
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy
from mxnet import nd, np, sym
from mxnet.util import use_np_shape

from d2l_lrsched import checks

NONFINITE = ("raise", "skip")


@use_np_shape
def global_norm(arrays: Iterable[Any], batch_size: int = 1) -> float:
    r"""Return the Euclidean norm of all arrays together, divided by the batch size.

    :math:`\frac{1}{n} \sqrt{\sum_j \sum_i G_{j,i}^2}`, summed in float64, so that no square of a
    float32 number overflows. Waits for the device.

    Parameters
    ----------
    arrays : iterable of mxnet.np.ndarray or mxnet.nd.NDArray
        Of any shapes, on one context.
    batch_size : int
        Of how many examples the gradients are the sum; 1 for the norm of the arrays as they are.

    Returns
    -------
    float
        inf or nan where the arrays hold such; inf also where squares overflow float64.

    Raises
    ------
    ValueError
        If there are no arrays, they lie on several contexts, or batch_size is not a positive
        integer.

    Notes
    -----
    Source: the paper's 2.2 and 3.1.2; Pascanu, Mikolov and Bengio (2013), arXiv:1211.5063.
    """
    batch_size = checks.count("batch_size", batch_size)
    return float(_norm(_checked(arrays), batch_size))


@use_np_shape
def clip_global_norm(
    arrays: Iterable[Any], max_norm: float, batch_size: int = 1, nonfinite: str = "raise"
) -> np.ndarray:
    r"""Scale gradients in place so that their global norm is `max_norm` at most; return the norm.

    .. math:: g \leftarrow \begin{cases} g & \lVert g \rVert \le c \\
              \frac{c}{\lVert g \rVert} g & \lVert g \rVert > c \end{cases}

    with c = `max_norm` and g the mean gradient (see the module). All arrays keep every bit where
    the norm is at most c; else their direction stays and their norm is c within float32 rounding.

    Parameters
    ----------
    arrays : iterable of mxnet.np.ndarray or mxnet.nd.NDArray
        Raw gradients of one context, of any shapes, each once; a slice of columns is a copy in
        MXNet, and the original would stay as it is. With several contexts call it for each after
        ``trainer.allreduce_grads()``, which gives each the gradient of the whole batch, with the
        whole batch's size; the Trainer needs ``update_on_kvstore=False``.
    max_norm : float
        The threshold c, finite and positive, for the mean gradient.
    batch_size : int
        Of how many examples the gradients are the sum: that of the batch, also of the last one.
    nonfinite : {'raise', 'skip'}
        What to do with a gradient that holds inf or nan. 'raise' must see the norm, and waits for
        the device at every call. 'skip' never waits: it makes the gradient zero, which is no
        update for sgd without momentum and weight decay (others still move by these), and leaves
        it to the caller to look at the norms, say at the epoch's end.

    Returns
    -------
    mxnet.np.ndarray
        The norm before clipping: float64, of shape (), on the device; ``float()`` waits for it.
        Not finite where the gradient is not.

    Raises
    ------
    FloatingPointError
        With 'raise', if a gradient is not finite; the message names which by their position, and
        all stay as they are.
    ValueError
        If there are no arrays, they lie on several contexts, or another argument is not as said.

    Notes
    -----
    Source: the paper's 3.1.2; Pascanu, Mikolov and Bengio (2013), arXiv:1211.5063, algorithm 1.
    MXNet's ``gluon.utils.clip_global_norm`` takes no mx.np arrays, waits for the device and
    changes also gradients that it need not.

    For float32, beyond :math:`\lVert g \rVert = 10^{37} c` the factor is a denormal number, which
    has fewer digits, and beyond :math:`10^{45} c` it is 0.

    Examples
    --------
    >>> from mxnet import np
    >>> gradients = [np.array([6.0]), np.array([0.0, 8.0])]  # the sum over 2 examples
    >>> float(clip_global_norm(gradients, max_norm=1, batch_size=2))
    5.0
    >>> [g.tolist() for g in gradients]  # of norm 1 when divided by 2
    [[1.2000000476837158], [0.0, 1.600000023841858]]
    """
    max_norm = checks.positive("max_norm", max_norm)
    batch_size = checks.count("batch_size", batch_size)
    checks.choice("nonfinite", nonfinite, NONFINITE)
    arrays = _checked(arrays)
    if nonfinite == "raise" and not math.isfinite(float(_norm(arrays, batch_size))):
        _raise(arrays)
    return Clipper(arrays, max_norm)(batch_size)[0]


class Clipper:
    """`clip_global_norm` with 'skip', prepared for the same arrays again and again.

    Parameters
    ----------
    arrays : sequence of mxnet.np.ndarray
    max_norm : float
    """

    @use_np_shape
    def __init__(self, arrays: Sequence[np.ndarray], max_norm: float) -> None:
        self._arrays = [array.as_nd_ndarray() for array in arrays]
        self._given = {f"array{i}": array for i, array in enumerate(self._arrays)}
        shapes = tuple(array.shape for array in arrays)
        self._run, self._names = _compiled(shapes, numpy.dtype(arrays[0].dtype), max_norm)
        self._sizes: dict[int, nd.NDArray] = {}

    @use_np_shape
    def __call__(self, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """Clip; return the norm before, and each array's sum of squares, (k,), both float64.

        A sum is not finite where its array is not: cheap to keep until somebody asks which it was.
        """
        ctx = self._arrays[0].ctx
        if batch_size not in self._sizes:
            self._sizes[batch_size] = nd.full((), batch_size, ctx, "float64")
        given = {**self._given, "batch_size": self._sizes[batch_size]}
        norm = nd.empty((), ctx, "float64")
        squares = nd.empty((len(self._arrays),), ctx, "float64")
        self._run(*(given[name] for name in self._names), out=[norm, squares, *self._arrays])
        return norm.as_np_ndarray(), squares.as_np_ndarray()


@lru_cache
def _compiled(shapes: tuple, dtype: numpy.dtype, max_norm: float) -> tuple[nd.CachedOp, list[str]]:
    """Return one operation of all that is to be done, and the names of what it takes.

    It gives what `Clipper` returns, and the clipped arrays. MXNet's calls cost more than these
    few numbers do.
    """
    arrays = [sym.var(f"array{i}").as_np_ndarray() for i in range(len(shapes))]
    squares = _squares(arrays, sym.np)
    norm = sym.np.sqrt(sum(squares[1:], squares[0])) / sym.var("batch_size").as_np_ndarray()
    # No `if`: the device decides whether to clip, and Python need not wait for it. A norm that
    # rounding has left above the threshold is not clipped again.
    limit = max_norm * (1 + 2 * float(numpy.finfo(dtype).eps))
    factor = sym.np.where(norm <= limit, 1.0, max_norm / norm).astype(dtype)
    finite = sym.np.reshape(norm < math.inf, (1,)).astype(dtype).as_nd_ndarray()
    clipped = []
    for array in arrays:
        row = sym.np.reshape(array * factor, (1, -1)).as_nd_ndarray()
        row = sym.where(finite, row, sym.zeros_like(row))  # 0 * inf is nan
        clipped.append(sym.reshape_like(row, array.as_nd_ndarray()))
    squares = sym.np.stack(squares)
    graph = sym.Group([norm.as_nd_ndarray(), squares.as_nd_ndarray(), *clipped])
    settings = [("static_alloc", True), ("static_shape", True)]
    return nd.CachedOp(graph, settings), graph.list_inputs()


@use_np_shape
def clip_value(
    arrays: Iterable[Any], max_value: float, batch_size: int = 1, nonfinite: str = "raise"
) -> None:
    r"""Clip every element of the mean gradient to [-c, c], in place.

    :math:`g_i \leftarrow \min(\max(g_i, -c), c)` with c = `max_value`. Unlike clipping by the
    norm this turns the gradient: the paper's 3.1.1 sets the two side by side.

    Parameters
    ----------
    arrays, batch_size
        As for `clip_global_norm`.
    max_value : float
        The threshold c, finite and positive, for the mean gradient.
    nonfinite : {'raise', 'skip'}
        As for `clip_global_norm`; both wait for the device.

    Raises
    ------
    FloatingPointError, ValueError
        As `clip_global_norm`.

    Notes
    -----
    Source: the paper's 3.1.1. MXNet's optimizers do the same with ``clip_gradient``, inf included.
    """
    max_value = checks.positive("max_value", max_value)
    batch_size = checks.count("batch_size", batch_size)
    checks.choice("nonfinite", nonfinite, NONFINITE)
    arrays = _checked(arrays)
    finite = math.isfinite(float(_norm(arrays, batch_size)))
    if nonfinite == "raise" and not finite:
        _raise(arrays)
    bound = max_value * batch_size if finite else 0
    for array in arrays:
        np.nan_to_num(array, copy=False)
        np.clip(array, -bound, bound, out=array)


def _checked(arrays: Iterable[Any]) -> list[np.ndarray]:
    """Return the arrays as mx.np arrays, which share their memory with them."""
    arrays = list(arrays)
    if not arrays:
        raise ValueError("arrays must hold at least one array, got none")
    for i, array in enumerate(arrays):
        if not isinstance(array, nd.NDArray) or array.stype != "default":
            kind = f"{type(array).__module__}.{type(array).__name__}"
            raise ValueError(f"arrays[{i}] must be a dense array of MXNet, got a {kind}")
    contexts = list(dict.fromkeys(array.ctx for array in arrays))
    if len(contexts) > 1:
        raise ValueError(
            f"arrays lie on {' and '.join(map(str, contexts))}: after trainer.allreduce_grads() "
            "each context holds the whole gradient, so clip each one's arrays by themselves"
        )
    types = sorted({numpy.dtype(array.dtype).name for array in arrays})
    if len(types) > 1 or types[0] not in ("float32", "float64"):
        found = " and ".join(types)
        raise ValueError(f"arrays must all be float32, or all float64, got {found}")
    return [array.as_np_ndarray() for array in arrays]


def _norm(arrays: Sequence[np.ndarray], batch_size: int) -> np.ndarray:
    squares = _squares(arrays)
    return np.sqrt(sum(squares[1:], squares[0])) / batch_size


def _squares(arrays: Sequence[Any], F: Any = np) -> list[Any]:
    """Return each array's sum of squares, as arrays or, with `F` sym.np, as symbols."""
    squares = []
    for array in arrays:
        wide = F.reshape(array, -1).astype("float64")
        squares.append(F.dot(wide, wide))  # BLAS keeps an inf, of which MXNet's sum makes nan
    return squares


def _raise(arrays: Sequence[np.ndarray]) -> None:
    bad = [
        f"arrays[{i}] of shape {array.shape}"
        for i, array in enumerate(arrays)
        if not numpy.isfinite(array.asnumpy()).all()
    ]
    what = ", ".join(bad) or "the norm, whose squares overflow float64"
    raise FloatingPointError(f"not finite: {what}")
