"""SGD against PyTorch's and against its formulas."""

from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, Parameter
from tests.optim.pytorch import compare


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.5, "weight_decay": 0.01},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ],
)
def test_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(SGD(0.03, **settings), lambda tensors: torch.optim.SGD(tensors, 0.03, **settings))


def test_the_formulas() -> None:
    w = Parameter(np.array([1.0]))
    w.grad[...] = 2
    SGD(0.1, weight_decay=0.5).step({"w": w})
    np.testing.assert_allclose(w.value, [1 - 0.1 * (2 + 0.5)])

    w, optimizer = Parameter(np.array([1.0])), SGD(0.1, momentum=0.5)
    w.grad[...] = 2
    optimizer.step({"w": w})  # v = 2
    optimizer.step({"w": w})  # v = 0.5 * 2 + 2 = 3
    np.testing.assert_allclose(w.value, [1 - 0.1 * 2 - 0.1 * 3])

    w, optimizer = Parameter(np.array([1.0])), SGD(0.1, momentum=0.5, nesterov=True)
    w.grad[...] = 2
    optimizer.step({"w": w})
    np.testing.assert_allclose(w.value, [1 - 0.1 * (2 + 0.5 * 2)])
