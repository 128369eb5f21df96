"""Initial weights with a variance that keeps activations and gradients from vanishing or exploding.

A sum of ``fan_in`` products has ``fan_in`` times the variance of one of them. He's rule compensates for that and for
the half that a ReLU sets to 0, ``Var(w) = 2 / fan_in``; Glorot's is a compromise between the forward and the backward
pass for activation functions with slope 1 at 0, ``Var(w) = 2 / (fan_in + fan_out)``. An output of a transposed
convolution sums ``taps * channels / stride`` products on average, with the strides of all axes multiplied.

Sources: K. He et al., "Delving deep into rectifiers", arXiv 1502.01852; X. Glorot and Y. Bengio, "Understanding the
difficulty of training deep feedforward neural networks", 2010.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from numpycnn._checks import check_num_weights

Initializer = Callable[[np.random.Generator, tuple[int, ...], float, float], np.ndarray]


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


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
}


def check_initializer(name: str, owner: str) -> str:
    """Return `name` if it names an initializer.

    Raises
    ------
    ValueError
        If it does not.
    """
    if not isinstance(name, str) or name not in INITIALIZERS:
        raise ValueError(f"{owner}: expected initializer {', '.join(INITIALIZERS)}, got {name!r}")
    return name


def constant(value: float, rng: np.random.Generator | None, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of one value, or zeros without `rng`, as `draw` does."""
    check_num_weights(shape, dtype, "constant")
    return np.zeros(shape, dtype) if rng is None else np.full(shape, value, dtype)


def ones(rng: np.random.Generator | None, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return ones, or zeros without `rng`."""
    return constant(1, rng, shape, dtype)


def draw(
    name: str,
    rng: np.random.Generator | None,
    shape: tuple[int, ...],
    *,
    fan_in: float,
    fan_out: float,
    dtype: Any,
) -> np.ndarray:
    """Return initial weights by the rule `name`, or zeros without `rng`.

    The zeros of a model to be loaded cost no memory until written.
    """
    check_num_weights(shape, dtype, "draw")
    if rng is None:
        return np.zeros(shape, dtype)
    return INITIALIZERS[name](rng, shape, fan_in, fan_out).astype(dtype)
