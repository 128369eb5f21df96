"""The exercises on max pooling, forward and backward."""

from functools import partial
from typing import Any

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import Arguments, Case, Exercise, known_mistakes, one_pixel_apart


def max_pool(x: np.ndarray, kernel_size: int, stride: int | None = None, padding: int = 0) -> np.ndarray:
    """Take the maximum of each window, separately for each channel.

        y[n, c, i, j] = max over u, v of  padded[n, c, s * i + u, s * j + v]

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    kernel_size : int
        Height and width K of the window.
    stride : int, optional
        Step from one window to the next; by default ``kernel_size``, so that windows do not overlap.
    padding : int
        Around the image. Padding is never the maximum, even among negative values.

    Returns
    -------
    ndarray of shape (N, C, OH, OW)
        ``OH = (H + 2 * padding - K) // stride + 1``, and ``OW`` likewise; incomplete windows are dropped.

    Notes
    -----
    Hints:

    - ``np.pad(..., constant_values=...)`` pads with any value. Which value is less than all others?
    - ``.max(axis=(2, 3))`` of a window of shape (N, C, K, K) reduces all images and channels at once.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0, -3.0, -4.0, 9.0], [5.0, 3.0, -8.0, -6.0, 9.0]]]])
    >>> max_pool(x, 2)  # the last column is dropped
    array([[[[ 5., -3.]]]])
    """
    return plain.max_pool2d(x, kernel_size, stride=stride, padding=padding)


def max_pool_backward(
    dy: np.ndarray, x: np.ndarray, kernel_size: int, stride: int | None = None, padding: int = 0
) -> np.ndarray:
    """Return the gradient of max pooling: each window adds its ``dy`` at the position of its maximum.

    The output of a window depends on its maximum alone. With ``q`` the position of the maximum in the image,

        dx[n, c, q]  +=  dy[n, c, i, j]    for every window (i, j)

    and the gradient is 0 elsewhere. Of equal values the first in row-major order is the maximum.

    Parameters
    ----------
    dy : ndarray of shape (N, C, OH, OW)
    x : ndarray of shape (N, C, H, W)
    kernel_size, stride, padding : int
        As in ``max_pool``.

    Returns
    -------
    ndarray of shape (N, C, H, W)

    Notes
    -----
    Hints:

    - ``np.argmax`` of a window returns the flat index of its first maximum; ``np.unravel_index`` converts it to row and
      column.
    - Where windows overlap, a value may be the maximum of several: add (``+=``).
    - With padding, work on padded arrays, and crop ``dx`` at the end.

    Examples
    --------
    >>> x = np.array([[[[1.0, 7.0, 2.0]]]])
    >>> max_pool_backward(np.array([[[[10.0, 20.0]]]]), np.repeat(x, 2, axis=2), 2, stride=1)  # 7 is both maxima
    array([[[[ 0., 30.,  0.],
             [ 0.,  0.,  0.]]]])
    """
    return plain.max_pool2d_backward(dy, x, kernel_size, stride=stride, padding=padding)


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], kernel_size: int, **settings: int) -> Case:
        size = int(np.prod(shape))
        x = rng.permutation(size).reshape(shape) - float(size // 3)  # all distinct
        return Case(about, {"x": x, "kernel_size": kernel_size, **settings})

    return [
        case("a 2x2 window, one channel", (1, 1, 2, 4), 2),
        Case("negative values only", {"x": -1.0 - np.arange(8.0).reshape(1, 1, 2, 4), "kernel_size": 2}),
        case("a size that the window does not divide", (1, 1, 5, 3), 2),
        case("two channels, two images", (2, 2, 2, 4), 2),
        case("overlapping windows: 3x3, stride 1", (1, 1, 4, 5), 3, stride=1),
        case("windows with gaps between them: 2x2, stride 3", (1, 1, 5, 6), 2, stride=3),
        case("padding 1", (1, 1, 4, 3), 3, stride=2, padding=1),
        Case(
            "padding 1 around negative values",
            {"x": -1.0 - rng.permutation(6).reshape(1, 1, 2, 3), "kernel_size": 2, "stride": 1, "padding": 1},
        ),
    ]


def _working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, c, i, j = index
    size, p = arguments["kernel_size"], arguments.get("padding", 0)
    s = arguments.get("stride") or size
    rows, columns = (slice(max(s * k - p, 0), s * k - p + size) for k in (i, j))
    seen = ", ".join(f"{value:g}" for value in arguments["x"][n, c, rows, columns].ravel())
    return f"the window ({i}, {j}) starts at row {s * i - p}, column {s * j - p} of x[{n}, {c}] and contains {seen}"


def _padded(x: np.ndarray, padding: int, fill: float = -np.inf) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=fill)


MAX_POOL = Exercise(
    solution=max_pool,
    title="the maximum of each window",
    stage="forward",
    page="docs/operations/pooling.md",
    outputs={"y": "(N, C, OH, OW)"},
    source=(plain.max_pool, plain.windows.sliding_windows),
    library=functional.max_pool2d,
    draw_cases=_cases,
    mistakes=known_mistakes(
        max_pool,
        {
            "this is the average of each window": lambda x, kernel_size, **a: plain.avg_pool2d(x, kernel_size, **a),
            "this is the minimum of each window": lambda x, **a: -max_pool(-x, **a),
            "a negative value is never the maximum: the search starts at 0. Start at -np.inf, or at the first value of "
            "the window": lambda **a: np.maximum(max_pool(**a), 0),
            "the default stride is 1: it must be kernel_size": {"stride": lambda stride: stride or 1},
            "the number of outputs is right for the stride, but the windows are one pixel apart: the window (i, j) "
            "starts at row stride * i and column stride * j": one_pixel_apart(max_pool),
            "an incomplete window at the edge is included: drop it": lambda x, kernel_size, **a: plain.max_pool2d(
                x, kernel_size, **a, ceil_mode=True
            ),
            "the maximum is taken over the channels as well: each channel is pooled separately": {
                "x": lambda x: x.max(axis=1, keepdims=True) + 0 * x
            },
            "the stride is not used: the windows are kernel_size apart": {"stride": None},
            "the padding is not used": {"padding": 0},
            "the padding exceeds negative values: pad with -np.inf instead of zeros": lambda x, padding, **a: max_pool(
                _padded(x, padding, 0.0), **a
            ),
        },
    ),
    working=_working,
)


def _backward_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for case in _cases(rng)[:-1]:
        y = max_pool(**case.arguments)
        dy = (rng.permutation(y.size) + 1.0).reshape(y.shape)
        cases.append(Case(case.about, {"dy": dy, **case.arguments}))
    equal = np.array([[[[3.0, 3.0, 1.0, 2.0], [3.0, 0.0, 2.0, 2.0]]]])
    cases.append(
        Case("equal values, of which the first is the maximum", {"dy": np.array([[[[1.0, 2.0]]]]), "x": equal})
    )
    cases[-1].arguments["kernel_size"] = 2
    return cases


def _backward_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, c, row, column = index
    settings = {name: value for name, value in arguments.items() if name != "dy"}
    one_by_one = np.zeros_like(arguments["dy"])
    won = []
    for i, j in np.ndindex(one_by_one.shape[2:]):
        one_by_one[:] = 0
        one_by_one[n, c, i, j] = 1
        if max_pool_backward(one_by_one, **settings)[index]:
            won.append(f"({i}, {j})")
    what = f"is the maximum of the windows {', '.join(won)}" if won else "is not the maximum of any window"
    return f"x[{n}, {c}, {row}, {column}] = {arguments['x'][index]:g} {what}"


def _spread(
    dy: np.ndarray,
    x: np.ndarray,
    kernel_size: int,
    stride: int | None,
    padding: int,
    *,
    share: Any,
    replace: bool = False,
) -> np.ndarray:
    """Distribute the `dy` of each window over its values; `share` returns the weights for a window."""
    stride = kernel_size if stride is None else stride
    padded = _padded(x, padding)
    dpadded = np.zeros(padded.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        place = (n, c, slice(stride * i, stride * i + kernel_size), slice(stride * j, stride * j + kernel_size))
        shares = share(padded[place])
        kept = np.where(shares > 0, 0, dpadded[place]) if replace else dpadded[place]
        dpadded[place] = kept + shares * dy[n, c, i, j]
    _, _, h, w = x.shape
    return dpadded[:, :, padding : padding + h, padding : padding + w]


def _first(window: np.ndarray) -> np.ndarray:
    return np.arange(window.size).reshape(window.shape) == np.argmax(window)


def _last(window: np.ndarray) -> np.ndarray:
    return _first(window[::-1, ::-1])[::-1, ::-1]


def _shared(window: np.ndarray) -> np.ndarray:
    return (window == window.max()) / (window == window.max()).sum()


def _with_padding(x: np.ndarray, padding: int, **a: Any) -> np.ndarray:
    return max_pool_backward(x=_padded(x, padding), **a)


MAX_POOL_BACKWARD = Exercise(
    solution=max_pool_backward,
    title="max pooling backward: the gradient goes to the maximum",
    stage="backward",
    page="docs/operations/pooling.md",
    outputs={"dx": "(N, C, H, W)"},
    source=(plain.max_pool_backward, plain.max_pool),
    library=functional.max_pool2d_backward,
    draw_cases=_backward_cases,
    mistakes=known_mistakes(
        max_pool_backward,
        {
            "dy is distributed evenly: that is average pooling. Here the maximum of each window gets all of "
            "it": partial(_spread, share=lambda window: np.full(window.shape, 1 / window.size)),
            "every value of a window gets its dy: only the maximum does": partial(_spread, share=np.ones_like),
            "the maxima get 1: they must get dy": {"dy": np.ones_like},
            "a value that is the maximum of several windows keeps only the last dy: add (+=)": partial(
                _spread, share=_first, replace=True
            ),
            "dx still has its padding: crop `padding` pixels on each side": _with_padding,
            "dx is cropped at the wrong corner: it starts at [padding, padding]": lambda x, **a: _with_padding(x, **a)[
                :, :, : x.shape[2], : x.shape[3]
            ],
            "each of several equal values gets all of dy: only the first one does, else the gradient is too large": (
                partial(_spread, share=lambda window: 1.0 * (window == window.max()))
            ),
            "equal values share dy: a possible convention, but here, as in most frameworks, the first one gets all of "
            "it": partial(_spread, share=_shared),
            "of equal values, the last one gets dy: here, as in most frameworks, the first one does (> and not "
            ">=)": partial(_spread, share=_last),
        },
    ),
    working=_backward_working,
)
