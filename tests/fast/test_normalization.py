"""Batch and group normalization of the fast backend gives what the textbook's does, running statistics included."""

import numpy as np

from tests.fast.agreement import agree
from tests.operations import Arguments


def test_equals_the_textbook() -> None:
    # A channel of two close numbers: the rounding of their mean is large beside their difference.
    agree("batch_norm", single=2e-3)


def test_group_norm_equals_the_textbook() -> None:
    agree("group_norm", single=2e-3)


def test_large_batches_equal_the_textbook() -> None:
    def draw(rng: np.random.Generator) -> Arguments:
        n, c, h, w = (int(size) for size in rng.integers(1, 20, 4))
        x = rng.normal(3, 2, size=(n + 1, c, h, w))
        running = {"running_mean": np.zeros(c), "running_var": np.ones(c)}
        return {"x": x, "weight": rng.normal(size=c), "bias": rng.normal(size=c), **running, "training": True}

    agree("batch_norm", draw)
