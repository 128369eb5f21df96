"""When and how a convolution goes by Winograd's way; the way itself is explained in `numpycnn.kernels.winograd`."""

from math import prod

import numpy as np

from numpycnn.functional.checks import for_kernel
from numpycnn.functional.windows import Windows
from numpycnn.kernels import memory, threads
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels import winograd_transforms as transforms
from numpycnn.kernels.blocks import blocks_of
from numpycnn.kernels.products import narrow_lanes
from numpycnn.kernels.vectors import REGISTER


def prefers_winograd(images: int, channels: int, filters: int, groups: int, windows: Windows) -> bool:
    """Whether 3x3 windows, one element apart, save enough multiplications to pay for the transforms.

    For each 4x4 patch of the output, a plain convolution multiplies ``144 C F`` times, and in the gaps between rows as
    well; Winograd's multiplies ``36 C F`` times, with ``F`` rounded up to the tiles that are worked on. Transforming a
    patch takes about as long as 800 multiplications, once for each channel and once for each filter, rounded up to
    whole vectors of them; and transforming a kernel, which all patches share, takes as long as 1,100.
    """
    if groups != 1 or windows.kernel != (3, 3) or windows.stride != (1, 1) or windows.dilation != (1, 1):
        return False
    height, width = windows.output
    patches, vector = -(-height // 4) * -(-width // 4), REGISTER // 4
    plain = 9 * (height + 2) * (width + 2) * channels * filters
    products = patches * 36 * channels * transforms.whole_tiles(filters, 4)
    of_patches = patches * 800 * sum(-(-n // vector) * vector for n in (channels, filters))
    return products + of_patches + channels * filters * 1100 / max(images, 1) < plain


#: Bytes that the numbers of the patches of a group of images take. More patches make better products, and fewer groups
#: fewer pauses, but what stays in the cache is less: with 64 to 256 channels a step takes the same time from 8 to 32
#: MiB, within 5 %.
TOGETHER = 16 * 2**20
#: Patches that a group has at least, even if they take more.
FEWEST = 128
#: Bytes that the numbers of all kernels may take where each thread does images by itself. With two threads a layer of
#: 32 channels is 1.4 times as fast so, one of 64 channels 1.25 times; with 128 it would take 1.15 times as long.
ALONE = 2**20
#: Bytes that the numbers of a thread's patches take at a time then; for a single image it may be twice as many.
TOGETHER_ALONE = 2**20


class _Plan:
    """How many images are done at a time, how they are cut, and working memory for it."""

    def __init__(self, x: np.ndarray, filters: int, windows: Windows) -> None:
        (top, _), (left, _) = windows.padding
        self.patches = kernels.Patches(top, left, -(-windows.output[0] // 4), -(-windows.output[1] // 4))
        self.channels, self.filters, self.of_image = x.shape[1], filters, self.patches.down * self.patches.across
        self.pitches = transforms.row_pitch(self.channels, x.itemsize), transforms.row_pitch(filters, x.itemsize)
        self.threads = most = threads.get_num_threads()  # once: it may be changed meanwhile
        lane, of_patch = narrow_lanes(x.dtype), 36 * sum(self.pitches) * x.itemsize
        fits = 36 * self.channels * self.pitches[1] * x.itemsize <= ALONE
        self.alone = fits and len(x) >= 4 * most and self.of_image * of_patch <= 2 * TOGETHER_ALONE
        if self.alone:
            self.together = min(max(1, TOGETHER_ALONE // of_patch // self.of_image), -(-len(x) // most))
        else:
            images = max(1, max(TOGETHER // of_patch, FEWEST) // self.of_image)
            self.together = -(-len(x) // -(-len(x) // images))
        self.groups = [slice(first, min(first + self.together, len(x))) for first in range(0, len(x), self.together)]
        rows, times = self.together * self.of_image, most if self.alone else 1
        self.v, self.m = (transforms.empty_at_points(rows, n, x.dtype, times) for n in (self.channels, filters))
        self.moderate = np.ones(most, np.bool_)
        self._plane = most, (4 * self.patches.down + 2) * (4 * self.patches.across + 2) * lane
        block = most, -(-max(prod(x.shape[2:]), prod(windows.output)) // lane) * lane * lane
        self._working = *(memory.empty(block, x.dtype) for _ in range(2)), memory.empty((most, 36 * lane), x.dtype)

    def scratch(self) -> kernels.Scratch:
        """Return working memory for one kind of step."""
        return kernels.Scratch(memory.zeros(self._plane, self.v.dtype), *self._working)

    def chunks(self, group: slice, channels: int) -> list[tuple[int, int]]:
        """Return how threads share the blocks of channels of a group of images."""
        return threads.split((group.stop - group.start) * blocks_of(channels, self.v.itemsize), most=self.threads)

    def sizes(self, group: slice) -> tuple[int, int, int, tuple[int, int]]:
        """Return what the products of a group of images are told about its size."""
        return self.channels, self.filters, (group.stop - group.start) * self.of_image, self.pitches


def _transform(weight: np.ndarray, swapped: bool) -> tuple[np.ndarray, bool]:
    """Return the numbers of all kernels (F, C, 9) at the 36 points, and whether the kernels are moderate."""
    rows, columns = weight.shape[:2] if swapped else weight.shape[1::-1]
    pitch = transforms.row_pitch(columns, weight.itemsize)
    u = transforms.empty_at_points(rows, columns, weight.dtype)[0]
    chunks = threads.split(rows, weight.size * 100)
    moderate = np.ones(len(chunks), np.bool_)
    threads.run(transforms.transform_weights, chunks, weight, swapped, pitch, u, moderate)
    return u, bool(moderate.all())


def all_moderate(array: np.ndarray) -> bool:
    """Whether there is no NaN, no infinity and nothing very large."""
    return bool(transforms.all_moderate(for_kernel(array).reshape(-1)))


def winograd(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, windows: Windows) -> np.ndarray | None:
    """Return the convolution of `x`, (N, F, OH, OW).

    None if there is a NaN, an infinity or something very large (in float32, 1e19) in `x` or `weight`, which the
    transforms would spread over other windows. A number far larger than its neighbours is spread as well, as a rounding
    error of the size of its last digit.
    """
    (filters, channels), x = weight.shape[:2], for_kernel(x)
    u, moderate = _transform(for_kernel(weight).reshape(filters, channels, 9), False)
    if not moderate:
        return None
    y, p = memory.empty((len(x), filters, *windows.output), x.dtype), _Plan(x, filters, windows)
    shift = np.zeros(p.pitches[1], x.dtype)
    if bias is not None:
        shift[:filters] = bias
    scratch = p.scratch()
    if p.alone:
        way = (p.patches, p.pitches, (0, 36), p.together, scratch, p.v, p.m, p.moderate)
        threads.run(kernels.convolve_images, threads.split(len(x), most=p.threads), x, u, shift, *way, y)
        return y if p.moderate.all() else None
    for group in p.groups:
        chunks = p.chunks(group, channels)
        threads.run(kernels.see_images, chunks, x[group], p.patches, p.pitches[0], scratch, p.v[0], p.moderate)
        if not p.moderate.all():
            return None
        threads.run(kernels.multiply_points, threads.split(36), p.v[0], u, *p.sizes(group), p.m[0])
        chunks = p.chunks(group, filters)
        threads.run(kernels.answer_images, chunks, p.m[0], p.pitches[1], shift, p.patches, scratch, y[group])
    return y


def winograd_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, windows: Windows
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return ``(dx, dweight, dbias)``, or None where `winograd` does, or for what is very large in `dy`."""
    (filters, channels), x, dy = weight.shape[:2], for_kernel(x), for_kernel(dy)
    u, moderate = _transform(for_kernel(weight).reshape(filters, channels, 9), True)
    if not moderate:
        return None
    dx, p = memory.empty(x.shape, x.dtype), _Plan(x, filters, windows)
    dbias = memory.empty((len(x), p.pitches[1]), x.dtype)
    scratch = of_x, of_dy, of_dx = p.scratch(), p.scratch(), p.scratch()
    to_v, to_m = p.pitches
    if p.alone:
        chunks = threads.split(len(x), most=p.threads)
        du = transforms.empty_at_points(filters, channels, x.dtype, len(chunks))
        way = (p.patches, p.pitches, (0, 36), p.together, *scratch, p.v, p.m, p.moderate)
        threads.run(kernels.convolve_images_backward, chunks, dy, x, u, *way, du, dbias, dx)
        if not p.moderate.all():
            return None
    else:
        du, v, m = transforms.empty_at_points(filters, channels, x.dtype), p.v[0], p.m[0]
        for group in p.groups:
            inputs, outputs = p.chunks(group, channels), p.chunks(group, filters)
            threads.run(kernels.see_images, inputs, x[group], p.patches, to_v, of_x, v, p.moderate)
            outcome = (of_dy, m, dbias[group], p.moderate)
            threads.run(kernels.answer_images_backward, outputs, dy[group], p.patches, to_m, *outcome)
            if not p.moderate.all():
                return None
            more = group.start > 0
            threads.run(kernels.multiply_points_backward, threads.split(36), m, u, *p.sizes(group), more, v, du[0])
            threads.run(kernels.see_images_backward, inputs, v, to_v, p.patches, of_dx, dx[group])
    dweight = np.empty((filters, channels, 9), x.dtype)
    chunks = threads.split(filters, weight.size * 100)
    threads.run(transforms.transform_weights_backward, chunks, du, to_v, dweight)
    total = dbias[:, :filters].sum(axis=0, dtype=np.float64).astype(x.dtype)
    return dx, dweight.reshape(weight.shape), total
