"""What a wrong answer looks like: one of the exercise's known mistakes, or one that can happen anywhere.

A known mistake is recognised by making it: its own function is called on the same case, and gives the same numbers.
"""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np

from numpycnn.exercises.comparison import agree, as_arrays
from numpycnn.exercises.exercise import Arguments, Exercise, Mistake, frozen

MOST_AXES = 4  # of which all orders are tried


def mistaken(mistake: Mistake, exercise: Exercise, arguments: Arguments) -> dict[str, np.ndarray]:
    """Return the outputs that a mistake gives on a case, none if it cannot be made there."""
    with np.errstate(all="ignore"):
        try:
            result = mistake.function(**frozen(arguments))
        except (ValueError, IndexError, ZeroDivisionError):  # shapes that do not fit, as for whoever makes the mistake
            return {}
    return as_arrays(result, [mistake.output] if mistake.output else list(exercise.outputs))


def known(
    exercise: Exercise,
    output: str,
    arguments: Arguments,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
) -> str | None:
    """Return the diagnosis of the first known mistake that gives these numbers, wrong ones in this output."""
    for mistake in exercise.mistakes:
        result = mistaken(mistake, exercise, arguments)
        recognised = all(agree(found[name], value) for name, value in result.items())
        if output in result and recognised and not agree(result[output], expected[output]):
            return mistake.diagnosis
    return None


def general(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    """Return what is recognised without knowing the operation."""
    if not found.size:
        return f"{name} is empty. A slice [p:-p] is, where p is 0; [p : p + size] is not"
    if found.shape != expected.shape:
        return _of_shape(found, expected, name)
    if np.isnan(found).any():
        return f"{name} has numbers that are none (nan): from 0 / 0, or from infinity less infinity"
    if np.isinf(found).any():
        return f"{name} has infinite numbers: from an exp that overflows, the logarithm of 0, or a division by 0"
    order = _order(found, expected)
    if order:
        return f"the axes of {name} are in another order: {order} gives what was expected"
    if not found.any():
        return f"{name} is all zeros: the array is made, but nothing is written into it"
    if found.dtype.kind in "iu" and agree(found, np.trunc(expected)):
        return f"{name} is an array of whole numbers, which cuts off what is behind the point: make it with floats"
    if expected.ndim > 1 and len(expected) > 1 and agree(found[0], expected[0]) and not found[1:].any():
        return f"only {name}[0] is filled in, and that is right: the loop over the first axis ends too soon"
    return _factor(found, expected, name)


def _of_shape(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    order = _order(found, expected)
    if order:
        return f"the axes of {name} are in another order: {order} gives what was expected"
    if agree(np.squeeze(found), np.squeeze(expected)):
        return f"the numbers are right, but axes of size 1 are missing or too many in {name}"
    if found.size == expected.size and agree(found.reshape(expected.shape), expected):
        return f"the numbers are right and in the right order: {name} lacks a reshape to its shape"
    return None


def _order(found: np.ndarray, expected: np.ndarray) -> str | None:
    """Return the call that brings the axes into the expected order."""
    if not 1 < found.ndim == expected.ndim <= MOST_AXES or agree(found, expected):
        return None
    for axes in permutations(range(found.ndim)):
        if agree(found.transpose(axes), expected):
            return f"transpose{axes}"
    return None


def _factor(found: np.ndarray, expected: np.ndarray, name: str) -> str | None:
    """Recognise a factor, or an amount added, that is the same everywhere."""
    nonzero = np.abs(expected) > 1e-12
    if not nonzero.any() or expected.size < 2:
        return None
    factor = float(found[nonzero].flat[0] / expected[nonzero].flat[0])
    if agree(found, factor * expected):
        if abs(factor + 1) < 1e-6:
            return f"{name} has the wrong sign everywhere"
        return (
            f"every number of {name} is {factor:.6g} times what was expected: a factor too much, or a mean for a sum?"
        )
    offset = float((found - expected).flat[0])
    if agree(found, expected + offset):
        return f"every number of {name} is {abs(offset):.6g} too {'large' if offset > 0 else 'small'}"
    return None


def diagnose(
    exercise: Exercise,
    output: str,
    arguments: Arguments,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
) -> str | None:
    """Return what is probably wrong with one output, in words, or None."""
    others: list[Any] = [name for name in expected if name != output and agree(found[output], expected[name])]
    if others and not agree(expected[others[0]], expected[output]):
        order = ", ".join(expected)
        return f"what is returned as {output} is {others[0]}: the order is {order}"
    return known(exercise, output, arguments, found, expected) or general(found[output], expected[output], output)
