"""One definition for each operation with spatial axes, from which its names for one, two and three axes are made."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def by_rank(operation: Callable[Concatenate[int, Arguments], Result]) -> list[Callable[Arguments, Result]]:
    """Return an operation whose first argument is the rank as three functions: for 1, 2 and 3 spatial axes.

    ``_conv`` becomes ``conv1d``, ``conv2d`` and ``conv3d``, ``_conv_backward`` becomes ``conv1d_backward`` and so on.
    Docstring and source are those of the operation.
    """
    return [_with_rank(operation, rank) for rank in (1, 2, 3)]


def _with_rank(operation: Callable[Concatenate[int, Arguments], Result], rank: int) -> Callable[Arguments, Result]:
    base, backward, _ = operation.__name__.removeprefix("_").partition("_backward")
    signature = inspect.signature(operation)
    signature = signature.replace(parameters=list(signature.parameters.values())[1:])

    @wraps(operation)
    def function(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return operation(rank, *args, **kwargs)
        except TypeError:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:  # Python's own error would name the operation, and count the rank
                raise TypeError(f"{function.__name__}: {error}") from None
            raise

    function.__name__ = function.__qualname__ = f"{base}{rank}d{backward}"
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
