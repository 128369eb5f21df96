"""The pseudo-random numbers of dropout."""

import numpy as np

from numpycnn.kernels import activations as kernels


def test_the_numbers_of_mix_look_random() -> None:
    numbers = np.array([[kernels.mix(key, i) for i in range(2000)] for key in (0, 1, 2**31 - 1, 123456789)])
    assert numbers.min() >= 0
    assert numbers.max() < 2**32
    np.testing.assert_allclose(numbers.mean(axis=1) / 2**32, 0.5, atol=0.03)
    np.testing.assert_allclose(((numbers[..., None] >> np.arange(32)) & 1).mean(axis=1), 0.5, atol=0.06)  # each bit
    unit = numbers / 2**32 - 0.5
    assert np.abs(np.corrcoef(unit) - np.eye(4)).max() < 0.08  # keys are not correlated
    for lag in (1, 2, 28, 256):
        assert np.abs((unit[:, lag:] * unit[:, :-lag]).mean(axis=1) * 12).max() < 0.1  # nor are neighbours


def test_mix_is_the_finalizer_of_murmurhash3() -> None:
    def murmur(key: int, counter: int) -> int:
        bits = ((counter * 0x9E3779B9) ^ key) & 0xFFFFFFFF
        bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        return bits ^ (bits >> 16)

    for key in (0, 1, 2**31 - 1):
        for counter in (0, 1, 12345, 2**31 - 1, 2**31):
            assert kernels.mix(key, counter) == murmur(key, counter)
