"""The exercise of the way back through a convolution: what input, weights and bias get from the outputs."""

from typing import Any

import numpy as np

from numpycnn import functional
from numpycnn.exercises.exercise import Arguments, Case, Exercise, Mistake, small_numbers
from numpycnn.kernels import convolution as kernels


def conv2d_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a convolution with respect to its input, its weights and its bias.

    ``dy`` says how much the loss changes with each output. An output is a sum of products of a weight and an input, so
    each of the two gets back ``dy`` times the other one, from every product that it was in. With the stride ``s``,

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

    - The three lines above, in loops over n, f, i and j, are an answer. The sums over c, u and v can be done at once:
      one number of ``dy`` times a window, added to ``dweight[f]``, and times ``weight[f]``, added to a window.
    - Windows overlap, and every picture of the batch counts: add (``+=``), do not replace.
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
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dpadded, dweight = np.zeros(padded.shape), np.zeros(weight.shape)
    _, _, kh, kw = weight.shape
    for n, f, i, j in np.ndindex(dy.shape):
        rows, columns = slice(stride * i, stride * i + kh), slice(stride * j, stride * j + kw)
        dpadded[n, :, rows, columns] += dy[n, f, i, j] * weight[f]
        dweight[f] += dy[n, f, i, j] * padded[n, :, rows, columns]
    _, _, h, w = x.shape
    return dpadded[:, :, padding : padding + h, padding : padding + w], dweight, dy.sum(axis=(0, 2, 3))


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, x: tuple[int, ...], weight: tuple[int, ...], **settings: int) -> Case:
        arrays: Arguments = {"x": small_numbers(rng, *x), "weight": small_numbers(rng, *weight)}
        y = functional.conv2d(**arrays, **settings)
        dy = rng.permutation(y.size).reshape(y.shape) + 1.0  # no two of them equal
        return Case(about, {"dy": dy, **arrays, **settings})

    return [
        case("one picture, one channel, one output", (1, 1, 2, 2), (1, 1, 2, 2)),
        case("windows that overlap", (1, 1, 3, 4), (1, 1, 2, 2)),
        case("two channels", (1, 2, 2, 3), (1, 2, 2, 2)),
        case("three filters", (1, 1, 2, 3), (3, 1, 1, 2)),
        case("a batch of two pictures", (2, 1, 2, 3), (2, 1, 2, 2)),
        case("stride 2, which leaves a column over", (1, 1, 3, 6), (1, 1, 3, 3), stride=2),
        case("padding 1", (1, 1, 2, 3), (1, 1, 3, 2), padding=1),
        case("all of it together", (2, 2, 4, 3), (2, 2, 2, 3), stride=2, padding=1),
    ]


def _input_gradient(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, step: int, padding: int, replace: bool = False
) -> np.ndarray:
    """Return the gradient of the padded input, with windows `step` apart, and adding up or not."""
    n, c, h, w = x.shape
    _, _, kh, kw = weight.shape
    dpadded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    for m, f, i, j in np.ndindex(dy.shape):
        place = dpadded[m, :, step * i : step * i + kh, step * j : step * j + kw]
        place[...] = dy[m, f, i, j] * weight[f] + (0 if replace else place)
    return dpadded


def _replaced(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    _, _, h, w = x.shape
    return _input_gradient(dy, x, weight, stride, padding, replace=True)[:, :, padding:, padding:][:, :, :h, :w]


def _side_by_side(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    _, _, h, w = x.shape
    return _input_gradient(dy, x, weight, 1, padding)[:, :, padding:, padding:][:, :, :h, :w]


def _with_padding(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    return _input_gradient(dy, x, weight, stride, padding)


def _wrong_corner(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    _, _, h, w = x.shape
    return _input_gradient(dy, x, weight, stride, padding)[:, :, :h, :w]


def _dx(*arguments: Any, **settings: Any) -> np.ndarray:
    return conv2d_backward(*arguments, **settings)[0]


def _dweight(*arguments: Any, **settings: Any) -> np.ndarray:
    return conv2d_backward(*arguments, **settings)[1]


def _steps_of_one(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    _, _, oh, ow = dy.shape
    _, _, kh, kw = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return _dweight(dy, padded[:, :, : oh + kh - 1, : ow + kw - 1], weight)


def _last_window(dy: np.ndarray, *arguments: Any, **settings: Any) -> np.ndarray:
    last = np.zeros_like(dy)
    last[-1, :, -1, -1] = dy[-1, :, -1, -1]
    return _dweight(last, *arguments, **settings)


CONV2D_BACKWARD = Exercise(
    solution=conv2d_backward,
    title="back through a convolution: to the input, the weights and the bias",
    stage="backward",
    page="docs/operations/convolution.md",
    outputs={"dx": "(N, C, H, W)", "dweight": "(F, C, KH, KW)", "dbias": "(F,)"},
    reference=functional.conv2d_backward,
    library=(
        functional.conv2d_backward,
        kernels.input_gradient_reference,
        kernels.weight_gradient_reference,
        kernels.input_gradient,
        kernels.weight_gradient,
    ),
    draw_cases=_cases,
    mistakes=(
        Mistake(
            "dx is made with the kernel turned round: dy[n, f, i, j] * weight[f, c, u, v] belongs to row s * i + u, "
            "column s * j + v, with the same u and v as on the way forward",
            lambda dy, x, weight, **settings: _dx(dy, x, weight[:, :, ::-1, ::-1], **settings),
            "dx",
        ),
        Mistake(
            "where windows overlap, the last one has replaced what the others gave to dx: every window, and every "
            "filter, that saw an input gives to it, so add (+=)",
            _replaced,
            "dx",
        ),
        Mistake(
            "only the first filter gives to dx: an input is part of the outputs of all of them",
            lambda dy, x, weight, **settings: _dx(dy[:, :1], x, weight[:1], **settings),
            "dx",
        ),
        Mistake(
            "only the last filter is left in dx: an input is part of the outputs of all of them, so add (+=)",
            lambda dy, x, weight, **settings: _dx(dy[:, -1:], x, weight[-1:], **settings),
            "dx",
        ),
        Mistake(
            "dx forgets the stride: output (i, j) saw the window that begins on row s * i and column s * j",
            _side_by_side,
            "dx",
        ),
        Mistake("dx still has its padding: cut `padding` numbers off on each side", _with_padding, "dx"),
        Mistake(
            "dx is cut out of the padded array at the wrong corner: it begins at [padding, padding]",
            _wrong_corner,
            "dx",
        ),
        Mistake(
            "only one window is left in dweight: every output was made with these weights, so add up (+=)",
            _last_window,
            "dweight",
        ),
        Mistake(
            "dweight is turned round: dweight[f, c, u, v] meets the input on row s * i + u, column s * j + v",
            lambda *arguments, **settings: _dweight(*arguments, **settings)[:, :, ::-1, ::-1],
            "dweight",
        ),
        Mistake(
            "dweight counts the last picture only: it is the sum over the whole batch, so add (+=)",
            lambda dy, x, weight, **settings: _dweight(dy[-1:], x[-1:], weight, **settings),
            "dweight",
        ),
        Mistake(
            "dweight counts the first picture only: it is the sum over the whole batch",
            lambda dy, x, weight, **settings: _dweight(dy[:1], x[:1], weight, **settings),
            "dweight",
        ),
        Mistake(
            "dweight is the mean over the batch, and should be the sum: the loss takes the mean already, so dy has the "
            "factor 1/N in it",
            lambda dy, x, weight, **settings: _dweight(dy, x, weight, **settings) / len(dy),
            "dweight",
        ),
        Mistake(
            "dweight forgets the stride: output (i, j) saw the window that begins on row s * i and column s * j",
            _steps_of_one,
            "dweight",
        ),
        Mistake(
            "dbias is not summed over the batch: one bias serves all pictures, so it gets the sum over n, i and j",
            lambda dy, *arguments, **settings: dy.sum(axis=(2, 3)),
            "dbias",
        ),
        Mistake(
            "dbias counts the first picture only: one bias serves all pictures, so it gets the sum over n, i and j",
            lambda dy, *arguments, **settings: dy[0].sum(axis=(1, 2)),
            "dbias",
        ),
        Mistake(
            "dbias counts the last picture only: one bias serves all pictures, so add (+=)",
            lambda dy, *arguments, **settings: dy[-1].sum(axis=(1, 2)),
            "dbias",
        ),
        Mistake(
            "dbias is not summed over the positions: one bias serves all of them, so it gets the sum over n, i and j",
            lambda dy, *arguments, **settings: dy.sum(axis=0),
            "dbias",
        ),
        Mistake(
            "dbias is the mean over the batch, and should be the sum: dy has the factor 1/N in it already",
            lambda dy, *arguments, **settings: dy.sum(axis=(0, 2, 3)) / len(dy),
            "dbias",
        ),
        Mistake(
            "dbias is a mean, and should be a sum: the bias moves every output of its channel by the same amount",
            lambda dy, *arguments, **settings: dy.mean(axis=(0, 2, 3)),
            "dbias",
        ),
        Mistake(
            "dbias is a single number: each output channel has a bias of its own, so f is not summed over",
            lambda dy, *arguments, **settings: dy.sum(),
            "dbias",
        ),
    ),
)
