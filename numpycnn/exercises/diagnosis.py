"""Diagnose a wrong answer: a known mistake of the exercise, or a general one.

A known mistake is recognized by its function, which returns the same values on the same case.
"""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np

from numpycnn.exercises.comparison import agree, as_arrays
from numpycnn.exercises.exercise import Arguments, Exercise, Mistake, frozen

MOST_AXES = 4  # of which all permutations are tried


def mistaken(mistake: Mistake, exercise: Exercise, arguments: Arguments) -> dict[str, np.ndarray]:
    """Return the outputs of a mistake on a case, or an empty dict if it raises."""
    with np.errstate(all="ignore"):
        try:
            result = mistake.function(**frozen(arguments))
        except (ValueError, IndexError, ZeroDivisionError):  # as an answer with this mistake raises
            return {}
    return as_arrays(result, [mistake.output] if mistake.output else list(exercise.outputs))


def known(
    exercise: Exercise,
    output: str,
    arguments: Arguments,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
) -> str | None:
    """Return the diagnosis of the first known mistake with these values, wrong in this output."""
    for mistake in exercise.mistakes:
        result = mistaken(mistake, exercise, arguments)
        recognized = all(agree(found[name], value) for name, value in result.items())
        if output in result and recognized and not agree(result[output], expected[output]):
            return mistake.diagnosis
    return None


def general(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    """Return a diagnosis that does not depend on the operation, or None."""
    if not found.size:
        return f"{name} is empty: a slice [p:-p] is empty for p = 0; use [p : p + size]"
    if found.shape != expected.shape:
        return _of_shape(found, expected, name)
    if np.isnan(found).any():
        return f"{name} contains nan: from 0 / 0, or infinity minus infinity"
    if np.isinf(found).any():
        return f"{name} contains infinity: from an overflow of exp, the logarithm of 0, or a division by 0"
    order = _order(found, expected)
    if order:
        return f"the axes of {name} are in another order: apply {order}"
    if not found.any():
        return f"{name} is all zeros: the array is created, but no value is assigned"
    if found.dtype.kind in "iu" and agree(found, np.trunc(expected)):
        return f"{name} is an integer array, which truncates the values: use a float array"
    if expected.ndim > 1 and len(expected) > 1 and agree(found[0], expected[0]) and not found[1:].any():
        return f"only {name}[0] is filled in, correctly: the loop over the first axis ends too early"
    return _factor(found, expected, name)


def _of_shape(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    order = _order(found, expected)
    if order:
        return f"the axes of {name} are in another order: apply {order}"
    if agree(np.squeeze(found), np.squeeze(expected)):
        return f"the values are right, but {name} has missing or extra axes of size 1"
    if found.size == expected.size and agree(found.reshape(expected.shape), expected):
        return f"the values are right and in the right order: reshape {name}"
    return None


def _order(found: np.ndarray, expected: np.ndarray) -> str | None:
    """Return the transpose that restores the expected order of the axes, or None."""
    if not 1 < found.ndim == expected.ndim <= MOST_AXES or agree(found, expected):
        return None
    for axes in permutations(range(found.ndim)):
        if agree(found.transpose(axes), expected):
            return f"transpose{axes}"
    return None


def _factor(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    """Recognize a constant factor or offset."""
    nonzero = np.abs(expected) > 1e-12
    if not nonzero.any() or expected.size < 2:
        return None
    factor = float(found[nonzero].flat[0] / expected[nonzero].flat[0])
    if agree(found, factor * expected):
        if abs(factor + 1) < 1e-6:
            return f"{name} has the wrong sign everywhere"
        return f"every value of {name} is {factor:.6g} times the expected one: an extra factor, or a mean for a sum?"
    offset = float((found - expected).flat[0])
    if agree(found, expected + offset):
        return f"every value of {name} is {abs(offset):.6g} too {'large' if offset > 0 else 'small'}"
    return None


def diagnose(
    exercise: Exercise,
    output: str,
    arguments: Arguments,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
) -> str | None:
    """Return the likely cause of a wrong output, or None."""
    others: list[Any] = [name for name in expected if name != output and agree(found[output], expected[name])]
    if others and not agree(expected[others[0]], expected[output]):
        order = ", ".join(expected)
        return f"the result returned as {output} is {others[0]}: the order is {order}"
    return known(exercise, output, arguments, found, expected) or general(found[output], expected[output], output)
