"""3x3 convolutions with stride 1 by Winograd's algorithm, which `numpycnn.kernels.winograd` explains."""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from numpycnn._checks import as_contiguous
from numpycnn._settings import get_num_threads
from numpycnn._types import Array
from numpycnn.fast.layout import Layout
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels import winograd_transforms as transforms
from numpycnn.kernels.engine import memory, threads
from numpycnn.kernels.engine.blocks import blocks_of
from numpycnn.kernels.engine.gemm import narrow_lanes
from numpycnn.kernels.engine.vectors import REGISTER


@lru_cache(maxsize=1024)
def prefers_winograd(images: int, channels: int, filters: int, groups: int, windows: Layout) -> bool:
    """Return whether 3x3 windows with stride 1 save enough multiplications to pay for the transforms.

    For each 4x4 tile of the output, a direct convolution takes ``144 C F`` multiplications, and more in the gaps
    between rows; Winograd's algorithm takes ``36 C F``, with ``F`` padded to the tiles of the micro-kernel. The
    transform of a tile takes as long as about 800 multiplications, for each channel and for each filter, padded to the
    vector width; the transform of a kernel, once for all images, as long as 1,100.
    """
    if groups != 1 or windows.kernel != (3, 3) or windows.stride != (1, 1) or windows.dilation != (1, 1):
        return False
    height, width = windows.output
    tiles, vector = -(-height // 4) * -(-width // 4), REGISTER // 4
    direct = 9 * (height + 2) * (width + 2) * channels * filters
    products = tiles * 36 * channels * transforms.padded_columns(filters, 4)
    tile_transforms = tiles * 800 * sum(-(-n // vector) * vector for n in (channels, filters))
    return products + tile_transforms + channels * filters * 1100 / max(images, 1) < direct


#: Bytes of the transformed tiles of a group of images. More tiles make faster products and fewer groups fewer
#: hand-overs, but less stays in the cache: with 64 to 256 channels a step takes the same time from 8 to 32 MiB, within
#: 5 %.
GROUP_BYTES = 16 * 2**20
#: Tiles of a group at least, even if they take more bytes.
MIN_TILES = 128
#: Bytes of the transformed weights up to which each thread does all steps for images of its own. With two threads that
#: makes a layer of 32 channels 1.4 times as fast and one of 64 channels 1.25 times; one of 128 would take 1.15 times as
#: long.
CACHED_WEIGHTS = 2**20
#: Bytes of the transformed tiles of a thread's group then; a single image may take twice as many.
CACHED_TILES = 2**20


class _Group(NamedTuple):
    """Images that are transformed together, and how the threads share their blocks of channels."""

    images: slice
    sizes: tuple[int, int, int, tuple[int, int]]  # channels, filters, tiles and pitches, as the kernels take them
    input_chunks: threads.Chunks
    output_chunks: threads.Chunks


class _Plan(NamedTuple):
    """All that depends on the shapes, the dtype and the number of threads alone."""

    tiling: kernels.Tiling
    pitches: tuple[int, int]  # between the rows of the matrices V and M
    per_image: bool  # each thread does all steps for images of its own
    group_size: int  # images
    groups: tuple[_Group, ...]  # none if `per_image`
    image_chunks: threads.Chunks
    point_chunks: threads.Chunks
    channel_chunks: threads.Chunks  # of the weights
    filter_chunks: threads.Chunks
    padding: tuple[int, int, slice]  # rows and columns of V with their padding, and the columns beyond the channels
    forward_scratch: tuple[tuple[int, ...], ...]  # shapes
    backward_scratch: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=256)
def _plan(images: int, channels: int, filters: int, windows: Layout, dtype: np.dtype, num_threads: int) -> _Plan:
    """Cut the images into groups, and the work into chunks.

    The plan keeps the number of threads, which may be changed while a convolution runs.
    """
    size, lanes = dtype.itemsize, narrow_lanes(dtype)
    (top, _), (left, _) = windows.padding
    tiling = kernels.Tiling(top, left, -(-windows.output[0] // 4), -(-windows.output[1] // 4))
    tiles = tiling.rows * tiling.columns  # of an image
    pitches = transforms.row_pitch(channels, size), transforms.row_pitch(filters, size)
    tile_bytes = 36 * sum(pitches) * size
    per_image = (
        36 * channels * pitches[1] * size <= CACHED_WEIGHTS
        and images >= 4 * num_threads
        and tiles * tile_bytes <= 2 * CACHED_TILES
    )
    groups = []
    if per_image:
        group_size = min(max(1, CACHED_TILES // tile_bytes // tiles), -(-images // num_threads))
    else:
        most = max(1, max(GROUP_BYTES // tile_bytes, MIN_TILES) // tiles)
        group_size = -(-images // -(-images // most))
        for first in range(0, images, group_size):
            n = min(group_size, images - first)
            chunks = [threads.split(n * blocks_of(c, size), most=num_threads) for c in (channels, filters)]
            sizes = (channels, filters, n * tiles, pitches)
            groups.append(_Group(slice(first, first + n), sizes, *chunks))
    image_chunks = threads.split(images, most=num_threads)
    parts, parts_du = (num_threads, len(image_chunks)) if per_image else (1, 1)
    v, m = ((parts, *transforms.matrices_shape(group_size * tiles, c, size)) for c in (channels, filters))
    planes = num_threads, (4 * tiling.rows + 2) * (4 * tiling.columns + 2) * lanes
    block = num_threads, -(-max(prod(windows.size), prod(windows.output)) // lanes) * lanes * lanes
    working = v, m, block, block, (num_threads, 36 * lanes)
    u, swapped = transforms.matrices_shape(channels, filters, size), transforms.matrices_shape(filters, channels, size)
    padding = slice(blocks_of(channels, size) * lanes, transforms.padded_columns(channels, size))
    multiplications = filters * channels * 9 * 100
    return _Plan(
        tiling,
        pitches,
        per_image,
        group_size,
        tuple(groups),
        image_chunks,
        threads.split(36, most=num_threads),
        threads.split(channels, multiplications, num_threads),
        threads.split(filters, multiplications, num_threads),
        (-(-group_size * tiles // 4) * 4, pitches[0], padding),
        (u, (1, *planes), *working),
        (swapped, (3, *planes), *working, (parts_du, *swapped), (images, pitches[1])),
    )


def all_moderate(array: Array) -> bool:
    """Return whether `array` has no NaN, no infinity and nothing near overflow."""
    return bool(transforms.all_moderate(as_contiguous(array).reshape(-1)))


def winograd(x: Array, weight: Array, bias: Array | None, windows: Layout) -> Array | None:
    """Return the convolution of `x`, (N, F, OH, OW).

    None if `x` or `weight` has a NaN, an infinity or a very large number (in float32, 1e19), which the transforms would
    spread over other windows. A number far larger than its neighbours is spread as a rounding error of the size of its
    last digit.
    """
    (filters, channels), x = weight.shape[:2], np.ascontiguousarray(x)
    num_threads = get_num_threads()
    p = _plan(len(x), channels, filters, windows, x.dtype, num_threads)
    u, planes, v, m, *working = memory.empty_arrays(p.forward_scratch, x.dtype)
    moderate = np.ones(num_threads, np.bool_)
    weights = np.ascontiguousarray(weight).reshape(filters, channels, 9), False, p.pitches[1], u
    threads.run(transforms.transform_weights, p.channel_chunks, *weights, moderate)
    if not moderate.all():
        return None
    shift = np.zeros(p.pitches[1], x.dtype)
    if bias is not None:
        shift[:filters] = bias
    planes.fill(0)
    scratch = kernels.Scratch(planes[0], *working)
    y = memory.empty((len(x), filters, *windows.output), x.dtype)
    if p.per_image:
        settings = p.tiling, p.pitches, (0, 36), p.group_size
        threads.run(kernels.convolve_images, p.image_chunks, x, u, shift, *settings, scratch, v, m, moderate, y)
        return y if moderate.all() else None
    v, m = v[0], m[0]
    for images, sizes, input_chunks, output_chunks in p.groups:
        threads.run(kernels.input_transform, input_chunks, x[images], p.tiling, p.pitches[0], scratch, v, moderate)
        if not moderate.all():
            return None
        threads.run(kernels.multiply_points, p.point_chunks, v, u, *sizes, m)
        threads.run(kernels.output_transform, output_chunks, m, p.pitches[1], shift, p.tiling, scratch, y[images])
    return y


def winograd_backward(dy: Array, x: Array, weight: Array, windows: Layout) -> tuple[Array, Array, Array] | None:
    """Return ``(dx, dweight, dbias)``, or None as `winograd`, and for a very large number in `dy`."""
    (filters, channels), x, dy = weight.shape[:2], np.ascontiguousarray(x), np.ascontiguousarray(dy)
    num_threads = get_num_threads()
    p = _plan(len(x), channels, filters, windows, x.dtype, num_threads)
    u, planes, v, m, *working, du, dbias = memory.empty_arrays(p.backward_scratch, x.dtype)
    moderate = np.ones(num_threads, np.bool_)
    weights = np.ascontiguousarray(weight).reshape(filters, channels, 9), True, p.pitches[0], u
    threads.run(transforms.transform_weights, p.filter_chunks, *weights, moderate)
    if not moderate.all():
        return None
    rows, columns, padding = p.padding  # read by the micro-kernel without effect, but denormal numbers would be slow
    v[..., : rows * columns].reshape(*v.shape[:2], rows, columns)[..., padding] = 0
    planes[:2].fill(0)  # the backward input transform clears its own
    plane_x, plane_dy, plane_dx = planes
    scratch_x, scratch_dy = kernels.Scratch(plane_x, *working), kernels.Scratch(plane_dy, *working)
    scratch_dx = kernels.Scratch(plane_dx, *working)
    dx, (pitch_v, pitch_m) = memory.empty(x.shape, x.dtype), p.pitches
    if p.per_image:
        settings = p.tiling, p.pitches, (0, 36), p.group_size, (scratch_x, scratch_dy, scratch_dx)
        outputs = v, m, moderate, du, dbias, dx
        threads.run(kernels.convolve_images_backward, p.image_chunks, dy, x, u, *settings, *outputs)
        if not moderate.all():
            return None
    else:
        v, m = v[0], m[0]
        for images, sizes, input_chunks, output_chunks in p.groups:
            threads.run(kernels.input_transform, input_chunks, x[images], p.tiling, pitch_v, scratch_x, v, moderate)
            gradients = scratch_dy, m, dbias[images], moderate
            threads.run(kernels.output_transform_backward, output_chunks, dy[images], p.tiling, pitch_m, *gradients)
            if not moderate.all():
                return None
            accumulate = images.start > 0
            threads.run(kernels.multiply_points_backward, p.point_chunks, m, u, *sizes, accumulate, v, du[0])
            threads.run(kernels.input_transform_backward, input_chunks, v, pitch_v, p.tiling, scratch_dx, dx[images])
    dweight = np.empty((filters, channels, 9), x.dtype)
    threads.run(transforms.transform_weights_backward, p.filter_chunks, du, pitch_v, dweight)
    total = dbias[:, :filters].sum(axis=0, dtype=np.float64).astype(x.dtype)
    return dx, dweight.reshape(weight.shape), total
