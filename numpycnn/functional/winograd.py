"""When and how a convolution goes by Winograd's way; the way itself is explained in `numpycnn.kernels.winograd`."""

import numpy as np

from numpycnn.functional.checks import for_kernel
from numpycnn.functional.windows import Windows
from numpycnn.kernels import memory, threads
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels import winograd_transforms as transforms
from numpycnn.kernels.products import lanes, narrow_lanes


def prefers_winograd(images: int, channels: int, filters: int, groups: int, windows: Windows) -> bool:
    """Whether 3x3 windows, one element apart, save enough multiplications to pay for the transforms.

    For each 4x4 patch of the output, a plain convolution multiplies ``144 C F`` times and Winograd's ``36 C F`` times.
    Transforming a patch takes about as long as 1,000 multiplications, once for each channel and once for each filter,
    and so does transforming a kernel, which all patches share.
    """
    if groups != 1 or windows.kernel != (3, 3) or windows.stride != (1, 1) or windows.dilation != (1, 1):
        return False
    patches = -(-windows.output[0] // 4) * -(-windows.output[1] // 4)
    plain = 9 * windows.output[0] * windows.output[1] * channels * filters
    transforms = patches * 1000 * (channels + filters) + channels * filters * 1000 / max(images, 1)
    return 36 * patches * channels * filters + transforms < plain


#: Bytes that the numbers of all patches may take, and patches that there are at least; beyond that, images are done in
#: groups. More patches make better products, but stay in the cache less: with 64 channels and 32x32 pictures a step
#: takes 1.3 times as long at 1 MiB and 1.15 times at 32 MiB, with 256 channels twice as long at 1 MiB.
TOGETHER, FEWEST = 8 * 2**20, 128


class _Plan:
    """How many images are done at a time, how they are cut, and working memory for it."""

    def __init__(self, x: np.ndarray, filters: int, windows: Windows) -> None:
        (top, _), (left, _) = windows.padding
        output = (windows.output[0], windows.output[1])
        down, across = -(-output[0] // 4), -(-output[1] // 4)
        lane, four = narrow_lanes(x.dtype), lanes(x.dtype)
        channels, size = x.shape[1], down * across
        most = max(1, max(TOGETHER // (36 * (channels + filters) * x.itemsize), FEWEST) // size)
        self.images = -(-len(x) // -(-len(x) // most))
        self.patches = kernels.cut(output, top, left, self.images, four)
        self.groups = [slice(first, first + self.images) for first in range(0, len(x), self.images)]
        self.channels, self.filters = threads.split(channels), threads.split(filters)
        threads_used = max(len(self.channels), len(self.filters))
        self.v, self.m = (
            memory.empty((36, -(-n // 4) * 4 * self.patches.pitch + four), x.dtype) for n in (channels, filters)
        )
        plane = (4 * down + 2) * (4 * across + 4) + 8 * lane
        self.planes = memory.zeros((3, threads_used, plane), x.dtype)
        lines = 36 * (max((down + 1) * across, size) + 2 * lane)
        self.lines, self.work = (memory.empty((threads_used, n), x.dtype) for n in (lines, 36 * lane))

    def count(self, images: np.ndarray) -> int:
        """Return how many patches some images have in each channel."""
        return len(images) * self.patches.down * self.patches.across


def _transform(weight: np.ndarray, swapped: bool) -> np.ndarray:
    """Return the numbers of all kernels (F, C, 9) at the 36 points."""
    rows, columns = weight.shape[:2][:: -1 if swapped else 1]
    fours = -(-rows // 4)
    numbers = fours * transforms.whole_vectors(4 * columns, weight.itemsize)
    u = memory.empty((36, transforms.odd_pitch(numbers)), weight.dtype)
    threads.run(transforms.transform_weights, threads.split(fours, weight.size * 100), weight, swapped, u)
    return u


def all_moderate(*arrays: np.ndarray) -> bool:
    """Whether there is no NaN, no infinity and nothing near it, which the transforms would spread over other windows.

    A number far larger than its neighbours is spread as well, as a rounding error of the size of its last digit.
    """
    for array in arrays:
        chunks = threads.split_elements(array.size)
        moderate = np.empty(len(chunks), np.bool_)
        threads.run(kernels.all_moderate, chunks, for_kernel(array).reshape(-1), moderate)
        if not moderate.all():
            return False
    return True


def winograd(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, windows: Windows) -> np.ndarray:
    """Return the convolution of `x`, (N, F, OH, OW)."""
    (filters, channels), x, bias = weight.shape[:2], for_kernel(x), for_kernel(bias)
    y = memory.empty((len(x), filters, *windows.output), x.dtype)
    u, p = _transform(for_kernel(weight).reshape(filters, channels, 9), False), _Plan(x, filters, windows)
    for group in p.groups:
        threads.run(kernels.see_images, p.channels, x[group], p.patches, p.planes[0], p.lines, p.work, p.v)
        sizes = (channels, filters, p.count(x[group]))
        threads.run(kernels.multiply_points, threads.split(36), p.v, u, *sizes, p.patches, p.m)
        threads.run(kernels.answer_images, p.filters, p.m, bias, p.patches, p.lines, p.work, y[group])
    return y


def winograd_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, windows: Windows
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(dx, dweight)``."""
    (filters, channels), x, dy = weight.shape[:2], for_kernel(x), for_kernel(dy)
    width = transforms.whole_vectors(channels + 2, x.itemsize)
    dx = memory.empty(x.shape, x.dtype)
    du = memory.zeros((36, transforms.odd_pitch(-(-filters // 4) * 4 * width)), x.dtype)
    u, p = _transform(for_kernel(weight).reshape(filters, channels, 9), True), _Plan(x, filters, windows)
    for group in p.groups:
        threads.run(kernels.see_images, p.channels, x[group], p.patches, p.planes[0], p.lines, p.work, p.v)
        threads.run(kernels.answer_images_backward, p.filters, dy[group], p.patches, p.planes[1], p.lines, p.work, p.m)
        sizes = (channels, filters, p.count(x[group]))
        threads.run(kernels.multiply_points_backward, threads.split(36), p.m, u, *sizes, p.patches, p.v, du)
        threads.run(kernels.see_images_backward, p.channels, p.v, p.patches, p.planes[2], p.lines, p.work, dx[group])
    dweight = np.empty((filters, channels, 9), x.dtype)
    chunks = threads.split(filters, weight.size * 100)
    threads.run(transforms.transform_weights_backward, chunks, du, dweight)
    return dx, dweight.reshape(weight.shape)
