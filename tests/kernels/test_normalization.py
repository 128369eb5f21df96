"""The loops of batch normalisation against their plain versions."""

import numpy as np
import pytest

from numpycnn.kernels import normalization as kernels
from tests.helpers import generators
from tests.kernels.pairs import compare


def draw(rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n, c, s = (int(size) for size in rng.integers(1, 6, 3))
    x, dy = rng.normal(3, 2, (n, c, s)), rng.normal(size=(n, c, s))
    return (c, x, dy, *rng.normal(size=(3, c)))


def test_channel_moments() -> None:
    for rng in generators(64, count=60):
        c, x, *_ = draw(rng)
        compare(
            kernels.channel_moments,
            kernels.channel_moments_reference,
            c,
            lambda x=x, c=c: (x, np.full(c, np.nan), np.full(c, np.nan)),
        )


def test_scale_and_shift() -> None:
    for rng in generators(65, count=60):
        c, x, _, scale, shift, _ = draw(rng)
        compare(
            kernels.scale_and_shift,
            kernels.scale_and_shift_reference,
            c,
            lambda x=x, a=scale, b=shift: (x, a, b, np.full_like(x, np.nan)),
        )


def test_channel_sums() -> None:
    for rng in generators(66, count=60):
        c, x, dy, mean, scale, _ = draw(rng)
        compare(
            kernels.channel_sums,
            kernels.channel_sums_reference,
            c,
            lambda x=x, dy=dy, m=mean, s=scale, c=c: (dy, x, m, s, np.full(c, np.nan), np.full(c, np.nan)),
        )


def test_combine() -> None:
    for rng in generators(67, count=60):
        c, x, dy, *factors = draw(rng)
        compare(
            kernels.combine,
            kernels.combine_reference,
            c,
            lambda x=x, dy=dy, factors=factors: (dy, x, *factors, np.full_like(x, np.nan)),
        )


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_special_numbers_stay_in_their_channel(special: float) -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    x[1, 1, 0] = special
    mean, variance = np.zeros(3), np.zeros(3)
    with np.errstate(invalid="ignore"):
        kernels.channel_moments(0, 0, 3, x, mean, variance)
    assert not np.isfinite(mean[1])
    assert np.isnan(variance[1])
    assert np.isfinite(mean[[0, 2]]).all()
    assert np.isfinite(variance[[0, 2]]).all()
