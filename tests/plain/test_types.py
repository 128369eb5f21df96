"""The textbook operations check nothing; the type of their results follows from that of their arguments."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import plain
from tests.operations import DRAW, Arguments

LOSSES = {"cross_entropy", "negative_log_likelihood", "binary_cross_entropy", "mean_squared_error"}


def change_floats(arguments: Arguments, change: Callable[[np.ndarray], np.ndarray]) -> Arguments:
    """Return the arguments with the arrays of floats changed."""
    floats = {key: v for key, v in arguments.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    return arguments | {key: change(array) for key, array in floats.items()}


def draw(name: str, seed: int) -> Arguments:
    """Draw arguments with paddings as numbers, and whole numbers in the arrays."""
    rng = np.random.default_rng(seed)
    arguments = DRAW[name](rng)
    while isinstance(arguments.get("padding"), str):
        arguments = DRAW[name](rng)
    return change_floats(arguments, lambda array: np.rint(3 * array))


def results(name: str, arguments: Arguments, dtype: Any) -> list[np.ndarray]:
    """Return the output and the gradients."""
    arguments = change_floats(arguments, lambda array: array.astype(dtype))
    with np.errstate(all="ignore"):  # whole numbers may be 0 where a variance is expected
        y = getattr(plain, name)(**arguments)
        backward = getattr(plain, f"{name}_backward")
        taken = {key: arguments[key] for key in arguments if key in inspect.signature(backward).parameters}
        dy = {} if name in LOSSES else {"dy": (np.arange(np.size(y)) % 5 - 2).reshape(np.shape(y)).astype(dtype)}
        gradients = backward(**dy, **taken)
    return [np.asarray(y), *map(np.asarray, gradients if isinstance(gradients, tuple) else [gradients])]


@pytest.mark.parametrize("name", sorted(DRAW))
def test_float32_stays_float32(name: str) -> None:
    for seed in range(5):
        y, *gradients = results(name, draw(name, seed), np.float32)
        assert {array.dtype for array in gradients} == {np.dtype(np.float32)}
        assert name in LOSSES or y.dtype == np.float32


@pytest.mark.parametrize("name", sorted(DRAW))
def test_integers_give_the_result_of_floats_or_an_error(name: str) -> None:
    for seed in range(5):
        arguments = draw(name, seed)
        expected = results(name, arguments, np.float64)
        try:
            found = results(name, arguments, np.int64)
        except (OverflowError, TypeError):  # -infinity as the start of a maximum, or a running mean to update in place
            continue
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
