"""The optimizers' steps of the fast backend give what the textbook's do."""

from typing import Any

import numpy as np
import pytest

from numpycnn import fast, plain
from tests.drawn import generators
from tests.helpers import assert_close

STEPS: list[tuple[str, int, dict[str, Any]]] = [  # the function, how many arrays it keeps, its settings
    ("sgd_step", 0, {"lr": 0.1, "weight_decay": 0.3}),
    ("sgd_step", 1, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
    ("sgd_step", 1, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("adam_step", 2, {"lr": 0.1, "step": 3, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
    ("rmsprop_step", 1, {"lr": 0.1, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1}),
    ("adagrad_step", 1, {"lr": 0.1, "eps": 1e-6, "weight_decay": 0.1}),
    ("adadelta_step", 2, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "slots", "settings"), STEPS)
def test_equals_the_textbook(name: str, slots: int, settings: dict[str, Any], dtype: type) -> None:
    for rng in generators(93):
        size = tuple(rng.integers(0, 9, rng.integers(1, 4)))
        value, grad = rng.normal(size=(2, *size)).astype(dtype)
        kept = list(rng.random(size=(slots, *size)).astype(dtype))
        mine, theirs = ([array.copy() for array in (value, *kept)] for _ in range(2))
        getattr(fast, name)(mine[0], grad, *mine[1:], **settings)
        getattr(plain, name)(theirs[0], grad, *theirs[1:], **settings)
        for got, wanted in zip(mine, theirs, strict=True):
            assert_close(got, wanted, 1e-5 if dtype is np.float32 else 1e-12)
