"""Every public name says what it takes, what it gives, what it raises and where it comes from, in numpydoc's form."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import numpycnn
from numpycnn import functional, layers, optim

ROOT = Path(__file__).parents[1]
MODULES = ("numpycnn", "functional", "layers", "losses", "optim", "training", "data", "data.augment", "models")
MODULES += ("visualize", "explain", "exercises")
ERRORS = {
    "GL08": "there is no docstring",
    "PR01": "a parameter is not described",
    "PR02": "a parameter is described that is none",
    "RT01": "it is not said what is returned",
    "YD01": "it is not said what is yielded",
    "SS02": "the first letter is small",
    "SS03": "the first line does not end in a full stop",
    "SS06": "the first line takes two",
}
# What needs no source, with the reason.
NO_SOURCE = {
    "Flatten": "another shape for the same numbers",
    "Reshape": "as above",
    "Permute": "as above",
    "Sequential": "layers one after the other",
    "Layer": "what all layers have in common",
    "Parameter": "an array beside its gradient",
    "Optimizer": "what all optimizers have in common",
    "Schedule": "what all schedules have in common",
}


def public() -> Iterator[Any]:
    """Give every public function and class once."""
    seen = set()
    for name in MODULES:
        module = import_module(name if name == "numpycnn" else f"numpycnn.{name}")
        for thing in (getattr(module, name) for name in getattr(module, "__all__", [])):
            if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing not in seen:
                seen.add(thing)
                yield thing


def full_name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def raises(thing: Any) -> bool:
    """Whether a function, or the constructor of a class, has a ``raise`` of its own."""
    if inspect.isclass(thing):
        thing = vars(thing).get("__init__")
    if not inspect.isfunction(thing) or thing.__module__ == "typing" or thing.__code__.co_filename == "<string>":
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing))))
    return any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(tree))


def is_operation(thing: Any) -> bool:
    """Whether it is an operation, a layer, an optimizer or a schedule: what somebody has invented."""
    if inspect.isclass(thing):
        return issubclass(thing, layers.Layer | optim.Optimizer | optim.Schedule)
    return getattr(functional, thing.__name__, None) is thing and not thing.__name__.endswith("_backward")


def problems(thing: Any) -> list[str]:
    """Return what is missing in the docstring of a public name."""
    doc = NumpyDocString(inspect.getdoc(thing) or "")
    in_attributes = is_dataclass(thing) or getattr(thing, "_is_protocol", False)  # of which numpydoc knows nothing
    errors = set(ERRORS) - ({"PR01"} if in_attributes else set())
    if (
        not isinstance(thing, type)
        and not inspect.signature(thing).parameters
        and doc["Summary"][0].startswith("Return ")
    ):
        errors -= {"RT01"}  # one line says it all
    found = [message for code, message in validate(full_name(thing))["errors"] if code in errors]
    if is_dataclass(thing):
        described = {
            name for part in ("Parameters", "Attributes") for name, _, _ in doc[part] for name in name.split(", ")
        }
        found += [
            f"the field {field.name!r} is not described" for field in fields(thing) if field.name not in described
        ]
    for name, kind, text in doc["Parameters"]:
        words = f"{kind} {' '.join(text)}"
        if not kind and " as " not in f" {words.lower()} ":
            found.append(f"the parameter {name!r} has neither a type nor a word on where it is described")
        if re.search(r"\b(nd)?array\b", kind) and "shape" not in words and "array_like" not in kind:
            found.append(f"the array {name!r} has no shape")
    if raises(thing) and not doc["Raises"]:
        found.append("it raises, and does not say so")
    if is_operation(thing) and not doc["References"] and thing.__name__ not in NO_SOURCE:
        found.append("it does not say where it comes from")
    return found


def whole(x: np.ndarray, n: int = 1) -> np.ndarray:
    """Return numbers.

    Parameters
    ----------
    x : ndarray of shape (N,)
    n : int

    Returns
    -------
    ndarray of shape (N,)

    Raises
    ------
    ValueError
        If `n` is 0.
    """
    if not n:
        raise ValueError("n is 0")
    return x


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("x : ndarray of shape (N,)", "x : ndarray", "the array 'x' has no shape"),
        ("n : int\n", "n\n    A number.\n", "the parameter 'n' has neither a type nor a word on where it is described"),
        ("n : int\n", "", "Parameters {'n'} not documented"),
        ("x : ", "y : ", "Parameters {'x'} not documented"),
        ("Raises\n------\nValueError\n    If `n` is 0.", "", "it raises, and does not say so"),
        ("Returns\n-------\nndarray of shape (N,)", "", "No Returns section found"),
        ("Return numbers.", "return numbers", "Summary does not start with a capital letter"),
    ],
)
def test_what_is_missing_is_found(old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = inspect.getdoc(whole)
    assert text is not None
    assert problems(whole) == []
    assert old in text
    monkeypatch.setattr(whole, "__doc__", text.replace(old, new))
    assert message in problems(whole)


def test_what_needs_a_source_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = functional.relu.__doc__ or ""
    monkeypatch.setattr(functional.relu, "__doc__", text[: text.index("References")])
    assert problems(functional.relu) == ["it does not say where it comes from"]


def test_every_exception_is_needed() -> None:
    assert {name for name in NO_SOURCE if "References" not in (getattr(numpycnn, name).__doc__ or "")} == set(NO_SOURCE)


def test_the_reference_lists_every_public_name_once() -> None:
    listed = []
    for page in sorted((ROOT / "docs" / "api").glob("*.md")):
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            module = line.removeprefix(".. currentmodule:: ") if line.startswith(".. currentmodule:: ") else module
            if re.fullmatch(r" {3}\w+", line):
                listed.append(f"{module}.{line.strip()}")
    assert len(listed) == len(set(listed))
    things = [getattr(import_module(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in listed]
    missing = [full_name(thing) for thing in public() if not any(thing is other for other in things)]
    assert missing == []


@pytest.mark.parametrize("thing", list(public()), ids=full_name)
def test_a_public_name_is_described(thing: Any) -> None:
    assert problems(thing) == []
