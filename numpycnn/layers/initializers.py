"""Initial weights with a variance that keeps activations and gradients from vanishing or exploding.

A sum of ``fan_in`` products has ``fan_in`` times the variance of one of them. He's rule compensates for that and for
the half that a ReLU sets to 0, ``Var(w) = 2 / fan_in``; Glorot's is a compromise between the forward and the backward
pass for activation functions with slope 1 at 0, ``Var(w) = 2 / (fan_in + fan_out)``. An output of a transposed
convolution sums ``taps * channels / stride`` products on average, with the strides of all axes multiplied.

Sources: K. He et al., "Delving deep into rectifiers", arXiv 1502.01852; X. Glorot and Y. Bengio, "Understanding the
difficulty of training deep feedforward neural networks", 2010; A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to
the nonlinear dynamics of learning in deep linear neural networks", arXiv 1312.6120 (orthogonal).
"""

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from numpycnn._checks import check_num_weights, check_unmasked, format_shape

#: A name, or a function of a generator and a shape that returns the weights.
Initializer = str | Callable[[np.random.Generator, tuple[int, ...]], Any]

NORMAL_STD = 0.05
# A normal distribution that is cut at two standard deviations has this one.
TRUNCATED_STD = 0.87962566103423978


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw from a normal distribution with variance ``2 / fan_in``."""
    return rng.normal(0, sqrt(2 / fan_in), shape)


def he_uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw uniformly from ``-sqrt(6 / fan_in)`` to ``sqrt(6 / fan_in)``, with variance ``2 / fan_in``."""
    return rng.uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in), shape)


def glorot_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw from a normal distribution with variance ``2 / (fan_in + fan_out)``."""
    return rng.normal(0, sqrt(2 / (fan_in + fan_out)), shape)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw uniformly from an interval around 0 with variance ``2 / (fan_in + fan_out)``."""
    limit = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape)


def normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw from a normal distribution with standard deviation 0.05."""
    return rng.normal(0, NORMAL_STD, shape)


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw from a normal distribution without its tails, with standard deviation 0.05 after the cut.

    What is beyond two standard deviations of the uncut distribution is drawn again.
    """
    weights = rng.normal(size=shape)
    while (outside := np.abs(weights) > 2).any():
        weights[outside] = rng.normal(size=int(outside.sum()))
    return weights * (NORMAL_STD / TRUNCATED_STD)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Draw a matrix with orthonormal rows, or columns if it has fewer: the first axis by all others.

    It is the Q of the decomposition QR of a normal matrix, with the signs that make R's diagonal positive; otherwise
    they would not be random.
    """
    rows, columns = shape[0], prod(shape[1:])
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diag(r) < 0, -1, 1)
    return (q.T if rows < columns else q).reshape(shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, fan_out: float) -> np.ndarray:
    """Return zeros, for a layer that is to contribute nothing at first; in all layers, nothing would be learned."""
    return np.zeros(shape)


INITIALIZERS: dict[str, Callable[[np.random.Generator, tuple[int, ...], float, float], np.ndarray]] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "orthogonal": orthogonal,
    "zeros": zeros,
}


def check_initializer(value: Any, owner: str, name: str = "initializer") -> Initializer:
    """Return `value` if it names an initializer, or is a function.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not callable(value) and (not isinstance(value, str) or value not in INITIALIZERS):
        raise ValueError(f"{owner}: expected {name} {', '.join(INITIALIZERS)} or a function, got {value!r}")
    return value


def constant(value: float, rng: np.random.Generator | None, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of one value, or zeros without `rng`, as `draw` does."""
    check_num_weights(shape, dtype, "constant")
    return np.zeros(shape, dtype) if rng is None else np.full(shape, value, dtype)


def ones(rng: np.random.Generator | None, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return ones, or zeros without `rng`."""
    return constant(1, rng, shape, dtype)


def draw(
    initializer: Initializer,
    rng: np.random.Generator | None,
    shape: tuple[int, ...],
    *,
    fan_in: float,
    fan_out: float,
    dtype: Any,
) -> np.ndarray:
    """Return initial weights by a named rule or from a function, or zeros without `rng`.

    The zeros of a model to be loaded cost no memory until written.

    Raises
    ------
    ValueError, TypeError
        If a function returns another shape, or numbers that are not finite or not real.
    """
    check_num_weights(shape, dtype, "draw")
    if rng is None:
        return np.zeros(shape, dtype)
    if isinstance(initializer, str):
        return INITIALIZERS[initializer](rng, shape, fan_in, fan_out).astype(dtype)
    weights = check_unmasked(initializer(rng, shape), "the weights of the initializer", "draw")
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"expected an initializer that returns real numbers, got {weights.dtype}")
    if weights.shape != shape:
        raise ValueError(
            f"expected an initializer that returns weights {format_shape(shape)}, got {format_shape(weights.shape)}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("expected an initializer that returns finite weights, got NaN or infinity")
    return weights.astype(dtype)
