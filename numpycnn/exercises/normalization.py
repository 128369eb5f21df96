"""The exercises of batch normalisation, forward and backward."""

from typing import Any

import numpy as np

from numpycnn import functional
from numpycnn.exercises.exercise import Case, Exercise, Mistake, one_digit
from numpycnn.kernels import normalization as kernels


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
    """Bring each channel to mean 0 and variance 1, then scale and shift it.

    In training, mean and variance are those of the batch: for channel c over all ``m = N * H * W`` numbers of that
    channel, in all pictures and at all positions.

        y[n, c, i, j] = weight[c] * (x[n, c, i, j] - mean[c]) / sqrt(var[c] + eps) + bias[c]

    ``var`` is the mean of the squared distances from the mean: divided by m, not by m - 1. For later use, when there is
    no batch, training also moves running values a little towards those of this batch; there the variance is meant as an
    estimate for all data, and divided by m - 1:

        new running_mean = (1 - momentum) * running_mean + momentum * mean
        new running_var = (1 - momentum) * running_var + momentum * var * m / (m - 1)

    At inference (training is False) the running values stand in for mean and var, and stay as they are.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    weight, bias, running_mean, running_var : ndarray of shape (C,)
    training : bool
    momentum : float
        Share of the new value.
    eps : float
        Against division by zero.

    Returns
    -------
    y : ndarray of shape (N, C, H, W)
    running_mean, running_var : ndarray of shape (C,)
        The new ones, in new arrays: what was given stays as it is.

    Notes
    -----
    Hints:

    - ``x.mean(axis=...)`` takes several axes, as in ``axis=(0, 1)``; over which of the four is the mean taken?
    - A channel's number meets ``x`` after ``[:, None, None]``, which gives it the shape (C, 1, 1).
    - ``x.var`` divides by m, and with ``ddof=1`` by m - 1.

    Examples
    --------
    >>> x = np.array([[[[1.0]]], [[[3.0]]]])  # two pictures of one pixel: mean 2, variance 1
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> y, running_mean, running_var = batch_norm(x, 5 * one, one, zero, one, training=True, eps=0.0)
    >>> y.ravel(), running_mean, running_var  # 5*(1-2)+1 and 5*(3-2)+1; 0.9*0+0.1*2; 0.9*1+0.1*1*2/1
    (array([-4.,  6.]), array([0.2]), array([1.1]))
    """
    if training:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        m = x.size / x.shape[1]
        new_mean = (1 - momentum) * running_mean + momentum * mean
        new_var = (1 - momentum) * running_var + momentum * var * m / (m - 1)
    else:
        mean, var = new_mean, new_var = running_mean.copy(), running_var.copy()
    xhat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]  # (N, C, H, W)
    return weight[:, None, None] * xhat + bias[:, None, None], new_mean, new_var


def batch_norm_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of batch normalisation in training, with respect to input, scale and shift.

    Each number of ``x`` is part of the mean and of the variance of its channel as well, and so moves all other outputs
    too. Let ``xhat = (x - mean) / sqrt(var + eps)`` and ``g = dy * weight``, and take all means and sums over the
    ``m = N * H * W`` numbers of a channel. Then

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

    - ``keepdims=True`` keeps the axes of a mean as axes of size 1, so that it can be subtracted from ``x`` at once.
    - Where does the formula for dx come from? Adding a constant to a channel changes no output, so dx has to sum up to
      0 over a channel: ``- mean(g)`` sees to that. Nor does scaling the channel: ``- xhat * mean(g * xhat)``.

    Examples
    --------
    >>> x = np.array([1.0, 3.0, 5.0]).reshape(3, 1, 1, 1)
    >>> dx, dweight, dbias = batch_norm_backward(np.eye(3)[0].reshape(3, 1, 1, 1), x, np.ones(1), eps=0.0)
    >>> dx.round(3).ravel() + 0.0, dweight.round(3), dbias  # the first output only: dy = 1, 0, 0
    (array([ 0.102, -0.204,  0.102]), array([-1.225]), array([1.]))
    """
    axes = (0, 2, 3)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + eps)  # (1, C, 1, 1)
    xhat = (x - x.mean(axis=axes, keepdims=True)) / deviation
    g = dy * weight[:, None, None]
    dx = (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True)) / deviation
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


# ---------------------------------------------------------------------------------------------------------- batch_norm


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], *, plain: bool = False, training: bool = True, **more: Any) -> Case:
        c = shape[1]
        arguments = {
            "x": 3 * one_digit(rng, *shape) + 5 * np.arange(c)[:, None, None],
            "weight": np.ones(c) if plain else 2.0 + np.arange(c),
            "bias": np.zeros(c) if plain else 1.0 - 3 * np.arange(c),
            "running_mean": 1.0 + np.arange(c),
            "running_var": 4.0 + np.arange(c),
            "training": training,
            **more,
        }
        return Case(about, arguments)

    return [
        case("one channel, four pictures of one pixel, weight 1 and bias 0", (4, 1, 1, 1), plain=True, eps=0.0),
        case("weight and bias", (4, 1, 1, 1), eps=0.0),
        case("several pixels", (2, 1, 1, 3), eps=0.0),
        case("two channels", (2, 2, 2, 2), eps=0.0),
        case("a large eps", (2, 2, 1, 2), eps=0.5),
        case("another momentum", (2, 2, 1, 2), momentum=0.3),
        case("inference", (2, 2, 1, 2), training=False),
    ]


def _reference(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    **settings: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, var = running_mean.copy(), running_var.copy()  # which the library updates in place
    return functional.batch_norm(x, weight, bias, mean, var, training=training, **settings), mean, var


def _normalized(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    axes: tuple[int, ...] = (0, 2, 3),
    divide: Any = lambda var, eps: np.sqrt(var + eps),
    ddof: int = 0,
) -> np.ndarray:
    """Return `y` with other axes, another divisor or another variance."""
    mean, var = running_mean[:, None, None], running_var[:, None, None]
    if training:
        mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, ddof=ddof, keepdims=True)
    return weight[:, None, None] * (x - mean) / divide(var, eps) + bias[:, None, None]


def _running_var(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> np.ndarray:
    """Return the running variance, made of the variance of the batch as it is."""
    return running_var + training * momentum * (x.var(axis=(0, 2, 3)) - running_var)


def _other_way_round(**a: Any) -> Any:
    return batch_norm(**{**a, "momentum": 1 - a.get("momentum", 0.1)})


EACH_PICTURE = (
    "mean and variance are taken for each picture by itself (that is instance or layer normalisation): a channel has "
    "one mean for the whole batch, over the axes (0, 2, 3)"
)
BATCH_NORM = Exercise(
    solution=batch_norm,
    title="each channel to mean 0 and variance 1, in training and at inference",
    stage="forward",
    page="docs/operations/normalization.md",
    outputs={"y": "(N, C, H, W)", "running_mean": "(C,)", "running_var": "(C,)"},
    reference=_reference,
    library=(functional.batch_norm, kernels.channel_moments_reference, kernels.scale_and_shift_reference),
    draw_cases=_cases,
    mistakes=(
        Mistake(
            "y is made with the sample variance (divided by m - 1): to normalise, it is the population's, divided by m",
            lambda **a: _normalized(**a, ddof=1),
            "y",
        ),
        Mistake(
            "x is divided by the variance: it is the square root of it, the standard deviation",
            lambda **a: _normalized(**a, divide=lambda var, eps: var + eps),
            "y",
        ),
        Mistake(
            "the mean is subtracted, and then nothing is divided by the standard deviation",
            lambda **a: _normalized(**a, divide=lambda var, eps: 1.0),
            "y",
        ),
        Mistake(
            "scale and shift are missing: y = weight * xhat + bias",
            lambda **a: _normalized(**{**a, "weight": 1 + 0 * a["weight"], "bias": 0 * a["bias"]}),
            "y",
        ),
        Mistake(
            "the weight is missing: y = weight * xhat + bias",
            lambda **a: _normalized(**{**a, "weight": 1 + 0 * a["weight"]}),
            "y",
        ),
        Mistake(
            "the bias is missing: y = weight * xhat + bias",
            lambda **a: _normalized(**{**a, "bias": 0 * a["bias"]}),
            "y",
        ),
        Mistake(
            "mean and variance are taken over the batch only, for each pixel by itself: a channel has one mean, over "
            "the axes (0, 2, 3)",
            lambda **a: _normalized(**a, axes=(0,)),
            "y",
        ),
        Mistake(EACH_PICTURE, lambda **a: _normalized(**a, axes=(2, 3)), "y"),
        Mistake(EACH_PICTURE, lambda **a: _normalized(**a, axes=(1, 2, 3)), "y"),
        Mistake(
            "mean and variance are taken over all channels together: each has its own, over the axes (0, 2, 3)",
            lambda **a: _normalized(**a, axes=(0, 1, 2, 3)),
            "y",
        ),
        Mistake("eps is not used", lambda **a: _normalized(**{**a, "eps": 0.0}), "y"),
        Mistake(
            "eps is added to the standard deviation: it belongs under the root, to the variance",
            lambda **a: _normalized(**a, divide=lambda var, eps: np.sqrt(var) + eps),
            "y",
        ),
        Mistake(
            "at inference y is made with mean and variance of the batch: it is the running ones there, so that a "
            "picture's answer does not depend on its neighbours",
            lambda **a: _normalized(**{**a, "training": True}),
            "y",
        ),
        Mistake(
            "momentum is the wrong way round: it is the share of the new value, (1 - momentum) that of the old one",
            lambda **a: _other_way_round(**a)[1],
            "running_mean",
        ),
        Mistake(
            "running_mean is that of this batch alone: it moves towards it by the share momentum",
            lambda **a: batch_norm(**{**a, "momentum": float(a["training"])})[1],
            "running_mean",
        ),
        Mistake(
            "running_mean has not moved: in training it moves towards the mean of the batch",
            lambda **a: a["running_mean"],
            "running_mean",
        ),
        Mistake(
            "running_mean moves at inference too: there is nothing to be learned from there",
            lambda **a: batch_norm(**{**a, "training": True})[1],
            "running_mean",
        ),
        Mistake(
            "running_var is fed with the population variance of the batch (divided by m): as an estimate for all data "
            "it is the sample's, divided by m - 1",
            _running_var,
            "running_var",
        ),
        Mistake(
            "momentum is the wrong way round in running_var: it is the share of the new value",
            lambda **a: _other_way_round(**a)[2],
            "running_var",
        ),
        Mistake(
            "running_var has not moved: in training it moves towards the variance of the batch",
            lambda **a: a["running_var"],
            "running_var",
        ),
    ),
)

# ------------------------------------------------------------------------------------------------- batch_norm_backward


def _backward_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], *, plain: bool = False, **settings: float) -> Case:
        c = shape[1]
        x = 3 * one_digit(rng, *shape) + 2 * np.arange(c)[:, None, None] + 1
        weight = np.ones(c) if plain else 2.0 + np.arange(c)
        dy = (rng.permutation(x.size) + 1.0).reshape(shape)
        return Case(about, {"dy": dy, "x": x, "weight": weight, **settings})

    return [
        case("one channel, four pictures of one pixel, weight 1", (4, 1, 1, 1), plain=True, eps=0.0),
        case("a weight", (4, 1, 1, 1), eps=0.0),
        case("several pixels", (2, 1, 1, 3), eps=0.0),
        case("two channels", (2, 2, 1, 3), eps=0.0),
        case("a large eps", (3, 2, 1, 2), eps=0.5),
    ]


def _dx(
    dy: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    eps: float = 1e-5,
    *,
    of_mean: float = 1.0,
    of_variance: float = 1.0,
    axes: tuple[int, ...] = (0, 2, 3),
    ddof: int = 0,
) -> np.ndarray:
    """Return `dx` with more or less of the two terms that go through the mean and the variance."""
    deviation = np.sqrt(x.var(axis=axes, ddof=ddof, keepdims=True) + eps)
    xhat = (x - x.mean(axis=axes, keepdims=True)) / deviation
    g = dy * weight[:, None, None]
    through = of_mean * g.mean(axis=axes, keepdims=True)
    through = through + of_variance * xhat * (g * xhat).mean(axis=axes, keepdims=True)
    return (g - through) / deviation


def _sums(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    m = x.size // x.shape[1]
    return _dx(dy, x, weight, eps, of_mean=m, of_variance=m)


def _xhat_forgotten(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    axes = (0, 2, 3)
    g, deviation = dy * weight[:, None, None], np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    xhat = (x - x.mean(axis=axes, keepdims=True)) / deviation
    return (g - g.mean(axis=axes, keepdims=True) - (g * xhat).mean(axis=axes, keepdims=True)) / deviation


BATCH_NORM_BACKWARD = Exercise(
    solution=batch_norm_backward,
    title="back through batch normalisation, mean and variance included",
    stage="backward",
    page="docs/operations/normalization.md",
    outputs={"dx": "(N, C, H, W)", "dweight": "(C,)", "dbias": "(C,)"},
    reference=lambda dy, x, weight, eps=1e-5: functional.batch_norm_backward(dy, x, weight, training=True, eps=eps),
    library=(functional.batch_norm_backward, kernels.channel_sums_reference, kernels.combine_reference),
    draw_cases=_backward_cases,
    mistakes=(
        Mistake(
            "dx takes mean and variance for constants: they depend on every x of the channel, so two more terms go "
            "back through them",
            lambda **a: _dx(**a, of_mean=0, of_variance=0),
            "dx",
        ),
        Mistake(
            "dx lacks what goes back through the variance: - xhat * mean(g * xhat)",
            lambda **a: _dx(**a, of_variance=0),
            "dx",
        ),
        Mistake(
            "dx lacks what goes back through the mean: - mean(g)",
            lambda **a: _dx(**a, of_mean=0),
            "dx",
        ),
        Mistake("the last term of dx lacks a factor: xhat * mean(g * xhat)", _xhat_forgotten, "dx"),
        Mistake("dx subtracts sums where it should subtract means: they are divided by m = N * H * W", _sums, "dx"),
        Mistake(
            "dx is made with the sample variance (divided by m - 1): normalising was done with the population's",
            lambda **a: _dx(**a, ddof=1),
            "dx",
        ),
        Mistake(
            "dx forgets the weight: g = dy * weight",
            lambda **a: _dx(**{**a, "weight": 1 + 0 * a["weight"]}),
            "dx",
        ),
        Mistake(
            "the means in dx are taken over the batch only, for each pixel by itself: they go over the axes (0, 2, 3)",
            lambda **a: _dx(**a, axes=(0,)),
            "dx",
        ),
        Mistake(
            "the means in dx are taken over all channels together: they go over the axes (0, 2, 3)",
            lambda **a: _dx(**a, axes=(0, 1, 2, 3)),
            "dx",
        ),
        Mistake("dx does not use eps", lambda **a: _dx(**{**a, "eps": 0.0}), "dx"),
        Mistake(
            "dweight is made with x: it is the normalised input that the weight is multiplied with, sum(dy * xhat)",
            lambda dy, x, weight, eps=1e-5: (dy * x).sum(axis=(0, 2, 3)),
            "dweight",
        ),
        Mistake(
            "dweight is a mean, and should be a sum over the channel",
            lambda **a: batch_norm_backward(**a)[1] * a["x"].shape[1] / a["x"].size,
            "dweight",
        ),
        Mistake("dweight does not use eps", lambda **a: batch_norm_backward(**{**a, "eps": 0.0})[1], "dweight"),
        Mistake(
            "dbias is a mean, and should be a sum over the channel",
            lambda **a: a["dy"].mean(axis=(0, 2, 3)),
            "dbias",
        ),
        Mistake(
            "dbias is summed over the batch only: the sum goes over the axes (0, 2, 3)",
            lambda **a: a["dy"].sum(axis=0),
            "dbias",
        ),
        Mistake(
            "dbias has the weight in it: the bias is added after the scale, so it gets dy alone",
            lambda **a: (a["dy"] * a["weight"][:, None, None]).sum(axis=(0, 2, 3)),
            "dbias",
        ),
    ),
)
