"""One definition gives the functions of one, two and three dimensions."""

import inspect
from typing import Any

import pytest

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


def test_callers_do_not_pass_the_rank() -> None:
    with pytest.raises(TypeError, match="multiple values for argument 'rank'"):
        by_rank(_shift)[0]("x", rank=2)
