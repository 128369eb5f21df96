"""All settings of the compiler in one place: ``@jit`` compiles the loops of this package.

``nogil`` lets several threads run kernels in parallel. ``fastmath`` allows sums to be reordered and multiplications to
be fused with additions, which vector instructions need; it does not let the compiler assume that there are no NaNs or
infinities, so those keep their meaning.

Loops slice the part of an array that they work on and count from 0. Python's negative indices are the reason: unless
the compiler can prove that an index is not negative, it checks each one, and does not vectorize the loop. That halved
the time of a training step of tiny_vgg.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba

RELAXED = {"reassoc", "contract", "nsz", "arcp"}


def _stamp() -> str:
    """Return a digest of the source of all kernels."""
    digest = sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


STAMP = _stamp()


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` at its first call, and cache the machine code on disk where a folder is writable."""
    settings: dict[str, Any] = {"nogil": True, "fastmath": RELAXED, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # numba found no writable folder: compile again in each process
        return numba.njit(**settings)(function)
    # numba invalidates the cache when the function's own file changes. Kernels of different files call each other, so
    # here a change of any of them does.
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if index is not None:
        index._source_stamp = (index._source_stamp, STAMP)
    return compiled
