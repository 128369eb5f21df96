"""When and how a convolution goes by Winograd's way; the way itself is explained in `numpycnn.kernels.winograd`."""

import numpy as np

from numpycnn.functional.checks import for_kernel
from numpycnn.functional.windows import Windows
from numpycnn.kernels import threads
from numpycnn.kernels import winograd as kernels

POSITIONS = 48  # in one matrix product, at least: fewer leave the product below its speed


def prefers_winograd(channels: int, filters: int, groups: int, windows: Windows) -> bool:
    """Whether 3x3 windows, one element apart, save enough multiplications to pay for the transforms.

    An input is transformed once for all filters, an output once for all channels, so there must be many of both; and
    the 4x4 patches must fill the output well. Speed against the direct loop, measured on two cores, float32, batch 32:

    =========================  =======  ========
    channels, filters, output  forward  backward
    =========================  =======  ========
    16, 16, 28x28              0.7      0.7
    32, 32, 28x28              1.0      1.1
    32, 64, 24x24              1.3      1.5
    64, 64, 14x14              1.4      1.3
    64, 64, 32x32              1.7      1.5
    256, 256, 8x8              2.1      1.9
    =========================  =======  ========
    """
    return False
    if groups != 1 or windows.kernel != (3, 3) or windows.stride != (1, 1) or windows.dilation != (1, 1):
        return False
    if min(channels, filters) < 32 or channels * filters < 32 * 64:
        return False
    patches = _cut(windows)
    saved = 9 * windows.output[0] * windows.output[1] / (36 * patches.down * patches.pitch)
    return saved > 2.3


def _cut(windows: Windows) -> kernels.Patches:
    (top, _), (left, _) = windows.padding
    return kernels.cut((windows.output[0], windows.output[1]), top, left)


def _scratch(
    channels: int, filters: int, patches: kernels.Patches, chunks: int, images: int, dtype: type
) -> list[np.ndarray]:
    """Return the transforms, and working memory for each chunk: of a few images, whatever the batch."""
    size = patches.down * patches.pitch
    together = max(1, min(images, -(-POSITIONS // size)))
    return [
        np.kron(kernels.BT, kernels.BT).astype(dtype),
        np.kron(kernels.AT, kernels.AT).astype(dtype),
        np.zeros((chunks, 3, 4 * (patches.down + 1), 4 * patches.pitch), dtype),
        np.zeros((chunks, 16, (patches.down + 1) * patches.pitch + 1), dtype),
        np.zeros((chunks, 36, channels, together * size), dtype),
        np.empty((chunks, 36, channels, together * size), dtype),
        np.empty((chunks, 36, filters, together * size), dtype),
        np.zeros((chunks, 16, filters, together * size), dtype),
    ]


def winograd(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, windows: Windows) -> np.ndarray:
    """Return the convolution of `x`, (N, F, OH, OW)."""
    y = np.empty((len(x), len(weight), *windows.output), x.dtype)
    patches, chunks = _cut(windows), threads.split(len(x))
    scratch = _scratch(x.shape[1], len(weight), patches, len(chunks), -(-len(x) // len(chunks)), x.dtype.type)
    u = kernels.transform_weights(weight)
    threads.run(kernels.winograd, chunks, for_kernel(x), u, for_kernel(bias), patches, *scratch, y, blas=True)
    return y


def winograd_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, windows: Windows
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(dx, dweight)``."""
    patches, chunks = _cut(windows), threads.split(len(x))
    scratch = _scratch(x.shape[1], len(weight), patches, len(chunks), -(-len(x) // len(chunks)), x.dtype.type)
    u = kernels.transform_weights(weight)
    dx = np.empty(x.shape, x.dtype)
    du = np.zeros((len(chunks), *u.shape), x.dtype)
    arrays = (for_kernel(dy), for_kernel(x), u)
    threads.run(kernels.winograd_backward, chunks, *arrays, patches, *scratch, dx, du, blas=True)
    return dx, kernels.transform_weights_backward(du.sum(axis=0))
