"""The arguments of im2col and col2im."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_same_bits, layouts


def test_any_layout_gives_the_same_bits(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 5, 6))
    settings: dict[str, Any] = {"stride": (1, 2), "padding": ((1, 0), (0, 2))}
    columns = F.im2col(x, (3, 2), **settings)
    for kind in layouts(x):
        assert_same_bits(F.im2col(layouts(x)[kind], (3, 2), **settings), columns)
        back = F.col2im(layouts(columns)[kind], (5, 6), (3, 2), **settings)
        assert_same_bits(back, F.col2im(columns, (5, 6), (3, 2), **settings))


def test_an_empty_batch() -> None:
    columns = F.im2col(np.empty((0, 2, 4)), 2)
    assert columns.shape == (0, 4, 3)
    assert F.col2im(columns, (4,), 2).shape == (0, 2, 4)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.im2col(np.zeros((2, 3)), 2), ValueError, r"im2col: expected x \(N, C, \*size\) .*, got \(2, 3\)"),
        (lambda: F.im2col(np.zeros((2, 3, 4), int), 2), TypeError, "im2col: expected x of float32 or float64, got int"),
        (lambda: F.im2col(np.zeros((2, 3, 4)), 5), ValueError, "im2col: kernel 5 does not fit into length 4"),
        (lambda: F.col2im(np.zeros((2, 6, 3)), 4, 2), ValueError, "col2im: expected size as 1 to 3 ints, got 4"),
        (
            lambda: F.col2im(np.zeros((2, 5, 3)), (4,), 2),
            ValueError,
            r"expected a multiple of 2 rows, got .*\(2, 5, 3\)",
        ),
        (
            lambda: F.col2im(np.zeros((2, 6, 4)), (4,), 2),
            ValueError,
            r"expected columns \(N, C\*KK, 3\), got \(2, 6, 4\)",
        ),
    ],
)
def test_bad_calls(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
