"""Huber's loss is one of the other two at each end, and its slope is bounded."""

import numpy as np
import pytest

from numpycnn import Huber, MeanAbsoluteError, MeanSquaredError
from tests.drawn import generators
from tests.helpers import assert_close


def test_huber_is_half_the_squared_error_or_the_absolute_one() -> None:
    for rng in generators(48):
        y, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
        assert_close(Huber(100.0).value(y, target), MeanSquaredError().value(y, target) / 2)
        small = 1e-9
        assert Huber(small).value(y, target) == pytest.approx(small * MeanAbsoluteError().value(y, target), rel=1e-6)


def test_an_outlier_pulls_no_harder_than_delta() -> None:
    loss = Huber(0.5)
    loss.forward(np.array([1e6, -1e6, 0.25]), np.zeros(3))
    np.testing.assert_allclose(loss.backward() * 3, [0.5, -0.5, 0.25])


def test_bad_delta() -> None:
    for delta, text in ((0, "Huber: expected delta above 0, got 0"), (-1, "Huber: expected delta to be at least 0")):
        with pytest.raises(ValueError, match=text):
            Huber(delta)
