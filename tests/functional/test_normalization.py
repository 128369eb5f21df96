"""Batch and layer normalisation against their formulas, PyTorch, and central differences."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, layouts


def test_layouts_and_types(rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(4, 3, 5, 6)), rng.normal(size=(4, 3, 5, 6))
    weight, bias, mean, var = rng.normal(size=3), rng.normal(size=3), rng.normal(size=3), rng.random(3)

    def everything(x: Any, dy: Any, weight: Any, bias: Any, mean: Any, var: Any) -> list[np.ndarray]:
        return [
            F.batch_norm(x, weight, bias, None, None, training=True),
            F.batch_norm(x, weight, bias, mean, var, training=False),
            *F.batch_norm_backward(dy, x, weight, training=True),
            *F.batch_norm_backward(dy, x, weight, mean, var, training=False),
            F.layer_norm(x, axis=1),
            *F.layer_norm_backward(dy, x, axis=1),
            F.group_norm(x, 3, weight, bias),
            *F.group_norm_backward(dy, x, 3, weight, bias),
        ]

    arrays = (x, dy, weight, bias, mean, var)
    expected = everything(*arrays)
    for kind in layouts(x):
        others = [layouts(array)[kind] for array in arrays]
        for got, wanted in zip(everything(*others), expected, strict=True):
            assert_same_bits(got, wanted)
        for other, original in zip(others, arrays, strict=True):
            np.testing.assert_array_equal(other, original)
    for got, wanted in zip(everything(*(array.astype(np.float32) for array in arrays)), expected, strict=True):
        assert got.dtype == np.float32
        assert_close(got, wanted, 1e-5)


def test_empty_batches() -> None:
    empty, ones = np.empty((0, 3, 4)), np.ones(3)
    assert F.batch_norm(empty, ones, ones, ones, ones, training=False).shape == (0, 3, 4)
    dx, dweight, dbias = F.batch_norm_backward(empty, empty, ones, ones, ones, training=False)
    assert dx.shape == (0, 3, 4)
    assert_same_bits(dweight, np.zeros(3))
    assert_same_bits(dbias, np.zeros(3))
    with pytest.raises(
        ValueError, match=r"batch_norm: expected a batch that is not empty in training, got \(0, 3, 4\)"
    ):
        F.batch_norm(empty, ones, ones, None, None, training=True)
    with pytest.raises(TypeError, match="batch_norm: expected training to be True or False, got str 'no'"):
        F.batch_norm(np.ones((2, 3, 4)), ones, ones, ones, ones, training="no")
    assert F.group_norm(empty, 3, ones, ones).shape == (0, 3, 4)
    dx, dweight, dbias = F.group_norm_backward(empty, empty, 3, ones, ones)
    assert dx.shape == (0, 3, 4)
    assert_same_bits(dweight, np.zeros(3))
    assert_same_bits(dbias, np.zeros(3))
    assert F.layer_norm(empty).shape == (0, 3, 4)
    assert F.layer_norm_backward(empty, empty)[1].shape == (4,)


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 1), (1, 3, 1, 1)])
def test_one_value_per_channel_is_refused_in_training(shape: tuple[int, ...]) -> None:
    x, ones, mean = np.full(shape, 3.0), np.ones(shape[1]), np.zeros(shape[1])
    with pytest.raises(ValueError, match=r"batch_norm: expected more than one value for each channel in training, got"):
        F.batch_norm(x, ones, ones, mean, ones, training=True)
    assert not mean.any()
    np.testing.assert_allclose(F.batch_norm(x, ones, ones, mean, ones, training=False), 4, rtol=1e-4)


def test_a_large_mean_does_not_drown_the_variance() -> None:
    x = np.array([[0.0], [1.0], [2.0], [3.0]]) + 1e8
    expected = F.batch_norm(x - 1e8, None, None, None, None, training=True)
    np.testing.assert_allclose(F.batch_norm(x, None, None, None, None, training=True), expected, rtol=1e-7)


def test_a_large_mean_does_not_drown_the_variance_of_a_group(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 4, 3))
    np.testing.assert_allclose(F.group_norm(x + 1e8, 2), F.group_norm(x, 2), atol=1e-6)


def test_nan_stays_in_its_channel() -> None:
    x = np.ones((2, 3, 2))
    x[0, 1, 0] = np.nan
    y = F.batch_norm(x, None, None, None, None, training=True)
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()
    np.testing.assert_array_equal(np.isnan(F.layer_norm(x)).any(axis=2), np.isnan(x).any(axis=2))


X, C = np.zeros((2, 3, 4)), np.ones(3)
BATCH: dict[str, Any] = {"x": X, "weight": C, "bias": C, "running_mean": C, "running_var": C, "training": False}
BAD_CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x": C}, ValueError, r"batch_norm: expected x \(N, C, ...\), got \(3,\)"),
    ({"x": X.astype(int)}, TypeError, "batch_norm: expected x of float32 or float64, got int64"),
    ({"x": X.astype(np.float16)}, TypeError, "batch_norm: expected x of float32 or float64, got float16"),
    ({"weight": np.ones(4)}, ValueError, r"batch_norm: expected weight \(3,\), got \(4,\)"),
    ({"weight": C.astype(np.float32)}, TypeError, "batch_norm: expected weight of float64 like the input, got float32"),
    ({"bias": np.ones((3, 1))}, ValueError, r"batch_norm: expected bias \(3,\), got \(3, 1\)"),
    ({"running_mean": np.ones(2)}, ValueError, r"batch_norm: expected running_mean \(3,\), got \(2,\)"),
    ({"running_var": np.ones(2)}, ValueError, r"batch_norm: expected running_var \(3,\), got \(2,\)"),
    ({"running_mean": None}, ValueError, "expected running_mean and running_var where training is False, got None"),
    (
        {"running_mean": np.ones(2), "training": True},
        ValueError,
        r"batch_norm: expected running_mean \(3,\), got \(2,\)",
    ),
    ({"eps": -1}, ValueError, "batch_norm: expected eps to be at least 0, got -1"),
    ({"eps": "small"}, TypeError, "batch_norm: expected eps to be a number, got str 'small'"),
]


@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.batch_norm(**BATCH | change)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"axis": 3}, ValueError, "layer_norm: expected axis from -3 to 2 for 3 dimensions, got 3"),
        ({"axis": 1.0}, TypeError, "layer_norm: expected axis to be an int, got float 1.0"),
        ({"weight": np.ones(3)}, ValueError, r"layer_norm: expected weight \(4,\), got \(3,\)"),
        ({"bias": np.ones((3, 4))}, ValueError, r"layer_norm: expected bias \(4,\), got \(3, 4\)"),
        (
            {"x": X[..., :0]},
            ValueError,
            r"layer_norm: expected at least one element to normalize over, got \(2, 3, 0\)",
        ),
        ({"x": X.astype(int)}, TypeError, "layer_norm: expected x of float32 or float64, got int64"),
        ({"eps": np.inf}, ValueError, "layer_norm: expected eps to be finite, got inf"),
    ],
)
def test_bad_calls_of_layer_norm(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.layer_norm(**{"x": X} | change)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"num_groups": 2}, ValueError, "group_norm: expected num_groups to divide the 3 channels, got 2"),
        ({"num_groups": 6}, ValueError, "group_norm: expected num_groups to divide the 3 channels, got 6"),
        ({"num_groups": 0}, ValueError, "group_norm: expected num_groups from 1 to 2147483647, got 0"),
        ({"num_groups": 3.0}, TypeError, "group_norm: expected num_groups to be an int, got float 3.0"),
        (
            {"x": X[..., 0]},
            ValueError,
            r"group_norm: expected more than one value in each group, got 3 groups for \(3,\)",
        ),
        ({"x": X[..., :0]}, ValueError, r"more than one value in each group, got 3 groups for \(3, 0\)"),
        ({"x": C}, ValueError, r"group_norm: expected x \(N, C, ...\), got \(3,\)"),
        ({"weight": np.ones(4)}, ValueError, r"group_norm: expected weight \(3,\), got \(4,\)"),
        ({"bias": np.ones((3, 4))}, ValueError, r"group_norm: expected bias \(3,\), got \(3, 4\)"),
        ({"x": X.astype(int)}, TypeError, "group_norm: expected x of float32 or float64, got int64"),
        ({"eps": -1}, ValueError, "group_norm: expected eps to be at least 0, got -1"),
    ],
)
def test_bad_calls_of_group_norm(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.group_norm(**{"x": X, "num_groups": 3} | change)


def test_bad_gradients() -> None:
    with pytest.raises(ValueError, match=r"group_norm_backward: expected dy \(2, 3, 4\), got \(2, 3\)"):
        F.group_norm_backward(X[..., 0], X, 3)
    with pytest.raises(ValueError, match=r"batch_norm_backward: expected dy \(2, 3, 4\), got \(2, 3\)"):
        F.batch_norm_backward(X[..., 0], X, C, training=True)
    with pytest.raises(ValueError, match=r"batch_norm_backward: expected running_mean and running_var .* got None"):
        F.batch_norm_backward(X, X, C, training=False)
    with pytest.raises(ValueError, match=r"layer_norm_backward: expected dy \(2, 3, 4\), got \(2, 3\)"):
        F.layer_norm_backward(X[..., 0], X)


def test_a_refused_call_leaves_the_running_values_alone():
    x, ones, zeros = np.ones((4, 3)), np.ones(3), np.zeros(3)
    mean, variance = np.zeros(3), np.ones(3)
    for weight, running_var, momentum, error in (
        (np.ones(4), variance, 0.1, ValueError),
        (ones, np.ones(4), 0.1, ValueError),
        (ones, [1.0, 1.0, 1.0], 0.1, TypeError),
        (ones, variance, np.nan, ValueError),
        (ones, variance, None, TypeError),
    ):
        with pytest.raises(error, match=r"^batch_norm: expected (weight|running_var|momentum)"):
            F.batch_norm(x, weight, zeros, mean, running_var, training=True, momentum=momentum)
        assert not mean.any()


def test_statistics_of_a_batch_are_a_pair_and_the_batch_has_a_variance(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 2))
    for statistics in (x.mean(axis=0), "mv", (x.mean(axis=0),)):
        with pytest.raises(TypeError, match=r"batch_norm_backward: expected statistics to be \(mean, variance\), got"):
            F.batch_norm_backward(x, x, None, training=True, statistics=statistics)
    for few, text in ((x[:0], "a batch that is not empty"), (x[:1], "more than one value for each channel")):
        with pytest.raises(ValueError, match=f"batch_norm_backward: expected {text} in training"):
            F.batch_norm_backward(few, few, None, training=True)
