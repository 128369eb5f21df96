"""Dropout against its definition, given its mask."""

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import generators


def test_equals_the_definition_given_its_mask() -> None:
    for key, rng in enumerate(generators(42)):
        shape, p = tuple(rng.integers(1, 5, rng.integers(0, 5))), float(rng.choice([0, 0.2, 0.5, 0.9]))
        x, dy = rng.normal(size=shape), rng.normal(size=shape)
        y, kept = F.dropout(x, p=p, key=key)
        mask = np.where(kept, 1 / (1 - p), 0)
        np.testing.assert_allclose(y, x * mask, rtol=1e-15)
        np.testing.assert_allclose(F.dropout_backward(dy, kept, p=p), dy * mask, rtol=1e-15)
        assert kept.dtype == np.bool_
        assert kept.shape == shape


@pytest.mark.parametrize("p", [0.0, 0.01, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("key", [0, 1, 2**31 - 1])
def test_the_share_that_is_left_out(p: float, key: int) -> None:
    y, kept = F.dropout(np.ones(100_000), p=p, key=key)
    assert 1 - kept.mean() == pytest.approx(p, abs=0.006)
    assert y.mean() == pytest.approx(1, abs=0.03)


def test_keys_give_masks_that_have_nothing_to_do_with_each_other() -> None:
    masks = np.array([F.dropout(np.ones(20_000), p=0.5, key=key)[1] for key in range(8)]) - 0.5
    assert np.abs(4 * masks @ masks.T / 20_000 - np.eye(8)).max() < 0.04
