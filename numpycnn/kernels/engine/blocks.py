"""The layout in blocks of channels, NCHWc: the channels of a block are adjacent, pixel by pixel.

In NCHW the channels of a pixel are far apart. Work that is the same for all channels is done in blocks of as many
channels as a vector register holds: one vector is one pixel of all channels of a block, whatever the image's width.
`to_channel_blocks` transposes to this layout, and `from_channel_blocks` back, a square of elements at a time.

Arrays are flat, and addressed by offset: slicing allocates a view, which costs more than the work on a short row.
"""

from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import REGISTER, transpose


@jit
def blocks_of(channels: int, itemsize: int) -> int:
    """Return the number of blocks that hold ``channels``."""
    return -(-channels * itemsize // REGISTER)


@jit
def to_channel_blocks(x, begin, channels, size, lines, pixels):
    """Write one block: pixels[s] = the vector of x[begin + c * size + s] for its channels ``c``, zero-padded.

    ``size`` is rounded up to a multiple of the vector width, and the vectors of the added pixels are zeros as well.
    ``lines`` is scratch memory as large as ``pixels``.
    """
    step = REGISTER // x.itemsize
    padded = -(-size // step) * step
    if channels == step and size == padded:
        for s in range(0, size, step):
            transpose(x, begin + s, size, pixels, s * step, step)
        return
    for lane in range(step):
        source, target = x[begin + lane * size if lane < channels else 0 :], lines[lane * padded :]
        for s in range(size if lane < channels else 0):
            target[s] = source[s]
        for s in range(size if lane < channels else 0, padded):
            target[s] = 0
    for s in range(0, padded, step):
        transpose(lines, s, padded, pixels, s * step, step)


@jit
def from_channel_blocks(pixels, channels, size, lines, x, begin):
    """Write the vectors of one block to x[begin:], channel after channel: the inverse of ``to_channel_blocks``."""
    step = REGISTER // x.itemsize
    padded = -(-size // step) * step
    if channels == step and size == padded:
        for s in range(0, size, step):
            transpose(pixels, s * step, step, x, begin + s, size)
        return
    for s in range(0, padded, step):
        transpose(pixels, s * step, step, lines, s, padded)
    for lane in range(channels):
        source, target = lines[lane * padded :], x[begin + lane * size :]
        for s in range(size):
            target[s] = source[s]


@jit
def copy_rows(rows, length, source, pitch, target, target_pitch):
    """Copy rows of ``length`` elements, which start every ``pitch`` elements in the source."""
    for h in range(rows):
        row, copy = source[h * pitch :], target[h * target_pitch :]
        for i in range(length):
            copy[i] = row[i]
