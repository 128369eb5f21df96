"""Winograd's convolution with 3x3 kernels: 36 multiplications for what takes 144.

Four neighbouring outputs of a kernel with three taps need 4 * 3 = 12 multiplications, if done as written. But the six
inputs, the three weights and the four outputs can be seen as polynomials and multiplied at six points instead, as one
multiplies large numbers by way of remainders: transform the inputs (`BT`), transform the weights (`G`), multiply 6
numbers by 6 numbers, and transform back (`AT`):

    y = AT [(G w) * (BT d)]            in one dimension, with * element by element
    Y = AT [(G w G^T) * (BT d B)] A    in two: a 6x6 patch of the input gives a 4x4 patch of the output

The transforms are additions mostly, and each is used many times: an input patch for every filter, a kernel for every
patch. The products of all patches, channels and filters together are 36 matrix products, ``M[k] = U[k] V[k]``, one for
each of the 6x6 points.

The way back is the same in the other direction, since each step is linear: the patches of ``dy`` are transformed by
``A``, ``dV[k] = U[k]^T dM[k]`` and ``dU[k] = dM[k] V[k]^T`` are again products at 36 points, and ``B`` and ``G^T`` lead
back to the input and to the weights. It is the exact adjoint of the way there.

The transforms work on vectors of patches. The rows of a picture are dealt out like cards, so that what stands in column
``j`` of each 6x6 patch lies side by side, patch after patch; then one instruction does a step of the transform for as
many patches as a register holds, and the transforms take less time than the dealing. The 36 products are those of
`numpycnn.kernels.products`.

Sources: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308; S. Winograd,
"Arithmetic complexity of computations", 1980.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.products import scalar_products, weighted_sums
from numpycnn.kernels.vectors import REGISTER, load, load_dealt, store, store_collected, zero
from numpycnn.kernels.winograd_transforms import (
    AT,
    BT,
    fours,
    load6,
    matrices,
    odd_pitch,
    store6,
    times_a,
    times_at,
    times_b,
    times_bt,
    whole_vectors,
)


class Patches(NamedTuple):
    """How a picture is cut into patches, and how the numbers of all patches are kept."""

    top: int  # rows of padding
    left: int  # columns of padding
    down: int  # patches below each other
    across: int  # patches beside each other
    pitch: int  # from one channel to the next, in numbers


def cut(output: tuple[int, int], top: int, left: int, images: int, lanes: int) -> Patches:
    """Return the patches for an output of some size, where so many images are worked on at a time.

    ``pitch`` has room for what a last vector writes behind the patches, of up to 16 numbers.
    """
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    room = -(-(down * across * images + 16) // lanes) * lanes
    return Patches(top, left, down, across, odd_pitch(room))


# ------------------------------------------------------------------------------ the plain version, to read and check
#
# ``v`` holds the 36 numbers of each patch of each channel, (36, C * pitch + room), ``m`` those of each filter. A
# channel has the patches of all images side by side. Scratch is of no interest here.


def overlapping_patches(image: np.ndarray, patches: Patches) -> np.ndarray:
    """Return the 6x6 patches of one image (C, H, W), which overlap by 2, (C, down, across, 6, 6)."""
    channels, height, width = image.shape
    padded = np.zeros((channels, 4 * patches.down + 2, 4 * patches.across + 2), image.dtype)
    rows, columns = (min(height, padded.shape[1] - patches.top), min(width, padded.shape[2] - patches.left))
    inside = image[:, :rows, :columns]
    padded[:, patches.top : patches.top + rows, patches.left : patches.left + columns] = inside
    return np.lib.stride_tricks.sliding_window_view(padded, (6, 6), axis=(1, 2))[:, ::4, ::4]


def of_patches(v: np.ndarray, channels: int, patches: Patches, images: int) -> np.ndarray:
    """Return a view of the numbers of all patches, (6, 6, C, N, down, across)."""
    lines = v[:, : channels * patches.pitch].reshape(36, channels, patches.pitch)
    size = patches.down * patches.across
    return lines[:, :, : images * size].reshape(6, 6, channels, images, patches.down, patches.across)


def see_images_reference(chunk, start, stop, x, patches, planes, lines, work, v):
    for n in range(len(x)):
        seen = BT @ overlapping_patches(x[n, start:stop], patches) @ BT.T  # (C, down, across, 6, 6)
        of_patches(v, x.shape[1], patches, len(x))[:, :, start:stop, n] = seen.transpose(3, 4, 0, 1, 2)


def multiply_points_reference(chunk, start, stop, v, u, channels, filters, count, patches, m):
    pitch, weights = patches.pitch, fours(u, filters, channels)  # (36, F/4, 4, C)
    for k in range(start, stop):
        seen = v[k, : channels * pitch].reshape(channels, pitch)[:, :count]
        points = weights[k].reshape(-1, channels)[:filters]
        m[k, : filters * pitch].reshape(filters, pitch)[:, :count] = points @ seen


def answer_images_reference(chunk, start, stop, m, bias, patches, lines, work, y):
    for n in range(len(y)):
        answers = of_patches(m, y.shape[1], patches, len(y))[:, :, start:stop, n].transpose(2, 3, 4, 0, 1)
        tiles = AT @ answers @ AT.T  # (F, down, across, 4, 4)
        whole = tiles.transpose(0, 1, 3, 2, 4).reshape(len(tiles), 4 * patches.down, 4 * patches.across)
        y[n, start:stop] = whole[:, : y.shape[2], : y.shape[3]] + bias[start:stop, None, None]


def answer_images_backward_reference(chunk, start, stop, dy, patches, planes, lines, work, m):
    for n in range(len(dy)):
        whole = np.zeros((stop - start, 4 * patches.down, 4 * patches.across), dy.dtype)
        whole[:, : dy.shape[2], : dy.shape[3]] = dy[n, start:stop]
        tiles = whole.reshape(len(whole), patches.down, 4, patches.across, 4).transpose(0, 1, 3, 2, 4)
        gradient = AT.T @ tiles @ AT  # (F, down, across, 6, 6)
        of_patches(m, dy.shape[1], patches, len(dy))[:, :, start:stop, n] = gradient.transpose(3, 4, 0, 1, 2)


def multiply_points_backward_reference(chunk, start, stop, m, u, channels, filters, count, patches, v, du):
    pitch, weights, gradients = patches.pitch, fours(u, channels, filters), matrices(du, filters, channels)
    for k in range(start, stop):
        gradient = m[k, : filters * pitch].reshape(filters, pitch)[:, :count]
        seen = v[k, : channels * pitch].reshape(channels, pitch)[:, :count]
        gradients[k] += gradient @ seen.T
        seen[:] = weights[k].reshape(-1, filters)[:channels] @ gradient


def see_images_backward_reference(chunk, start, stop, v, patches, planes, lines, work, dx):
    height, width = dx.shape[2:]
    for n in range(len(dx)):
        seen = of_patches(v, dx.shape[1], patches, len(dx))[:, :, start:stop, n].transpose(2, 3, 4, 0, 1)
        back = BT.T @ seen @ BT  # (C, down, across, 6, 6)
        padded = np.zeros((stop - start, 4 * patches.down + 2, 4 * patches.across + 2), dx.dtype)
        for r in range(patches.down):
            for t in range(patches.across):
                padded[:, 4 * r : 4 * r + 6, 4 * t : 4 * t + 6] += back[:, r, t]
        inside = padded[:, patches.top :, patches.left :][:, :height, :width]
        dx[n, start:stop] = 0
        dx[n, start:stop, : inside.shape[1], : inside.shape[2]] = inside


def all_moderate_reference(chunk, start, stop, x, moderate):
    moderate[chunk] = (np.abs(x[start:stop]) <= LARGEST).all()


# ----------------------------------------------------------------------------------- pictures dealt out into patches
# From here on, arrays of several lines are flat, and a line begins at a multiple of its length: taking a line out of a
# two-dimensional array makes a new array each time, which costs more than what is done with it.


@jit
def deal(image, width, top, left, patches, size, plane, pitch, lines, length):
    """lines[6 * i + j][r * across + t] = what stands at (i, j) in patch (r, t), for i < 4 and j < 6.

    image (H * W,), which begins at (top, left); plane (rows of ``pitch``,) has zeros around it. The patches have
    ``size`` rows, 6 or 4; rows 4 and 5 of a patch are rows 0 and 1 of the patch below it, so they stand in the lines
    one row of patches further on.
    """
    step, across, height = REGISTER // image.itemsize, patches.across, len(image) // width
    rows = 4 * patches.down + size - 4
    columns = min(width, 4 * across + size - 4 - left)
    for h in range(min(height, rows - top)):
        source, target = image[h * width :], plane[(h + top) * pitch + left :]
        for j in range(columns):
            target[j] = source[j]
    for h in range(rows):
        line, pixels = 6 * (h % 4) * length + h // 4 * across, h * pitch
        for t in range(0, across, step):
            a, b, c, d = load_dealt(plane, pixels + 4 * t)
            store(lines, line + t, a)
            store(lines, line + length + t, b)
            store(lines, line + 2 * length + t, c)
            store(lines, line + 3 * length + t, d)
            if size == 6:
                a, b, c, d = load_dealt(plane, pixels + 4 * t + 4)
                store(lines, line + 4 * length + t, a)
                store(lines, line + 5 * length + t, b)


@jit
def collect(lines, length, patches, plane, pitch, image, width):
    """Add the patches up where they overlap: the adjoint of ``deal`` with 6 rows, where ``lines`` has all 36.

    The last two columns of a patch fall on the first two of the one beside it, whose line is loaded one element early.
    """
    step, across, height = REGISTER // image.itemsize, patches.across, len(image) // width
    columns = min(width, 4 * across + 2 - patches.left)
    for h in range(4 * patches.down + 2):
        pixels, r, i = h * pitch, h // 4, h % 4
        line, above = 6 * i * length + r * across, 6 * (i + 4) * length + (r - 1) * across
        inside, overlapped = r < patches.down, r > 0 and i < 2  # by the last two rows of the patch above
        for t in range(0, across, step):
            a, b, c, d = zero(plane), zero(plane), zero(plane), zero(plane)
            if inside:
                a += load(lines, line + t) + load(lines, line + 4 * length + t - 1)
                b += load(lines, line + length + t) + load(lines, line + 5 * length + t - 1)
                c += load(lines, line + 2 * length + t)
                d += load(lines, line + 3 * length + t)
            if overlapped:
                a += load(lines, above + t) + load(lines, above + 4 * length + t - 1)
                b += load(lines, above + length + t) + load(lines, above + 5 * length + t - 1)
                c += load(lines, above + 2 * length + t)
                d += load(lines, above + 3 * length + t)
            store_collected(plane, pixels + 4 * t, a, b, c, d)
        for j in range(2):  # there is nothing beside the first patch, nor beside the last one
            first, last = plane.dtype.type(0), plane.dtype.type(0)
            if inside:
                first += lines[line + j * length]
                last += lines[line + (4 + j) * length + across - 1]
            if overlapped:
                first += lines[above + j * length]
                last += lines[above + (4 + j) * length + across - 1]
            plane[pixels + j], plane[pixels + 4 * across + j] = first, last
    for h in range(height):
        seen = columns if h + patches.top < 4 * patches.down + 2 else 0
        source, target = plane[(h + patches.top) * pitch + patches.left if seen else 0 :], image[h * width :]
        for j in range(seen):
            target[j] = source[j]
        for j in range(seen, width):
            target[j] = 0


# ----------------------------------------------------------------------------------------- transforms in two dimensions
# First along the columns of the patches, then along the rows; ``work`` (6 rows of 6 vectors) keeps what is between.


@jit
def see(lines, length, patches, work, v, room, begin):
    """v[k][begin:] = BT d B of the patches of one channel of an image."""
    step, across, one = REGISTER // v.itemsize, patches.across, v.dtype.type(1)
    for s in range(0, patches.down * across, step):
        for j in range(6):
            at = j * length + s
            a, b, c, d = (
                load(lines, at),
                load(lines, at + 6 * length),
                load(lines, at + 12 * length),
                load(lines, at + 18 * length),
            )
            e, f = load(lines, at + across), load(lines, at + 6 * length + across)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_bt(one, a, b, c, d, e, f)
            store6(v, 6 * i * room + begin + s, room, a, b, c, d, e, f)


@jit
def see_backward(v, room, begin, patches, work, lines, length):
    """Lines = B v B^T: the adjoint of ``see``, all 36 places of the patches by themselves."""
    step, one = REGISTER // v.itemsize, v.dtype.type(1)
    for s in range(0, patches.down * patches.across, step):
        for j in range(6):
            a, b, c, d, e, f = load6(v, j * room + begin + s, 6 * room)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_b(one, a, b, c, d, e, f)
            store6(lines, 6 * i * length + s, length, a, b, c, d, e, f)


@jit
def answer(m, room, begin, patches, bias, work, lines, length, image, width):
    """Image = AT m A + bias, of one filter."""
    step, across, one = REGISTER // m.itemsize, patches.across, m.dtype.type(1)
    nothing = zero(m)
    for s in range(0, patches.down * across, step):
        for j in range(6):
            a, b, c, d, e, f = load6(m, j * room + begin + s, 6 * room)
            a, b, c, d = times_at(one, a, b, c, d, e, f)
            store6(work, j * step, 6 * step, a, b, c, d, nothing, nothing)
        for i in range(4):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d = times_at(one, a, b, c, d, e, f)
            store_collected(lines, 4 * (i * length + s), a + bias, b + bias, c + bias, d + bias)
    for h in range(len(image) // width):
        source, target = lines[4 * (h % 4 * length + h // 4 * across) :], image[h * width :]
        for j in range(width):
            target[j] = source[j]


@jit
def answer_backward(lines, length, patches, work, m, room, begin):
    """m[k][begin:] = A dy AT of the 4x4 patches of one filter: the adjoint of ``answer``."""
    step, one = REGISTER // m.itemsize, m.dtype.type(1)
    for s in range(0, patches.down * patches.across, step):
        for j in range(4):
            at = j * length + s
            a, b, c, d = (
                load(lines, at),
                load(lines, at + 6 * length),
                load(lines, at + 12 * length),
                load(lines, at + 18 * length),
            )
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(work, j * step, 6 * step, a, b, c, d, e, f)
        for i in range(6):
            a, b, c, d, e, f = load6(work, 6 * i * step, step)
            a, b, c, d, e, f = times_a(one, a, b, c, d)
            store6(m, 6 * i * room + begin + s, room, a, b, c, d, e, f)


# ------------------------------------------------------------------------------------------------ the steps of the way
# Threads share the channels, then the 36 points, then the filters. Nothing is summed over threads, so the result is the
# same to the last bit for any number of them.


#: A larger number may overflow in the transforms where the convolution itself does not.
LARGEST = 1e30


@jit
def all_moderate(chunk, start, stop, x, moderate):
    """Say whether there is no NaN, no infinity and nothing near it in ``x[start:stop]``."""
    part, limit, others = x[start:stop], x.dtype.type(LARGEST), 0
    for i in range(len(part)):
        others += not (abs(part[i]) <= limit)
    moderate[chunk] = others == 0


@jit
def see_images(chunk, start, stop, x, patches, planes, lines, work, v):
    """Transform the patches of the channels start to stop. x (N, C, H, W).

    Scratch for each chunk: planes (rows and columns of all patches) of zeros, lines (36 * length,), work (36 vectors,).
    """
    size, width, flat = patches.down * patches.across, x.shape[3], v.reshape(-1)
    pitch, length, room = 4 * patches.across + 4, lines.shape[1] // 36, v.shape[1]
    for c in range(start, stop):
        for i in range(len(x)):
            image = x[i, c].reshape(-1)
            deal(image, width, patches.top, patches.left, patches, 6, planes[chunk], pitch, lines[chunk], length)
            see(lines[chunk], length, patches, work[chunk], flat, room, c * patches.pitch + i * size)


@jit
def multiply_points(chunk, start, stop, v, u, channels, filters, count, patches, m):
    """m[k] = u[k] v[k] for the points start to stop and ``count`` patches."""
    offsets, rows = np.arange(channels) * patches.pitch, -(-filters // 4) * 4
    nothing, many = np.zeros(rows, v.dtype), whole_vectors(4 * channels, v.itemsize)
    for k in range(start, stop):
        weights = u[k, : rows // 4 * many].reshape(rows // 4, many // 4, 4)
        sums = m[k, : rows * patches.pitch].reshape(rows, patches.pitch)
        weighted_sums(v[k], offsets, weights, 0, channels, nothing, 0, count, sums)


@jit
def answer_images(chunk, start, stop, m, bias, patches, lines, work, y):
    """Transform back what the filters start to stop answered. y (N, F, OH, OW)."""
    size, width, flat = patches.down * patches.across, y.shape[3], m.reshape(-1)
    length, room = lines.shape[1] // 36, m.shape[1]
    for f in range(start, stop):
        for i in range(len(y)):
            image, begin = y[i, f].reshape(-1), f * patches.pitch + i * size
            answer(flat, room, begin, patches, bias[f], work[chunk], lines[chunk], length, image, width)


@jit
def answer_images_backward(chunk, start, stop, dy, patches, planes, lines, work, m):
    """Transform the gradients of the filters start to stop: the adjoint of ``answer_images``."""
    size, width, flat = patches.down * patches.across, dy.shape[3], m.reshape(-1)
    pitch, length, room = 4 * patches.across + 4, lines.shape[1] // 36, m.shape[1]
    for f in range(start, stop):
        for i in range(len(dy)):
            image = dy[i, f].reshape(-1)
            deal(image, width, 0, 0, patches, 4, planes[chunk], pitch, lines[chunk], length)
            answer_backward(lines[chunk], length, patches, work[chunk], flat, room, f * patches.pitch + i * size)


@jit
def multiply_points_backward(chunk, start, stop, m, u, channels, filters, count, patches, v, du):
    """du[k] += m[k] v[k]^T, and then v[k] = u[k] m[k], for the points start to stop."""
    pitch, step, rows, height = patches.pitch, REGISTER // v.itemsize, -(-channels // 4) * 4, -(-filters // 4) * 4
    of_m, of_v = np.arange(filters) * pitch, np.full((channels + 2) // 3 * 3, (channels - 1) * pitch)
    of_v[:channels] = np.arange(channels) * pitch
    nothing, whole = np.zeros(rows, v.dtype), -(-count // step) * step
    many, width = whole_vectors(4 * filters, v.itemsize), whole_vectors(channels + 2, v.itemsize)
    for k in range(start, stop):
        for f in range(filters):  # what rounds the patches up to whole vectors must not count
            m[k, f * pitch + count : f * pitch + whole] = 0
        m[k, filters * pitch :] = 0
        for c in range(channels):
            v[k, c * pitch + count : c * pitch + whole] = 0
        products = du[k, : height * width].reshape(height, width)
        scalar_products(v[k], of_v, m[k, : height * pitch].reshape(height, pitch), 0, whole, products)
        weights = u[k, : rows // 4 * many].reshape(rows // 4, many // 4, 4)
        sums = v[k, : rows * pitch].reshape(rows, pitch)
        weighted_sums(m[k], of_m, weights, 0, filters, nothing, 0, count, sums)


@jit
def see_images_backward(chunk, start, stop, v, patches, planes, lines, work, dx):
    """Transform the gradients of the channels start to stop back: the adjoint of ``see_images``. dx (N, C, H, W)."""
    size, width, flat = patches.down * patches.across, dx.shape[3], v.reshape(-1)
    pitch, length, room = 4 * patches.across + 4, lines.shape[1] // 36, v.shape[1]
    for c in range(start, stop):
        for i in range(len(dx)):
            see_backward(flat, room, c * patches.pitch + i * size, patches, work[chunk], lines[chunk], length)
            collect(lines[chunk], length, patches, planes[chunk], pitch, dx[i, c].reshape(-1), width)
