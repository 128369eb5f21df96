"""Matrix products in blocks of rows against NumPy's."""

import numpy as np

from numpycnn.kernels import matrices as kernels
from numpycnn.kernels.products import lanes, narrow_lanes
from tests.helpers import generators
from tests.kernels.pairs import compare

F64 = np.dtype(np.float64)


def test_multiply() -> None:
    for rng in generators(59, count=15):
        blocks, k, n = int(rng.integers(2, 5)), int(rng.integers(1, 9)), lanes(F64) * int(rng.integers(1, 4))
        a, b = rng.normal(size=(4 * blocks, k)), rng.normal(size=(k, n))
        compare(
            kernels.multiply,
            kernels.multiply_reference,
            blocks,
            lambda a=a, b=b: (a, b, np.full((len(a), b.shape[1]), np.nan)),
        )


def test_multiply_transposed() -> None:
    for number, rng in enumerate(generators(60, count=15)):
        m, n, k = 4 * int(rng.integers(2, 4)), 3 * int(rng.integers(1, 4)), narrow_lanes(F64) * int(rng.integers(1, 5))
        k += kernels.BLOCK * (number % 2)
        a, b, y = rng.normal(size=(m, k)), rng.normal(size=(n, k)), rng.normal(size=(m, n))
        compare(
            kernels.multiply_transposed,
            kernels.multiply_transposed_reference,
            m // 4,
            lambda a=a, b=b, y=y: (a, b, y.copy()),
            tolerance=1e-11,
        )
