"""Every setting of the compiler in one place: ``@jit`` is how a loop of this package becomes machine code.

``nogil`` lets several threads of the standard library run kernels at once. ``fastmath`` allows sums to be reordered and
multiplications to be fused with additions, which is what lets a loop use vector instructions; it does not allow the
compiler to assume that there are no NaNs or infinities, so those keep their meaning.

A habit of all loops here: they cut the piece of an array that they work on first, and then count from 0. Python's
negative indices are the reason: unless the compiler can see that an index is not negative, it has to ask at each
element, and the loop is not turned into vector instructions. A training step of tiny_vgg took half the time after it.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba

RELAXED = {"reassoc", "contract", "nsz", "arcp"}


def _stamp() -> str:
    """Return a digest of all the kernels' source."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


STAMP = _stamp()


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` at its first call, and keep the machine code on disk if there is a place for it."""
    settings: dict[str, Any] = {"nogil": True, "fastmath": RELAXED, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # numba found no folder that it may write to: compile anew in each process
        return numba.njit(**settings)(function)
    # What numba keeps is thrown away when the function's own file has changed. Kernels of different files call each
    # other, so here it is thrown away when any of them has.
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if index is not None:
        index._source_stamp = (index._source_stamp, STAMP)
    return compiled
