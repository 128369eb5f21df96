"""Winograd's convolution F(4x4, 3x3): 36 multiplications per input and output channel for 16 outputs, instead of 144.

Four adjacent outputs of a kernel with three taps take 4 * 3 = 12 multiplications in the direct form. Seen as
polynomials, the six inputs, three weights and four outputs can be multiplied by evaluation at six points and
interpolation (Toom-Cook): transform the inputs (``BT``), transform the weights (``G``), multiply 6 by 6 numbers
elementwise, and apply the output transform (``AT``):

    y = AT [(G w) * (BT d)]            in one dimension
    Y = AT [(G w G^T) * (BT d B)] A    in two: a 6x6 input tile gives a 4x4 output tile

The transforms are mostly additions, and each result is used many times: an input tile for every filter, a kernel for
every tile. The products of all tiles, channels and filters are 36 matrix products, one for each point of the 6x6 grid:
``M[k] = V[k] U[k]``, where ``V[k]`` is (tiles, channels) and ``U[k]`` is (channels, filters).

Each step is linear, so the backward pass is its exact adjoint: the tiles of ``dy`` are transformed by ``A``,
``dV[k] = dM[k] U[k]^T`` and ``dU[k] = V[k]^T dM[k]`` are matrix products at the 36 points, and ``B`` and ``G^T`` lead
to the gradients of the input and of the weights.

The transforms work in the layout of `numpycnn.kernels.engine.blocks`: one instruction is one step of a transform for
all channels of a block. The matrix products are those of `numpycnn.kernels.engine.gemm`. On one core, a convolution of
64 to 64 channels does 85 to 106 billion multiply-adds a second of the direct form; NumPy's matrix product does 75.

References
----------
A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308, 2015.
S. Winograd, "Arithmetic complexity of computations", 1980.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.engine.blocks import blocks_of, copy_rows, from_channel_blocks, to_channel_blocks
from numpycnn.kernels.engine.gemm import weighted_sums
from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import REGISTER, load, store, zero
from numpycnn.kernels.winograd_transforms import all_moderate, load6, store6, times_a, times_at, times_b, times_bt


class Tiling(NamedTuple):
    """How an image is cut into tiles."""

    top: int  # rows of padding
    left: int  # columns of padding
    rows: int  # of tiles
    columns: int  # of tiles


class Scratch(NamedTuple):
    """Scratch memory, a row for each chunk. The planes start as zeros, which become the padding."""

    planes: np.ndarray  # a block of channels with its padding
    pixels: np.ndarray  # a block of channels
    lines: np.ndarray  # the same, channel after channel
    work: np.ndarray  # 36 vectors


# ----------------------------------------------------------------------------------------- transforms in two dimensions
# All tiles of one image, for one block of channels: first along the columns of a tile, into ``work`` (6x6 vectors),
# then along its rows. ``v`` and ``m`` hold the 36 matrices: element ``place`` is that of the block in the first tile,
# the next tile is ``pitch`` elements further, the next of the 36 points ``point`` elements.


@jit
def transform_input_tiles(plane, tiling, work, v, place, pitch, point):
    """V = BT d B. plane (4 rows + 2, 4 columns + 2) vectors."""
    step, one = REGISTER // v.itemsize, v.dtype.type(1)
    row = (4 * tiling.columns + 2) * step
    for p in range(tiling.rows * tiling.columns):
        corner, to = 4 * (p // tiling.columns * row + p % tiling.columns * step), place + p * pitch
        for j in range(6):
            a, b, c, d, e, f = load6(plane, corner + j * step, row)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(v, to + 6 * i * point, point, a, b, c, d, e, f)


@jit
def transform_input_tiles_backward(v, place, pitch, point, tiling, work, plane):
    """Add B v B^T to a plane of zeros, in which tiles overlap: the adjoint of ``transform_input_tiles``."""
    step, one = REGISTER // v.itemsize, v.dtype.type(1)
    row = (4 * tiling.columns + 2) * step
    for p in range(tiling.rows * tiling.columns):
        corner, at = 4 * (p // tiling.columns * row + p % tiling.columns * step), place + p * pitch
        for j in range(6):
            a, b, c, d, e, f = load6(v, at + j * point, 6 * point)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            a0, b0, c0, d0, e0, f0 = load6(plane, corner + i * row, step)
            store6(plane, corner + i * row, step, a + a0, b + b0, c + c0, d + d0, e + e0, f + f0)


@jit
def transform_output_tiles(m, place, pitch, point, tiling, bias, work, pixels, height, width):
    """Pixels = AT m A + bias. The last tiles reach beyond the edge of the image, and are cut off there."""
    step, one, shift = REGISTER // m.itemsize, m.dtype.type(1), load(bias, 0)
    for p in range(tiling.rows * tiling.columns):
        r, t, at = 4 * (p // tiling.columns), 4 * (p % tiling.columns), place + p * pitch
        for j in range(6):
            a, b, c, d, e, f = load6(m, at + j * point, 6 * point)
            a, b, c, d = times_at(one, a, b, c, d, e, f)
            store(work, j * step, a)
            store(work, (6 + j) * step, b)
            store(work, (12 + j) * step, c)
            store(work, (18 + j) * step, d)
        for i in range(min(4, height - r)):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d = times_at(one, a, b, c, d, e, f)
            to = ((r + i) * width + t) * step
            store(pixels, to, a + shift)
            if width - t > 1:
                store(pixels, to + step, b + shift)
            if width - t > 2:
                store(pixels, to + 2 * step, c + shift)
            if width - t > 3:
                store(pixels, to + 3 * step, d + shift)


@jit
def transform_output_tiles_backward(plane, tiling, work, m, place, pitch, point):
    """M = A dy AT: the adjoint of ``transform_output_tiles``. plane (4 rows, 4 columns) vectors."""
    step, one = REGISTER // m.itemsize, m.dtype.type(1)
    row = 4 * tiling.columns * step
    for p in range(tiling.rows * tiling.columns):
        corner, to = 4 * (p // tiling.columns * row + p % tiling.columns * step), place + p * pitch
        for j in range(4):
            at = corner + j * step
            a, b, c, d = load(plane, at), load(plane, at + row), load(plane, at + 2 * row), load(plane, at + 3 * row)
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(m, to + 6 * i * point, point, a, b, c, d, e, f)


# ------------------------------------------------------------------------------------------------ the steps, one by one
# Threads share the blocks of the input, then the 36 points, then the blocks of the output, where a block is as many
# channels of an image as a register holds. Nothing is summed over threads. ``v`` (36, at least tiles * pitch) is a row
# of channels for each tile, image after image; ``m`` a row of filters.


@jit
def input_transform(chunk, start, stop, x, tiling, pitch, scratch, v, moderate):
    """Apply the input transform to blocks start to stop. x (N, C, H, W).

    Clears ``moderate[chunk]`` if `all_moderate` is false for a block.
    """
    _, channels, height, width = x.shape
    step, size, flat = REGISTER // x.itemsize, height * width, x.reshape(-1)
    blocks, numbers, point = -(-channels // step), v.reshape(-1), v.shape[1]
    plane, pixels, row = scratch.planes[chunk], scratch.pixels[chunk], (4 * tiling.columns + 2) * step
    inside, ok = tiling.top * row + tiling.left * step, True
    for block in range(start, stop):
        n, c = block // blocks, block % blocks * step
        to_channel_blocks(flat, (n * channels + c) * size, min(step, channels - c), size, scratch.lines[chunk], pixels)
        ok &= all_moderate(pixels[: size * step])
        copy_rows(height, width * step, pixels, width * step, plane[inside:], row)
        place = n * tiling.rows * tiling.columns * pitch + c
        transform_input_tiles(plane, tiling, scratch.work[chunk], numbers, place, pitch, point)
    moderate[chunk] &= ok


@jit
def multiply_points(chunk, start, stop, v, u, channels, filters, count, pitches, m):
    """m[k] = v[k] u[k] for the points start to stop and ``count`` tiles."""
    rows, (pitch_v, pitch_m) = -(-count // 4) * 4, pitches
    offsets, zeros = np.arange(channels) * pitch_m, np.zeros(rows, v.dtype)
    for k in range(start, stop):
        v[k, count * pitch_v : rows * pitch_v] = 0  # the tile of the micro-kernel has four rows
        left = v[k, : rows * pitch_v].reshape(rows, pitch_v)[:, :channels]
        sums = m[k, : rows * pitch_m].reshape(rows, pitch_m)
        weighted_sums(u[k], offsets, left, zeros, filters, sums)


@jit
def output_transform(chunk, start, stop, m, pitch, bias, tiling, scratch, y):
    """Apply the output transform to blocks start to stop. bias (F, padded to whole vectors), y (N, F, OH, OW)."""
    _, filters, height, width = y.shape
    step, size, flat = REGISTER // y.itemsize, height * width, y.reshape(-1)
    blocks, numbers, point = -(-filters // step), m.reshape(-1), m.shape[1]
    pixels, work, lines = scratch.pixels[chunk], scratch.work[chunk], scratch.lines[chunk]
    for block in range(start, stop):
        n, f = block // blocks, block % blocks * step
        place = n * tiling.rows * tiling.columns * pitch + f
        transform_output_tiles(numbers, place, pitch, point, tiling, bias[f:], work, pixels, height, width)
        from_channel_blocks(pixels, min(step, filters - f), size, lines, flat, (n * filters + f) * size)


@jit
def output_transform_backward(chunk, start, stop, dy, tiling, pitch, scratch, m, dbias, moderate):
    """Transform dy (N, F, OH, OW): the adjoint of ``output_transform``. dbias (N, F, padded to whole vectors).

    Clears ``moderate[chunk]`` if `all_moderate` is false for a block.
    """
    _, filters, height, width = dy.shape
    step, size, flat = REGISTER // dy.itemsize, height * width, dy.reshape(-1)
    blocks, numbers, point, ok = -(-filters // step), m.reshape(-1), m.shape[1], True
    plane, pixels, row = scratch.planes[chunk], scratch.pixels[chunk], 4 * tiling.columns * step
    for block in range(start, stop):
        n, f = block // blocks, block % blocks * step
        to_channel_blocks(flat, (n * filters + f) * size, min(step, filters - f), size, scratch.lines[chunk], pixels)
        ok &= all_moderate(pixels[: size * step])
        total = zero(m)
        for h in range(height):  # a partial sum for each row, which is more accurate
            part = zero(m)
            for s in range(h * width, (h + 1) * width):
                part += load(pixels, s * step)
            total += part
        store(dbias[n], f, total)
        copy_rows(height, width * step, pixels, width * step, plane, row)
        place = n * tiling.rows * tiling.columns * pitch + f
        transform_output_tiles_backward(plane, tiling, scratch.work[chunk], numbers, place, pitch, point)
    moderate[chunk] &= ok


@jit
def multiply_points_backward(chunk, start, stop, m, u, channels, filters, count, pitches, accumulate, v, du):
    """du[k] = m[k]^T v[k], added to du[k] if ``accumulate``, and then v[k] = m[k] u[k], for the points start to stop.

    u is (filters, channels) here; du has a row for each filter, padded to a multiple of 4.
    """
    rows, height, (pitch_v, pitch_m) = -(-count // 4) * 4, -(-filters // 4) * 4, pitches
    tile_rows, filter_rows = np.arange(count) * pitch_v, np.arange(filters) * pitch_v
    zeros = np.zeros(max(rows, height), v.dtype)
    for k in range(start, stop):
        m[k, count * pitch_m : rows * pitch_m] = 0
        gradient = m[k, : rows * pitch_m].reshape(rows, pitch_m)
        products = du[k, : height * pitch_v].reshape(height, pitch_v)
        transposed = gradient[:count, :height].T
        weighted_sums(v[k], tile_rows, transposed, zeros[: 0 if accumulate else height], channels, products)
        sums = v[k, : rows * pitch_v].reshape(rows, pitch_v)
        weighted_sums(u[k], filter_rows, gradient[:, :filters], zeros, channels, sums)


@jit
def input_transform_backward(chunk, start, stop, v, pitch, tiling, scratch, dx):
    """Write blocks start to stop of dx (N, C, H, W): the adjoint of ``input_transform``."""
    _, channels, height, width = dx.shape
    step, size, flat = REGISTER // dx.itemsize, height * width, dx.reshape(-1)
    blocks, numbers, point = -(-channels // step), v.reshape(-1), v.shape[1]
    row = (4 * tiling.columns + 2) * step
    plane, pixels = scratch.planes[chunk, : (4 * tiling.rows + 2) * row], scratch.pixels[chunk]
    lines = scratch.lines[chunk]
    inside = tiling.top * row + tiling.left * step
    for block in range(start, stop):
        n, c = block // blocks, block % blocks * step
        plane[:] = 0
        place = n * tiling.rows * tiling.columns * pitch + c
        transform_input_tiles_backward(numbers, place, pitch, point, tiling, scratch.work[chunk], plane)
        copy_rows(height, width * step, plane[inside:], row, pixels, width * step)
        from_channel_blocks(pixels, min(step, channels - c), size, lines, flat, (n * channels + c) * size)


# ----------------------------------------------------------------------------------------------------- all steps in one
# Where the transformed weights fit in a core's cache, each thread does all steps for images of its own, in groups small
# enough that their tiles stay in the cache as well. ``v``, ``m`` and ``du`` have a part for each chunk then, and the
# parts of ``du`` are added at the end: the same number of threads gives the same bits. ``points`` is (0, 36): constants
# in its place are other types for numba, which would compile each step a second time.


@jit
def convolve_images(chunk, start, stop, x, u, bias, tiling, pitches, points, group, scratch, v, m, moderate, y):
    """Convolve the images start to stop, ``group`` at a time."""
    channels, filters, size = x.shape[1], y.shape[1], tiling.rows * tiling.columns
    inputs, outputs, (begin, end) = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize), points
    for first in range(start, stop, group):
        n = min(group, stop - first)
        images, results = x[first : first + n], y[first : first + n]
        input_transform(chunk, begin, n * inputs, images, tiling, pitches[0], scratch, v[chunk], moderate)
        multiply_points(chunk, begin, end, v[chunk], u, channels, filters, n * size, pitches, m[chunk])
        output_transform(chunk, begin, n * outputs, m[chunk], pitches[1], bias, tiling, scratch, results)


@jit
def convolve_images_backward(
    chunk, start, stop, dy, x, u, tiling, pitches, points, group, scratch, v, m, moderate, du, dbias, dx
):
    """Do all backward steps for the images start to stop, with scratch for each step that has a plane."""
    channels, filters, size = x.shape[1], dy.shape[1], tiling.rows * tiling.columns
    inputs, outputs, (begin, end) = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize), points
    own_v, own_m, own_du, (pitch_v, pitch_m) = v[chunk], m[chunk], du[chunk], pitches
    scratch_x, scratch_dy, scratch_dx = scratch
    for first in range(start, stop, group):
        n, accumulate = min(group, stop - first), first > start
        some = slice(first, first + n)
        input_transform(chunk, begin, n * inputs, x[some], tiling, pitch_v, scratch_x, own_v, moderate)
        output_transform_backward(
            chunk, begin, n * outputs, dy[some], tiling, pitch_m, scratch_dy, own_m, dbias[some], moderate
        )
        multiply_points_backward(
            chunk, begin, end, own_m, u, channels, filters, n * size, pitches, accumulate, own_v, own_du
        )
        input_transform_backward(chunk, begin, n * inputs, own_v, pitch_v, tiling, scratch_dx, dx[some])
