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
from numpycnn.kernels.winograd_transforms import AT, BT, times_a, times_at, times_b, times_bt


class Patches(NamedTuple):
    """How a picture is cut into patches, and how the numbers of all patches are kept."""

    top: int  # rows of padding
    left: int  # columns of padding
    down: int  # patches below each other
    across: int  # patches beside each other
    images: int  # whose patches go into one product
    pitch: int  # from one channel to the next, in numbers


def cut(output: tuple[int, int], top: int, left: int, images: int, lanes: int) -> Patches:
    """Return the patches for an output of some size.

    ``pitch`` is an odd number of sixteens: a power of two would send all channels to the same places of the cache.
    """
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    room = -(-down * across * images // lanes) * lanes
    return Patches(top, left, down, across, images, (room // 16 | 1) * 16)


# ------------------------------------------------------------------------------ the plain version, to read and to check


def overlapping_patches(image: np.ndarray, patches: Patches) -> np.ndarray:
    """Return the 6x6 patches of one image (C, H, W), which overlap by 2, (C, down, across, 6, 6)."""
    channels, height, width = image.shape
    padded = np.zeros((channels, 4 * patches.down + 2, 4 * patches.across + 2), image.dtype)
    rows, columns = (min(height, padded.shape[1] - patches.top), min(width, padded.shape[2] - patches.left))
    inside = image[:, :rows, :columns]
    padded[:, patches.top : patches.top + rows, patches.left : patches.left + columns] = inside
    return np.lib.stride_tricks.sliding_window_view(padded, (6, 6), axis=(1, 2))[:, ::4, ::4]


def at_points(u: np.ndarray) -> np.ndarray:
    """Return weights (36, A/4, B, 4), four filters beside each other, as (6, 6, A, B)."""
    return u.transpose(0, 1, 3, 2).reshape(6, 6, -1, u.shape[2])


def winograd_reference(chunk, start, stop, x, u, bias, patches, planes, lines, work, v, m, y):
    at, bt, points = AT.astype(x.dtype), BT.astype(x.dtype), at_points(u)[:, :, : y.shape[1], : x.shape[1]]
    for n in range(start, stop):
        seen = bt @ overlapping_patches(x[n], patches) @ bt.T  # (C, down, across, 6, 6)
        tiles = at @ np.einsum("ijfc,crtij->frtij", points, seen) @ at.T  # (F, down, across, 4, 4)
        whole = tiles.transpose(0, 1, 3, 2, 4).reshape(len(tiles), 4 * patches.down, 4 * patches.across)
        y[n] = whole[:, : y.shape[2], : y.shape[3]] + bias[:, None, None]


def winograd_backward_reference(chunk, start, stop, dy, x, u, patches, planes, lines, work, v, m, dx, du):
    at, bt, points = AT.astype(x.dtype), BT.astype(x.dtype), at_points(u)[:, :, : x.shape[1], : dy.shape[1]]
    for n in range(start, stop):
        seen = bt @ overlapping_patches(x[n], patches) @ bt.T  # (C, down, across, 6, 6)
        whole = np.zeros((dy.shape[1], 4 * patches.down, 4 * patches.across), dy.dtype)
        whole[:, : dy.shape[2], : dy.shape[3]] = dy[n]
        tiles = whole.reshape(len(whole), patches.down, 4, patches.across, 4).transpose(0, 1, 3, 2, 4)
        dm = at.T @ tiles @ at  # (F, down, across, 6, 6)
        gradient = np.einsum("frtij,crtij->ijfc", dm, seen)
        du[chunk, :, : len(whole), : x.shape[1]] += gradient.reshape(36, *gradient.shape[2:])
        back = bt.T @ np.einsum("ijcf,frtij->crtij", points, dm) @ bt  # (C, down, across, 6, 6)
        padded = np.zeros((x.shape[1], 4 * patches.down + 2, 4 * patches.across + 2), dy.dtype)
        for r in range(patches.down):
            for t in range(patches.across):
                padded[:, 4 * r : 4 * r + 6, 4 * t : 4 * t + 6] += back[:, r, t]
        rows = min(x.shape[2], padded.shape[1] - patches.top)
        columns = min(x.shape[3], padded.shape[2] - patches.left)
        dx[n] = 0
        dx[n, :, :rows, :columns] = padded[:, patches.top :, patches.left :][:, :rows, :columns]


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
def store6(array, begin, pitch, a, b, c, d, e, f):
    """Write six vectors to lines ``pitch`` apart."""
    store(array, begin, a)
    store(array, begin + pitch, b)
    store(array, begin + 2 * pitch, c)
    store(array, begin + 3 * pitch, d)
    store(array, begin + 4 * pitch, e)
    store(array, begin + 5 * pitch, f)


@jit
def load6(array, begin, pitch):
    """Return six vectors from lines ``pitch`` apart."""
    a, b, c = load(array, begin), load(array, begin + pitch), load(array, begin + 2 * pitch)
    return a, b, c, load(array, begin + 3 * pitch), load(array, begin + 4 * pitch), load(array, begin + 5 * pitch)


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


# ------------------------------------------------------------------------------------------------- whole convolutions


def all_finite_reference(chunk, start, stop, x, finite):
    finite[chunk] = np.isfinite(x[start:stop]).all()


@jit
def all_finite(chunk, start, stop, x, finite):
    """Say whether there is no NaN and no infinity in ``x[start:stop]``: 0 times each number is then 0."""
    part, total = x[start:stop], x.dtype.type(0)
    for i in range(len(part)):
        total += part[i] * x.dtype.type(0)
    finite[chunk] = total == 0


@jit
def see_images(x, first, images, patches, plane, lines, work, v):
    """Transform all channels of some images. The patches of a channel's images stand side by side."""
    size, width = patches.down * patches.across, x.shape[3]
    pitch, length, room = 4 * patches.across + 4, len(lines) // 36, len(v) // 36
    for c in range(x.shape[1]):
        for i in range(images):
            image = x[first + i, c].reshape(-1)
            deal(image, width, patches.top, patches.left, patches, 6, plane, pitch, lines, length)
            see(lines, length, patches, work, v, room, c * patches.pitch + i * size)


@jit
def winograd(chunk, start, stop, x, u, bias, patches, planes, lines, work, v, m, y):
    """y[n, f] = bias[f] + the sum over c of the 3x3 correlations of x[n, c].

    x (N, C, H, W), u (36, F/4, C, 4), bias (F,), y (N, F, OH, OW). Scratch for each chunk: planes (3, rows and columns
    of all patches) of zeros, lines (36 * length,), work (36 vectors,), v (36 * (C * pitch + lanes),) and m likewise
    for F, which is rounded up to 4.
    """
    size, pitch, width = patches.down * patches.across, patches.pitch, y.shape[3]
    length, seen, answers = lines.shape[1] // 36, v.shape[1] // 36, m.shape[1] // 36
    offsets = np.arange(x.shape[1]) * pitch
    nothing = np.zeros(4 * u.shape[1], x.dtype)
    for first in range(start, stop, patches.images):
        images = min(patches.images, stop - first)
        see_images(x, first, images, patches, planes[chunk, 0], lines[chunk], work[chunk], v[chunk])
        for k in range(36):
            sums = m[chunk, k * answers : k * answers + len(nothing) * pitch].reshape(-1, pitch)
            line = v[chunk, k * seen : (k + 1) * seen]
            weighted_sums(line, offsets, u[k], (0, len(offsets)), nothing, (0, images * size), sums)
        for f in range(y.shape[1]):
            for i in range(images):
                begin, image = f * pitch + i * size, y[first + i, f].reshape(-1)
                answer(m[chunk], answers, begin, patches, bias[f], work[chunk], lines[chunk], length, image, width)


@jit
def winograd_backward(chunk, start, stop, dy, x, u, patches, planes, lines, work, v, m, dx, du):
    """Compute the gradients of ``winograd``: dx (N, C, H, W), and du (chunks, 36, F, C), which begins as zeros.

    u (36, C/4, F, 4); in du, F is rounded up to 4, and C + 2 to vectors. Scratch as in ``winograd``, C in v rounded up
    to 4.
    """
    size, pitch, filters, channels = patches.down * patches.across, patches.pitch, dy.shape[1], x.shape[1]
    length, seen, answers = lines.shape[1] // 36, v.shape[1] // 36, m.shape[1] // 36
    wide, step = 4 * patches.across + 4, REGISTER // x.itemsize
    of_x = np.full((channels + 2) // 3 * 3, (channels - 1) * pitch)
    of_x[:channels] = np.arange(channels) * pitch
    of_dy = np.arange(filters) * pitch
    nothing = np.zeros(4 * u.shape[1], x.dtype)
    for k in range(36):
        m[chunk, k * answers + filters * pitch : (k + 1) * answers] = 0
    for first in range(start, stop, patches.images):
        images = min(patches.images, stop - first)
        many = images * size
        whole = -(-many // step) * step
        see_images(x, first, images, patches, planes[chunk, 0], lines[chunk], work[chunk], v[chunk])
        for f in range(filters):
            for i in range(images):
                image = dy[first + i, f].reshape(-1)
                deal(image, dy.shape[3], 0, 0, patches, 4, planes[chunk, 1], wide, lines[chunk], length)
                answer_backward(lines[chunk], length, patches, work[chunk], m[chunk], answers, f * pitch + i * size)
        for k in range(36):  # what rounds the patches up to whole vectors must not count
            for f in range(filters):
                m[chunk, k * answers + f * pitch + many : k * answers + f * pitch + whole] = 0
            for c in range(channels):
                v[chunk, k * seen + c * pitch + many : k * seen + c * pitch + whole] = 0
            dm = m[chunk, k * answers : k * answers + du.shape[2] * pitch].reshape(-1, pitch)
            scalar_products(v[chunk, k * seen :], of_x, dm, whole, du[chunk, k])
            sums = v[chunk, k * seen : k * seen + len(nothing) * pitch].reshape(-1, pitch)
            weighted_sums(m[chunk, k * answers :], of_dy, u[k], (0, filters), nothing, (0, many), sums)
        for c in range(channels):
            for i in range(images):
                see_backward(v[chunk], seen, c * pitch + i * size, patches, work[chunk], lines[chunk], length)
                image = dx[first + i, c].reshape(-1)
                collect(lines[chunk], length, patches, planes[chunk, 2], wide, image, x.shape[3])
