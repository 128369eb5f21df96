"""A step moves the parameters against the gradient of loss and penalties, or changes nothing at all."""

import numpy as np
import pytest

from numpycnn import SGD, CrossEntropy
from numpycnn.training.step import NonFiniteError, all_finite, take_step
from tests.training import small


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 4), (2, 0, 3)])
def test_all_finite(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    for dtype in (np.float32, np.float64):
        array = rng.normal(size=shape).astype(dtype)
        assert all_finite(array)
        assert all_finite(array.T)
        assert all_finite(array + dtype(1e30))  # though the sum of squares of float32 is not finite
        for wrong in (np.nan, np.inf, -np.inf):
            if array.size:
                spoilt = array.copy()
                spoilt[(-1,) * array.ndim] = wrong
                assert not all_finite(spoilt)
    assert all_finite(np.arange(4))


def test_a_step_returns_outputs_and_loss_before_it_and_moves_the_weights() -> None:
    (x, labels), model, loss = small.points(), small.dense(), CrossEntropy(l2=0.1)
    before = {name: parameter.value.copy() for name, parameter in model.parameters().items()}
    expected = model.forward(x)
    y, value = take_step(model, loss, SGD(0.5), x, labels)
    np.testing.assert_array_equal(y, expected)
    assert value == pytest.approx(loss.value(y, labels) + 0.05 * np.sum(before["0.weight"] ** 2), rel=1e-5)
    for name, parameter in model.parameters().items():
        assert parameter.grad.any()
        np.testing.assert_allclose(parameter.value, before[name] - 0.5 * parameter.grad, rtol=1e-6)


@pytest.mark.parametrize("target", ["loss", "gradient"])
def test_a_step_that_is_not_finite_changes_nothing(target: str) -> None:
    model, (x, labels) = small.network(), small.pictures()
    x = np.full_like(x, np.nan) if target == "loss" else x
    if target == "gradient":
        model.backward_parameters = lambda dy: model.parameters()["0.weight"].grad.fill(np.inf)  # type: ignore[method-assign]
    before = small.bits({name: parameter.value for name, parameter in model.parameters().items()})
    states = [str(generator.bit_generator.state) for generator in model.random_generators().values()]
    text = "^the loss is nan$" if target == "loss" else "^a gradient is not finite$"
    with pytest.raises(NonFiniteError, match=text), np.errstate(all="ignore"):
        take_step(model, CrossEntropy(), SGD(0.5), x, labels)
    assert small.bits({name: parameter.value for name, parameter in model.parameters().items()}) == before
    assert [str(generator.bit_generator.state) for generator in model.random_generators().values()] == states
