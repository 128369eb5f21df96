"""Dropout against its definition, given its mask."""

from typing import Any

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


def test_spatial_dropout_equals_the_definition_given_its_mask() -> None:
    for key, rng in enumerate(generators(43)):
        shape, p = tuple(rng.integers(1, 5, rng.integers(3, 6))), float(rng.choice([0, 0.2, 0.5, 0.9]))
        x, dy = rng.normal(size=shape), rng.normal(size=shape)
        y, kept = F.spatial_dropout(x, p=p, key=key)
        mask = np.where(kept, 1 / (1 - p), 0).reshape(*kept.shape, *[1] * (len(shape) - 2))
        np.testing.assert_allclose(y, x * mask, rtol=1e-15)
        np.testing.assert_allclose(F.spatial_dropout_backward(dy, kept, p=p), dy * mask, rtol=1e-15)
        assert kept.dtype == np.bool_
        assert kept.shape == shape[:2]
        np.testing.assert_array_equal(kept, F.dropout(np.ones(shape[:2]), p=p, key=key)[1])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_spatial_dropout_does_what_pytorch_does_with_the_same_mask(rank: int, torch: Any) -> None:
    for rng in generators(44, count=17):
        x, p = rng.normal(size=(3, 8, *rng.integers(1, 4, rank))), float(rng.choice([0.2, 0.5, 0.8]))
        tensor = torch.tensor(x, requires_grad=True)
        y = getattr(torch.nn.functional, f"dropout{rank}d")(tensor, p)
        y.backward(torch.tensor(x))
        kept = (y != 0).numpy().reshape(3, 8, -1).any(axis=2)
        np.testing.assert_allclose(F.spatial_dropout_backward(x, kept, p=p), y.detach(), rtol=1e-12)
        np.testing.assert_allclose(F.spatial_dropout_backward(x, kept, p=p), tensor.grad, rtol=1e-12)
