"""The first exercises: a kernel slides over a matrix, then over images with channels."""

from typing import Any

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import (
    Arguments,
    Case,
    Exercise,
    Function,
    known_mistakes,
    one_pixel_apart,
    small_numbers,
)


def correlate(x: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
    """Slide a kernel over a matrix: each output is the sum of the products of kernel and window.

    With the upper left corner of the kernel at row ``s * i`` and column ``s * j``, where ``s`` is the stride,

        y[i, j] = sum over u, v of  kernel[u, v] * x[s * i + u, s * j + v]

    Parameters
    ----------
    x : ndarray of shape (H, W)
    kernel : ndarray of shape (KH, KW)
        KH and KW may differ, and so may H and W.
    stride : int
        Step of the kernel from one output to the next, on both axes.

    Returns
    -------
    ndarray of shape (OH, OW)
        ``OH = (H - KH) // stride + 1`` and ``OW = (W - KW) // stride + 1``: the number of positions of the kernel.

    Notes
    -----
    Hints:

    - Start with an array for the result: ``y = np.zeros((OH, OW))``.
    - Two loops run over the outputs, and two more over the kernel. ``np.sum`` of a slice ``x[a:b, c:d]`` times the
      kernel replaces the inner two.
    - The kernel is not flipped: ``kernel[0, 0]`` is multiplied with the upper left corner of the window.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> kernel = np.array([[1.0, 0.0], [2.0, -1.0]])
    >>> correlate(x, kernel)  # the first is 1*1 + 0*2 + 2*4 - 1*5 = 4
    array([[4., 6.]])
    """
    (h, w), (kh, kw) = x.shape, kernel.shape
    oh, ow = (h - kh) // stride + 1, (w - kw) // stride + 1
    y = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            window = x[stride * i : stride * i + kh, stride * j : stride * j + kw]  # (KH, KW)
            y[i, j] = np.sum(kernel * window)
    return y  # (OH, OW)


def conv2d(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Convolve a batch of images: each pair of an output channel and an input channel has its own kernel.

    With ``padding`` zeros on each side of the image and the stride ``s``,

        y[n, f, i, j] = bias[f] + sum over c, u, v of  weight[f, c, u, v] * padded[n, c, s * i + u, s * j + v]

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        N images with C channels.
    weight : ndarray of shape (F, C, KH, KW)
        F filters; each has a kernel for every channel.
    bias : ndarray of shape (F,)
        Added to every value of an output channel.
    stride, padding : int
        For both axes.

    Returns
    -------
    ndarray of shape (N, F, OH, OW)
        ``OH = (H + 2 * padding - KH) // stride + 1``, and ``OW`` likewise.

    Notes
    -----
    Hints:

    - ``np.pad`` takes a pair (before, after) for each of the four axes; N and C are not padded.
    - Your ``correlate`` handles one channel; add up its results for all channels. If it is in the same folder,
      ``from correlate import correlate`` imports it.
    - Or loop over n, f, i and j, and sum over a window of the shape (C, KH, KW).

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # one image, two channels, 1 x 2 pixels
    >>> weight = np.array([[[[1.0]], [[10.0]]]])  # one filter with 1x1 kernels
    >>> conv2d(x, weight, np.array([0.5]))  # 1*1 + 10*3 + 0.5 and 1*2 + 10*4 + 0.5
    array([[[[31.5, 42.5]]]])
    """
    return plain.conv2d(x, weight, bias, stride=stride, padding=padding)


def _correlate_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, size: tuple[int, int], kernel: tuple[int, int], **settings: int) -> Case:
        x = rng.permutation(size[0] * size[1]).reshape(size) + 1.0
        return Case(about, {"x": x, "kernel": small_numbers(rng, *kernel), **settings})

    return [
        case("a 1x1 kernel, which is a factor", (2, 3), (1, 1)),
        case("a 2x2 kernel on a 3x3 matrix", (3, 3), (2, 2)),
        case("a matrix and a kernel that are not square", (4, 6), (2, 3)),
        case("stride 2", (5, 7), (3, 3), stride=2),
        case("stride 3, which does not divide the width", (4, 9), (1, 2), stride=3),
        case("a kernel as large as the matrix", (3, 2), (3, 2), stride=2),
    ]


def _terms(window: np.ndarray, kernel: np.ndarray) -> str:
    """Format a sum of products."""
    pairs = zip(kernel.ravel(), window.ravel(), strict=True)
    return " + ".join(f"{weight:g}*{value:g}" for weight, value in pairs).replace("+ -", "- ")


def _correlate_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    (i, j), s = index, arguments.get("stride", 1)
    kh, kw = arguments["kernel"].shape
    window = arguments["x"][s * i : s * i + kh, s * j : s * j + kw]
    terms = _terms(window, arguments["kernel"])
    return f"y[{i}, {j}] = {terms}, the window that starts at x[{s * i}, {s * j}]"


def _same_size(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    before, after = (np.array(kernel.shape) - 1) // 2, np.array(kernel.shape) // 2
    return correlate(np.pad(x, list(zip(before, after, strict=True))), kernel, stride)


FLIPPED = (
    "the kernel is flipped. That is the mathematical convolution; in deep learning, a convolution is a "
    "cross-correlation, where kernel[0, 0] is multiplied with the upper left corner of the window"
)
CORRELATE = Exercise(
    solution=correlate,
    title="a kernel slides over a matrix",
    stage="forward",
    page="docs/operations/convolution.md",
    outputs={"y": "(OH, OW)"},
    source=(correlate,),
    library=functional.conv2d,
    draw_cases=_correlate_cases,
    mistakes=known_mistakes(
        correlate,
        {
            FLIPPED: {"kernel": lambda kernel: kernel[::-1, ::-1]},
            "the rows and columns of the kernel are swapped: u indexes rows, v columns": {"kernel": np.transpose},
            "only one product of each window remains: add them up (y[i, j] += ...)": {
                "kernel": lambda kernel: np.where(
                    np.arange(kernel.size).reshape(kernel.shape) < kernel.size - 1, 0, kernel
                )
            },
            "the stride is not used": {"stride": 1},
            "the number of outputs is right for the stride, but the windows are one pixel apart: the window of y[i, j] "
            "starts at x[stride * i, stride * j]": one_pixel_apart(correlate),
            "the stride is used for the rows only": lambda x, kernel, stride: correlate(x, kernel)[::stride],
            "the stride is used for the columns only": lambda x, kernel, stride: correlate(x, kernel)[:, ::stride],
            "the last row and the last column are missing: (H - KH) // stride is the number of moves of the kernel, "
            "and the number of positions is one more": lambda **a: correlate(**a)[:-1, :-1],
            "x is padded with zeros: this exercise has no padding": _same_size,
        },
    ),
    working=_correlate_working,
)


def _conv2d_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, x: tuple[int, ...], weight: tuple[int, ...], *, bias: bool = True, **settings: int) -> Case:
        offset = 1.0 + rng.permutation(weight[0]) if bias else np.zeros(weight[0])
        arguments = {"x": small_numbers(rng, *x), "weight": small_numbers(rng, *weight), "bias": offset}
        return Case(about, {**arguments, **settings})

    return [
        case("one image, one channel, one filter, no bias", (1, 1, 3, 3), (1, 1, 2, 2), bias=False),
        case("a bias", (1, 1, 3, 4), (1, 1, 2, 2)),
        case("two channels", (1, 2, 3, 4), (1, 2, 2, 2)),
        case("three filters", (1, 2, 3, 2), (3, 2, 2, 1)),
        case("a batch of two images", (2, 1, 2, 3), (2, 1, 1, 2)),
        case("stride 2", (1, 1, 5, 7), (1, 1, 2, 3), stride=2),
        case("padding 1", (1, 1, 4, 3), (1, 1, 3, 3), padding=1),
        case("all of it together", (2, 2, 4, 5), (2, 2, 3, 2), stride=2, padding=1),
    ]


def _conv2d_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, f, i, j = index
    s, p = arguments.get("stride", 1), arguments.get("padding", 0)
    weight = arguments["weight"][f]
    padded = np.pad(arguments["x"][n], ((0, 0), (p, p), (p, p)))  # (C, H + 2 p, W + 2 p)
    window = padded[:, s * i : s * i + weight.shape[1], s * j : s * j + weight.shape[2]]
    terms = f"{arguments['bias'][f]:g} + {_terms(window, weight)}".replace("+ -", "- ")
    return f"y[{n}, {f}, {i}, {j}] = {terms}, the window that starts at row {s * i}, column {s * j} of the padded x"


def _padded(before: int, after: int, **how: Any) -> Function:
    """Return a convolution that pads before and after the image by a multiple of the padding."""

    def mistaken(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
        sides = (before * padding, after * padding)
        return conv2d(np.pad(x, ((0, 0), (0, 0), sides, sides), **how), weight, bias, stride)

    return mistaken


def _all_axes(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    padded = np.pad(x, [(padding, padding), (0, 0), *[(padding, padding)] * 2])  # channels of zeros add nothing
    return conv2d(padded, weight, bias, stride)


ALL_AXES = (
    "np.pad has padded the batch and the channels as well: pass a pair (before, after) for each of the "
    "four axes, (0, 0) for the first two"
)
CONV2D = Exercise(
    solution=conv2d,
    title="convolution with channels, filters, a batch, stride and padding",
    stage="forward",
    page="docs/operations/convolution.md",
    outputs={"y": "(N, F, OH, OW)"},
    source=(plain.conv, plain.im2col),
    library=functional.conv2d,
    draw_cases=_conv2d_cases,
    mistakes=known_mistakes(
        conv2d,
        {
            FLIPPED: {"weight": lambda weight: weight[:, :, ::-1, ::-1]},
            "the bias is missing: bias[f] is added to every value of output channel f": {"bias": lambda bias: 0 * bias},
            "the bias is added once per channel of x: add it once, after the sum over c": lambda x, bias, **a: conv2d(
                x, bias=x.shape[1] * bias, **a
            ),
            "the bias is added once per product: add it once, after the sum": lambda weight, bias, **a: conv2d(
                weight=weight, bias=weight[0].size * bias, **a
            ),
            "only the first channel is used: an output is the sum over all channels of x": {
                "x": lambda x: x[:, :1],
                "weight": lambda weight: weight[:, :1],
            },
            "only the last channel remains: add up the contributions of the channels": {
                "x": lambda x: x[:, -1:],
                "weight": lambda weight: weight[:, -1:],
            },
            "every channel of x uses the first kernel of the filter: each channel has its own": {
                "weight": lambda weight: weight[:, :1] + 0 * weight
            },
            "all filters are the first one: output channel f uses weight[f] and bias[f]": {
                "weight": lambda weight: weight[:1] + 0 * weight,
                "bias": lambda bias: bias[:1] + 0 * bias,
            },
            "all filters use the kernels of the first one: output channel f uses weight[f]": {
                "weight": lambda weight: weight[:1] + 0 * weight
            },
            "all images of the batch have the output of the first one: use x[n]": {"x": lambda x: x[:1] + 0 * x},
            "the stride is not used": {"stride": 1},
            "the number of outputs is right for the stride, but the windows are one pixel apart: that of y[n, f, i, j] "
            "starts at row stride * i and column stride * j of the padded x": one_pixel_apart(conv2d),
            "the padding is not used": {"padding": 0},
            "x is padded above and at the left only: pad all four sides": _padded(1, 0),
            "x is padded below and at the right only: pad all four sides": _padded(0, 1),
            ALL_AXES: (_all_axes, lambda x, **a: _all_axes(x, **a)[: len(x)]),
            "the padding repeats the edge of the image: pad with zeros": _padded(1, 1, mode="edge"),
        },
    ),
    working=_conv2d_working,
)
