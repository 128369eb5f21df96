"""The three loops of a convolution: its output, and its gradients with respect to the input and to the weights.

Lay a channel of the padded input out as one line. If windows stand one element apart, tap ``k`` of the window at ``q``
sees ``line[q + shift[k]]``, with the same shift for every ``q``. An output channel is then nothing but

    y[q] = sum over c and k of  weight[c, k] * line[c][q + shift[k]]        for all q at once

a weighted sum of shifted lines, in any number of dimensions and for any dilation. Where a row of windows ends, the sum
runs on over the gap to the next row; those few values are computed and thrown away, which costs less than to stop for
them. No window is ever copied: the matrix of all windows (im2col), by which a convolution is often written as a matrix
product, would hold every number up to ``KH KW`` times.

Windows that stand ``s`` elements apart are brought to the same form by dealing the line out like cards into ``s``
phases: phase ``p`` gets the elements ``p, p + s, p + 2 s, ...``. Tap ``k`` always falls into the phase ``d k mod s``,
and there the next window is the next element. In two dimensions there are ``s * s`` phases.

The way back is the same: each element of a phase collects from the windows that saw it, which is a weighted sum of
shifted lines of ``dy``; and the gradient of a weight is the scalar product of ``dy`` with the line that its tap sees.
So all that is to be done is in `numpycnn.kernels.products`, and this file lays out and takes back.

Axes: ``N`` images, ``C`` channels in, ``F`` channels out, ``G`` groups, ``R`` rows and ``W`` width of the input, ``P``
output positions, ``K = C/G * taps`` numbers that one output is made of. In two dimensions a row is a row of the
picture; in three dimensions the rows of all its slices follow each other.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.products import scalar_products, weighted_sums


class FlatWindows(NamedTuple):
    """Where the windows of a convolution look in the input, dealt out into phases (offsets in elements)."""

    taps: np.ndarray  # (KK, 2) phase and shift of each tap
    rows: np.ndarray  # (R, 2) phase and position of each row of the input; phase -1 where no window sees it
    columns: np.ndarray  # (?, 4) phase, first element, its position, count: how a row is dealt out
    stride: int  # from one element of a row to the next in the same phase
    origins: np.ndarray  # (OR,) position of the first window in each output row
    width: int  # windows in a row
    phases: int
    plane: int  # elements of one phase of one channel
    first: int  # the elements of the input stand from this position on
    last: int  # up to this one
    order: np.ndarray  # (KK,) the taps, sorted by their phases
    bounds: np.ndarray  # (phases + 1,) where the taps of each phase begin in that order


# ------------------------------------------------------------------------- the plain version, to read and to check


def lay_out(image: np.ndarray, windows: FlatWindows) -> np.ndarray:
    """Return the padded image (C, R, W), dealt out into its phases, (C, phases * plane)."""
    line = np.zeros((len(image), windows.phases, windows.plane), image.dtype)
    for row, (phase, position) in enumerate(windows.rows):
        if phase >= 0:
            for further, first, begin, count in windows.columns:
                elements = image[:, row, first :: windows.stride][:, :count]
                line[:, phase + further, position + begin : position + begin + count] = elements
    return line.reshape(len(image), -1)


def positions(windows: FlatWindows) -> np.ndarray:
    """Return the position in the line that each tap of each window sees, (KK, P)."""
    first = windows.origins[:, None] + np.arange(windows.width)  # (OR, OW)
    phase, shift = windows.taps.T
    return (phase * windows.plane + shift)[:, None] + first.reshape(1, -1)


def window_columns(image: np.ndarray, windows: FlatWindows, groups: int) -> np.ndarray:
    """Return the numbers under each window of one image (C, R, W) as a column (im2col), (G, K, P)."""
    columns = lay_out(image, windows)[:, positions(windows)]  # (C, KK, P)
    return columns.reshape(groups, -1, columns.shape[2])  # (G, K, P)


def correlate_reference(chunk, start, stop, x, weights, bias, windows, together, line, sums, y):
    filters = y.shape[1] // len(weights)
    for n in range(start, stop):
        outputs = weights @ window_columns(x[n], windows, len(weights)) + bias[:, :, None]  # (G, F, P)
        y[n] = outputs[:, :filters].reshape(y[n].shape)


def input_gradient_reference(chunk, start, stop, dy, weights, windows, together, line, sums, dx):
    groups, taps = len(weights), len(windows.taps)
    matrices = weights[:, : dx.shape[1] // groups].reshape(dx.shape[1], taps, -1)  # (C, KK, F/G)
    numbers = np.arange(1.0, dx[0, 0].size + 1).reshape(1, *dx.shape[2:])
    numbers = lay_out(numbers, windows)[0].astype(int)  # of the element that lies at each position; 0 is padding
    seen = numbers > 0
    for n in range(start, stop):
        blocks = dy[n].reshape(groups, 1, matrices.shape[2], -1).repeat(len(matrices) // groups, axis=1)
        gradients = matrices @ blocks.reshape(len(matrices), matrices.shape[2], -1)  # (C, KK, P)
        collected = np.zeros((len(matrices), len(numbers)), dx.dtype)
        order = positions(windows)[windows.order]
        np.add.at(collected, (slice(None), order), gradients)  # what several windows saw collects from all of them
        dx[n] = 0
        dx[n].reshape(len(matrices), -1)[:, numbers[seen] - 1] = collected[:, seen]


def weight_gradient_reference(chunk, start, stop, dy, x, windows, together, line, spread, dweight, dbias):
    _, groups, _, _ = dweight.shape
    filters, k = dy.shape[1] // groups, x.shape[1] // groups * len(windows.taps)
    for n in range(start, stop):
        columns = window_columns(x[n], windows, groups)  # (G, K, P)
        dweight[chunk, :, :filters, :k] += dy[n].reshape(groups, filters, -1) @ columns.transpose(0, 2, 1)
        dbias[chunk, :, :filters] += dy[n].sum(axis=1).reshape(groups, filters)


# ----------------------------------------------------------------------------------------------------- the fast version


@jit
def deal_out(image, windows, together, place, line):
    """Lay out ``image`` (C, R, W) as number ``place`` of the images that are side by side in ``line``."""
    channels, rows, _ = image.shape
    phase_size = together * windows.plane
    for c in range(channels):
        for r in range(rows):
            if windows.rows[r, 0] >= 0:
                source = image[c, r]
                row = (
                    (c * windows.phases + windows.rows[r, 0]) * phase_size + place * windows.plane + windows.rows[r, 1]
                )
                for p in range(len(windows.columns)):
                    first, count = windows.columns[p, 1], windows.columns[p, 3]
                    begin = row + windows.columns[p, 0] * phase_size + windows.columns[p, 2]
                    target, elements = line[begin : begin + count], source[first:]
                    if windows.stride == 1:  # a case of its own, because it is a copy of whole vectors
                        for j in range(count):
                            target[j] = elements[j]
                    else:
                        for j in range(count):
                            target[j] = elements[j * windows.stride]


@jit
def take_back(sums, windows, phase, place, image):
    """Write the elements of one phase of ``image`` (C, R, W): the adjoint of ``deal_out``.

    The first sum is that of position ``windows.first``.
    """
    channels, rows, _ = image.shape
    for p in range(len(windows.columns)):
        further, first, position, count = windows.columns[p]
        for r in range(rows):
            if windows.rows[r, 0] >= 0 and windows.rows[r, 0] + further == phase:
                begin = place * windows.plane + windows.rows[r, 1] + position - windows.first
                for c in range(channels):
                    source, target = sums[c, begin : begin + count], image[c, r, first:]
                    if windows.stride == 1:
                        for j in range(count):
                            target[j] = source[j]
                    else:
                        for j in range(count):
                            target[j * windows.stride] = source[j]


@jit
def tap_offsets(channels, windows, together):
    """Return the offset of each tap of each channel in the line, (C * KK,)."""
    taps = len(windows.taps)
    offsets = np.empty(channels * taps, np.int64)
    for c in range(channels):
        for t in range(taps):
            phase = c * windows.phases + windows.taps[t, 0]
            offsets[c * taps + t] = phase * together * windows.plane + windows.taps[t, 1]
    return offsets


@jit
def correlate(chunk, start, stop, x, weights, bias, windows, together, line, sums, y):
    """y[n, f] = bias[f] + sum over the window of weight[f] * x[n], for ``together`` images at a time.

    x (N, C, R, W), weights (G, F, K), bias (G, F), y (N, G * filters, P) where F is the number of filters of a group,
    rounded up to 4. Scratch for each chunk: line (chunks, C * phases * together * plane + lanes) of zeros, sums
    (chunks, F, together * plane + lanes).
    """
    groups, width = len(weights), windows.width
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    offsets = tap_offsets(channels, windows, together)
    size = channels * windows.phases * together * windows.plane
    total = sums[chunk]
    for first in range(start, stop, together):
        images = min(together, stop - first)
        for i in range(images):
            deal_out(x[first + i], windows, together, i, line[chunk])
        last = (images - 1) * windows.plane + windows.origins[-1] + width
        for g in range(groups):
            weighted_sums(line[chunk, g * size :], offsets, weights[g, :, : len(offsets)], bias[g], last, total)
            for i in range(images):
                for f in range(filters):
                    out = y[first + i, g * filters + f]
                    for r in range(len(windows.origins)):
                        begin = i * windows.plane + windows.origins[r]
                        source, target = total[f, begin : begin + width], out[r * width : (r + 1) * width]
                        for j in range(width):
                            target[j] = source[j]


@jit
def input_gradient(chunk, start, stop, dy, weights, windows, together, line, sums, dx):
    """dx[n] = each dy[n, f, p] times weight[f], added up over the windows p that saw the element.

    dy (N, F, P), weights (G, C, KK * F/G), C rounded up to 4 and the taps in the order of their phases, dx (N, C, R, W)
    of zeros where no window sees an element. Scratch for each chunk: line (chunks, F/G * (reach + together * plane) +
    lanes) of zeros, sums (chunks, C likewise, together * plane + lanes).
    """
    groups, taps, width = len(weights), len(windows.taps), windows.width
    channels, filters = dx.shape[1] // groups, dy.shape[1] // groups
    reach = windows.plane - windows.origins[-1] - width  # the longest shift: so far back an element looks
    size = reach + together * windows.plane
    offsets = np.empty(taps * filters, np.int64)
    for t in range(taps):
        for f in range(filters):
            offsets[t * filters + f] = f * size + reach - windows.taps[windows.order[t], 1]
    nothing = np.zeros(weights.shape[1], dx.dtype)
    total = sums[chunk]
    for first in range(start, stop, together):
        images = min(together, stop - first)
        length = (images - 1) * windows.plane + windows.last - windows.first
        for g in range(groups):
            for i in range(images):
                for f in range(filters):
                    begin = f * size + reach + i * windows.plane
                    for r in range(len(windows.origins)):
                        source = dy[first + i, g * filters + f, r * width : (r + 1) * width]
                        target = line[chunk, begin + windows.origins[r] : begin + windows.origins[r] + width]
                        for j in range(width):
                            target[j] = source[j]
            for phase in range(windows.phases):
                begin, end = windows.bounds[phase] * filters, windows.bounds[phase + 1] * filters
                part = weights[g, :, begin:end]
                weighted_sums(line[chunk, windows.first :], offsets[begin:end], part, nothing, length, total)
                for i in range(images):
                    take_back(total, windows, phase, i, dx[first + i, g * channels : (g + 1) * channels])


@jit
def weight_gradient(chunk, start, stop, dy, x, windows, together, line, spread, dweight, dbias):
    """dweight[chunk, f] += sum over n and p of dy[n, f, p] times what window p sees in x[n]; dbias += that of dy.

    dweight (chunks, G, F, K) and dbias (chunks, G, F), with F rounded up to 4 and K to 3, begin as zeros. Scratch for
    each chunk: line as in ``correlate``, spread (chunks, F, Q) of zeros, where Q is the
    last position of the last image, rounded up to lanes.
    """
    groups, width = dweight.shape[1], windows.width
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    seen = tap_offsets(channels, windows, together)
    offsets = np.full(dweight.shape[3], seen[-1])
    for k in range(len(seen)):  # assigned as a slice, numba would compile the words of an error for 2 seconds
        offsets[k] = seen[k]
    size = channels * windows.phases * together * windows.plane
    for first in range(start, stop, together):
        images = min(together, stop - first)
        if images < together:
            spread[chunk] = 0
        for i in range(images):
            deal_out(x[first + i], windows, together, i, line[chunk])
        for g in range(groups):
            for f in range(filters):
                row, total = spread[chunk, f], dy.dtype.type(0)
                for i in range(images):
                    gradient = dy[first + i, g * filters + f]
                    for p in range(len(gradient)):
                        total += gradient[p]
                    for r in range(len(windows.origins)):
                        begin = i * windows.plane + windows.origins[r]
                        source, target = gradient[r * width : (r + 1) * width], row[begin : begin + width]
                        for j in range(width):
                            target[j] = source[j]
                dbias[chunk, g, f] += total
            begin, end = windows.origins[0], spread.shape[2]
            scalar_products(line[chunk, g * size :], offsets, spread[chunk], begin, end, dweight[chunk, g])
