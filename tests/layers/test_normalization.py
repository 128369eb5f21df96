"""Batch, layer, group and instance norm as layers: running values, modes, and the functions behind them."""

import numpy as np
import pytest

from numpycnn import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.layers.bad_calls import Bad, refuse


@pytest.mark.parametrize("size", [(), (5,), (3, 4)])
def test_batch_norm_is_the_function(size: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = BatchNorm(momentum=0.3, eps=1e-3)
    layer.build((3, *size), dtype=np.float64)
    weight, bias = layer.weight.value, layer.bias.value
    weight[...], bias[...] = rng.normal(size=3), rng.normal(size=3)
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(3):
        x, dy = rng.normal(2, 3, (4, 3, *size)), rng.normal(size=(4, 3, *size))
        y = F.batch_norm(x, weight, bias, mean, var, training=True, momentum=0.3, eps=1e-3)
        assert_close(layer.forward(x, training=True), y, 1e-13)
        dx, dweight, dbias = F.batch_norm_backward(dy, x, weight, training=True, eps=1e-3)
        assert_close(layer.backward(dy), dx, 1e-12)
        assert_close(layer.weight.grad, dweight, 1e-12)
        assert_close(layer.bias.grad, dbias, 1e-12)
        assert_close(layer.running_mean, mean, 1e-13)
        assert_close(layer.running_var, var, 1e-13)
    assert_close(layer.forward(x), F.batch_norm(x, weight, bias, mean, var, training=False, eps=1e-3), 1e-13)


def test_one_channel_at_a_time_is_brought_to_mean_0_and_variance_1(rng: np.random.Generator) -> None:
    layer = BatchNorm()
    layer.build((3, 5, 4), dtype=np.float64)
    x = rng.normal(size=(8, 3, 5, 4)) * np.array([1, 10, 100])[:, None, None] + np.array([5, -5, 0])[:, None, None]
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1, atol=1e-4)
    assert np.abs(y.mean(axis=0)).max() > 0.01  # over the batch and all positions, not for each pixel


def test_one_value_per_channel_is_refused_in_training() -> None:
    layer = BatchNorm()
    layer.build((4,))
    x = np.ones((1, 4), np.float32)
    with pytest.raises(ValueError, match=r"BatchNorm: expected more than one value .*in training, got \(1, 4\)"):
        layer.forward(x, training=True)
    np.testing.assert_array_equal(layer.running_var, 1)
    assert layer.forward(x, differentiable=True).shape == (1, 4)


def test_the_running_values_approach_those_of_the_data(rng: np.random.Generator) -> None:
    layer = BatchNorm()
    layer.build((2,), dtype=np.float64)
    for _ in range(300):
        layer.forward(rng.normal([3, -1], [2, 0.5], (64, 2)), training=True)
    np.testing.assert_allclose(layer.running_mean, [3, -1], atol=0.15)
    np.testing.assert_allclose(layer.running_var, [4, 0.25], rtol=0.15)


def test_state_holds_parameters_then_buffers() -> None:
    layer = BatchNorm()
    layer.build((3,))
    assert list(layer.parameters()) == ["weight", "bias"]
    assert list(layer.state()) == ["weight", "bias", "running_mean", "running_var"]


@pytest.mark.parametrize("axis", [-1, 1, 2, -2])
def test_layer_norm_is_the_function(axis: int, rng: np.random.Generator) -> None:
    layer = LayerNorm(axis=axis, eps=1e-2)
    layer.build((3, 4), dtype=np.float64)
    weight, bias = layer.weight.value, layer.bias.value
    weight[...], bias[...] = rng.normal(size=weight.shape), rng.normal(size=bias.shape)
    x, dy = rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 3, 4))
    assert_same_bits(layer.forward(x, training=True), F.layer_norm(x, weight, bias, axis=axis, eps=1e-2))
    dx, dweight, dbias = F.layer_norm_backward(dy, x, weight, bias, axis=axis, eps=1e-2)
    assert_same_bits(layer.backward(dy), dx)
    assert_same_bits(layer.weight.grad, dweight)
    assert_same_bits(layer.bias.grad, dbias)


@pytest.mark.parametrize("size", [(), (5,), (3, 4)])
def test_group_norm_is_the_function(size: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = GroupNorm(2, eps=1e-3)
    layer.build((6, *size), dtype=np.float64)
    assert_same_bits(layer.weight.value, np.ones(6))
    assert_same_bits(layer.bias.value, np.zeros(6))
    layer.weight.value[...], layer.bias.value[...] = rng.normal(size=6), rng.normal(size=6)
    x, dy = rng.normal(size=(4, 6, *size)), rng.normal(size=(4, 6, *size))
    arguments = (x, 2, layer.weight.value, layer.bias.value)
    assert_same_bits(layer.forward(x, training=True), F.group_norm(*arguments, eps=1e-3))
    dx, dweight, dbias = F.group_norm_backward(dy, *arguments, eps=1e-3)
    assert_same_bits(layer.backward(dy), dx)
    assert_same_bits(layer.weight.grad, dweight)
    assert_same_bits(layer.bias.grad, dbias)


def test_instance_norm_brings_each_map_to_mean_0_and_variance_1(rng: np.random.Generator) -> None:
    layer = InstanceNorm()
    layer.build((3, 4, 5), dtype=np.float64)
    assert layer.parameters() == {}
    y = layer.forward(rng.normal(3, 7, (2, 3, 4, 5)))
    np.testing.assert_allclose(y.mean(axis=(2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(2, 3)), 1, atol=1e-4)
    assert layer.forward(rng.normal(size=(2, 3, 1, 2))).shape == (2, 3, 1, 2)
    with pytest.raises(ValueError, match=r"InstanceNorm: expected more than one value in each group, got 3 groups for"):
        layer.forward(rng.normal(size=(2, 3, 1, 1)))


def test_an_affine_instance_norm_has_parameters(rng: np.random.Generator) -> None:
    layer = InstanceNorm(affine=True)
    layer.build((3, 5), dtype=np.float64)
    assert list(layer.parameters()) == ["weight", "bias"]
    x = rng.normal(size=(2, 3, 5))
    assert_same_bits(layer.forward(x), F.group_norm(x, 3, np.ones(3), np.zeros(3)))


BAD = [
    Bad(lambda: GroupNorm(0), ValueError, "GroupNorm: expected num_groups from 1 to 2147483647, got 0"),
    Bad(lambda: GroupNorm("2"), TypeError, "GroupNorm: expected num_groups to be an int, got str '2'"),
    Bad(lambda: GroupNorm(2, eps=-1), ValueError, "GroupNorm: expected eps to be at least 0, got -1"),
    Bad(lambda: GroupNorm(2), ValueError, "GroupNorm: expected num_groups to divide the 3 channels, got 2", (3, 4)),
    Bad(lambda: GroupNorm(2), ValueError, "GroupNorm: expected inputs (C,) or (C, ...), got ()", ()),
    Bad(
        lambda: GroupNorm(3),
        ValueError,
        "GroupNorm: expected more than one value in each group, got 3 groups for (3, 1)",
        (3, 1),
    ),
    Bad(lambda: InstanceNorm(affine=1), TypeError, "InstanceNorm: expected affine to be True or False, got int 1"),
    Bad(lambda: InstanceNorm(eps=np.inf), ValueError, "InstanceNorm: expected eps to be finite, got inf"),
    Bad(InstanceNorm, ValueError, "InstanceNorm: expected more than one value in each group, got 3 groups for", (3,)),
    Bad(BatchNorm, ValueError, "BatchNorm: expected at most 1073741824 weights, got (2147483647,)", (2**31 - 1,)),
    Bad(
        LayerNorm,
        ValueError,
        "LayerNorm: expected at most 1073741824 weights, got (2147483647,), which would take 8,589,934,588 bytes",
        (3, 2**31 - 1),
    ),
    Bad(
        lambda: BatchNorm(momentum=1.1),
        ValueError,
        "BatchNorm: expected momentum to be at least 0 and at most 1, got 1.1",
    ),
    Bad(
        lambda: BatchNorm(momentum=-0.1),
        ValueError,
        "BatchNorm: expected momentum to be at least 0 and at most 1, got -0.1",
    ),
    Bad(lambda: BatchNorm(momentum=float("nan")), ValueError, "BatchNorm: expected momentum to be finite, got nan"),
    Bad(lambda: BatchNorm(momentum=None), TypeError, "BatchNorm: expected momentum to be a number, got NoneType None"),
    Bad(lambda: BatchNorm(momentum="a"), TypeError, "BatchNorm: expected momentum to be a number, got str 'a'"),
    Bad(lambda: BatchNorm(momentum=True), TypeError, "BatchNorm: expected momentum to be a number, got bool True"),
    Bad(lambda: LayerNorm(axis=1.5), TypeError, "LayerNorm: expected axis to be an int, got float 1.5"),
    Bad(lambda: BatchNorm(eps=-1e-5), ValueError, "BatchNorm: expected eps to be at least 0, got -1e-05"),
    Bad(lambda: BatchNorm(eps=float("inf")), ValueError, "BatchNorm: expected eps to be finite, got inf"),
    Bad(lambda: BatchNorm(eps="tiny"), TypeError, "BatchNorm: expected eps to be a number, got str 'tiny'"),
    Bad(BatchNorm, ValueError, "BatchNorm: expected inputs (C,) or (C, ...), got ()", ()),
    Bad(BatchNorm, ValueError, "BatchNorm: expected input_shape from 1 to 2147483647, got 0", (0, 4)),
    Bad(BatchNorm, TypeError, "BatchNorm: expected input_shape to be an int, got float 3.0", (3.0,)),
    Bad(lambda: LayerNorm(axis=0), ValueError, "LayerNorm: expected an axis after the batch's, got 0", (3, 4)),
    Bad(lambda: LayerNorm(axis=-3), ValueError, "LayerNorm: expected an axis after the batch's, got -3", (3, 4)),
    Bad(lambda: LayerNorm(axis=3), ValueError, "LayerNorm: expected axis from -3 to 2 for 3 dimensions, got 3", (3, 4)),
    Bad(lambda: LayerNorm(axis=2**63 - 1), ValueError, "LayerNorm: expected axis from -3 to 2", (3, 4)),
    Bad(lambda: LayerNorm(eps=-1), ValueError, "LayerNorm: expected eps to be at least 0, got -1"),
    Bad(lambda: LayerNorm(eps=None), TypeError, "LayerNorm: expected eps to be a number, got NoneType None"),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
