"""One definition for each operation with spatial axes, from which its names for one, two and three axes are made."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any


def by_rank(operation: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return an operation whose first argument is the rank as three functions: for 1, 2 and 3 spatial axes.

    ``_conv`` becomes ``conv1d``, ``conv2d`` and ``conv3d``, ``_conv_backward`` becomes ``conv1d_backward`` and so on.
    Docstring and source are those of the operation.
    """
    return [_with_rank(operation, rank) for rank in (1, 2, 3)]


def _with_rank(operation: Callable[..., Any], rank: int) -> Callable[..., Any]:
    base, backward, _ = operation.__name__.removeprefix("_").partition("_backward")

    @wraps(operation)
    def function(*args: Any, **kwargs: Any) -> Any:
        return operation(rank, *args, **kwargs)

    function.__name__ = function.__qualname__ = f"{base}{rank}d{backward}"
    signature = inspect.signature(operation)
    function.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return function
