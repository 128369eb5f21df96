"""What a function raises, as far as its source tells: by itself, or through the helpers that check its arguments."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

ARGUMENTS = {"ValueError", "TypeError", "RuntimeError"}  # what a helper says of arguments, and of the order of calls


@cache
def tree_of(function: Any) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:  # made by a dataclass
        return ast.Module([], [])


@cache
def own_errors(function: Any) -> set[str]:
    """Return the names of the exceptions in a function's ``raise`` statements, but for hooks that are not filled in."""
    found = set()
    for node in ast.walk(tree_of(function)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            found.add(ast.unparse(error))
    return found - {"NotImplementedError"}


def method(owner: type, name: str, after: type | None = None) -> Any:
    """Return the function that `owner` has as a method; after `after` in the order of its classes, as ``super``."""
    classes = inspect.getmro(owner)
    classes = classes[classes.index(after) + 1 :] if after else classes
    found = next((vars(kind)[name] for kind in classes if name in vars(kind)), None)
    return getattr(found, "__func__", found)


def helpers(function: Any, owner: type | None) -> Iterator[tuple[Any, type | None]]:
    """Give what a function calls, and the class that it belongs to: functions by name, methods of ``self``."""
    home = next((kind for kind in inspect.getmro(owner) if function in vars(kind).values()), owner) if owner else None
    for node in ast.walk(tree_of(function)):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                called = function.__globals__.get(name)
                if inspect.isclass(called):
                    yield method(called, "__init__"), called
                else:
                    yield called, None
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)) if owner:
                yield method(owner, name), owner
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)) if owner:
                yield method(owner, name, home), owner


def errors(
    function: Any,
    owner: type | None,
    is_described: Callable[[Any, type | None], bool],
    seen: frozenset[Any] = frozenset(),
) -> set[str]:
    """Return what a function raises by itself, and what the helpers raise that it calls and that are not public."""
    found = own_errors(function)
    for helper, its_owner in helpers(function, owner):
        ours = inspect.isfunction(helper) and helper.__module__.startswith("numpycnn.")
        if ours and helper not in seen and not is_described(helper, its_owner):
            found |= errors(helper, its_owner, is_described, seen | {function}) & ARGUMENTS
    return found
