"""One definition gives the functions of one, two and three dimensions."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import functional
from numpycnn.functional._by_rank import by_rank


def _shift(rank: int, x: Any, *, by: int = 1) -> tuple[int, Any, int]:
    """Return the arguments."""
    return rank, x, by


def _shift_backward(rank: int, dy: Any) -> Any:
    return rank, dy


def test_names_signatures_and_docstrings() -> None:
    functions = by_rank(_shift)
    assert [function.__name__ for function in functions] == ["shift1d", "shift2d", "shift3d"]
    assert [function.__name__ for function in by_rank(_shift_backward)] == [
        "shift1d_backward",
        "shift2d_backward",
        "shift3d_backward",
    ]
    for rank, function in enumerate(functions, start=1):
        assert list(inspect.signature(function).parameters) == ["x", "by"]
        assert function.__doc__ == "Return the arguments."
        assert function("x", by=5) == (rank, "x", 5)


def _fail(rank: int, x: Any) -> None:
    raise TypeError(f"{rank} {x}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda function: function("x", 2), "shift2d: too many positional arguments"),
        (lambda function: function(), "shift2d: missing a required argument: 'x'"),
        (lambda function: function("x", to=2), "shift2d: got an unexpected keyword argument 'to'"),
        (lambda function: function("x", rank=2), "shift2d: got an unexpected keyword argument 'rank'"),
    ],
)
def test_wrong_arguments_are_reported_under_the_public_name(call: Callable[..., Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(by_rank(_shift)[1])
    assert str(caught.value) == message


def test_an_error_of_the_operation_is_raised_as_it_is() -> None:
    with pytest.raises(TypeError, match=r"^3 x$"):
        by_rank(_fail)[2]("x")


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_surplus_argument_of_a_pooling_names_the_pooling(rank: int) -> None:
    with pytest.raises(TypeError, match=f"^lp_pool{rank}d: too many positional arguments$"):
        getattr(functional, f"lp_pool{rank}d")(np.ones((1, 1, *[2] * rank)), 2, 3)
