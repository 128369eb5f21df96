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

To have long vectors to work on, the patches of a picture are not handled one by one. The picture is dealt out into 16
phases, rows and columns modulo 4: phase (u, p) holds ``x[4 r + u, 4 t + p]`` for all patches (r, t) in a line. What
stands at (u, p) in every patch is then such a line, for u or p of 4 and 5 that of the next row or column, which is the
same line shifted. The 36 numbers of a patch as a column, the transform in two dimensions is one matrix more, ``kron(BT,
BT)``, and so is the one back: everything but the dealing out is a matrix product.

Sources: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308; S. Winograd,
"Arithmetic complexity of computations", 1980.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.jit import jit

#: Where the polynomials are multiplied; the sixth point is infinity. Any five numbers would do. The usual 0, 1, -1, 2
#: and -2 make the simplest matrices, these make errors four times smaller (2.5e-6 of the largest output in float32,
#: with 256 channels).
POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)


def transforms(points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return AT (4, 6), G (6, 3) and BT (6, 6), by Toom and Cook's construction.

    `G` evaluates the weights' polynomial at each point, divided by the product of the distances to the other points;
    `AT` takes the powers of the points; and a row of `BT` has the coefficients of the polynomial that is 0 at all other
    points.
    """
    at, g, bt = np.zeros((4, 6)), np.zeros((6, 3)), np.zeros((6, 6))
    for j, point in enumerate(points):
        others = [other for other in points if other != point]
        at[:, j] = [point**i for i in range(4)]
        g[j] = [point**i / np.prod([point - other for other in others]) for i in range(3)]
        bt[j, :5] = np.poly(others)[::-1]
    at[3, 5], g[5, 2], bt[5] = 1, 1, np.poly(points)[::-1]  # at infinity only the highest power counts
    return at, g, bt


AT, G, BT = transforms(POINTS)


class Patches(NamedTuple):
    """How a picture is cut into patches."""

    top: int  # rows of padding
    left: int  # columns of padding
    down: int  # patches below each other
    across: int  # patches beside each other
    pitch: int  # of a row of patches in a line: one more, for the columns that hang over


def cut(output: tuple[int, int], top: int, left: int) -> Patches:
    """Return the patches for an output of some size."""
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    return Patches(top, left, down, across, across + 1)


def transform_weights(weight: np.ndarray) -> np.ndarray:
    """Return the kernels (F, C, 3, 3) at the 36 points, (36, F, C)."""
    g = G.astype(weight.dtype)
    return np.ascontiguousarray((g @ weight @ g.T).transpose(2, 3, 0, 1)).reshape(36, *weight.shape[:2])


def transform_weights_backward(du: np.ndarray) -> np.ndarray:
    """Return the gradients of the kernels (F, C, 3, 3) from those at the 36 points, (36, F, C)."""
    g = G.astype(du.dtype)
    return g.T @ du.reshape(6, 6, *du.shape[1:]).transpose(2, 3, 0, 1) @ g


# ------------------------------------------------------------------------------ the plain version, to read and to check


def overlapping_patches(image: np.ndarray, patches: Patches) -> np.ndarray:
    """Return the 6x6 patches of one image (C, H, W), which overlap by 2, (C, down, across, 6, 6)."""
    channels, height, width = image.shape
    padded = np.zeros((channels, 4 * patches.down + 2, 4 * patches.across + 2), image.dtype)
    rows, columns = (min(height, padded.shape[1] - patches.top), min(width, padded.shape[2] - patches.left))
    inside = image[:, :rows, :columns]
    padded[:, patches.top : patches.top + rows, patches.left : patches.left + columns] = inside
    return np.lib.stride_tricks.sliding_window_view(padded, (6, 6), axis=(1, 2))[:, ::4, ::4]


def winograd_reference(chunk, start, stop, x, u, bias, patches, bb, aa, plane, phases, d, v, m, t, y):
    at, bt = AT.astype(x.dtype), BT.astype(x.dtype)
    points = u.reshape(6, 6, *u.shape[1:])
    for n in range(start, stop):
        seen = bt @ overlapping_patches(x[n], patches) @ bt.T  # (C, down, across, 6, 6)
        tiles = at @ np.einsum("ijfc,crtij->frtij", points, seen) @ at.T  # (F, down, across, 4, 4)
        whole = tiles.transpose(0, 1, 3, 2, 4).reshape(len(tiles), 4 * patches.down, 4 * patches.across)
        y[n] = whole[:, : y.shape[2], : y.shape[3]] + bias[:, None, None]


def winograd_backward_reference(chunk, start, stop, dy, x, u, patches, bb, aa, plane, phases, d, v, m, t, dx, du):
    at, bt = AT.astype(x.dtype), BT.astype(x.dtype)
    points = u.reshape(6, 6, *u.shape[1:])
    for n in range(start, stop):
        seen = bt @ overlapping_patches(x[n], patches) @ bt.T  # (C, down, across, 6, 6)
        whole = np.zeros((dy.shape[1], 4 * patches.down, 4 * patches.across), dy.dtype)
        whole[:, : dy.shape[2], : dy.shape[3]] = dy[n]
        tiles = whole.reshape(len(whole), patches.down, 4, patches.across, 4).transpose(0, 1, 3, 2, 4)
        dm = at.T @ tiles @ at  # (F, down, across, 6, 6)
        du[chunk] += np.einsum("frtij,crtij->ijfc", dm, seen).reshape(u.shape)
        back = bt.T @ np.einsum("ijfc,frtij->crtij", points, dm) @ bt  # (C, down, across, 6, 6)
        padded = np.zeros((x.shape[1], 4 * patches.down + 2, 4 * patches.across + 2), dy.dtype)
        for r in range(patches.down):
            for t in range(patches.across):
                padded[:, 4 * r : 4 * r + 6, 4 * t : 4 * t + 6] += back[:, r, t]
        rows = min(x.shape[2], padded.shape[1] - patches.top)
        columns = min(x.shape[3], padded.shape[2] - patches.left)
        dx[n] = 0
        dx[n, :, :rows, :columns] = padded[:, patches.top :, patches.left :][:, :rows, :columns]


# ----------------------------------------------------------------------------------- pictures dealt out into 16 phases


@jit
def deal(image, top, left, rows, pitch, plane, phases):
    """Lay out ``image`` (H, W), moved by (top, left), so that phases[4 u + p, r * pitch + t] = image[4 r + u, 4 t + p].

    ``plane`` (4 * rows, 4 * pitch) is scratch that holds zeros where the image does not reach.
    """
    height, width = image.shape
    room = min(width, 4 * pitch - left)
    for h in range(min(height, 4 * rows - top)):
        u, r = (h + top) % 4, (h + top) // 4
        source, target = image[h], plane[u * rows + r, left : left + room]
        for j in range(room):
            target[j] = source[j]
    size = rows * pitch
    for u in range(4):
        line = plane[u * rows : (u + 1) * rows].reshape(-1)
        p0, p1, p2, p3 = (
            phases[4 * u, :size],
            phases[4 * u + 1, :size],
            phases[4 * u + 2, :size],
            phases[4 * u + 3, :size],
        )
        x0, x1, x2, x3 = line, line[1:], line[2:], line[3:]
        for s in range(size):
            p0[s] = x0[4 * s]
            p1[s] = x1[4 * s]
            p2[s] = x2[4 * s]
            p3[s] = x3[4 * s]


@jit
def gather(phases, top, left, rows, pitch, plane, image, bias):
    """Put the phases back together: the adjoint of ``deal``, with ``bias`` added."""
    height, width = image.shape
    size = rows * pitch
    for u in range(4):
        line = plane[u * rows : (u + 1) * rows].reshape(-1)
        p0, p1, p2, p3 = (
            phases[4 * u, :size],
            phases[4 * u + 1, :size],
            phases[4 * u + 2, :size],
            phases[4 * u + 3, :size],
        )
        x0, x1, x2, x3 = line, line[1:], line[2:], line[3:]
        for s in range(size):
            x0[4 * s] = p0[s]
            x1[4 * s] = p1[s]
            x2[4 * s] = p2[s]
            x3[4 * s] = p3[s]
    room = min(width, 4 * pitch - left)
    for h in range(height):
        target = image[h]
        if h + top < 4 * rows:
            u, r = (h + top) % 4, (h + top) // 4
            source = plane[u * rows + r, left : left + room]
            for j in range(room):
                target[j] = source[j] + bias
            for j in range(room, width):
                target[j] = bias
        else:
            for j in range(width):
                target[j] = bias


@jit
def spread(phases, patches, c, begin, d):
    """d[6 i + j, c, begin:] = what stands at (i, j) in the 6x6 patches of one channel."""
    size = patches.down * patches.pitch
    for i in range(6):
        for j in range(6):
            shift = (i // 4) * patches.pitch + j // 4
            source = phases[4 * (i % 4) + j % 4, shift : shift + size]
            target = d[6 * i + j, c, begin : begin + size]
            for s in range(size):
                target[s] = source[s]


@jit
def spread_backward(d, patches, c, begin, phases):
    """Add the patches up, where they overlap: the adjoint of ``spread``."""
    size = patches.down * patches.pitch
    phases[:] = 0
    for i in range(6):
        for j in range(6):
            shift = (i // 4) * patches.pitch + j // 4
            target = phases[4 * (i % 4) + j % 4, shift : shift + size]
            source = d[6 * i + j, c, begin : begin + size]
            for s in range(size):
                target[s] += source[s]


@jit
def see(x, first, last, patches, bb, plane, phases, d, v):
    """V = BT d B of all patches, channels and images ``first`` to ``last``."""
    size, rows = patches.down * patches.pitch, patches.down + 1
    for n in range(first, last):
        for c in range(x.shape[1]):
            deal(x[n, c], patches.top, patches.left, rows, patches.pitch, plane, phases)
            spread(phases, patches, c, (n - first) * size, d)
    np.dot(bb, d.reshape(36, -1), v.reshape(36, -1))


# ------------------------------------------------------------------------------------------------- whole convolutions


@jit
def winograd(chunk, start, stop, x, u, bias, patches, bb, aa, plane, phases, d, v, m, t, y):
    """y[n, f] = bias[f] + the sum over c of the 3x3 correlations of x[n, c].

    x (N, C, H, W), u (36, F, C), bias (F,), bb = kron(BT, BT), aa = kron(AT, AT), y (N, F, OH, OW). Scratch for each
    chunk: plane (3, 4 * (down + 1), 4 * pitch) of zeros, phases (16, (down + 1) * pitch + 1); d and v (36, C, T),
    m (36, F, T) and t (16, F, T), with ``T = down * pitch`` times the images that go into one product; d of zeros.
    """
    size = patches.down * patches.pitch
    together = d.shape[3] // size
    for first in range(start, stop, together):
        last = min(first + together, stop)
        see(x, first, last, patches, bb, plane[chunk, 0], phases[chunk], d[chunk], v[chunk])
        for k in range(36):
            np.dot(u[k], v[chunk, k], m[chunk, k])
        np.dot(aa, m[chunk].reshape(36, -1), t[chunk].reshape(16, -1))
        for n in range(first, last):
            begin = (n - first) * size
            for f in range(u.shape[1]):
                tiles = t[chunk, :, f, begin : begin + size]
                gather(tiles, 0, 0, patches.down, patches.pitch, plane[chunk, 1], y[n, f], bias[f])


@jit
def winograd_backward(chunk, start, stop, dy, x, u, patches, bb, aa, plane, phases, d, v, m, t, dx, du):
    """Compute the gradients of ``winograd``: dx (N, C, H, W), and du (chunks, 36, F, C), which begins as zeros.

    Scratch as in ``winograd``; t of zeros.
    """
    filters, channels = u.shape[1], u.shape[2]
    size, rows, zero = patches.down * patches.pitch, patches.down + 1, x.dtype.type(0)
    together = d.shape[3] // size
    total = np.empty((filters, channels), x.dtype)
    for first in range(start, stop, together):
        last = min(first + together, stop)
        see(x, first, last, patches, bb, plane[chunk, 0], phases[chunk], d[chunk], v[chunk])
        if last - first < together:  # the images that the last group does not have
            t[chunk, :, :, (last - first) * size :] = 0
        for n in range(first, last):
            begin = (n - first) * size
            for f in range(filters):
                tiles = t[chunk, :, f, begin : begin + size]
                deal(dy[n, f], 0, 0, patches.down, patches.pitch, plane[chunk, 2], tiles)
        np.dot(aa.T, t[chunk].reshape(16, -1), m[chunk].reshape(36, -1))
        for k in range(36):
            np.dot(m[chunk, k], v[chunk, k].T, total)
            du[chunk, k] += total
        for k in range(36):
            np.dot(u[k].T, m[chunk, k], v[chunk, k])
        np.dot(bb.T, v[chunk].reshape(36, -1), d[chunk].reshape(36, -1))
        for n in range(first, last):
            for c in range(channels):
                spread_backward(d[chunk], patches, c, (n - first) * size, phases[chunk])
                whole = plane[chunk, 1]
                gather(phases[chunk], patches.top, patches.left, rows, patches.pitch, whole, dx[n, c], zero)
