"""The steps of a sliding window over an image of one channel, with inputs, terms and result of each.

`numpycnn.animate.animation` draws these steps. The results are computed by `numpycnn.functional`.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn import functional as F
from numpycnn._checks import check_number, check_shape, format_shape
from numpycnn._windows import Windows, pool_windows, slide, transposed_size

MAX_STEPS = 1000  # more make an animation of several minutes
MAX_CELLS = 10_000  # per table; more are unreadable
KINDS = ("max", "avg", "lp")


@dataclass(frozen=True, eq=False)
class Step:
    """One position of a window over the input."""

    output: tuple[int, int]  # row and column of the output element
    rows: np.ndarray  # (KH,), those of the input under the window; negative or past the end in the padding
    columns: np.ndarray  # (KW,)
    inside: np.ndarray  # bool, (KH, KW): which taps are inside the input
    #: bool, (KH, KW): which taps take part: all in a convolution, those in the divisor of an average, those on the
    #: input and its padding in a norm, those inside for a maximum.
    counted: np.ndarray
    seen: np.ndarray  # (KH, KW), input values; 0 in the padding
    terms: np.ndarray  # (KH, KW), the summands: seen * weight, |seen|^p of an Lp pooling, otherwise `seen` itself
    result: float  # the output value, as computed by the library


@dataclass(frozen=True, eq=False)
class TransposedStep:
    """One element of the input of a transposed convolution, which adds a scaled copy of the kernel to the output."""

    input: tuple[int, int]  # row and column of the element
    value: float
    rows: np.ndarray  # (KH,), those of the uncropped output that the copy covers
    columns: np.ndarray  # (KW,)
    terms: np.ndarray  # (KH, KW), value * weight, the terms added there
    before: np.ndarray  # (PH, PW), the uncropped output before this step
    after: np.ndarray  # (PH, PW), and after it, as computed by the library
    touched: np.ndarray  # bool, (PH, PW): which outputs have received a term so far


def check_image(value: npt.ArrayLike, name: str, operation: str) -> np.ndarray:
    """Return `value` as a float64 matrix; raise if it is not one or not finite."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{operation}: expected {name} to hold numbers, got {array.dtype}")
    check_shape(array, ("H", "W") if name == "x" else ("KH", "KW"), name, operation)
    if not array.size:
        raise ValueError(f"{operation}: expected {name} that is not empty, got {format_shape(array.shape)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{operation}: expected {name} of finite numbers")
    return array.astype(np.float64)


def _check_size(count: int, windows: Windows, operation: str) -> None:
    if count > MAX_STEPS:
        raise ValueError(
            f"{operation}: expected at most {MAX_STEPS} steps, got {count:,}; take a smaller input or a larger stride"
        )
    axes = zip(windows.padded, windows.kernel, windows.stride, windows.dilation, windows.output, strict=True)
    table = [max(i, s * (o - 1) + d * (k - 1) + 1) for i, k, s, d, o in axes]  # with the overhang of ceil_mode
    if prod(table) > MAX_CELLS:
        raise ValueError(
            f"{operation}: expected a table of at most {MAX_CELLS:,} cells, "
            f"got {format_shape(table)}; take a smaller window "
            "or less padding"
        )


def _places(windows: Windows) -> list[tuple[tuple[int, int], np.ndarray, np.ndarray]]:
    """Return output index, rows and columns of each window, in row-major order."""

    def taps(axis: int, place: int) -> np.ndarray:
        step, begin = windows.stride[axis] * place, windows.padding[axis][0]
        return step - begin + windows.dilation[axis] * np.arange(windows.kernel[axis])

    height, width = windows.output
    return [((i, j), taps(0, i), taps(1, j)) for i in range(height) for j in range(width)]


def _read_window(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which taps are inside the input, and their values, 0 in the padding."""
    height, width = x.shape
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))  # (KH, KW)
    values = x[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]
    return inside, np.where(inside, values, 0.0)


def convolution_steps(
    x: npt.ArrayLike, weight: npt.ArrayLike, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> tuple[Windows, list[Step]]:
    """Return the window geometry of `convolution_animation`, and its steps row by row.

    Examples
    --------
    >>> _, steps = convolution_steps([[1, 2, 3]], [[10, 1]])
    >>> [(step.terms.tolist(), step.result) for step in steps]
    [([[10.0, 2.0]], 12.0), ([[20.0, 3.0]], 23.0)]
    """
    operation = "convolution_animation"
    x, weight = check_image(x, "x", operation), check_image(weight, "weight", operation)
    windows = slide(x.shape, weight.shape, stride=stride, padding=padding, dilation=dilation, owner=operation)
    _check_size(prod(windows.output), windows, operation)
    y = F.conv2d(x[None, None], weight[None, None], stride=stride, padding=padding, dilation=dilation)[0, 0]
    steps = []
    for output, rows, columns in _places(windows):
        inside, seen = _read_window(x, rows, columns)
        everything = np.ones(weight.shape, bool)
        steps.append(Step(output, rows, columns, inside, everything, seen, seen * weight, float(y[output])))
    return windows, steps


def pooling_steps(
    x: npt.ArrayLike,
    kernel_size: Any,
    *,
    kind: str = "max",
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    p: float = 2,
) -> tuple[Windows, list[Step]]:
    """Return the window geometry of `pooling_animation`, and its steps row by row; only max pooling has a dilation.

    Examples
    --------
    >>> _, steps = pooling_steps([[1, 2, 3, 4]], (1, 2))
    >>> [step.result for step in steps]
    [2.0, 4.0]
    """
    operation = "pooling_animation"
    if kind not in KINDS:
        raise ValueError(f"{operation}: expected kind 'max', 'avg' or 'lp', got {kind!r}")
    if kind != "max" and dilation not in (1, (1, 1), [1, 1]):
        raise ValueError(
            f"{operation}: expected dilation 1 for kind {kind!r}, got {dilation}; only 'max' has a dilation"
        )
    x = check_image(x, "x", operation)
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    windows = pool_windows(x.shape, kernel_size, **settings, owner=operation)
    _check_size(prod(windows.output), windows, operation)
    p = check_number(p, "p", operation, minimum=1)
    around: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    if kind == "max":
        y = F.max_pool2d(x[None, None], kernel_size, dilation=dilation, **around)[0, 0]
    elif kind == "avg":
        y = F.avg_pool2d(x[None, None], kernel_size, count_include_pad=count_include_pad, **around)[0, 0]
    else:
        y = F.lp_pool2d(x[None, None], kernel_size, p=p, **around)[0, 0]
    (_, below), (_, right) = windows.padding
    steps = []
    for output, rows, columns in _places(windows):
        inside, seen = _read_window(x, rows, columns)
        counted = inside
        if kind == "lp" or (kind == "avg" and count_include_pad):  # the overhang of ceil_mode is never counted
            counted = (rows < x.shape[0] + below)[:, None] & (columns < x.shape[1] + right)
        terms = np.abs(seen) ** p if kind == "lp" else seen
        steps.append(Step(output, rows, columns, inside, counted, seen, terms, float(y[output])))
    return windows, steps


def transposed_steps(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
) -> tuple[Windows, list[TransposedStep]]:
    """Return the window geometry of `conv_transpose_animation`, and a step for each element of `x`, row by row.

    The geometry is that of the adjoint convolution: its ``size`` is that of the output here, its ``padded`` that of the
    uncropped output.

    Examples
    --------
    >>> _, steps = transposed_steps([[1, 2]], [[10, 1]])
    >>> [step.after.tolist() for step in steps]
    [[[10.0, 1.0, 0.0]], [[10.0, 21.0, 2.0]]]
    """
    operation = "conv_transpose_animation"
    x, weight = check_image(x, "x", operation), check_image(weight, "weight", operation)
    around: dict[str, Any] = {"stride": stride, "output_padding": output_padding, "dilation": dilation}
    windows = transposed_size(x.shape, weight.shape, padding=padding, owner=operation, **around)
    _check_size(x.size, windows, operation)
    steps = []
    so_far, before, touched = np.zeros_like(x), np.zeros(windows.padded), np.zeros(windows.padded, bool)
    for i, j in np.ndindex(*x.shape):
        so_far[i, j] = x[i, j]
        whole = F.conv_transpose2d(so_far[None, None], weight[None, None], **around)[0, 0]
        after = np.zeros(windows.padded)
        after[: whole.shape[0], : whole.shape[1]] = whole
        rows, columns = (
            s * place + d * np.arange(k)
            for place, s, d, k in zip((i, j), windows.stride, windows.dilation, windows.kernel, strict=True)
        )
        touched = touched.copy()
        touched[rows[:, None], columns] = True
        steps.append(TransposedStep((i, j), float(x[i, j]), rows, columns, x[i, j] * weight, before, after, touched))
        before = after
    return windows, steps
