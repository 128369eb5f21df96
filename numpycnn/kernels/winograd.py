"""Winograd's convolution with 3x3 kernels: 36 multiplications for what takes 144.

Four neighbouring outputs of a kernel with three taps need 4 * 3 = 12 multiplications, if done as written. But the six
inputs, the three weights and the four outputs can be seen as polynomials and multiplied at six points instead, as one
multiplies large numbers by way of remainders: transform the inputs (`BT`), transform the weights (`G`), multiply 6
numbers by 6 numbers, and transform back (`AT`):

    y = AT [(G w) * (BT d)]            in one dimension, with * element by element
    Y = AT [(G w G^T) * (BT d B)] A    in two: a 6x6 patch of the input gives a 4x4 patch of the output

The transforms are additions mostly, and each is used many times: an input patch for every filter, a kernel for every
patch. The products of all patches, channels and filters together are 36 matrix products, one for each of the 6x6
points: ``M[k] = V[k] U[k]``, where ``V[k]`` has a row for each patch, and ``U[k]`` is (channels, filters).

The way back is the same in the other direction, since each step is linear: the patches of ``dy`` are transformed by
``A``, ``dV[k] = dM[k] U[k]^T`` and ``dU[k] = V[k]^T dM[k]`` are again products at 36 points, and ``B`` and ``G^T`` lead
back to the input and to the weights. It is the exact adjoint of the way there.

The transforms work on vectors of channels, see `numpycnn.kernels.blocks`: one instruction does a step of a transform
for all channels of a block, however small the picture is. The 36 products are those of `numpycnn.kernels.products`.

Sources: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308; S. Winograd,
"Arithmetic complexity of computations", 1980.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn.kernels.blocks import apart, beside, blocks_of, copy_rows
from numpycnn.kernels.jit import jit
from numpycnn.kernels.products import weighted_sums
from numpycnn.kernels.vectors import REGISTER, load, store, zero
from numpycnn.kernels.winograd_transforms import (
    AT,
    BT,
    all_moderate,
    all_moderate_reference,
    load6,
    matrices,
    store6,
    times_a,
    times_at,
    times_b,
    times_bt,
)


class Patches(NamedTuple):
    """How pictures are cut into patches."""

    top: int  # rows of padding
    left: int  # columns of padding
    down: int  # patches below each other
    across: int  # patches beside each other


class Scratch(NamedTuple):
    """Working memory, a row for each chunk; only the planes must begin as zeros."""

    planes: np.ndarray  # a block of channels with the padding around it
    pixels: np.ndarray  # one without
    lines: np.ndarray  # its channels one behind the other
    work: np.ndarray  # 36 vectors


# ------------------------------------------------------------------------------ the plain version, to read and check
#
# ``v`` holds the 36 numbers of each patch and channel: 36 matrices with a row for each patch, image after image, and a
# column for each channel; ``m`` likewise those of each filter. How far apart their rows are, ``pitch``, is told in
# `numpycnn.kernels.winograd_transforms`. A chunk has the blocks ``start`` to ``stop``, each of an image and as many of
# its channels as a register holds. Scratch is of no interest here.


def in_chunk(start: int, stop: int, x: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Yield image and channels of each block of a chunk."""
    blocks, lanes = blocks_of(x.shape[1], x.itemsize), REGISTER // x.itemsize
    for block in range(start, stop):
        first = block % blocks * lanes
        yield block // blocks, slice(first, min(first + lanes, x.shape[1]))


def overlapping_patches(image: np.ndarray, patches: Patches) -> np.ndarray:
    """Return the 6x6 patches of one image (C, H, W), which overlap by 2, (C, down, across, 6, 6)."""
    channels, height, width = image.shape
    padded = np.zeros((channels, 4 * patches.down + 2, 4 * patches.across + 2), image.dtype)
    rows, columns = (min(height, padded.shape[1] - patches.top), min(width, padded.shape[2] - patches.left))
    inside = image[:, :rows, :columns]
    padded[:, patches.top : patches.top + rows, patches.left : patches.left + columns] = inside
    return np.lib.stride_tricks.sliding_window_view(padded, (6, 6), axis=(1, 2))[:, ::4, ::4]


def of_patches(v: np.ndarray, pitch: int, n: int, channels: slice, patches: Patches) -> np.ndarray:
    """Return a view of the numbers of the patches of some channels of one image, (6, 6, down, across, C)."""
    size = patches.down * patches.across
    rows = v[:, n * size * pitch : (n + 1) * size * pitch].reshape(6, 6, patches.down, patches.across, pitch)
    return rows[..., channels]


def see_images_reference(chunk, start, stop, x, patches, pitch, scratch, v, moderate):
    for n, channels in in_chunk(start, stop, x):
        seen = BT @ overlapping_patches(x[n, channels], patches) @ BT.T  # (C, down, across, 6, 6)
        of_patches(v, pitch, n, channels, patches)[:] = seen.transpose(3, 4, 1, 2, 0)
        moderate[chunk] &= all_moderate_reference(x[n, channels])


def multiply_points_reference(chunk, start, stop, v, u, channels, filters, count, pitches, m):
    rows, many = -(-count // 4) * 4, slice(start, stop)
    seen = matrices(v, rows, pitches[0])[many, :count, :channels]
    weights = matrices(u, channels, pitches[1])[many, :, :filters]
    matrices(m, rows, pitches[1])[many, :count, :filters] = seen @ weights


def answer_images_reference(chunk, start, stop, m, pitch, bias, patches, scratch, y):
    for n, filters in in_chunk(start, stop, y):
        tiles = AT @ of_patches(m, pitch, n, filters, patches).transpose(2, 3, 4, 0, 1) @ AT.T
        whole = tiles.transpose(2, 0, 3, 1, 4).reshape(-1, 4 * patches.down, 4 * patches.across)  # (F, OH, OW)
        y[n, filters] = whole[:, : y.shape[2], : y.shape[3]] + bias[filters, None, None]


def answer_images_backward_reference(chunk, start, stop, dy, patches, pitch, scratch, m, dbias, moderate):
    for n, filters in in_chunk(start, stop, dy):
        gradient = dy[n, filters]
        whole = np.zeros((len(gradient), 4 * patches.down, 4 * patches.across), dy.dtype)
        whole[:, : dy.shape[2], : dy.shape[3]] = gradient
        tiles = whole.reshape(len(whole), patches.down, 4, patches.across, 4).transpose(0, 1, 3, 2, 4)
        of_patches(m, pitch, n, filters, patches)[:] = (AT.T @ tiles @ AT).transpose(3, 4, 1, 2, 0)
        dbias[n, filters] = gradient.sum(axis=(1, 2))
        moderate[chunk] &= all_moderate_reference(gradient)


def multiply_points_backward_reference(chunk, start, stop, m, u, channels, filters, count, pitches, more, v, du):
    rows, many = -(-count // 4) * 4, slice(start, stop)
    gradient = matrices(m, rows, pitches[1])[many, :count, :filters]
    weights = matrices(u, filters, pitches[0])[many, :, :channels]
    seen = matrices(v, rows, pitches[0])[many, :count, :channels]
    gradients = matrices(du, filters, pitches[0])[many, :, :channels]
    gradients[:] = gradient.swapaxes(1, 2) @ seen + (gradients if more else 0)
    seen[:] = gradient @ weights


def see_images_backward_reference(chunk, start, stop, v, pitch, patches, scratch, dx):
    height, width = dx.shape[2:]
    for n, channels in in_chunk(start, stop, dx):
        back = BT.T @ of_patches(v, pitch, n, channels, patches).transpose(4, 2, 3, 0, 1) @ BT
        padded = np.zeros((len(back), 4 * patches.down + 2, 4 * patches.across + 2), dx.dtype)
        for r in range(patches.down):
            for t in range(patches.across):
                padded[:, 4 * r : 4 * r + 6, 4 * t : 4 * t + 6] += back[:, r, t]
        inside = padded[:, patches.top :, patches.left :][:, :height, :width]
        dx[n, channels] = 0
        dx[n, channels, : inside.shape[1], : inside.shape[2]] = inside


def convolve_images_reference(
    chunk, start, stop, x, u, bias, patches, pitches, points, together, scratch, v, m, moderate, y
):
    channels, filters, size = x.shape[1], y.shape[1], patches.down * patches.across
    inputs, outputs, v, m = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize), v[chunk], m[chunk]
    for first in range(start, stop, together):
        n = min(together, stop - first)
        some = slice(first, first + n)
        see_images_reference(chunk, points[0], n * inputs, x[some], patches, pitches[0], scratch, v, moderate)
        multiply_points_reference(chunk, *points, v, u, channels, filters, n * size, pitches, m)
        answer_images_reference(chunk, points[0], n * outputs, m, pitches[1], bias, patches, scratch, y[some])


def convolve_images_backward_reference(
    chunk, start, stop, dy, x, u, patches, pitches, points, together, of_x, of_dy, of_dx, v, m, moderate, du, dbias, dx
):
    channels, filters, size = x.shape[1], dy.shape[1], patches.down * patches.across
    inputs, outputs = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize)
    v, m, du, (to_v, to_m) = v[chunk], m[chunk], du[chunk], pitches
    for first in range(start, stop, together):
        n, more = min(together, stop - first), first > start
        some = slice(first, first + n)
        see_images_reference(chunk, points[0], n * inputs, x[some], patches, to_v, of_x, v, moderate)
        answer_images_backward_reference(
            chunk, points[0], n * outputs, dy[some], patches, to_m, of_dy, m, dbias[some], moderate
        )
        multiply_points_backward_reference(chunk, *points, m, u, channels, filters, n * size, pitches, more, v, du)
        see_images_backward_reference(chunk, points[0], n * inputs, v, to_v, patches, of_dx, dx[some])


# ----------------------------------------------------------------------------------------- transforms in two dimensions
# Of a block of channels, all patches of one image. First along the columns of a patch, then along its rows; ``work``
# (6 rows of 6 vectors) keeps what is between. ``place`` is where the block's numbers of the first patch stand; from
# there ``pitch`` leads to the next patch, and ``point`` to the next of the 36 numbers.


@jit
def see(plane, patches, work, v, place, pitch, point):
    """V = BT d B. plane (4 down + 2, 4 across + 2) vectors."""
    step, one = REGISTER // v.itemsize, v.dtype.type(1)
    row = (4 * patches.across + 2) * step
    for p in range(patches.down * patches.across):
        patch, to = 4 * (p // patches.across * row + p % patches.across * step), place + p * pitch
        for j in range(6):
            a, b, c, d, e, f = load6(plane, patch + j * step, row)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(v, to + 6 * i * point, point, a, b, c, d, e, f)


@jit
def see_backward(v, place, pitch, point, patches, work, plane):
    """Add B v B^T to a plane of zeros, where patches overlap: the adjoint of ``see``."""
    step, one = REGISTER // v.itemsize, v.dtype.type(1)
    row = (4 * patches.across + 2) * step
    for p in range(patches.down * patches.across):
        patch, at = 4 * (p // patches.across * row + p % patches.across * step), place + p * pitch
        for j in range(6):
            a, b, c, d, e, f = load6(v, at + j * point, 6 * point)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            a0, b0, c0, d0, e0, f0 = load6(plane, patch + i * row, step)
            store6(plane, patch + i * row, step, a + a0, b + b0, c + c0, d + d0, e + e0, f + f0)


@jit
def answer(m, place, pitch, point, patches, bias, work, pixels, height, width):
    """Pixels = AT m A + bias, as far as there are any: the last patches reach over the edge."""
    step, one, shift = REGISTER // m.itemsize, m.dtype.type(1), load(bias, 0)
    for p in range(patches.down * patches.across):
        r, t, at = 4 * (p // patches.across), 4 * (p % patches.across), place + p * pitch
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
def answer_backward(plane, patches, work, m, place, pitch, point):
    """M = A dy AT: the adjoint of ``answer``. plane (4 down, 4 across) vectors."""
    step, one = REGISTER // m.itemsize, m.dtype.type(1)
    row = 4 * patches.across * step
    for p in range(patches.down * patches.across):
        patch, to = 4 * (p // patches.across * row + p % patches.across * step), place + p * pitch
        for j in range(4):
            at = patch + j * step
            a, b, c, d = load(plane, at), load(plane, at + row), load(plane, at + 2 * row), load(plane, at + 3 * row)
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(m, to + 6 * i * point, point, a, b, c, d, e, f)


# ------------------------------------------------------------------------------------------------ the steps of the way
# Threads share the blocks, then the 36 points, then the blocks of the output. Nothing is summed over threads.


@jit
def see_images(chunk, start, stop, x, patches, pitch, scratch, v, moderate):
    """Transform the patches of the blocks start to stop. x (N, C, H, W)."""
    _, channels, height, width = x.shape
    step, size, flat = REGISTER // x.itemsize, height * width, x.reshape(-1)
    blocks, numbers, point = -(-channels // step), v.reshape(-1), v.shape[1]
    plane, pixels, row = scratch.planes[chunk], scratch.pixels[chunk], (4 * patches.across + 2) * step
    inside, fine = patches.top * row + patches.left * step, True
    for block in range(start, stop):
        n, c = block // blocks, block % blocks * step
        beside(flat, (n * channels + c) * size, min(step, channels - c), size, scratch.lines[chunk], pixels)
        fine &= all_moderate(pixels[: size * step])
        copy_rows(height, width * step, pixels, width * step, plane[inside:], row)
        place = n * patches.down * patches.across * pitch + c
        see(plane, patches, scratch.work[chunk], numbers, place, pitch, point)
    moderate[chunk] &= fine


@jit
def multiply_points(chunk, start, stop, v, u, channels, filters, count, pitches, m):
    """m[k] = v[k] u[k] for the points start to stop and ``count`` patches."""
    rows, (of_v, of_m) = -(-count // 4) * 4, pitches
    offsets, nothing = np.arange(channels) * of_m, np.zeros(rows, v.dtype)
    for k in range(start, stop):
        v[k, count * of_v : rows * of_v] = 0  # as in `empty_at_points`
        seen = v[k, : rows * of_v].reshape(rows, of_v)[:, :channels]
        sums = m[k, : rows * of_m].reshape(rows, of_m)
        weighted_sums(u[k], offsets, seen, nothing, filters, sums)


@jit
def answer_images(chunk, start, stop, m, pitch, bias, patches, scratch, y):
    """Transform back what the filters answered. bias, with room for whole vectors; y (N, F, OH, OW)."""
    _, filters, height, width = y.shape
    step, size, flat = REGISTER // y.itemsize, height * width, y.reshape(-1)
    blocks, numbers, point, pixels = -(-filters // step), m.reshape(-1), m.shape[1], scratch.pixels[chunk]
    for block in range(start, stop):
        n, f = block // blocks, block % blocks * step
        place = n * patches.down * patches.across * pitch + f
        answer(numbers, place, pitch, point, patches, bias[f:], scratch.work[chunk], pixels, height, width)
        apart(pixels, min(step, filters - f), size, scratch.lines[chunk], flat, (n * filters + f) * size)


@jit
def answer_images_backward(chunk, start, stop, dy, patches, pitch, scratch, m, dbias, moderate):
    """Transform the gradients: the adjoint of ``answer_images``. dbias (N, F, rounded up to whole vectors)."""
    _, filters, height, width = dy.shape
    step, size, flat = REGISTER // dy.itemsize, height * width, dy.reshape(-1)
    blocks, numbers, point, fine = -(-filters // step), m.reshape(-1), m.shape[1], True
    plane, pixels, row = scratch.planes[chunk], scratch.pixels[chunk], 4 * patches.across * step
    for block in range(start, stop):
        n, f = block // blocks, block % blocks * step
        beside(flat, (n * filters + f) * size, min(step, filters - f), size, scratch.lines[chunk], pixels)
        fine &= all_moderate(pixels[: size * step])
        total = zero(m)
        for h in range(height):  # each row by itself, which keeps digits
            part = zero(m)
            for s in range(h * width, (h + 1) * width):
                part += load(pixels, s * step)
            total += part
        store(dbias[n], f, total)
        copy_rows(height, width * step, pixels, width * step, plane, row)
        place = n * patches.down * patches.across * pitch + f
        answer_backward(plane, patches, scratch.work[chunk], numbers, place, pitch, point)
    moderate[chunk] &= fine


@jit
def multiply_points_backward(chunk, start, stop, m, u, channels, filters, count, pitches, more, v, du):
    """du[k] = m[k]^T v[k], added to what is there if there is ``more``, and then v[k] = m[k] u[k].

    For the points start to stop. u is that of swapped weights; du has as many rows as there are filters, rounded up to
    4.
    """
    rows, height, (of_v, of_m) = -(-count // 4) * 4, -(-filters // 4) * 4, pitches
    patches, lines = np.arange(count) * of_v, np.arange(filters) * of_v
    nothing = np.zeros(max(rows, height), v.dtype)
    for k in range(start, stop):
        m[k, count * of_m : rows * of_m] = 0
        gradient = m[k, : rows * of_m].reshape(rows, of_m)
        products = du[k, : height * of_v].reshape(height, of_v)
        transposed = gradient[:count, :height].T
        weighted_sums(v[k], patches, transposed, nothing[: 0 if more else height], channels, products)
        sums = v[k, : rows * of_v].reshape(rows, of_v)
        weighted_sums(u[k], lines, gradient[:, :filters], nothing, channels, sums)


@jit
def see_images_backward(chunk, start, stop, v, pitch, patches, scratch, dx):
    """Transform the gradients of the blocks start to stop back: the adjoint of ``see_images``. dx (N, C, H, W)."""
    _, channels, height, width = dx.shape
    step, size, flat = REGISTER // dx.itemsize, height * width, dx.reshape(-1)
    blocks, numbers, point = -(-channels // step), v.reshape(-1), v.shape[1]
    row = (4 * patches.across + 2) * step
    plane, pixels = scratch.planes[chunk, : (4 * patches.down + 2) * row], scratch.pixels[chunk]
    inside = patches.top * row + patches.left * step
    for block in range(start, stop):
        n, c = block // blocks, block % blocks * step
        plane[:] = 0
        place = n * patches.down * patches.across * pitch + c
        see_backward(numbers, place, pitch, point, patches, scratch.work[chunk], plane)
        copy_rows(height, width * step, plane[inside:], row, pixels, width * step)
        apart(pixels, min(step, channels - c), size, scratch.lines[chunk], flat, (n * channels + c) * size)


# ----------------------------------------------------------------------------------------------- the whole way at once
# Where the numbers of all kernels fit into the cache of a processor, each thread goes the whole way with images of its
# own, so few at a time that their numbers fit in as well. ``v``, ``m`` and ``du`` have a part for each chunk then, and
# the parts of ``du`` are added up at the end: the same number of threads gives the same bits. ``points`` is (0, 36); a
# plain number would be another type, and numba would compile each step for it once more.


@jit
def convolve_images(chunk, start, stop, x, u, bias, patches, pitches, points, together, scratch, v, m, moderate, y):
    """Convolve the images start to stop, ``together`` at a time."""
    channels, filters, size = x.shape[1], y.shape[1], patches.down * patches.across
    inputs, outputs, (begin, end) = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize), points
    for first in range(start, stop, together):
        n = min(together, stop - first)
        images, answers = x[first : first + n], y[first : first + n]
        see_images(chunk, begin, n * inputs, images, patches, pitches[0], scratch, v[chunk], moderate)
        multiply_points(chunk, begin, end, v[chunk], u, channels, filters, n * size, pitches, m[chunk])
        answer_images(chunk, begin, n * outputs, m[chunk], pitches[1], bias, patches, scratch, answers)


@jit
def convolve_images_backward(
    chunk, start, stop, dy, x, u, patches, pitches, points, together, of_x, of_dy, of_dx, v, m, moderate, du, dbias, dx
):
    """Do the way back for the images start to stop, with scratch for each of the steps that have a plane."""
    channels, filters, size = x.shape[1], dy.shape[1], patches.down * patches.across
    inputs, outputs, (begin, end) = blocks_of(channels, x.itemsize), blocks_of(filters, x.itemsize), points
    own_v, own_m, own_du, (to_v, to_m) = v[chunk], m[chunk], du[chunk], pitches
    for first in range(start, stop, together):
        n, more = min(together, stop - first), first > start
        some = slice(first, first + n)
        see_images(chunk, begin, n * inputs, x[some], patches, to_v, of_x, own_v, moderate)
        answer_images_backward(chunk, begin, n * outputs, dy[some], patches, to_m, of_dy, own_m, dbias[some], moderate)
        multiply_points_backward(chunk, begin, end, own_m, u, channels, filters, n * size, pitches, more, own_v, own_du)
        see_images_backward(chunk, begin, n * inputs, own_v, to_v, patches, of_dx, dx[some])
