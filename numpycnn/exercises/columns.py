"""The exercise on im2col: a convolution as a matrix product."""

from typing import Any

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import Arguments, Case, Exercise, Function, known_mistakes, one_pixel_apart


def im2col(x: np.ndarray, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> np.ndarray:
    """Write the values under each window of an image as one column of a matrix ("image to columns").

    A convolution is then one matrix product for each image: the filters as rows, ``weight.reshape(F, K)``, times these
    columns. Row ``k`` of the columns belongs to channel ``c`` and position ``(u, v)`` in the window, column ``p`` to
    the window ``(i, j)``:

        columns[n, k, p] = padded[n, c, s * i + u, s * j + v]    k = (c * KH + u) * KW + v    p = i * OW + j

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    kernel_size : tuple of int
        ``(KH, KW)``, the size of the window.
    stride, padding : int
        As in a convolution.

    Returns
    -------
    ndarray of shape (N, K, P)
        ``K = C * KH * KW`` values for each of the ``P = OH * OW`` windows, with
        ``OH = (H + 2 * padding - KH) // stride + 1``, and ``OW`` likewise.

    Notes
    -----
    Hints:

    - Start with zeros of shape (N, C, KH, KW, OH, OW), and reshape at the end.
    - Two loops over u and v are enough, without loops over the windows: the values of all windows at (u, v) are a
      strided slice of the padded image, ``padded[:, :, u : ... : stride, v : ... : stride]``.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    >>> im2col(x, (2, 2))  # the left window is 1 2 4 5, the right one 2 3 5 6
    array([[[1., 2.],
            [2., 3.],
            [4., 5.],
            [5., 6.]]])
    """
    return plain.im2col(x, kernel_size, stride=stride, padding=padding)


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], kernel_size: tuple[int, int], **settings: int) -> Case:
        x = 1.0 + np.arange(np.prod(shape)).reshape(shape)  # each value identifies its position
        return Case(about, {"x": x, "kernel_size": kernel_size, **settings})

    return [
        case("one channel, a 2x2 window on a 3x4 image", (1, 1, 3, 4), (2, 2)),
        case("a window that is not square", (1, 1, 4, 3), (3, 2)),
        case("two channels", (1, 2, 3, 3), (2, 2)),
        case("a batch of two images", (2, 1, 2, 3), (1, 2)),
        case("stride 2", (1, 1, 4, 5), (2, 3), stride=2),
        case("padding 1", (1, 1, 2, 2), (2, 2), padding=1),
        case("all combined", (2, 2, 3, 4), (2, 3), stride=2, padding=1),
    ]


def _working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, k, p = index
    kh, kw = arguments["kernel_size"]
    s, around = arguments.get("stride", 1), arguments.get("padding", 0)
    (c, u, v), ow = np.unravel_index(k, (k + 1, kh, kw)), (arguments["x"].shape[3] + 2 * around - kw) // s + 1
    i, j = divmod(p, ow)
    return (
        f"row {k} is channel {c} at ({u}, {v}) of the window, column {p} is the window ({i}, {j}): "
        f"padded[{n}, {c}, {s * i + u}, {s * j + v}]"
    )


def _six(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """Return the columns with all their axes, (N, C, KH, KW, OH, OW)."""
    ow = (x.shape[3] + 2 * padding - kernel_size[1]) // stride + 1
    return im2col(x, kernel_size, stride, padding).reshape(*x.shape[:2], *kernel_size, -1, ow)


def _in_order(*axes: int) -> Function:
    """Return a function whose rows and columns follow the axes (N, C, KH, KW, OH, OW) in another order."""
    return lambda **a: _six(**a).transpose(axes).reshape(im2col(**a).shape)


def _windows_of_all(**a: Any) -> np.ndarray:
    columns = im2col(**a)
    return columns.swapaxes(0, 1).reshape(columns.shape[1], -1)  # (K, N * P)


IM2COL = Exercise(
    solution=im2col,
    title="a convolution as a matrix product: the windows as columns",
    stage="forward",
    page="docs/operations/convolution.md",
    outputs={"columns": "(N, K, P)"},
    source=(plain.im2col, plain.windows.sliding_windows),
    library=functional.im2col,
    draw_cases=_cases,
    mistakes=known_mistakes(
        im2col,
        {
            "the axes K and P are swapped: each window must be a column, not a row": lambda **a: im2col(**a).swapaxes(
                1, 2
            ),
            "the positions in the window are in column-major order: v varies fastest, k = (c * KH + u) * KW + v": (
                _in_order(0, 1, 3, 2, 4, 5)
            ),
            "the windows are in column-major order: j varies fastest, p = i * OW + j": _in_order(0, 1, 2, 3, 5, 4),
            "the channel varies fastest in K: it must vary slowest, k = (c * KH + u) * KW + v, as in "
            "weight.reshape(F, K)": _in_order(0, 2, 3, 1, 4, 5),
            "the values are right, but the axes were reshaped without a transpose: reshape keeps the "
            "order of the values, so transpose the axes to (N, C, KH, KW, OH, OW) first": _in_order(0, 4, 5, 1, 2, 3),
            "the batch axis is missing: the result has shape (N, K, P)": _windows_of_all,
            "the stride is not used": {"stride": 1},
            "the number of windows is right for the stride, but they are one pixel apart: the window (i, j) starts at "
            "row stride * i and column stride * j": lambda **a: one_pixel_apart(_six)(**a).reshape(im2col(**a).shape),
            "the padding is not used": {"padding": 0},
        },
    ),
    working=_working,
)
