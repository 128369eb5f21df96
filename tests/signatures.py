"""Every public signature as one line of text. ``python -m tests.signatures`` writes them to ``tests/signatures.txt``.

Run it when a public name or argument is meant to change, and review the difference: each line that is removed breaks
code of users.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy.typing as npt

import numpycnn
from numpycnn.layers.checking import BuildSetting, ForeignSetting

MODULES = [
    "numpycnn",
    "functional",
    "plain",
    "losses",
    "metrics",
    "optim",
    "data",
    "data.augment",
    "training",
    "models",
    "visualize",
]
TABLE = Path(__file__).with_suffix(".txt")
PUBLIC = {getattr(numpycnn, name) for name in numpycnn.__all__ if inspect.isclass(getattr(numpycnn, name))}


def text_of(function: Any) -> str:
    """Return a signature as text, without quotes around names of types and without addresses."""
    text = str(inspect.signature(function))
    for name in ("ArrayLike", "DTypeLike"):  # unions that differ between versions of NumPy
        union = inspect.formatannotation(getattr(npt, name))
        text = text.replace(union, name).replace(union.removeprefix("Union[").removesuffix("]"), name)
    text = re.sub(r"Union\[([^\[\]]+)\]", lambda found: found[1].replace(", ", " | "), text)  # as Python 3.14 does
    text = text.replace("NoneType", "None")
    text = re.sub(r"<object object at 0x[0-9a-f]+>", "<object>", text)
    text = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"<function \1>", text)
    text = text.replace("'", "").replace("numpy.", "np.")
    return re.sub(r"\b(collections\.abc|typing|np\.random\._generator|np\._typing\._\w+)\.", "", text)


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Return the public methods and properties of a class, but for those that a public base class has."""
    public = [base for base in inspect.getmro(kind)[1:] if base in PUBLIC]
    inherited = {id(inspect.getattr_static(base, name)) for base in public for name in dir(base)}
    for name in sorted(dir(kind)):
        if id(inspect.getattr_static(kind, name)) in inherited:
            continue
        found = inspect.getattr_static(kind, name)
        found = getattr(found, "__func__", found)
        ours = getattr(getattr(found, "fget", None) or found, "__module__", "") or ""
        if name[0] != "_" and ours.startswith("numpycnn") and not isinstance(found, ForeignSetting | BuildSetting):
            yield name, found


def lines() -> Iterator[str]:
    """Return one line for each function, class, method and constant."""
    for part in MODULES:
        name = part if part == "numpycnn" else f"numpycnn.{part}"
        module = import_module(name)
        for public in sorted(module.__all__):
            thing = getattr(module, public)
            full = f"{name}.{public}"
            if inspect.ismodule(thing):
                yield f"{full}: module"
            elif inspect.isclass(thing) and issubclass(thing, Exception):
                yield f"{full}: exception"
            elif inspect.isclass(thing):
                yield f"{full}{text_of(thing)}"
                for key, value in methods(thing):
                    yield f"{full}.{key}" + (": property" if isinstance(value, property) else text_of(value))
            elif callable(thing):
                yield f"{full}{text_of(thing)}"
            else:
                yield f"{full}: {type(thing).__name__}"


def table() -> str:
    return "".join(f"{line}\n" for line in lines())


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
