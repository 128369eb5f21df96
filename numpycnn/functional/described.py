"""Docstrings that take from another what would be the same in both.

Convolution in one dimension has the arguments of that in two, and every backward those of its forward. The docstring in
the source says what is special about a function; here the rest is put in, so that ``help`` and the reference have all.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

ORDER = ("Parameters", "Attributes", "Returns", "Raises", "References", "Examples")


def describe(thing: Any, *models: Any) -> None:
    """Complete the docstring of a function or class with those of others.

    A parameter that it does not describe gets what the first of `models` says that has one of that name. Returns
    and errors come from a function that goes in the same direction, a class's errors from a class; references come from
    the same operation, examples from nowhere. Where the name ends in ``1d`` or ``3d``, shapes of pictures become those
    of sequences or volumes.

    Parameters
    ----------
    thing : function or class
    *models : functions or classes
    """
    summary, own = sections_of(inspect.cleandoc(thing.__doc__ or ""))
    rank = re.search(r"([13])[dD]", thing.__name__)
    described = [own]
    for model in models:
        text = inspect.cleandoc(model.__doc__ or "")
        sections = sections_of(in_dimensions(text, int(rank[1])) if rank else text)[1]
        described.append(sections)
        own = {head: body for head, body in sections.items() if is_shared(head, thing, model)} | own
    own["Parameters"] = _parameters(thing, described)
    parts = [f"{head}\n{'-' * len(head)}\n{own[head]}" for head in ORDER if own.get(head)]
    thing.__doc__ = "\n\n".join([summary, *parts]) + "\n"


def describe_functions(functions: Mapping[str, Callable[..., Any]], backward: Callable[..., Any]) -> None:
    """Complete each backward by its forward and by `backward`, and then what has one or three dimensions by two."""
    for name, function in functions.items():
        if name.endswith("_backward") and not re.search(r"[13]d", name):
            describe(function, functions[name.removesuffix("_backward")], backward)
    for name, function in functions.items():
        if re.search(r"[13]d", name):
            describe(function, functions[re.sub(r"[13]d", "2d", name)])


def sections_of(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands above the first heading of a docstring, and the text below each."""
    above, *rest = re.split(r"^(\w+)\n-{3,}\n", text, flags=re.MULTILINE)
    return above.strip(), {head: body.strip() for head, body in zip(rest[::2], rest[1::2], strict=True)}


def in_dimensions(text: str, rank: int) -> str:
    """Rewrite what is said of pictures, ``(N, C, H, W)``, for sequences or volumes."""
    letters, name = {1: (["L"], "sequence"), 3: (["D", "H", "W"], "volume")}[rank]
    for prefix in ("", "O", "K"):
        new = ", ".join(prefix + letter for letter in letters)
        text = re.sub(rf"\b{prefix}H, {prefix}W\b", new, text)
    return text.replace("picture", name).replace("2d`", f"{rank}d`").replace("2D`", f"{rank}D`")


def is_shared(head: str, thing: Any, model: Any) -> bool:
    """Whether a section of a model holds for another thing as well."""
    if head in ("Returns", "Raises"):
        same_way = thing.__name__.endswith("_backward") == model.__name__.endswith("_backward")
        return same_way and isinstance(thing, type) == isinstance(model, type)
    if head == "References":
        return _operation(thing) == _operation(model)
    return head == "Attributes" and isinstance(model, type)


def _operation(thing: Any) -> str:
    """Return the name without direction and dimensions: ``avgpool`` for ``AvgPool1D`` and ``avg_pool2d_backward``."""
    return re.sub(r"\dd$|_", "", thing.__name__.lower().removesuffix("_backward"))


def _parameters(thing: Any, described: list[dict[str, str]]) -> str:
    """Return an entry for each parameter, in their order, from the first list that has one."""
    texts = [sections["Parameters"] for sections in described if "Parameters" in sections]
    entries: dict[str, tuple[list[str], str]] = {}
    for entry in (entry for text in texts for entry in re.split(r"\n(?=\S)", text)):
        names = entry.split("\n")[0].split(" : ")[0].replace("*", "").split(", ")
        for name in names:
            entries.setdefault(name, (names, entry))
    wanted, found = [name for name in inspect.signature(thing).parameters if name != "self"], []
    for name in list(wanted):
        if name in wanted and name in entries:
            names, entry = entries[name]
            kept = [other for other in names if other in wanted]
            found.append(entry.replace(", ".join(names), ", ".join(kept), 1))
            wanted = [other for other in wanted if other not in kept]
    return "\n".join(found)
