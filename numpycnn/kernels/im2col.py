"""General convolution: im2col of a tile that stays in the cache, and a matrix product (GEMM).

The windows of a tile of output positions are packed as the columns of a matrix (K, tile), K = C/G * taps, and the
weights (F, K) are multiplied with it by the micro-kernel of `numpycnn.kernels.engine.gemm`. NumPy's im2col and
matrix product write and read the matrix of all windows in main memory; a tile of 192 KiB stays in the second-level
cache, which makes this 1.0 to 2.6 times as fast on one core (lenet's second convolution 2.6, resnet18's strided ones
2.0).

Packing costs one vector load and store for each row of the matrix, whatever the stride: ``pad`` stores the last axis
split by its stride ``s``, element ``w`` at ``(w mod s, w div s)``, so that neighbouring windows read neighbouring
elements.

The gradient of the weights is the product of ``dy`` with the same columns, transposed. The gradient of the input is a
convolution of ``dy`` again: `numpycnn.fast.convolution` calls ``convolve`` for that, too.

Axes: ``N`` images, ``C`` channels in, ``F`` channels out, ``G`` groups, ``R`` rows and ``W`` width of the input, ``P``
output positions. In one dimension there is one row; in three, the rows of all slices follow each other.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.engine.gemm import scalar_products, weighted_sums
from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import REGISTER, load, store


class Geometry(NamedTuple):
    """Offsets of the windows in one padded channel, in elements."""

    taps: np.ndarray  # (taps,) from the window's origin
    origins: np.ndarray  # (OR,) of the first window of each output row
    width: int  # windows in an output row
    rows: np.ndarray  # (R,) of each input row; -1 if no window sees it
    columns: np.ndarray  # (<= stride, 3) first element, offset and count: the parts a row is split into
    stride: int  # of the last axis
    plane: int  # elements of a padded channel


class Outputs(NamedTuple):
    """The phases of a convolution, and where each writes its outputs in a channel of ``y``.

    A convolution has one phase. The input gradient of a strided one has a phase for each set of taps that sees the same
    elements.
    """

    bounds: np.ndarray  # (phases + 1,) where the taps of each begin in those of the geometry
    rows: np.ndarray  # (phases, OR) offset of each output row
    counts: np.ndarray  # (phases, OR) outputs in the row; windows beyond are dropped
    step: int  # from one output of a row to the next


@jit
def pad(images, geometry, pitch, line):
    """Copy images (n, C, R, W) into zeros: channel ``c`` of image ``i`` to line[c * pitch + i * plane:]."""
    for i in range(len(images)):
        for c in range(images.shape[1]):
            for r in range(images.shape[2]):
                if geometry.rows[r] >= 0:
                    for p in range(len(geometry.columns)):
                        first, offset, count = geometry.columns[p]
                        begin = c * pitch + i * geometry.plane + geometry.rows[r] + offset
                        source, target = images[i, c, r, first:], line[begin : begin + count]
                        if geometry.stride == 1:  # compiled to copies of whole vectors
                            for j in range(count):
                                target[j] = source[j]
                        else:
                            for j in range(count):
                                target[j] = source[j * geometry.stride]


@jit
def tap_offsets(channels, geometry, bounds, pitch):
    """Return the offset of each tap of each channel, (channels * taps,), phase by phase."""
    offsets, n = np.empty(channels * len(geometry.taps), np.int64), 0
    for p in range(len(bounds) - 1):
        for c in range(channels):
            for t in range(bounds[p], bounds[p + 1]):
                offsets[n] = c * pitch + geometry.taps[t]
                n += 1
    return offsets


@jit
def find_pieces(first, last, geometry, vector, pieces):
    """Cut the positions ``first`` to ``last`` into pieces of at most a vector that do not cross the end of a row.

    Writes the offsets of each in the line and in the tile to pieces (>= n, 2), and returns n.
    """
    rows, n, p = len(geometry.origins), 0, first
    while p < last:
        row, column = p // geometry.width, p % geometry.width
        pieces[n, 0] = row // rows * geometry.plane + geometry.origins[row % rows] + column
        pieces[n, 1] = p - first
        p += min(geometry.width - column, vector)
        n += 1
    return n


@jit
def pack(line, offsets, pieces, columns, pitch):
    """columns[k * pitch + p] = x at tap ``k`` of window ``p``.

    Whole vectors are copied: the next piece overwrites the excess lanes of the one before, so a row needs room for a
    vector.
    """
    for n in range(len(pieces)):
        source, target = line[pieces[n, 0] :], columns[pieces[n, 1] :]
        for k in range(len(offsets)):
            store(target, k * pitch, load(source, offsets[k]))


@jit
def convolve(chunk, start, stop, x, weights, bias, geometry, outputs, together, line, columns, sums, y):
    """y[n, f, p] = bias[f] + sum over k of weights[f, k] * what tap k of window p sees in x[n], for each phase.

    x (N, C, R, W), weights (G, F/G, K) and bias (G, F/G) with F/G rounded up to 4, y (N, F, *). ``together`` images
    are padded at a time. Scratch for each chunk: line (chunks, C * together * plane + lanes) of zeros, columns
    (chunks, depth, tile + a vector), sums (chunks, F/G rounded up, tile); the tile is a multiple of ``lanes``.
    """
    groups, vector, pitch = len(weights), REGISTER // x.itemsize, together * geometry.plane
    channels, filters, width, step = x.shape[1] // groups, y.shape[1] // groups, geometry.width, outputs.step
    positions = len(geometry.origins) * width
    offsets, nothing = tap_offsets(channels, geometry, outputs.bounds, pitch), bias[0, :0]
    line, sums, matrix, (depth, row) = line[chunk], sums[chunk], columns[chunk].reshape(-1), columns.shape[1:]
    tile, rows = sums.shape[1], np.arange(depth) * row
    pieces, spans = np.empty((tile, 2), np.int64), np.empty((3, tile), np.int64)
    for n in range(start, stop, together):
        images = min(together, stop - n)
        pad(x[n : n + images], geometry, pitch, line)
        for first in range(0, images * positions, tile):
            last = min(first + tile, images * positions)
            found = pieces[: find_pieces(first, last, geometry, vector, pieces)]
            for g in range(groups):
                for phase in range(len(outputs.rows)):
                    begin, end = channels * outputs.bounds[phase], channels * outputs.bounds[phase + 1]
                    for k in range(begin, end, depth):
                        part = offsets[k : min(k + depth, end)]
                        pack(line[g * channels * pitch :], part, found, matrix, row)
                        initial, factors = bias[g] if k == begin else nothing, weights[g, :, k : k + len(part)]
                        weighted_sums(matrix, rows[: len(part)], factors, initial, last - first, sums)
                    p = first
                    while p < last:  # image by image
                        i, end, m = p // positions, min(last, (p // positions + 1) * positions), 0
                        while p < end:
                            r, at = p % positions // width, p % width
                            spans[0, m], spans[1, m] = p - first, outputs.rows[phase, r] + at * step
                            spans[2, m] = max(0, min(outputs.counts[phase, r] - at, end - p))
                            p, m = min(p + width - at, end), m + 1
                        out = y[n + i, g * filters : (g + 1) * filters]
                        unpack(sums, 0, spans[0, :m], spans[1, :m], spans[2, :m], step, out)


@jit
def unpack(sums, begin, starts, places, counts, step, y):
    """y[f, places[r] + j * step] = sums[f, begin + starts[r] + j] for each j < counts[r], for each row ``r``."""
    for f in range(len(y)):
        for r in range(len(starts)):
            first, count = begin + starts[r], counts[r]
            source, target = sums[f, first : first + count], y[f, places[r] : places[r] + count * step]
            if step == 1:
                for j in range(count):
                    target[j] = source[j]
            else:
                for j in range(count):
                    target[j * step] = source[j]


@jit
def weight_gradient(chunk, start, stop, dy, x, geometry, together, line, columns, gradient, dweight, dbias):
    """dweight[chunk, f, k] += sum over n, p of dy[n, f, p] * what tap k of window p sees in x[n]; dbias: sum of dy.

    dweight (chunks, G, F/G, K) and dbias (chunks, G, F/G), F/G rounded up to 4 and K to 3, begin as zeros. Scratch for
    each chunk as in ``convolve``, with a depth that is a multiple of 3; gradient (chunks, F/G rounded up, tile).
    """
    groups, vector, pitch = dweight.shape[1], REGISTER // x.itemsize, together * geometry.plane
    channels, filters, positions = x.shape[1] // groups, dy.shape[1] // groups, dy.shape[2]
    offsets = tap_offsets(channels, geometry, np.array([0, len(geometry.taps)]), pitch)
    line, gradient, matrix, (depth, row) = line[chunk], gradient[chunk], columns[chunk].reshape(-1), columns.shape[1:]
    tile, rows = gradient.shape[1], np.arange(depth) * row
    pieces = np.empty((tile, 2), np.int64)
    for n in range(start, stop, together):
        images = min(together, stop - n)
        pad(x[n : n + images], geometry, pitch, line)
        for first in range(0, images * positions, tile):
            last = min(first + tile, images * positions)
            count, length = last - first, -(-(last - first) // vector) * vector
            found = pieces[: find_pieces(first, last, geometry, vector, pieces)]
            for g in range(groups):
                for f in range(filters):
                    dbias[chunk, g, f] += load_gradient(dy, n, g * filters + f, first, count, gradient[f, :length])
                for k in range(0, len(offsets), depth):
                    part = offsets[k : k + depth]
                    pack(line[g * channels * pitch :], part, found, matrix, row)
                    for i in range(len(part)):
                        rest = matrix[i * row + count : i * row + length]
                        for j in range(len(rest)):  # the last vector extends past the row
                            rest[j] = 0
                    height = -(-len(part) // 3) * 3
                    products = dweight[chunk, g, :, k : k + height]
                    scalar_products(matrix, rows[:height], gradient, 0, length, products)


@jit
def load_gradient(dy, n, f, first, count, row):
    """Copy channel ``f`` of dy from position ``first`` of image ``n`` on, zero the rest of the row, return the sum."""
    positions, total, done = dy.shape[2], dy.dtype.type(0), 0
    while done < count:
        i, at = n + (first + done) // positions, (first + done) % positions
        source = dy[i, f, at : at + count - done]  # up to the end of the image
        target = row[done:]
        for j in range(len(source)):
            target[j] = source[j]
            total += source[j]
        done += len(source)
    for j in range(count, len(row)):
        row[j] = 0
    return total
