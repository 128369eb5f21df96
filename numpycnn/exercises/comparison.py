"""Where an answer differs from what was expected: in kind, in shape, or in a number, of which the first is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn.functional.checks import spell

TOLERANCE = 1e-6  # relative to the largest number; an answer in float32 passes


@dataclass(frozen=True)
class Difference:
    """The first difference: in which output, at which index if it is one of numbers, and in words."""

    output: str
    index: tuple[int, ...] | None
    text: str


def as_arrays(result: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return what numpycnn's own functions return by the names of the outputs."""
    return {name: np.asarray(value) for name, value in zip(names, result if len(names) > 1 else [result], strict=True)}


def as_outputs(result: Any, names: Mapping[str, str]) -> dict[str, np.ndarray] | str:
    """Return what a function returned as arrays by their names, or what is wrong with it."""
    wanted = "an array" if len(names) == 1 else f"{len(names)} results, {', '.join(names)}"
    if result is None:
        return f"the function returns nothing (None), expected {wanted}: is there a return at its end?"
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
        return f"one array {spell(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"of type {type(value).__name__}"


def close(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return where two arrays of one shape agree, but for rounding."""
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    with np.errstate(all="ignore"):
        return (
            (np.abs(found - expected) <= TOLERANCE * scale)
            | (found == expected)
            | (np.isnan(found) & np.isnan(expected))
        )


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether two arrays have one shape and the same numbers."""
    return found.shape == expected.shape and bool(close(found, expected).all())


def difference(name: str, letters: str, found: np.ndarray, expected: np.ndarray) -> Difference | None:
    """Return the first difference of one output, if there is any."""
    if found.shape != expected.shape:
        text = f"{name} has the shape {spell(found.shape)}, expected {spell(expected.shape)}"
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
        text += (
            f"; {many} numbers of {name} differ, this is the first" if count > 1 else "; the only number that differs"
        )
    return Difference(name, index, text)
