"""What is trained."""

import numpy as np
import pytest

from numpycnn import Parameter


def test_parameter() -> None:
    parameter = Parameter(np.ones((2, 3), np.float32))
    assert parameter.grad.shape == (2, 3)
    assert parameter.grad.dtype == np.float32
    assert not parameter.grad.any()
    assert repr(parameter) == "Parameter(shape=(2, 3), dtype=float32)"
    with pytest.raises(AttributeError):
        parameter.velocity = 0  # type: ignore[attr-defined]
