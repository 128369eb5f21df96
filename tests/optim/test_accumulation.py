"""A batch in parts gives the step of the whole batch."""

import numpy as np
import pytest

from numpycnn import SGD, Adam, Optimizer, Parameter
from numpycnn.optim.accumulation import Accumulation


def step(optimizer: Optimizer, w: Parameter, grads: np.ndarray, sizes: list[int]) -> None:
    """Take a step with the mean of the gradients of examples, in parts of some sizes."""
    optimizer.accumulation = Accumulation()
    begin = 0
    for size in sizes:
        w.grad[...] = grads[begin : begin + size].mean(axis=0)
        begin += size
        before = w.value.copy()
        optimizer.accumulation.next_part(size / len(grads), last=begin == len(grads))
        optimizer.step({"w": w})
        assert (w.value != before).any() == (begin == len(grads))
    optimizer.accumulation = None


@pytest.mark.parametrize("sizes", [[12], [4, 4, 4], [5, 5, 2], [1] * 12])
def test_parts_equal_the_whole(sizes: list[int]) -> None:
    grads = np.random.default_rng(0).normal(size=(3, 12, 4))
    settings = {"clip_norm": 0.3, "weight_decay": 0.1, "param_groups": {"w": {"lr": 0.2}}}
    one, other = Parameter(np.ones(4)), Parameter(np.ones(4))
    whole, parts = Adam(0.1, **settings), Adam(0.1, **settings)  # type: ignore[arg-type]
    for batch in grads:
        one.grad[...] = batch.mean(axis=0)
        whole.step({"w": one})
        step(parts, other, batch, sizes)
    np.testing.assert_allclose(other.value, one.value, rtol=1e-12)
    assert parts.step_count == whole.step_count == 3


def test_the_gradient_of_a_part_stays_as_it_is() -> None:
    w, optimizer = Parameter(np.ones(2)), SGD(0.1)
    optimizer.accumulation = Accumulation()
    for last in (False, True):
        w.grad[...] = 2
        optimizer.accumulation.next_part(0.5, last=last)
        optimizer.step({"w": w})
        assert (w.grad == 2).all()
    np.testing.assert_allclose(w.value, 0.8)


def test_a_second_step_in_a_part_is_refused() -> None:
    w, optimizer = Parameter(np.ones(2)), SGD(0.1)
    optimizer.accumulation = Accumulation()
    optimizer.step({"w": w})
    with pytest.raises(RuntimeError, match="SGD: expected one step for each batch that is accumulated, got a"):
        optimizer.step({"w": w})
