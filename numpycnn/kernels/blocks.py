"""Blocks of channels: as many as a register holds, beside each other pixel by pixel.

The channels of a picture lie one behind the other, so the numbers of one pixel are far apart. For work that is the same
for all channels they are put beside each other first, as one turns a table: then a vector is a pixel of all channels of
a block, and it does not matter how wide the picture is. `beside` goes there, `apart` comes back.

Arrays are flat here, and what begins where is told by a number: taking a row out of an array makes a new array each
time, which costs more than what is done with it.
"""

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.vectors import REGISTER, transpose

# ------------------------------------------------------------------------------ the plain version, to read and check


def beside_reference(x, begin, channels, size, lines, pixels):
    step = REGISTER // x.itemsize
    whole = np.zeros((-(-size // step) * step, step), x.dtype)
    whole[:size, :channels] = x[begin : begin + channels * size].reshape(channels, size).T
    pixels[: whole.size] = whole.reshape(-1)


def apart_reference(pixels, channels, size, lines, x, begin):
    step = REGISTER // x.itemsize
    block = pixels[: size * step].reshape(size, step)[:, :channels]
    x[begin : begin + channels * size] = block.T.reshape(-1)


def copy_rows_reference(rows, length, source, pitch, target, gap):
    for h in range(rows):
        target[h * gap : h * gap + length] = source[h * pitch : h * pitch + length]


# ----------------------------------------------------------------------------------------------------- the fast version


@jit
def blocks_of(channels, itemsize):
    """Return how many blocks of channels there are."""
    return -(-channels * itemsize // REGISTER)


@jit
def beside(x, begin, channels, size, lines, pixels):
    """pixels[s] = the channels of a block at pixel ``s``, as a vector; the channels lie at x[begin:], each of ``size``.

    What is missing, to whole vectors of channels or of pixels, is made zeros.
    """
    step = REGISTER // x.itemsize
    whole = -(-size // step) * step
    if channels == step and size == whole:
        for s in range(0, size, step):
            transpose(x, begin + s, size, pixels, s * step, step)
        return
    for lane in range(step):
        source, target = x[begin + lane * size if lane < channels else 0 :], lines[lane * whole :]
        for s in range(size if lane < channels else 0):
            target[s] = source[s]
        for s in range(size if lane < channels else 0, whole):
            target[s] = 0
    for s in range(0, whole, step):
        transpose(lines, s, whole, pixels, s * step, step)


@jit
def apart(pixels, channels, size, lines, x, begin):
    """Write the vectors of a block's channels back to x[begin:], one channel behind the other."""
    step = REGISTER // x.itemsize
    whole = -(-size // step) * step
    if channels == step and size == whole:
        for s in range(0, size, step):
            transpose(pixels, s * step, step, x, begin + s, size)
        return
    for s in range(0, whole, step):
        transpose(pixels, s * step, step, lines, s, whole)
    for lane in range(channels):
        source, target = lines[lane * whole :], x[begin + lane * size :]
        for s in range(size):
            target[s] = source[s]


@jit
def copy_rows(rows, length, source, pitch, target, gap):
    """Copy rows of some length, which begin ``pitch`` apart in the one and ``gap`` apart in the other."""
    for h in range(rows):
        row, copy = source[h * pitch :], target[h * gap :]
        for i in range(length):
            copy[i] = row[i]
