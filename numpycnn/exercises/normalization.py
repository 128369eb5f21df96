"""The exercises on batch normalization, forward and backward."""

from functools import partial
from typing import Any

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import Case, Exercise, known_mistakes, one_digit


def batch_norm(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalize each channel to mean 0 and variance 1, then scale and shift it.

    In training, mean and variance are those of the batch: for channel c over all ``m = N * H * W`` values of that
    channel, in all images and at all positions.

        y[n, c, i, j] = weight[c] * (x[n, c, i, j] - mean[c]) / sqrt(var[c] + eps) + bias[c]

    ``var`` is the biased variance, divided by m. Training also updates running values for inference. The running
    variance is an unbiased estimate, divided by m - 1:

        new running_mean = (1 - momentum) * running_mean + momentum * mean
        new running_var = (1 - momentum) * running_var + momentum * var * m / (m - 1)

    At inference (training is False) the running values replace mean and var, and are not updated.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    weight, bias, running_mean, running_var : ndarray of shape (C,)
    training : bool
    momentum : float
        Weight of the new value.
    eps : float
        Avoids division by zero.

    Returns
    -------
    y : ndarray of shape (N, C, H, W)
    running_mean, running_var : ndarray of shape (C,)
        The new values, in new arrays: do not modify the arguments.

    Notes
    -----
    Hints:

    - ``x.mean(axis=...)`` accepts several axes, as in ``axis=(0, 1)``; over which of the four is the mean?
    - An array of shape (C,) broadcasts against ``x`` after ``[:, None, None]``, which makes its shape (C, 1, 1).
    - ``x.var`` divides by m, and with ``ddof=1`` by m - 1.

    Examples
    --------
    >>> x = np.array([[[[1.0]]], [[[3.0]]]])  # two images of one pixel: mean 2, variance 1
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> y, running_mean, running_var = batch_norm(x, 5 * one, one, zero, one, training=True, eps=0.0)
    >>> y.ravel(), running_mean, running_var  # 5*(1-2)+1 and 5*(3-2)+1; 0.9*0+0.1*2; 0.9*1+0.1*1*2/1
    (array([-4.,  6.]), array([0.2]), array([1.1]))
    """
    running_mean, running_var = running_mean.copy(), running_var.copy()  # moved in place
    y = plain.batch_norm(x, weight, bias, running_mean, running_var, training=training, momentum=momentum, eps=eps)
    return y, running_mean, running_var


def batch_norm_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of batch normalization in training, with respect to input, weight and bias.

    Each value of ``x`` also changes the mean and the variance of its channel, and with them all outputs of the channel.
    Let ``xhat = (x - mean) / sqrt(var + eps)`` and ``g = dy * weight``, with all means and sums over the
    ``m = N * H * W`` values of a channel. Then

        dx = (g - mean(g) - xhat * mean(g * xhat)) / sqrt(var + eps)
        dweight = sum(dy * xhat)
        dbias = sum(dy)

    Parameters
    ----------
    dy, x : ndarray of shape (N, C, H, W)
    weight : ndarray of shape (C,)
    eps : float

    Returns
    -------
    dx : ndarray of shape (N, C, H, W)
    dweight, dbias : ndarray of shape (C,)

    Notes
    -----
    Hints:

    - ``keepdims=True`` keeps the axes of a mean as axes of size 1, so that it can be subtracted from ``x``.
    - Where does the formula for dx come from? Adding a constant to a channel does not change the outputs, so dx has
      sum 0 over a channel: ``- mean(g)`` ensures it. Neither does scaling the channel: ``- xhat * mean(g * xhat)``.

    Examples
    --------
    >>> x = np.array([1.0, 3.0, 5.0]).reshape(3, 1, 1, 1)
    >>> dx, dweight, dbias = batch_norm_backward(np.eye(3)[0].reshape(3, 1, 1, 1), x, np.ones(1), eps=0.0)
    >>> dx.round(3).ravel() + 0.0, dweight.round(3), dbias  # the first output only: dy = 1, 0, 0
    (array([ 0.102, -0.204,  0.102]), array([-1.225]), array([1.]))
    """
    return plain.batch_norm_backward(dy, x, weight, training=True, eps=eps)


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], *, unscaled: bool = False, training: bool = True, **more: Any) -> Case:
        c = shape[1]
        arguments = {
            "x": 3 * one_digit(rng, *shape) + 5 * np.arange(c)[:, None, None],
            "weight": np.ones(c) if unscaled else 2.0 + np.arange(c),
            "bias": np.zeros(c) if unscaled else 1.0 - 3 * np.arange(c),
            "running_mean": 1.0 + np.arange(c),
            "running_var": 4.0 + np.arange(c),
            "training": training,
            **more,
        }
        return Case(about, arguments)

    return [
        case("one channel, four pictures of one pixel, weight 1 and bias 0", (4, 1, 1, 1), unscaled=True, eps=0.0),
        case("weight and bias", (4, 1, 1, 1), eps=0.0),
        case("several pixels", (2, 1, 1, 3), eps=0.0),
        case("two channels", (2, 2, 2, 2), eps=0.0),
        case("a large eps", (2, 2, 1, 2), eps=0.5),
        case("another momentum", (2, 2, 1, 2), momentum=0.3),
        case("inference", (2, 2, 1, 2), training=False),
    ]


def _normalized(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    eps: float,
    *,
    axes: tuple[int, ...] = (0, 2, 3),
    divide: Any = lambda var, eps: np.sqrt(var + eps),
    ddof: int = 0,
    **_: Any,
) -> np.ndarray:
    """Return `y` with other axes, another divisor or another variance."""
    mean, var = running_mean[:, None, None], running_var[:, None, None]
    if training:
        mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, ddof=ddof, keepdims=True)
    return weight[:, None, None] * (x - mean) / divide(var, eps) + bias[:, None, None]


EACH_PICTURE = (
    "mean and variance are computed for each image separately (instance or layer normalization): a channel has "
    "one mean for the whole batch, over the axes (0, 2, 3)"
)
BATCH_NORM = Exercise(
    solution=batch_norm,
    title="channels normalized to mean 0 and variance 1, in training and at inference",
    stage="forward",
    page="docs/operations/normalization.md",
    outputs={"y": "(N, C, H, W)", "running_mean": "(C,)", "running_var": "(C,)"},
    source=(plain.batch_norm,),
    library=functional.batch_norm,
    draw_cases=_cases,
    mistakes=known_mistakes(
        batch_norm,
        y={
            "y uses the unbiased variance (divided by m - 1): normalize with the biased one, divided by m": partial(
                _normalized, ddof=1
            ),
            "x is divided by the variance: divide by its square root, the standard deviation": partial(
                _normalized, divide=lambda var, eps: var + eps
            ),
            "the division by the standard deviation is missing": partial(_normalized, divide=lambda var, eps: 1.0),
            "scale and shift are missing: y = weight * xhat + bias": {"weight": np.ones_like, "bias": np.zeros_like},
            "the weight is missing: y = weight * xhat + bias": {"weight": np.ones_like},
            "the bias is missing: y = weight * xhat + bias": {"bias": np.zeros_like},
            "mean and variance are taken over the batch only, for each pixel separately: a channel has one mean, over "
            "the axes (0, 2, 3)": partial(_normalized, axes=(0,)),
            EACH_PICTURE: (partial(_normalized, axes=(2, 3)), partial(_normalized, axes=(1, 2, 3))),
            "mean and variance are taken over all channels together: each has its own, over the axes (0, 2, "
            "3)": partial(_normalized, axes=(0, 1, 2, 3)),
            "eps is not used": {"eps": 0.0},
            "eps is added to the standard deviation: add it to the variance, inside the square root": partial(
                _normalized, divide=lambda var, eps: np.sqrt(var) + eps
            ),
            "at inference y uses mean and variance of the batch: use the running values, so that the output "
            "for an image does not depend on the rest of the batch": {"training": True},
        },
        running_mean={
            "momentum is inverted: it is the weight of the new value, and 1 - momentum that of the old one": {
                "momentum": lambda momentum: 1 - momentum
            },
            "running_mean is the mean of this batch alone: it moves towards it with the weight momentum": {
                "momentum": 1.0
            },
            "running_mean is not updated: in training it moves towards the mean of the batch": {"training": False},
            "running_mean is updated at inference: update it in training only": {"training": True},
        },
        running_var={
            "running_var uses the biased variance of the batch (divided by m): use the unbiased one, divided by "
            "m - 1": lambda x, running_var, training, momentum, **_: (
                running_var + training * momentum * (x.var(axis=(0, 2, 3)) - running_var)
            ),
            "momentum is inverted in running_var: it is the weight of the new value": {
                "momentum": lambda momentum: 1 - momentum
            },
            "running_var is not updated: in training it moves towards the variance of the batch": {"training": False},
        },
    ),
)


def _backward_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], *, unscaled: bool = False, **settings: float) -> Case:
        c = shape[1]
        x = 3 * one_digit(rng, *shape) + 2 * np.arange(c)[:, None, None] + 1
        weight = np.ones(c) if unscaled else 2.0 + np.arange(c)
        dy = (rng.permutation(x.size) + 1.0).reshape(shape)
        return Case(about, {"dy": dy, "x": x, "weight": weight, **settings})

    return [
        case("one channel, four pictures of one pixel, weight 1", (4, 1, 1, 1), unscaled=True, eps=0.0),
        case("a weight", (4, 1, 1, 1), eps=0.0),
        case("several pixels", (2, 1, 1, 3), eps=0.0),
        case("two channels", (2, 2, 1, 3), eps=0.0),
        case("a large eps", (3, 2, 1, 2), eps=0.5),
    ]


def _dx(
    dy: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    eps: float,
    *,
    of_mean: float = 1.0,
    of_variance: float = 1.0,
    axes: tuple[int, ...] = (0, 2, 3),
    ddof: int = 0,
    with_xhat: bool = True,
) -> np.ndarray:
    """Return `dx` with factors on the two terms through the mean and the variance, or without `xhat` in the second."""
    deviation = np.sqrt(x.var(axis=axes, ddof=ddof, keepdims=True) + eps)
    xhat = (x - x.mean(axis=axes, keepdims=True)) / deviation
    g = dy * weight[:, None, None]
    through = of_variance * (g * xhat).mean(axis=axes, keepdims=True) * (xhat if with_xhat else 1)
    return (g - of_mean * g.mean(axis=axes, keepdims=True) - through) / deviation


def _of_sums(x: np.ndarray, **a: Any) -> np.ndarray:
    count = x.size / x.shape[1]
    return _dx(x=x, **a, of_mean=count, of_variance=count)


BATCH_NORM_BACKWARD = Exercise(
    solution=batch_norm_backward,
    title="batch normalization backward, through mean and variance",
    stage="backward",
    page="docs/operations/normalization.md",
    outputs={"dx": "(N, C, H, W)", "dweight": "(C,)", "dbias": "(C,)"},
    source=(plain.batch_norm_backward,),
    library=functional.batch_norm_backward,
    draw_cases=_backward_cases,
    mistakes=known_mistakes(
        batch_norm_backward,
        dx={
            "dx treats mean and variance as constants: they depend on every x of the channel, which adds two "
            "terms": partial(_dx, of_mean=0, of_variance=0),
            "dx lacks the term through the variance: - xhat * mean(g * xhat)": partial(_dx, of_variance=0),
            "dx lacks the term through the mean: - mean(g)": partial(_dx, of_mean=0),
            "the last term of dx lacks a factor: xhat * mean(g * xhat)": partial(_dx, with_xhat=False),
            "dx subtracts sums instead of means: divide them by m = N * H * W": _of_sums,
            "dx uses the unbiased variance (divided by m - 1): the forward pass uses the biased one": partial(
                _dx, ddof=1
            ),
            "dx lacks the weight: g = dy * weight": {"weight": np.ones_like},
            "the means in dx are taken over the batch only, for each pixel separately: use the axes (0, 2, 3)": partial(
                _dx, axes=(0,)
            ),
            "the means in dx are taken over all channels together: take them over the axes (0, 2, 3)": partial(
                _dx, axes=(0, 1, 2, 3)
            ),
            "dx does not use eps": {"eps": 0.0},
        },
        dweight={
            "dweight uses x: the weight multiplies the normalized input, so it is sum(dy * xhat)": lambda dy, x, **_: (
                dy * x
            ).sum(axis=(0, 2, 3)),
            "dweight is a mean instead of a sum over the channel": lambda x, **a: (
                batch_norm_backward(x=x, **a)[1] * x.shape[1] / x.size
            ),
            "dweight does not use eps": {"eps": 0.0},
        },
        dbias={
            "dbias is a mean instead of a sum over the channel": lambda dy, **_: dy.mean(axis=(0, 2, 3)),
            "dbias is summed over the batch only: sum over the axes (0, 2, 3)": lambda dy, **_: dy.sum(axis=0),
            "dbias contains the weight: the bias is added after the scaling, so its gradient is "
            "sum(dy)": lambda dy, weight, **_: dy.sum(axis=(0, 2, 3)) * weight,
        },
    ),
)
