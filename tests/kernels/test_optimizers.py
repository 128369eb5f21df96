"""The steps of the optimizers as loops, against their plain versions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn.kernels import optimizers as kernels
from tests.helpers import generators
from tests.kernels.pairs import Kernel, compare

CASES: list[tuple[Kernel, Kernel, int, Callable[[np.random.Generator], tuple[Any, ...]]]] = [
    (kernels.sgd, kernels.sgd_reference, 0, lambda rng: (0.1, 0.0)),
    (kernels.sgd, kernels.sgd_reference, 0, lambda rng: (0.1, 0.5)),
    (kernels.momentum, kernels.momentum_reference, 1, lambda rng: (0.1, 0.5, 0.9, False)),
    (kernels.momentum, kernels.momentum_reference, 1, lambda rng: (0.1, 0.0, 0.9, True)),
    (kernels.adam, kernels.adam_reference, 2, lambda rng: (0.1, 0.5, 0.9, 0.99, 1e-8, float(rng.uniform(1, 10)))),
    (kernels.rmsprop, kernels.rmsprop_reference, 1, lambda rng: (0.1, 0.5, 0.9, 1e-8)),
]


@pytest.mark.parametrize(("kernel", "reference", "slots", "settings"), CASES)
def test_a_step(kernel: Kernel, reference: Kernel, slots: int, settings: Callable[..., tuple[Any, ...]]) -> None:
    for rng in generators(68, count=40):
        n = int(rng.integers(0, 30))
        value, grad = rng.normal(size=(2, n))
        kept = np.abs(rng.normal(size=(slots, n)))  # mean squares are not negative
        numbers = settings(rng)
        compare(
            kernel,
            reference,
            n,
            lambda v=value, g=grad, k=kept, s=numbers: (v.copy(), g, *(slot.copy() for slot in k), *s),
        )
