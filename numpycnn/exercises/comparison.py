"""Compare an answer with the expected outputs: type, shape, and the first value that differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._checks import format_shape

TOLERANCE = 1e-6  # relative to the largest value; an answer in float32 passes


@dataclass(frozen=True)
class Difference:
    """The first difference: the output, the index (None for a shape), and a description."""

    output: str
    index: tuple[int, ...] | None
    text: str


def as_arrays(result: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the results of the library as arrays by output name."""
    return {name: np.asarray(value) for name, value in zip(names, result if len(names) > 1 else [result], strict=True)}


def as_outputs(result: Any, names: Mapping[str, str]) -> dict[str, np.ndarray] | str:
    """Return the results of an answer as arrays by output name, or a description of a wrong type."""
    wanted = "an array" if len(names) == 1 else f"{len(names)} results, {', '.join(names)}"
    if result is None:
        return f"the function returns None, expected {wanted}: is the return statement missing?"
    if len(names) > 1:
        if not isinstance(result, tuple | list):
            return f"the function returns {_kind(result)}, expected {wanted}"
        if len(result) != len(names):
            return f"the function returns {len(result)} results, expected {wanted}"
    values = result if len(names) > 1 else [result]
    outputs = {}
    for (name, shape), value in zip(names.items(), values, strict=True):
        expected = "a number" if shape == "a number" else f"an array of numbers {shape}"
        number = isinstance(value, int | float) and shape == "a number"
        if not number and not isinstance(value, np.ndarray | np.number):
            return f"{name} is {_kind(value)}, expected {expected}"
        if np.asarray(value).dtype.kind not in "iuf":
            return f"{name} holds {np.asarray(value).dtype}, expected {expected}"
        outputs[name] = np.asarray(value)
    return outputs


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"one array {format_shape(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"of type {type(value).__name__}"


def close(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return where two arrays of the same shape agree up to rounding."""
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    with np.errstate(all="ignore"):
        return (
            (np.abs(found - expected) <= TOLERANCE * scale)
            | (found == expected)
            | (np.isnan(found) & np.isnan(expected))
        )


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether two arrays have the same shape and values."""
    return found.shape == expected.shape and bool(close(found, expected).all())


def difference(name: str, letters: str, found: np.ndarray, expected: np.ndarray) -> Difference | None:
    """Return the first difference of one output, or None."""
    if found.shape != expected.shape:
        text = f"{name} has the shape {format_shape(found.shape)}, expected {format_shape(expected.shape)}"
        return Difference(name, None, text if letters == "a number" else f"{text}, that is {letters}")
    wrong = ~close(found, expected)
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"{name}[{', '.join(map(str, index))}]" if index else name
    text = f"{place} is {found[index]:.6g}, expected {expected[index]:.6g}"
    if wrong.size > 1:
        count = int(wrong.sum())
        many = "all" if count == wrong.size else f"{count} of {wrong.size}"
        text += f"; {many} values of {name} differ, this is the first" if count > 1 else "; the only value that differs"
    return Difference(name, index, text)
