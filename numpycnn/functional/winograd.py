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


#: Patches in one product: the more, the better the products, and the fewer, the less memory they come from.
FORWARD, BACKWARD = 128, 512


def _prepare(
    x: np.ndarray, filters: int, windows: Windows, positions: int
) -> tuple[list[tuple[int, int]], kernels.Patches, list[np.ndarray]]:
    """Return how the images are shared, how they are cut, and working memory for each chunk."""
    chunks, room, width = threads.split(len(x)), lanes(x.dtype), narrow_lanes(x.dtype)
    (top, _), (left, _) = windows.padding
    output = (windows.output[0], windows.output[1])
    down, across = -(-output[0] // 4), -(-output[1] // 4)
    size, most = down * across, -(-len(x) // len(chunks))

    def waste(images: int) -> float:
        return -(-images * size // room) * room / (images * size)

    together = min(range(1, max(1, min(most, positions // size)) + 1), key=lambda n: (round(waste(n), 1), -n))
    patches = kernels.cut(output, top, left, together, room)
    channels, filters = (-(-n // 4) * 4 for n in (x.shape[1], filters))
    plane = (4 * down + 4) * (4 * across + 4) + 8 * width
    zeros = memory.zeros((len(chunks), 3, plane), x.dtype)
    shapes = [
        36 * (max((down + 1) * across, size) + 2 * width),
        36 * width,
        36 * (channels * patches.pitch + room),
        36 * (filters * patches.pitch + room),
    ]
    return chunks, patches, [zeros, *(memory.empty((len(chunks), shape), x.dtype) for shape in shapes)]


def _transform(weight: np.ndarray, swapped: bool) -> np.ndarray:
    filters, channels = weight.shape[:2][:: -1 if swapped else 1]
    width = max(narrow_lanes(weight.dtype) // 4, 1)
    u = memory.empty((36, -(-filters // 4), -(-channels // width) * width, 4), weight.dtype)
    kernels_in = for_kernel(weight).reshape(*weight.shape[:2], 9)
    chunks = threads.split(u.shape[1], weight.size * 10)
    threads.run(transforms.transform_weights, chunks, kernels_in, swapped, u)
    return u


def all_finite(*arrays: np.ndarray) -> bool:
    """Whether there is no NaN and no infinity. The transforms would spread them over windows that do not see them."""
    for array in arrays:
        chunks = threads.split_elements(array.size)
        finite = np.empty(len(chunks), np.bool_)
        threads.run(kernels.all_finite, chunks, for_kernel(array).reshape(-1), finite)
        if not finite.all():
            return False
    return True


def winograd(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, windows: Windows) -> np.ndarray:
    """Return the convolution of `x`, (N, F, OH, OW)."""
    y = memory.empty((len(x), len(weight), *windows.output), x.dtype)
    chunks, patches, scratch = _prepare(x, len(weight), windows, FORWARD)
    threads.run(
        kernels.winograd, chunks, for_kernel(x), _transform(weight, False), for_kernel(bias), patches, *scratch, y
    )
    return y


def winograd_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, windows: Windows
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(dx, dweight)``."""
    filters, channels = weight.shape[:2]
    chunks, patches, scratch = _prepare(x, filters, windows, BACKWARD)
    dx, width = memory.empty(x.shape, x.dtype), narrow_lanes(x.dtype)
    du = memory.zeros((len(chunks), 36, -(-filters // 4) * 4, -(-(channels + 2) // width) * width), x.dtype)
    arrays = (for_kernel(dy), for_kernel(x), _transform(weight, True))
    threads.run(kernels.winograd_backward, chunks, *arrays, patches, *scratch, dx, du)
    dweight = np.empty((filters, channels, 9), x.dtype)
    total = du[0] if len(chunks) == 1 else du.sum(axis=0)
    shares = threads.split(filters, weight.size * 10)
    threads.run(transforms.transform_weights_backward, shares, total, dweight)
    return dx, dweight.reshape(weight.shape)
