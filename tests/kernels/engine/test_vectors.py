"""Vectors in compiled functions against their definitions on slices of arrays."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import (
    indices,
    larger,
    load,
    load4,
    load_strided,
    store,
    total,
    transpose,
    zero,
    zero4,
)

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="needs the compiler")


def all_operations(a, b, squares, number, y, winners, sums):  # type: ignore[no-untyped-def]
    u, v, w = load(a, 1), load(b, 3), load4(a, 2)
    u += number * v
    store(y, 0, u * v - u + (zero(y) + number))
    store(y, 100, w * number + zero4(y) - w)
    transpose(squares, 3, 20, y, 300, 18)
    best, place = load_strided(a, 7, 2), indices(u, 5, 3)
    best, place = larger(best, place, load_strided(b, 2, 1), indices(u, 100, 1))
    store(y, 280, best)
    store(winners, 0, place)
    sums[0], sums[1] = total(u), total(w)


@compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_and_plain_do_the_same(dtype: type, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 100)).astype(dtype)
    squares = rng.normal(size=400).astype(dtype)
    a[13] = b[3] = np.nan
    results = []
    for function in (all_operations, jit(all_operations)):
        y, sums = np.full(700, np.nan, dtype), np.zeros(2, dtype)
        winners = np.zeros(16, np.int32)
        function(a, b, squares, dtype(0.3), y, winners, sums)
        results.append((y, winners, sums))
    for plain, fast in zip(*results, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-5 if dtype == np.float32 else 1e-13)


REGISTER = "from numpycnn.kernels.engine.vectors import FOUR, REGISTER; print(REGISTER, FOUR)"


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [
        ({"NUMBA_CPU_NAME": "generic"}, "16 64"),
        ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}, "32 64"),
        ({"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": "+avx2,+avx512f"}, "64 256"),
        ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,-avx512f"}, "32 64"),
    ],
)
def test_the_size_of_a_register_follows_the_settings_of_the_compiler(settings: dict[str, str], sizes: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CPU")}
    done = subprocess.run(
        [sys.executable, "-c", REGISTER], env=environment | settings, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == sizes
