"""Initial weights: their variance, their limits, their types."""

import numpy as np
import pytest

from numpycnn.layers.initializers import INITIALIZERS, check_initializer, draw
from tests.helpers import assert_same_bits

VARIANCE = {
    "he_normal": 2 / 50,
    "he_uniform": 2 / 50,
    "glorot_normal": 2 / 250,
    "glorot_uniform": 2 / 250,
}


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_variance_and_mean(name: str) -> None:
    weights = INITIALIZERS[name](np.random.default_rng(0), (200, 1000), 50, 200)
    assert weights.var() == pytest.approx(VARIANCE[name], rel=0.02)
    assert weights.mean() == pytest.approx(0, abs=0.002)
    if name.endswith("uniform"):
        limit = np.sqrt(3 * VARIANCE[name])
        assert 0.999 * limit < np.abs(weights).max() <= limit
    else:
        assert (np.abs(weights) < np.sqrt(VARIANCE[name])).mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draw(dtype: type) -> None:
    settings = {"fan_in": 3, "fan_out": 4, "dtype": np.dtype(dtype)}
    weights = draw("he_normal", np.random.default_rng(1), (4, 3), **settings)
    assert weights.dtype == dtype
    assert_same_bits(draw("he_normal", np.random.default_rng(1), (4, 3), **settings), weights)
    assert_same_bits(draw("he_normal", None, (4, 3), **settings), np.zeros((4, 3), dtype))


@pytest.mark.parametrize("name", ["orthogonal", "", None, 3, "He_normal", [], {}])
def test_unknown_names(name: object) -> None:
    with pytest.raises(
        ValueError, match="Dense: expected initializer he_normal, he_uniform, glorot_normal, glorot_uniform"
    ):
        check_initializer(name, "Dense")  # type: ignore[arg-type]


def test_every_rule_has_its_expectation_here() -> None:
    assert set(VARIANCE) == set(INITIALIZERS)
    assert all(check_initializer(name, "Dense") == name for name in INITIALIZERS)
