"""The triplet loss: its margin, and embeddings that coincide."""

import numpy as np
import pytest

from numpycnn import Triplet


def test_a_negative_beyond_the_margin_costs_nothing() -> None:
    y = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 3.1]]])
    assert Triplet(margin=2.0).forward(y) == 0
    loss = Triplet(margin=2.5)
    assert loss.forward(y, None) == pytest.approx(0.4, abs=1e-5)
    np.testing.assert_allclose(loss.backward()[0], [[-1, 1], [1, 0], [0, -1]], atol=1e-5)


def test_equal_embeddings_have_a_gradient() -> None:
    loss = Triplet()
    assert loss.forward(np.ones((2, 3, 4))) == pytest.approx(1.0)
    assert np.isfinite(loss.backward()).all()


def test_bad_calls() -> None:
    with pytest.raises(ValueError, match=r"Triplet: expected y \(N, 3, D\), got \(2, 4, 3\)"):
        Triplet().value(np.zeros((2, 4, 3)))
    with pytest.raises(ValueError, match="Triplet: expected a batch that is not empty"):
        Triplet().value(np.zeros((0, 3, 3)))
    with pytest.raises(ValueError, match="Triplet: expected margin to be at least 0, got -1"):
        Triplet(-1)
