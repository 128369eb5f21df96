"""Dense layers of the fast backend give what the textbook's do."""

import numpy as np
import pytest

from tests.fast.agreement import agree
from tests.operations import Arguments


def test_equals_the_textbook() -> None:
    agree("linear")


@pytest.mark.parametrize("largest", [70, 300])
def test_large_products_equal_the_textbook(largest: int) -> None:
    def draw(rng: np.random.Generator) -> Arguments:
        n, i, o = (int(size) for size in rng.integers(1, largest, 3))
        return {"x": rng.normal(size=(n, i)), "weight": rng.normal(size=(o, i)), "bias": rng.normal(size=o)}

    agree("linear", draw)
