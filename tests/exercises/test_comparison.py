"""Descriptions of differences in type, shape and value."""

from typing import Any

import numpy as np
import pytest

from numpycnn.exercises.comparison import agree, as_outputs, difference

ONE = {"y": "(OH, OW)"}
TWO = {"loss": "a number", "dlogits": "(N, K)"}
A = np.zeros((2, 3))

KINDS: list[tuple[Any, dict[str, str], str]] = [
    (None, ONE, "the function returns None, expected an array: is the return statement missing?"),
    (
        None,
        TWO,
        "the function returns None, expected 2 results, loss, dlogits: is the return statement missing?",
    ),
    (A, TWO, "the function returns one array (2, 3), expected 2 results, loss, dlogits"),
    ((1.0, A, A), TWO, "the function returns 3 results, expected 2 results, loss, dlogits"),
    ([[1.0, 2.0]], ONE, "y is a list of 1, expected an array of numbers (OH, OW)"),
    (1.0, ONE, "y is of type float, expected an array of numbers (OH, OW)"),
    (A == 0, ONE, "y holds bool, expected an array of numbers (OH, OW)"),
    (A + 1j, ONE, "y holds complex128, expected an array of numbers (OH, OW)"),
    (np.array([None]), ONE, "y holds object, expected an array of numbers (OH, OW)"),
    ((1.0, None), TWO, "dlogits is None, expected an array of numbers (N, K)"),
    (("1", A), TWO, "loss is of type str, expected a number"),
]


@pytest.mark.parametrize(("result", "names", "text"), KINDS)
def test_wrong_type(result: Any, names: dict[str, str], text: str) -> None:
    assert as_outputs(result, names) == text


@pytest.mark.parametrize("loss", [1, 1.0, np.float32(1), np.array(1.0)])
def test_a_number_may_have_any_type(loss: Any) -> None:
    outputs = as_outputs((loss, A), TWO)
    assert isinstance(outputs, dict)
    assert outputs["loss"] == 1
    assert outputs["dlogits"] is A


def test_another_shape() -> None:
    found = difference("y", "(OH, OW)", np.zeros((3, 2)), A)
    assert found is not None
    assert found.index is None
    assert found.text == "y has the shape (3, 2), expected (2, 3), that is (OH, OW)"


def test_the_first_value_that_differs() -> None:
    found = A.copy()
    found[1, 1:] = 5
    first = difference("y", "(OH, OW)", found, A)
    assert first is not None
    assert first.index == (1, 1)
    assert first.text == "y[1, 1] is 5, expected 0; 2 of 6 values of y differ, this is the first"


def test_a_single_number() -> None:
    first = difference("loss", "a number", np.array(1.5), np.array(2.0))
    assert first is not None
    assert (first.index, first.text) == ((), "loss is 1.5, expected 2")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1.001])
def test_nan_and_infinity_differ(wrong: float) -> None:
    assert not agree(np.array([1.0, wrong]), np.array([1.0, 1.0]))


def test_rounding_is_ignored() -> None:
    expected = np.random.default_rng(0).normal(size=100)
    assert agree(expected.astype(np.float32), expected)
    assert difference("y", "(N,)", expected.astype(np.float32), expected) is None
    assert not agree(expected + 1e-5, expected)


def test_nan_equals_nan() -> None:
    assert agree(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]))
    assert not agree(np.array([np.inf]), np.array([-np.inf]))
