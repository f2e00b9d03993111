"""The two convolutions of `fast_lenet`, compiled by numba for the processor that they run on.

The batch is the innermost axis: `LANES` images lie side by side, so that every tap of a kernel is
one multiplication and addition of whole vectors, however few the channels are. What max pooling
and relu held back has no gradient, so backward visits one position in four at most.

A kernel's row, (kernel column, channel), lies in one piece, filled with zeros up to a whole
number of vectors: `rows` brings MXNet's weights into this order and `from_rows` brings gradients
back. All arrays are C-contiguous. Everything compiled stands in this file: numba's cache looks at
no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

KERNEL = 5  # rows and columns of both convolutions
CHANNELS = 6, 16
SIDES = 28, 14, 5  # rows and columns of the images, and of what the two poolings leave
POOLED = SIDES[1] ** 2 * CHANNELS[0]
FEATURES = SIDES[2] ** 2 * CHANNELS[1]
PADDED = SIDES[0] + KERNEL - 1
#: Images side by side: as many float32 numbers as a register holds with AVX-512 or with AVX2.
LANES = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8
ROWS = 8, 32  # the length of a kernel's row, from 5 and 30
#: Of the parameters, the weights as rows.
SIZES = CHANNELS[0] * KERNEL * ROWS[0], CHANNELS[0], CHANNELS[1] * KERNEL * ROWS[1], CHANNELS[1]
_INT32 = ir.IntType(32)


class _Vector(types.Type):
    """Some float32 numbers in registers, or as many bytes."""

    def __init__(self, element: types.Type, width: int) -> None:
        super().__init__(name=f"{element}x{width}")
        element = ir.FloatType() if element == types.float32 else ir.IntType(8)
        self.data = ir.VectorType(element, width)
        self.align = 4 if element == ir.FloatType() else 1


@register_model(_Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Vector) -> None:
        super().__init__(manager, kind, kind.data)


def _place(context: Any, builder: Any, kind: types.Array, array: Any, at: Any, data: Any) -> Any:
    first = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(first, [at]), data.as_pointer())


@intrinsic(prefer_literal=True)
def load(typing: Any, array: Any, at: Any, width: Any) -> Any:
    """Return array[at : at + width] of a flat array."""
    result = _Vector(array.dtype, width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, at, _ = given
        place = _place(context, builder, signature.args[0], array, at, result.data)
        return builder.load(place, align=result.align)

    return result(array, types.intp, width), generate


@intrinsic
def store(typing: Any, array: Any, at: Any, vector: Any) -> Any:
    """Set array[at : at + the vector's width]."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, at, value = given
        place = _place(context, builder, signature.args[0], array, at, vector.data)
        builder.store(value, place, align=vector.align)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic(prefer_literal=True)
def fill(typing: Any, number: Any, width: Any) -> Any:
    """Return a vector of equal numbers."""
    result = _Vector(types.float32, width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        one = builder.insert_element(ir.Constant(result.data, ir.Undefined), given[0], _INT32(0))
        first = ir.Constant(ir.VectorType(_INT32, result.data.count), None)
        return builder.shuffle_vector(one, one, first)

    return result(types.float32, width), generate


@intrinsic
def multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(a.data, [a.data] * 3)
        name = f"llvm.fmuladd.v{a.data.count}f32"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)

    return a(a, a, a), generate


@intrinsic
def largest(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return max(0, a, b, c, d) and who it is: 0 to 3 the first of equals, 4 none of them.

    nan is larger than all.
    """
    which = _Vector(types.uint8, a.data.count)

    def same(kind: _Vector, number: int) -> Any:
        return ir.Constant(kind.data, [kind.data.element(number)] * kind.data.count)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        best, who = given[0], same(which, 0)
        for number, other in enumerate(given[1:], start=1):
            larger = builder.fcmp_ordered(">", other, best)
            wins = builder.or_(larger, builder.fcmp_unordered("uno", other, other))
            best = builder.select(wins, other, best)
            who = builder.select(wins, same(which, number), who)
        none = builder.fcmp_ordered("<=", best, same(a, 0))
        best = builder.select(none, same(a, 0), best)
        who = builder.select(none, same(which, 4), who)
        return context.make_tuple(builder, signature.return_type, (best, who))

    return types.Tuple((a, which))(a, a, a, a), generate


@intrinsic
def transpose(typing: Any, array: Any, at: Any, apart: Any, out: Any, to: Any, out_apart: Any):
    """Transpose a square of `LANES` x `LANES`: its rows lie `apart`, and then `out_apart`."""
    row = _Vector(array.dtype, LANES)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array, at, apart, out, to, out_apart = given
        rows = []
        for _ in range(LANES):
            place = _place(context, builder, signature.args[0], array, at, row.data)
            rows.append(builder.load(place, align=row.align))
            at = builder.add(at, apart)
        # Swap the squares beside the diagonal: first of size 1, within squares of 2, and so on.
        size = 1
        while size < LANES:
            upper = [LANES + i - size if i & size else i for i in range(LANES)]
            lower = [LANES + i if i & size else i + size for i in range(LANES)]
            masks = [ir.Constant(ir.VectorType(_INT32, LANES), mask) for mask in (upper, lower)]
            for i in range(LANES):
                if not i & size:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = (builder.shuffle_vector(*pair, m) for m in masks)
            size *= 2
        for vector in rows:
            place = _place(context, builder, signature.args[3], out, to, row.data)
            builder.store(vector, place, align=row.align)
            to = builder.add(to, out_apart)
        return context.get_dummy_value()

    i = types.intp
    return types.void(array, i, i, out, i, i), generate


def compiled(function: Callable) -> Callable:
    """Compile at the first call; keep the result for other processes, if there is a place."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:  # no folder of the cache can be written
        return njit(function, **options)


@compiled
def pack(images, lanes):
    """Put images (m, 28, 28), m <= LANES, into the middle of lanes (32, 32, LANES); flat."""
    m = len(images) // SIDES[0] ** 2
    for row in range(SIDES[0]):
        to = ((row + 2) * PADDED + 2) * LANES
        if m == LANES:
            for column in range(0, SIDES[0], LANES):
                column = min(column, SIDES[0] - LANES)
                at = row * SIDES[0] + column
                transpose(images, at, SIDES[0] ** 2, lanes, to + column * LANES, LANES)
        else:
            for i in range(m):
                for column in range(SIDES[0]):
                    at = (i * SIDES[0] + row) * SIDES[0] + column
                    lanes[to + column * LANES + i] = images[at]


@compiled
def unpack(lanes, out, size):
    """Put the first m of lanes (size, LANES) into out (m, size); flat."""
    m = len(out) // size
    if m == LANES:
        for first in range(0, size, LANES):
            first = min(first, size - LANES)
            transpose(lanes, first * LANES, LANES, out, first, size)
    else:
        for i in range(m):
            for j in range(size):
                out[i * size + j] = lanes[j * LANES + i]


@compiled
def convolve(x, side, weight, bias, out, who, apart, channel_apart):
    """Convolve, pool by 2 x 2, relu: x (side, side, channels, LANES), all flat.

    A channel of two at a time, and the four positions that are pooled: eight sums stay in
    registers. Channel c of the pooled position p is vector ``p * apart + c * channel_apart`` of
    out, and of who: where in its square the largest lay, 0 to 3, or 4 where relu gives 0.
    """
    channels = len(x) // (side * side * LANES)
    row_length = len(weight) // (len(bias) * KERNEL)
    pooled = (side - KERNEL + 1) // 2
    step = channels * LANES
    for row in range(pooled):
        for c in range(0, len(bias), 2):
            for column in range(pooled):
                a0 = a1 = a2 = a3 = fill(bias[c], LANES)
                b0 = b1 = b2 = b3 = fill(bias[c + 1], LANES)
                for kernel_row in range(KERNEL):
                    tap_a = (c * KERNEL + kernel_row) * row_length
                    tap_b = tap_a + KERNEL * row_length
                    upper = ((2 * row + kernel_row) * side + 2 * column) * step
                    lower = upper + side * step
                    for k in range(KERNEL * channels):
                        a = fill(weight[tap_a + k], LANES)
                        b = fill(weight[tap_b + k], LANES)
                        here = load(x, upper + k * LANES, LANES)
                        a0 = multiply_add(here, a, a0)
                        b0 = multiply_add(here, b, b0)
                        here = load(x, upper + k * LANES + step, LANES)
                        a1 = multiply_add(here, a, a1)
                        b1 = multiply_add(here, b, b1)
                        here = load(x, lower + k * LANES, LANES)
                        a2 = multiply_add(here, a, a2)
                        b2 = multiply_add(here, b, b2)
                        here = load(x, lower + k * LANES + step, LANES)
                        a3 = multiply_add(here, a, a3)
                        b3 = multiply_add(here, b, b3)
                to = ((row * pooled + column) * apart + c * channel_apart) * LANES
                best, place = largest(a0, a1, a2, a3)
                store(out, to, best)
                store(who, to, place)
                to += channel_apart * LANES
                best, place = largest(b0, b1, b2, b3)
                store(out, to, best)
                store(who, to, place)


@compiled
def nothing(numbers):
    """Return 0, or nan where one of so many times eight numbers is not finite; flat."""
    zero = found = fill(np.float32(0), 8)
    for k in range(0, len(numbers), 8):
        found = multiply_add(zero, load(numbers, k, 8), found)
    each = np.empty(8, np.float32)
    store(each, 0, found)
    return each.sum()


@compiled
def forward(images, weight1, bias1, weight2, bias2, out, who2, pooled, who1):
    """Put into out (n, 16, 5, 5) what becomes of images (n, 28, 28); flat.

    For `backward`, pooled (n, 14, 14, 6) is what the first pooling left; who1 and who2 say where
    the two poolings found it. Where they are empty, nothing is kept.
    """
    x = np.zeros(PADDED * PADDED * LANES, np.float32)
    h, h_who = np.empty(POOLED * LANES, np.float32), np.empty(POOLED * LANES, np.uint8)
    y, y_who = np.empty(FEATURES * LANES, np.float32), np.empty(FEATURES * LANES, np.uint8)
    size = SIDES[0] ** 2
    n = len(images) // size
    for i in range(0, n, LANES):
        end = min(i + LANES, n)
        pack(images[i * size : end * size], x)
        convolve(x, PADDED, weight1, bias1, h, h_who, CHANNELS[0], 1)
        convolve(h, SIDES[1], weight2, bias2, y, y_who, 1, SIDES[2] ** 2)
        unpack(y, out[i * FEATURES : end * FEATURES], FEATURES)
        if len(pooled):
            unpack(y_who, who2[i * FEATURES : end * FEATURES], FEATURES)
            unpack(h, pooled[i * POOLED : end * POOLED], POOLED)
            unpack(h_who, who1[i * POOLED : end * POOLED], POOLED)


@compiled
def backward(images, weight2, who2, pooled, who1, dy, dweight1, dbias1, dweight2, dbias2):
    """Add the gradients of all images to those of the parameters; dy (n, 16, 5, 5) is out's; flat.

    Sums are taken image by image, and then over the images. What is not finite shows, though it
    be visited nowhere: 0 * inf is nan in a sum over all positions, too.
    """
    dweight1 += nothing(images)
    nothing2 = nothing(weight2)
    width1, width2 = SIDES[1] * CHANNELS[0], SIDES[2]
    spare = ROWS[1] - KERNEL * CHANNELS[0]  # numbers that a row reads beyond its own
    x, dx = np.zeros(POOLED + spare, np.float32), np.zeros(POOLED + spare, np.float32)
    image = np.zeros(PADDED * PADDED + ROWS[0] - KERNEL, np.float32)
    at, value = np.empty(SIDES[1] ** 2, np.intp), np.empty(SIDES[1] ** 2, np.float32)
    beyond1 = np.array([0, 1, PADDED, PADDED + 1, 0])
    beyond2 = np.array([0, CHANNELS[0], width1, width1 + CHANNELS[0], 0])
    size = SIDES[0] ** 2
    for i in range(len(images) // size):
        x[:POOLED] = pooled[i * POOLED : (i + 1) * POOLED]
        dx[:] = nothing2
        for c in range(CHANNELS[1]):
            found, db = 0, np.float32(0)
            # Column by column: neighbours in the list do not touch the same numbers of dx.
            for column in range(width2):
                for row in range(width2):
                    o = (i * CHANNELS[1] + c) * width2 * width2 + row * width2 + column
                    at[found] = row * 2 * width1 + column * 2 * CHANNELS[0] + beyond2[who2[o]]
                    value[found] = dy[o]
                    if who2[o] < 4:
                        db += dy[o]
                        found += 1
            dbias2[c] += db
            for kernel_row in range(KERNEL):
                k = (c * KERNEL + kernel_row) * ROWS[1]
                w, dw = load(weight2, k, ROWS[1]), fill(np.float32(0), ROWS[1])
                for f in range(found):
                    v, j = fill(value[f], ROWS[1]), at[f] + kernel_row * width1
                    dw = multiply_add(v, load(x, j, ROWS[1]), dw)
                    store(dx, j, multiply_add(v, w, load(dx, j, ROWS[1])))
                one = fill(np.float32(1), ROWS[1])
                store(dweight2, k, multiply_add(one, dw, load(dweight2, k, ROWS[1])))
        for row in range(SIDES[0]):
            to, start = (row + 2) * PADDED + 2, i * size + row * SIDES[0]
            for column in range(SIDES[0]):
                image[to + column] = images[start + column]
        for c in range(CHANNELS[0]):
            found, db = 0, np.float32(0)
            for row in range(SIDES[1]):
                for column in range(SIDES[1]):
                    o = (row * SIDES[1] + column) * CHANNELS[0] + c
                    who = who1[i * POOLED + o]
                    at[found] = row * 2 * PADDED + column * 2 + beyond1[who]
                    value[found] = dx[o]
                    found += who < 4
            dw0 = dw1 = dw2 = dw3 = dw4 = fill(np.float32(0), ROWS[0])
            for f in range(found):
                v, j = fill(value[f], ROWS[0]), at[f]
                db += value[f]
                dw0 = multiply_add(v, load(image, j, ROWS[0]), dw0)
                dw1 = multiply_add(v, load(image, j + PADDED, ROWS[0]), dw1)
                dw2 = multiply_add(v, load(image, j + 2 * PADDED, ROWS[0]), dw2)
                dw3 = multiply_add(v, load(image, j + 3 * PADDED, ROWS[0]), dw3)
                dw4 = multiply_add(v, load(image, j + 4 * PADDED, ROWS[0]), dw4)
            dbias1[c] += db
            one, k = fill(np.float32(1), ROWS[0]), c * KERNEL * ROWS[0]
            for dw in (dw0, dw1, dw2, dw3, dw4):
                store(dweight1, k, multiply_add(one, dw, load(dweight1, k, ROWS[0])))
                k += ROWS[0]


def rows(weight: np.ndarray) -> np.ndarray:
    """Return the weight of a convolution, (out, in, 5, 5), as (out, 5, row) with zeros; flat."""
    used = KERNEL * weight.shape[1]
    found = np.zeros((len(weight), KERNEL, used + -used % ROWS[0]), np.float32)
    found[:, :, :used] = weight.transpose(0, 2, 3, 1).reshape(len(weight), KERNEL, used)
    return found.reshape(-1)


def from_rows(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array of that shape (out, in, 5, 5) whose `rows` these are."""
    out, channels = shape[:2]
    used = flat.reshape(out, KERNEL, -1)[:, :, : KERNEL * channels]
    return np.ascontiguousarray(used.reshape(out, KERNEL, KERNEL, channels).transpose(0, 3, 1, 2))
