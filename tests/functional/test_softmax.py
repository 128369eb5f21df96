"""Softmax and its logarithm against their formulas and PyTorch."""

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, layouts


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_types_layouts_and_empty_arrays(name: str, rng: np.random.Generator) -> None:
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    x, dy = rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5, 6))
    for axis in range(3):
        for kind in layouts(x):
            assert_same_bits(forward(layouts(x)[kind], axis), forward(x, axis))
            assert_same_bits(backward(layouts(dy)[kind], layouts(x)[kind], axis), backward(dy, x, axis))
    assert_same_bits(backward(dy, x, y=forward(x)), backward(dy, x))
    single = x.astype(np.float32)
    assert forward(single).dtype == np.float32
    assert_close(forward(single), forward(single.astype(np.float64)), 1e-5)
    for shape in ((0, 3), (3, 0), (0,)):
        assert forward(np.empty(shape)).shape == backward(np.empty(shape), np.empty(shape)).shape == shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits(dtype: type) -> None:
    x = np.array([[1e4, 0, -1e4], [-1e4, -1e4, -1e4]], dtype)
    np.testing.assert_allclose(F.softmax(x), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    np.testing.assert_allclose(F.log_softmax(x), [[0, -1e4, -2e4], [-np.log(3)] * 3], rtol=1e-3)
    assert np.isfinite(F.softmax_backward(np.ones_like(x), x)).all()
    assert np.isfinite(F.log_softmax_backward(np.ones_like(x), x)).all()


def test_nan_stays_in_its_row() -> None:
    for function in (F.softmax, F.log_softmax):
        y = function(np.array([[1.0, np.nan], [0.0, 0.0]]))
        assert np.isnan(y[0]).all()
        assert np.isfinite(y[1]).all()


def test_a_negative_infinity_has_probability_0() -> None:
    x = np.array([0.0, -np.inf, 0.0])
    np.testing.assert_array_equal(F.softmax(x), [0.5, 0, 0.5])
    assert F.log_softmax(x)[1] == -np.inf
    np.testing.assert_array_equal(F.softmax_backward(np.array([1.0, 2.0, 3.0]), x), [-0.5, 0, 0.5])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_bad_calls(name: str) -> None:
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    x = np.zeros((2, 3))
    for arguments, error, text in (
        ((x, 2), ValueError, f"^{name}: expected axis from -2 to 1 for 2 dimensions, got 2"),
        ((x, 1.0), TypeError, f"^{name}: expected axis to be an int, got float 1.0"),
        ((x, True), TypeError, f"^{name}: expected axis to be an int, got bool True"),
        ((x.astype(int), 1), TypeError, f"^{name}: expected x of float32 or float64, got int64"),
        ((np.float64(1), 0), ValueError, f"^{name}: expected axis .* for 0 dimensions, got 0"),
    ):
        with pytest.raises(error, match=text):
            forward(*arguments)
    with pytest.raises(ValueError, match=rf"^{name}_backward: expected dy \(2, 3\), got \(3, 2\)"):
        backward(np.zeros((3, 2)), x)
    with pytest.raises(TypeError, match=f"^{name}_backward: expected dy of float64 like the input"):
        backward(np.zeros((2, 3), np.float32), x)
