"""Every public name says what it takes, what it gives, what it raises and where it comes from, in numpydoc's form."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import numpycnn
from numpycnn import functional, layers, losses, metrics, models, optim, training
from numpycnn._checks import check_int
from numpycnn._settings import operations
from tests.raising import errors, method

ROOT = Path(__file__).parents[1]
MODULES = (
    "numpycnn",
    "functional",
    "layers",
    "losses",
    "metrics",
    "optim",
    "training",
    "data",
    "data.augment",
    "models",
)
MODULES += ("recipes", "visualize", "animate", "explain", "exercises")
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
    "Schedule": "what all schedules have in common",
    "FunctionSchedule": "a function of one's own",
    "PerEpoch": "another unit of time",
}
# What is raised and caught again, or cannot happen, with the reason.
NOT_RAISED = {
    ("load_model", "TypeError"): "becomes a DataFormatError",
    ("load_model", "ValueError"): "becomes a DataFormatError",
    ("get_num_threads", "TypeError"): "the text is made an int",
    ("Trainer.resume", "ValueError"): "becomes a DataFormatError",
    ("Trainer.save", "RuntimeError"): "a trainer's model is built",
    ("relu", "ValueError"): "an array of any shape is accepted",
    ("selu", "ValueError"): "as above",
    ("sigmoid", "ValueError"): "as above",
    ("silu", "ValueError"): "as above",
    ("softplus", "ValueError"): "as above",
    ("tanh", "ValueError"): "as above",
    ("Conv.window", "TypeError"): "the constructor has checked the settings",
    ("Conv.window", "ValueError"): "as above",
    ("ConvTranspose.window", "TypeError"): "as above",
    ("ConvTranspose.window", "ValueError"): "as above",
    ("Pool.window", "TypeError"): "as above",
    ("Pool.window", "ValueError"): "as above",
}
# Names another public function of the package that describes arguments and errors, or the result as well.
SAID_ELSEWHERE = re.compile(r"rguments(, result)? and errors as for `(\w+)`")
OF_GRADIENTS = {"TypeError", "ValueError"}  # said once, by `numpycnn.functional`
SAID_OF_THE_CLASS = {training.Callback: "trainer"}  # an argument that the class describes, once for all its methods


def public() -> Iterator[Any]:
    """Give every public function and class once."""
    seen = set()
    for name in MODULES:
        module = import_module(name if name == "numpycnn" else f"numpycnn.{name}")
        for thing in (getattr(module, name) for name in getattr(module, "__all__", [])):
            if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing not in seen:
                seen.add(thing)
                yield thing


PUBLIC = frozenset(public())


def full_name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def documented(thing: Any) -> Any:
    """Return the class whose docstring a class has: Conv1D, Conv2D and Conv3D inherit that of Conv."""
    return next(kind for kind in inspect.getmro(thing) if kind.__doc__) if inspect.isclass(thing) else thing


def methods() -> Iterator[tuple[type, str]]:
    """Give every public method and property of the public classes once, with the class that defines it."""
    seen = set()
    for owner in (thing for thing in public() if inspect.isclass(thing)):
        for kind in inspect.getmro(owner):
            for name, value in vars(kind).items():
                value = getattr(value, "__func__", value)
                is_one = inspect.isfunction(value) or isinstance(value, property)
                if is_one and kind.__module__.startswith("numpycnn.") and name[0] != "_" and value not in seen:
                    seen.add(value)
                    yield kind, name


@cache
def parsed(text: str) -> NumpyDocString:
    return NumpyDocString(text)


def described_by(owner: type, name: str) -> list[NumpyDocString]:
    """Return the docstring of a method, and those of the methods that it overrides."""
    found = [vars(kind)[name] for kind in inspect.getmro(owner) if name in vars(kind)]
    return [parsed(inspect.cleandoc(getattr(value, "__doc__", None) or "")) for value in found]


def named_errors(docs: list[NumpyDocString]) -> set[str]:
    return {name for doc in docs for _, names, _ in doc["Raises"] for name in re.split(", | or ", names)}


def is_described(function: Any, owner: type | None) -> bool:
    """Whether a function says itself what it raises: it is public, or a method or constructor that does say it."""
    if function is operations:
        return True  # raises for an unknown NUMPYCNN_BACKEND, as get_backend says
    if owner is None:
        return function in PUBLIC
    if function.__name__ != "__init__":
        return function.__name__[0] != "_" and bool(named_errors(described_by(owner, function.__name__)))
    home = next(kind for kind in inspect.getmro(owner) if vars(kind).get("__init__") is function)
    return home in PUBLIC and bool(named_errors([parsed(inspect.getdoc(home) or "")]))


def unnamed_errors(function: Any, owner: type | None, docs: list[NumpyDocString]) -> set[str]:
    """Return what a function raises and does not say."""
    found = {error for error in errors(function, owner, is_described) if error.isidentifier() and error[0].isupper()}
    return {error for error in found - named_errors(docs) if (function.__qualname__, error) not in NOT_RAISED}


def constructors(thing: type) -> list[Any]:
    """Return what runs when an object is made."""
    found = (method(thing, name) for name in ("__init__", "__post_init__"))
    return [f for f in found if inspect.isfunction(f) and f.__module__.startswith("numpycnn.")]


def is_operation(thing: Any) -> bool:
    """Whether it is an operation, a layer, an optimizer or a schedule: what somebody has invented."""
    if inspect.isclass(thing):
        return issubclass(thing, layers.Layer | optim.Optimizer | optim.Schedule)
    return getattr(functional, thing.__name__, None) is thing and not thing.__name__.endswith("_backward")


def is_gradient(thing: Any) -> bool:
    """Whether it is the gradient of an operation: `numpycnn.functional` describes results and errors of all of them."""
    return thing.__name__.endswith("_backward") and getattr(functional, thing.__name__, None) is thing


def base_that_describes(thing: Any) -> type | None:
    """Return the base class that describes the constructor of a layer, loss or metric without one of its own."""
    documented = (layers.Layer, losses.Loss, metrics.CountingMetric, metrics.LabelMetric, metrics.Metric)
    bases = [base for base in documented if inspect.isclass(thing) and issubclass(thing, base)]
    return next((base for base in bases if thing is not base and thing.__init__ is base.__init__), None)


def described_elsewhere(thing: Any, doc: NumpyDocString) -> tuple[list[NumpyDocString], set[str]]:
    """Return the docstrings that this one leads to, if any, and what numpydoc does not find in this one then."""
    reference = SAID_ELSEWHERE.search(" ".join(doc["Extended Summary"]))
    if reference is None:
        return [], set()
    package = thing.__module__.split(".")[:2]
    other = next(f for f in PUBLIC if f.__name__ == reference[2] and f.__module__.split(".")[:2] == package)
    found = parsed(inspect.getdoc(other) or "")
    return [found, *described_elsewhere(other, found)[0]], {"PR01", "RT01"} if reference[1] else {"PR01"}


def problems(thing: Any) -> list[str]:
    """Return what is missing in the docstring of a public name."""
    doc = parsed(inspect.getdoc(thing) or "")
    elsewhere, known = described_elsewhere(thing, doc)
    in_attributes = is_dataclass(thing) or getattr(thing, "_is_protocol", False)  # of which numpydoc knows nothing
    errors = set(ERRORS) - ({"PR01"} if in_attributes else set()) - known
    if (
        not isinstance(thing, type)
        and not inspect.signature(thing).parameters
        and doc["Summary"][0].startswith("Return ")
    ):
        errors -= {"RT01"}  # one line says it all
    if is_gradient(thing):
        errors -= {"RT01"}
    found = [message for code, message in validate(full_name(documented(thing)))["errors"] if code in errors]
    docs = [doc, *elsewhere]
    if elsewhere:
        described = {name for part in docs for names, _, _ in part["Parameters"] for name in names.split(", ")}
        missing = sorted(set(inspect.signature(thing).parameters) - described)
        found += [f"not described: {', '.join(missing)}"] * bool(missing)
    if (base := base_that_describes(thing)) is not None:
        docs.append(parsed(inspect.getdoc(base) or ""))
        found = [message for message in found if not re.fullmatch(r"Parameters \{.*\} not documented", message)]
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
    for function in constructors(thing) if inspect.isclass(thing) else [thing]:
        missing = unnamed_errors(function, thing if inspect.isclass(thing) else None, docs)
        missing -= OF_GRADIENTS if is_gradient(thing) else set()
        found += [f"it raises {error}, and does not say so" for error in sorted(missing)]
    if is_operation(thing) and not doc["References"] and thing.__name__ not in NO_SOURCE:
        found.append("it does not say where it comes from")
    return found


def problems_of_method(owner: type, name: str) -> list[str]:
    """Return what is missing in the docstring of a public method or property."""
    value = vars(owner)[name]
    docs = described_by(owner, name)
    errors = {"GL08", "RT01", "YD01", "SS02", "SS03", "SS06"}
    if isinstance(value, property):
        function, wanted = value.fget, set()
        errors -= {"RT01"}
    else:
        function = getattr(value, "__func__", value)
        wanted = {p.name for p in inspect.signature(function).parameters.values()} - {"self", "cls"}
    if any(doc["Returns"] for doc in docs) or (not wanted and docs[0]["Summary"][0].startswith("Return ")):
        errors -= {"RT01"}  # one line says it all, or that of the method which this one overrides
    found = [message for code, message in validate(f"{full_name(owner)}.{name}")["errors"] if code in errors]
    for kind, argument in SAID_OF_THE_CLASS.items():
        wanted -= {argument} if issubclass(owner, kind) and f"`{argument}`" in (kind.__doc__ or "") else set()
    named = [{n.lstrip("*") for part, _, _ in doc["Parameters"] for n in part.split(", ")} for doc in docs]
    if missing := wanted - set().union(*named):
        found.append(f"not described: {', '.join(sorted(missing))}")
    if unknown := named[0] - {name.lstrip("*") for name in inspect.signature(function).parameters}:
        found.append(f"described, but no parameter: {', '.join(sorted(unknown))}")
    for argument, kind, text in docs[0]["Parameters"]:
        if re.search(r"\b(nd)?array\b", kind) and "shape" not in f"{kind} {' '.join(text)}" and "of str" not in kind:
            found.append(f"the array {argument!r} has no shape")
    missing = unnamed_errors(function, owner, docs)
    return found + [f"it raises {error}, and does not say so" for error in sorted(missing)]


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
        ("Raises\n------\nValueError\n    If `n` is 0.", "", "it raises ValueError, and does not say so"),
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


@pytest.mark.parametrize(
    ("thing", "old", "new", "message"),
    [
        (models.mlp, "rguments, result and errors as for", "rguments and errors as for", "No Returns section found"),
        (models.mlp, "hidden : int", "width : int", "not described: hidden"),
        (models.lenet, "`tiny_vgg`", "`create`", "not described: dtype"),
    ],
)
def test_a_docstring_may_refer_to_another(
    thing: Any, old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = inspect.getdoc(thing)
    assert text is not None
    assert old in text
    monkeypatch.setattr(thing, "__doc__", text.replace(old, new))
    assert message in problems(thing)


def test_what_needs_a_source_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = functional.relu.__doc__ or ""
    monkeypatch.setattr(functional.relu, "__doc__", text[: text.index("References")])
    assert problems(functional.relu) == ["it does not say where it comes from"]


def test_the_module_describes_what_all_gradients_return_and_raise() -> None:
    text = functional.__doc__ or ""
    assert all(word in text for word in ("shape", "dtype", *OF_GRADIENTS))
    assert is_gradient(functional.conv2d_backward)
    assert not is_gradient(functional.conv2d)


class Named(layers.Layer):
    """Has a name alone."""


def test_a_base_class_describes_the_constructor_that_is_inherited() -> None:
    assert problems(Named) == ["it does not say where it comes from"]
    assert base_that_describes(layers.ReLU) is layers.Layer
    assert base_that_describes(losses.MeanSquaredError) is losses.Loss
    assert [base_that_describes(thing) for thing in (layers.Layer, layers.ELU, functional.relu)] == [None] * 3


class Counter:
    """Counts."""

    def count(self, x: np.ndarray, n: int) -> int:
        """Return a number.

        Parameters
        ----------
        x : ndarray of shape (N,)
        n : int

        Returns
        -------
        int

        Raises
        ------
        TypeError
            If `n` is not an int.
        ValueError
            If `n` is smaller than 1.
        """
        return len(x) * check_int(n, "n", "count")


class Doubler(Counter):
    """Counts twice."""

    def count(self, x: np.ndarray, n: int) -> int:
        """Return twice the number."""
        return 2 * super().count(x, n)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n : int\n", "", "not described: n"),
        ("n : int\n", "n : int\nm : int\n", "described, but no parameter: m"),
        ("x : ndarray of shape (N,)", "x : ndarray", "the array 'x' has no shape"),
        ("Returns\n-------\nint\n", "", "No Returns section found"),
        ("TypeError\n    If `n` is not an int.\n", "", "it raises TypeError, and does not say so"),
        ("Return a number.", "Return a number", "Summary does not end with a period"),
        ("Return a number.", "Return\na number.", "Summary should fit in a single line"),
    ],
)
def test_what_is_missing_of_a_method_is_found(
    old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = inspect.getdoc(Counter.count)
    assert text is not None
    assert problems_of_method(Counter, "count") == []
    assert problems_of_method(Doubler, "count") == []  # what it overrides says the rest
    assert old in text
    monkeypatch.setattr(Counter.count, "__doc__", text.replace(old, new))
    assert message in problems_of_method(Counter, "count")


def test_a_helper_that_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for thing, message in ((functional.gelu, "ValueError"), (layers.Conv3D, "TypeError"), (layers.ELU, "ValueError")):
        text = inspect.cleandoc(thing.__doc__ or "")
        monkeypatch.setattr(thing, "__doc__", re.sub(r"^Raises\n-+\n(.+\n)*", "", text, flags=re.MULTILINE))
        assert f"it raises {message}, and does not say so" in problems(thing)


def test_every_error_that_is_not_raised_looks_as_if_it_were() -> None:
    owners = [(f, t) for t in PUBLIC if inspect.isclass(t) for f in constructors(t)]
    owners += [(method(owner, name), owner) for owner, name in methods()]
    functions = [(f, None) for f in PUBLIC if inspect.isfunction(f)]
    asked = {name for name, _ in NOT_RAISED}
    seen = set()
    for function, owner in [*owners, *functions]:
        if getattr(function, "__qualname__", "") in asked:
            seen |= {(function.__qualname__, error) for error in errors(function, owner, is_described)}
    assert set(NOT_RAISED) <= seen


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


@pytest.mark.parametrize(("owner", "name"), list(methods()), ids=lambda value: getattr(value, "__qualname__", value))
def test_a_public_method_is_described(owner: type, name: str) -> None:
    assert problems_of_method(owner, name) == []
