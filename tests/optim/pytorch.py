"""Twenty steps of an optimizer beside those of PyTorch's, on the same gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpycnn import Optimizer, Parameter
from tests.helpers import assert_close

STEPS = 20
SHAPES = [(3, 4), (5,), (2, 1, 3, 3)]


def compare(ours: Optimizer, theirs: Callable[[list[Any]], Any], schedule: Callable[[Any], Any] | None = None) -> None:
    """Take the steps and compare after each one, to 1e-12."""
    import torch

    rng = np.random.default_rng(3)
    mine = {str(i): Parameter(rng.normal(size=shape)) for i, shape in enumerate(SHAPES)}
    tensors = [torch.tensor(p.value.copy(), requires_grad=True) for p in mine.values()]
    optimizer = theirs(tensors)
    scheduler = schedule(optimizer) if schedule else None
    for _ in range(STEPS):
        for p, tensor in zip(mine.values(), tensors, strict=True):
            p.grad[...] = rng.normal(size=p.value.shape) * rng.choice([0.01, 1, 10])
            tensor.grad = torch.tensor(p.grad.copy())
        if scheduler is not None:
            assert abs(ours.learning_rate - optimizer.param_groups[0]["lr"]) <= 1e-12
        ours.step(mine)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        for p, tensor in zip(mine.values(), tensors, strict=True):
            assert_close(p.value, tensor.detach(), 1e-12)
