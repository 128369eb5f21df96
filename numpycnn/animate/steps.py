"""The steps of a sliding window over an image of one channel, with inputs, terms and result of each.

`numpycnn.animate.animation` draws these steps. `numpycnn.functional` computes the results.
"""

from collections.abc import Iterator
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
KINDS: dict[str, Any] = {"max": F.max_pool2d, "avg": F.avg_pool2d, "lp": F.lp_pool2d}


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
    rows: np.ndarray  # (KH,), those of the uncropped output that the copy covers
    columns: np.ndarray  # (KW,)
    terms: np.ndarray  # (KH, KW), value * weight, the terms added there
    before: np.ndarray  # (PH, PW), the uncropped output before this step
    after: np.ndarray  # (PH, PW), and after it
    touched: np.ndarray  # bool, (PH, PW): which outputs have received a term so far


def _check_image(value: npt.ArrayLike, name: str, operation: str) -> np.ndarray:
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


def _taps(windows: Windows, place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns of the padded input under the window at a place."""
    axes = zip(place, windows.stride, windows.dilation, windows.kernel, strict=True)
    rows, columns = (s * i + d * np.arange(k) for i, s, d, k in axes)
    return rows, columns


def _visit(x: np.ndarray, windows: Windows) -> Iterator[tuple[Any, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield output index, rows, columns, which taps are inside the input, and their values, 0 in the padding."""
    (above, _), (left, _) = windows.padding
    for output in np.ndindex(*windows.output):
        rows, columns = _taps(windows, output)
        rows, columns = rows - above, columns - left
        inside = ((rows >= 0) & (rows < len(x)))[:, None] & ((columns >= 0) & (columns < x.shape[1]))  # (KH, KW)
        seen = x.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip")
        yield output, rows, columns, inside, np.where(inside, seen, 0.0)


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
    x, weight = _check_image(x, "x", operation), _check_image(weight, "weight", operation)
    windows = slide(x.shape, weight.shape, stride=stride, padding=padding, dilation=dilation, owner=operation)
    _check_size(prod(windows.output), windows, operation)
    y = F.conv2d(x[None, None], weight[None, None], stride=stride, padding=padding, dilation=dilation)[0, 0]
    everything = np.ones(weight.shape, bool)
    steps = [
        Step(output, rows, columns, inside, everything, seen, seen * weight, float(y[output]))
        for output, rows, columns, inside, seen in _visit(x, windows)
    ]
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
    x = _check_image(x, "x", operation)
    around: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    windows = pool_windows(x.shape, kernel_size, **around, dilation=dilation, owner=operation)
    _check_size(prod(windows.output), windows, operation)
    p = check_number(p, "p", operation, minimum=1)
    own = {"max": {"dilation": dilation}, "avg": {"count_include_pad": count_include_pad}, "lp": {"p": p}}[kind]
    y = KINDS[kind](x[None, None], kernel_size, **around, **own)[0, 0]
    (_, below), (_, right) = windows.padding
    steps = []
    for output, rows, columns, inside, seen in _visit(x, windows):
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
    x, weight = _check_image(x, "x", operation), _check_image(weight, "weight", operation)
    around = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    windows = transposed_size(x.shape, weight.shape, **around, owner=operation)
    _check_size(x.size, windows, operation)
    steps = []
    before, touched = np.zeros(windows.padded), np.zeros(windows.padded, bool)
    for place in np.ndindex(*x.shape):
        rows, columns = _taps(windows, place)
        terms, after, touched = x[place] * weight, before.copy(), touched.copy()
        after[rows[:, None], columns] += terms
        touched[rows[:, None], columns] = True
        steps.append(TransposedStep(place, rows, columns, terms, before, after, touched))
        before = after
    return windows, steps
