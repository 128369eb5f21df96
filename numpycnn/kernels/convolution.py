"""The three loops of a convolution: its output, and its gradients with respect to the input and to the weights.

All three work on flat arrays and know nothing of height and width, so that one loop serves 1, 2 and 3 dimensions. The
input is padded and laid out as one long line; then the element that tap ``k`` of a window sees is always the same
distance away from the window's first element. A window is an origin plus the taps:

    seen by tap k of the j-th window in output row r  =  padded[origins[r] + j * step + taps[k]]

Each image is done in tiles of output rows: the windows of a tile are written side by side into a small matrix (im2col),
which stays in the processor's cache while a matrix product turns it into outputs. The matrix of a whole image, let
alone of a batch, is never made: for a 3x3 kernel it would be nine times as large as the input.

Axes: ``N`` images, ``C`` channels in, ``F`` channels out, ``G`` groups, ``R`` rows and ``W`` width of the input, ``P``
output positions, ``K = C/G * taps`` numbers that one output is made of. In two dimensions a row is a row of the
picture; in three dimensions the rows of all its slices follow each other.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.jit import jit

TILE_BYTES = 256 * 1024  # of the im2col matrix: half of a typical second-level cache


class FlatWindows(NamedTuple):
    """Where the windows of a convolution look in the padded, flattened input (offsets in elements)."""

    taps: np.ndarray  # (KK,) from a window's first element to the one under each tap
    origins: np.ndarray  # (OR,) first element of the first window in each output row
    step: int  # from one window to the next in the same row
    width: int  # windows in a row
    inset: np.ndarray  # (R,) where each row of the input begins
    plane: int  # elements of one padded channel


def tile_rows(k: int, windows: FlatWindows, itemsize: int) -> int:
    """How many output rows make a tile of about ``TILE_BYTES``."""
    return max(1, min(len(windows.origins), TILE_BYTES // max(1, k * windows.width * itemsize)))


# ------------------------------------------------------------------------- the plain version, to read and to check


def positions(windows: FlatWindows) -> np.ndarray:
    """Return the position in the padded line that each tap of each window sees, (KK, P)."""
    first = windows.origins[:, None] + windows.step * np.arange(windows.width)  # (OR, OW)
    return windows.taps[:, None] + first.reshape(1, -1)  # (KK, P)


def window_columns(image: np.ndarray, windows: FlatWindows, groups: int) -> np.ndarray:
    """Return the numbers under each window of one image (C, R, W) as a column, (G, K, P)."""
    padded = np.zeros((len(image), windows.plane), image.dtype)
    padded[:, windows.inset[:, None] + np.arange(image.shape[2])] = image
    columns = padded[:, positions(windows)]  # (C, KK, P)
    return columns.reshape(groups, -1, columns.shape[2])  # (G, K, P)


def correlate_reference(chunk, start, stop, x, weight, bias, windows, padded, columns, product, y):
    for n in range(start, stop):
        outputs = weight @ window_columns(x[n], windows, len(weight))  # (G, F/G, P)
        y[n] = outputs.reshape(y[n].shape) + bias[:, None]


def input_gradient_reference(chunk, start, stop, dy, weight, windows, padded, columns, product, dx):
    groups, filters, _ = weight.shape
    for n in range(start, stop):
        gradients = weight.transpose(0, 2, 1) @ dy[n].reshape(groups, filters, -1)  # (G, K, P)
        line = np.zeros((dx.shape[1], windows.plane), dx.dtype)
        taps = gradients.reshape(len(line), len(windows.taps), -1)  # (C, KK, P)
        np.add.at(line, (slice(None), positions(windows)), taps)  # an element seen by several windows collects from all
        dx[n] = line[:, windows.inset[:, None] + np.arange(dx.shape[3])]


def weight_gradient_reference(chunk, start, stop, dy, x, windows, padded, columns, product, dweight):
    _, groups, filters, _ = dweight.shape
    for n in range(start, stop):
        columns = window_columns(x[n], windows, groups)  # (G, K, P)
        dweight[chunk] += dy[n].reshape(groups, filters, -1) @ columns.transpose(0, 2, 1)


# ----------------------------------------------------------------------------------------------------- the fast version


@jit
def pad(image, windows, padded):
    """Lay the rows of ``image`` (C, R, W) into ``padded`` (C, plane); what lies between the rows stays as it is."""
    channels, rows, width = image.shape
    for c in range(channels):
        for r in range(rows):
            begin = windows.inset[r]
            source, target = image[c, r], padded[c, begin : begin + width]
            for j in range(width):
                target[j] = source[j]


@jit
def crop(padded, windows, image):
    """Take the rows of ``image`` (C, R, W) back out of ``padded`` (C, plane)."""
    channels, rows, width = image.shape
    for c in range(channels):
        for r in range(rows):
            begin = windows.inset[r]
            source, target = padded[c, begin : begin + width], image[c, r]
            for j in range(width):
                target[j] = source[j]


@jit
def im2col(padded, windows, first, last, columns):
    """Write the windows of the output rows ``first`` to ``last`` side by side: ``columns`` (K, rows * OW)."""
    taps, width, step = windows.taps, windows.width, windows.step
    for c in range(padded.shape[0]):
        for k in range(taps.size):
            line = columns[c * taps.size + k]
            for r in range(first, last):
                source = padded[c, windows.origins[r] + taps[k] :]
                target = line[(r - first) * width : (r - first + 1) * width]
                if step == 1:  # a case of its own, because the compiler turns it into copies of whole vectors
                    for j in range(width):
                        target[j] = source[j]
                else:
                    for j in range(width):
                        target[j] = source[j * step]


@jit
def col2im(columns, windows, first, last, padded):
    """Add each column back to where its window looks: the adjoint of ``im2col``."""
    taps, width, step = windows.taps, windows.width, windows.step
    for c in range(padded.shape[0]):
        for k in range(taps.size):
            line = columns[c * taps.size + k]
            for r in range(first, last):
                target = padded[c, windows.origins[r] + taps[k] :]
                source = line[(r - first) * width : (r - first + 1) * width]
                if step == 1:
                    for j in range(width):
                        target[j] += source[j]
                else:
                    for j in range(width):
                        target[j * step] += source[j]


@jit
def copy_tile(dy, first, last, tile):
    """Copy the positions ``first`` to ``last`` of ``dy`` (F, P) into ``tile`` (F, last - first)."""
    for f in range(tile.shape[0]):
        source, target = dy[f, first:last], tile[f]
        for p in range(len(source)):
            target[p] = source[p]


@jit
def correlate(chunk, start, stop, x, weight, bias, windows, padded, columns, product, y):
    """y[n, f] = bias[f] + sum over the window of weight[f] * x[n].

    x (N, C, R, W), weight (G, F/G, K), bias (F,), y (N, F, P); scratch for each chunk: padded (chunks, C, plane) with
    zeros between the rows, columns (chunks, K * tile), product (chunks, F/G * tile).
    """
    groups, filters, k = weight.shape
    channels = x.shape[1] // groups
    rows, width = len(windows.origins), windows.width
    tile = columns.shape[1] // (k * width)
    for n in range(start, stop):
        pad(x[n], windows, padded[chunk])
        for g in range(groups):
            block = padded[chunk, g * channels : (g + 1) * channels]
            for first in range(0, rows, tile):
                last = min(first + tile, rows)
                size = (last - first) * width
                matrix = columns[chunk, : k * size].reshape(k, size)
                outputs = product[chunk, : filters * size].reshape(filters, size)
                im2col(block, windows, first, last, matrix)
                np.dot(weight[g], matrix, outputs)
                for f in range(filters):
                    source, b = outputs[f], bias[g * filters + f]
                    target = y[n, g * filters + f, first * width : last * width]
                    for p in range(size):
                        target[p] = source[p] + b


@jit
def input_gradient(chunk, start, stop, dy, weight, windows, padded, columns, product, dx):
    """dx[n] = each dy[n, f, p] times weight[f], added to where window p looks. Scratch as in ``correlate``."""
    groups, filters, k = weight.shape
    channels = dx.shape[1] // groups
    rows, width = len(windows.origins), windows.width
    tile = columns.shape[1] // (k * width)
    for n in range(start, stop):
        padded[chunk] = 0
        for g in range(groups):
            target = padded[chunk, g * channels : (g + 1) * channels]
            for first in range(0, rows, tile):
                last = min(first + tile, rows)
                size = (last - first) * width
                matrix = columns[chunk, : k * size].reshape(k, size)
                gradient = product[chunk, : filters * size].reshape(filters, size)
                copy_tile(dy[n, g * filters : (g + 1) * filters], first * width, last * width, gradient)
                np.dot(weight[g].T, gradient, matrix)
                col2im(matrix, windows, first, last, target)
        crop(padded[chunk], windows, dx[n])


@jit
def weight_gradient(chunk, start, stop, dy, x, windows, padded, columns, product, dweight):
    """dweight[chunk, f] += sum over n and p of dy[n, f, p] times what window p sees in x[n].

    dweight (chunks, G, F/G, K), one for each chunk, begins as zeros; scratch as in ``correlate``.
    """
    _, groups, filters, k = dweight.shape
    channels = x.shape[1] // groups
    rows, width = len(windows.origins), windows.width
    tile = columns.shape[1] // (k * width)
    total = np.empty((filters, k), dweight.dtype)
    for n in range(start, stop):
        pad(x[n], windows, padded[chunk])
        for g in range(groups):
            block = padded[chunk, g * channels : (g + 1) * channels]
            for first in range(0, rows, tile):
                last = min(first + tile, rows)
                size = (last - first) * width
                matrix = columns[chunk, : k * size].reshape(k, size)
                gradient = product[chunk, : filters * size].reshape(filters, size)
                im2col(block, windows, first, last, matrix)
                copy_tile(dy[n, g * filters : (g + 1) * filters], first * width, last * width, gradient)
                np.dot(gradient, matrix.T, total)
                dweight[chunk, g] += total
