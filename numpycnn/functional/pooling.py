"""What all kinds of pooling share: their checks, and the sum over each window with its adjoint.

A pooling window slides as a convolution's does, but treats each channel by itself. Windows may overlap and may hang
over the edge; what hangs over never wins a maximum and adds nothing to a sum. With ``ceil_mode`` a last, incomplete
window is kept, unless it would begin in the padding after the input.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import check_flag, expect_shape, float_array, for_kernel, spell
from numpycnn.functional.windows import AXES, LETTERS, Windows, slide
from numpycnn.kernels import memory, threads
from numpycnn.kernels import pooling as kernels


def pool_windows(
    operation: str, size: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """Check the settings that all kinds share, and work out where the windows stand."""
    windows = slide(
        size,
        kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=padding,
        dilation=dilation,
        operation=operation,
        ceil_mode=check_flag(ceil_mode, "ceil_mode", operation),
    )
    for name, k, d, pair in zip(AXES[len(size)], windows.kernel, windows.dilation, windows.padding, strict=True):
        if max(pair) > d * (k - 1):
            raise ValueError(
                f"{operation}: expected padding smaller than the window, so that each sees some of the input; "
                f"got {max(pair)} for {name} with a window of {d * (k - 1) + 1}"
            )
    return windows


def prepare(
    operation: str,
    x: Any,
    rank: int | None,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> tuple[np.ndarray, Windows]:
    """Check the arguments that all kinds share."""
    x = float_array(x, "x", operation)
    rank = x.ndim - 2 if rank is None else rank
    if rank not in AXES or x.ndim != rank + 2:
        expected = ("N", "C", *LETTERS.get(rank, ("...",)))
        raise ValueError(f"{operation}: expected x {spell(expected)}, got {spell(x.shape)}")
    return x, pool_windows(operation, x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)


def planes(x: np.ndarray) -> np.ndarray:
    """Lay out (N, C, *size) as one line for each channel, (N * C, S)."""
    return for_kernel(x).reshape(x.shape[0] * x.shape[1], -1)


def window_sum(x: np.ndarray, windows: Windows) -> np.ndarray:
    """Add up what each window sees."""
    y = memory.empty((*x.shape[:2], *windows.output), x.dtype)
    if y.size:
        chunks = threads.split(y.shape[0] * y.shape[1])
        threads.run(kernels.window_sum, chunks, planes(x), windows.table, planes(y))
    return y  # (N, C, *output)


def window_sum_backward(dy: np.ndarray, windows: Windows) -> np.ndarray:
    """Give each element the sum of the gradients of all windows that see it."""
    dx = memory.empty((*dy.shape[:2], *windows.size), dy.dtype)
    if dx.size:
        chunks = threads.split(dx.shape[0] * dx.shape[1])
        threads.run(kernels.window_sum_backward, chunks, planes(dy), windows.table, planes(dx))
    return dx  # (N, C, *size)


def check_gradient(operation: str, dy: Any, x: np.ndarray, windows: Windows) -> np.ndarray:
    """Return `dy` as an array of the type of `x` and the shape of the output."""
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, (*x.shape[:2], *windows.output), "dy", operation)
    return dy
