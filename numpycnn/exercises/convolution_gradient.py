"""The exercise on the backward pass of a convolution: the gradients of input, weight and bias."""

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import Arguments, Case, Exercise, known_mistakes, small_numbers


def conv2d_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a convolution with respect to its input, its weights and its bias.

    ``dy`` is the gradient of the loss with respect to the outputs. An output is a sum of products of a weight and an
    input, so each product adds ``dy`` times one factor to the gradient of the other. With the stride ``s``,

        dpadded[n, c, s * i + u, s * j + v]  +=  dy[n, f, i, j] * weight[f, c, u, v]
        dweight[f, c, u, v]                  +=  dy[n, f, i, j] * padded[n, c, s * i + u, s * j + v]
        dbias[f]                             +=  dy[n, f, i, j]

    for all n, f, c, i, j, u, v, and ``dx`` is ``dpadded`` without the padding.

    Parameters
    ----------
    dy : ndarray of shape (N, F, OH, OW)
    x : ndarray of shape (N, C, H, W)
    weight : ndarray of shape (F, C, KH, KW)
    stride, padding : int
        As in the convolution, ``conv2d(x, weight, bias, stride, padding)``.

    Returns
    -------
    dx : ndarray of the shape of `x`
    dweight : ndarray of the shape of `weight`
    dbias : ndarray of shape (F,)

    Notes
    -----
    Hints:

    - The three lines above, in loops over n, f, i and j, are a solution. c, u and v need no loops: add one value of
      ``dy`` times a window to ``dweight[f]``, and the same value times ``weight[f]`` to the window of ``dpadded``.
    - Windows overlap, and every image of the batch contributes: add (``+=``), do not assign.
    - ``dbias`` is one line.

    Examples
    --------
    >>> dx, dweight, dbias = conv2d_backward(
    ...     dy=np.array([[[[1.0, 10.0]]]]), x=np.array([[[[1.0, 2.0, 3.0]]]]), weight=np.array([[[[4.0, 5.0]]]])
    ... )
    >>> dx  # 1*4, then 1*5 + 10*4, then 10*5
    array([[[[ 4., 45., 50.]]]])
    >>> dweight, dbias  # 1*1 + 10*2 and 1*2 + 10*3; 1 + 10
    (array([[[[21., 32.]]]]), array([11.]))
    """
    return plain.conv2d_backward(dy, x, weight, stride=stride, padding=padding)


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, x: tuple[int, ...], weight: tuple[int, ...], **settings: int) -> Case:
        arguments: Arguments = {"x": small_numbers(rng, *x), "weight": small_numbers(rng, *weight), **settings}
        y = plain.conv2d(**arguments)
        dy = rng.permutation(y.size).reshape(y.shape) + 1.0  # no two of them equal
        return Case(about, {"dy": dy, **arguments})

    return [
        case("one image, one channel, one output", (1, 1, 2, 2), (1, 1, 2, 2)),
        case("overlapping windows", (1, 1, 3, 4), (1, 1, 2, 2)),
        case("two channels", (1, 2, 2, 3), (1, 2, 2, 2)),
        case("three filters", (1, 1, 2, 3), (3, 1, 1, 2)),
        case("a batch of two images", (2, 1, 2, 3), (2, 1, 2, 2)),
        case("stride 2, which does not divide the width", (1, 1, 3, 6), (1, 1, 3, 3), stride=2),
        case("padding 1", (1, 1, 2, 3), (1, 1, 3, 2), padding=1),
        case("all combined", (2, 2, 4, 3), (2, 2, 2, 3), stride=2, padding=1),
    ]


def _replaced(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int, padding: int) -> np.ndarray:
    n, c, h, w = x.shape
    _, _, kh, kw = weight.shape
    dpadded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    for m, f, i, j in np.ndindex(dy.shape):
        dpadded[m, :, stride * i : stride * i + kh, stride * j : stride * j + kw] = dy[m, f, i, j] * weight[f]
    return dpadded[:, :, padding : padding + h, padding : padding + w]


def _with_padding(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int, padding: int) -> np.ndarray:
    return plain.conv_input_gradient(dy, weight, tuple(i + 2 * padding for i in x.shape[2:]), stride=stride)


def _last_window(dy: np.ndarray) -> np.ndarray:
    last = np.zeros_like(dy)
    last[-1, :, -1, -1] = dy[-1, :, -1, -1]
    return last


CONV2D_BACKWARD = Exercise(
    solution=conv2d_backward,
    title="convolution backward: gradients of input, weight and bias",
    stage="backward",
    page="docs/operations/convolution.md",
    outputs={"dx": "(N, C, H, W)", "dweight": "(F, C, KH, KW)", "dbias": "(F,)"},
    source=(plain.conv_backward, plain.conv_input_gradient, plain.conv_weight_gradient),
    library=functional.conv2d_backward,
    draw_cases=_cases,
    mistakes=known_mistakes(
        conv2d_backward,
        dx={
            "dx uses the flipped kernel: dy[n, f, i, j] * weight[f, c, u, v] is added at row s * i + u, column s * j + "
            "v, with the same u and v as in the forward pass": {"weight": lambda weight: weight[:, :, ::-1, ::-1]},
            "where windows overlap, the last one has replaced the others in dx: every window and every filter "
            "contributes to an input, so add (+=)": _replaced,
            "only the first filter contributes to dx: an input is used by all filters": {
                "dy": lambda dy: dy[:, :1],
                "weight": lambda weight: weight[:1],
            },
            "only the last filter remains in dx: an input is used by all filters, so add (+=)": {
                "dy": lambda dy: dy[:, -1:],
                "weight": lambda weight: weight[-1:],
            },
            "dx forgets the stride: output (i, j) saw the window that begins on row s * i and column "
            "s * j": lambda dy, x, weight, padding, **_: plain.conv_input_gradient(
                dy, weight, x.shape[2:], padding=padding
            ),
            "dx still has its padding: crop `padding` pixels on each side": _with_padding,
            "dx is cropped at the wrong corner: it starts at [padding, padding]": lambda x, **a: _with_padding(
                x=x, **a
            )[:, :, : x.shape[2], : x.shape[3]],
        },
        dweight={
            "only one window remains in dweight: every output uses these weights, so add (+=)": {"dy": _last_window},
            "dweight is flipped: dweight[f, c, u, v] uses the input at row s * i + u, column s * j + v": lambda **a: (
                conv2d_backward(**a)[1][:, :, ::-1, ::-1]
            ),
            "dweight has the last image only: it is the sum over the whole batch, so add (+=)": {
                "dy": lambda dy: dy[-1:],
                "x": lambda x: x[-1:],
            },
            "dweight has the first image only: it is the sum over the whole batch": {
                "dy": lambda dy: dy[:1],
                "x": lambda x: x[:1],
            },
            "dweight is the mean over the batch instead of the sum: the loss is a mean, so dy already contains the "
            "factor 1/N": {"dy": lambda dy: dy / len(dy)},
            "dweight ignores the stride: the window of output (i, j) starts at row s * i and column "
            "s * j": lambda dy, x, weight, padding, **_: plain.conv_weight_gradient(
                dy, x, weight.shape[2:], padding=padding
            )[0],
        },
        dbias={
            "dbias is not summed over the batch: all images share the bias, so sum over n, i and j": lambda dy, **_: (
                dy.sum(axis=(2, 3))
            ),
            "dbias has the first image only: all images share the bias, so sum over n, i and j": lambda dy, **_: dy[
                0
            ].sum(axis=(1, 2)),
            "dbias has the last image only: all images share the bias, so add (+=)": lambda dy, **_: dy[-1].sum(
                axis=(1, 2)
            ),
            "dbias is not summed over the positions: all positions share the bias, so sum over n, i and "
            "j": lambda dy, **_: dy.sum(axis=0),
            "dbias is the mean over the batch instead of the sum: dy already contains the factor 1/N": lambda dy, **_: (
                dy.sum(axis=(0, 2, 3)) / len(dy)
            ),
            "dbias is a mean instead of a sum: the bias is added to every output of its channel": lambda dy, **_: (
                dy.mean(axis=(0, 2, 3))
            ),
            "dbias is a single value: each output channel has its own bias, so do not sum over f": lambda dy, **_: (
                dy.sum()
            ),
        },
    ),
)
