import numpy as np
import pytest

from numpycnn import BatchNorm, Dense, Dropout
from numpycnn.models.building import build_network


def test_without_a_seed_the_weights_are_zeros_that_can_be_loaded() -> None:
    empty, full = (
        build_network([Dense(4), Dropout(0.5), BatchNorm()], (3,), seed, np.float32, "net") for seed in (None, 7)
    )
    assert not any(array.any() for array in empty.state().values())
    assert full.state()["0.weight"].any()
    assert (full.seed, full.name, empty.name, empty.input_shape) == (7, "net", "net", (3,))
    empty.load_state(full.state())
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(empty.predict(x), full.predict(x))


def test_the_dtype_is_the_requested_one() -> None:
    for seed in (None, 0):
        assert build_network([Dense(4)], (3,), seed, np.float64, "net").dtype == np.float64
    with pytest.raises(TypeError, match="expected dtype float32 or float64, got int32"):
        build_network([Dense(4)], (3,), None, np.int32, "net")
