"""All settings of the compiler in one place: ``@jit`` compiles the loops of this package.

``nogil`` lets several threads run kernels in parallel. ``fastmath`` allows sums to be reordered and multiplications to
be fused with additions, which vector instructions need; it does not let the compiler assume that there are no NaNs or
infinities, so those keep their meaning.

Loops slice the part of an array that they work on and count from 0. Python's negative indices are the reason: unless
the compiler can prove that an index is not negative, it checks each one, and does not vectorize the loop. That halved
the time of a training step of tiny_vgg.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

RELAXED = {"reassoc", "contract", "nsz", "arcp"}
IN_ORDER = RELAXED - {"reassoc"}  # for products that would overflow if reordered
DIGEST = sha256().digest_size
Loop = TypeVar("Loop", bound=Callable[..., object])


def _stamp() -> str:
    """Return a digest of the source of all kernels."""
    digest = sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


STAMP = _stamp()


class _CacheFile(IndexDataCacheFile):
    """The files of one kernel's machine code, with a digest of the content and the source that it was compiled from.

    numba writes the index first. If the disk fills up in between, the index names a file that an older version left.
    """

    def load(self, key: object) -> Any:
        found = super().load(key)
        if found is None:
            return None
        owner, data = found
        return data if owner == (self._source_stamp, key) else None

    def save(self, key: object, data: object) -> None:
        super().save(key, ((self._source_stamp, key), data))

    def _load_index(self) -> Any:
        try:
            return super()._load_index()
        except Exception:  # damaged, or it names a class that this version of numba does not have
            return {}

    def _load_data(self, name: str) -> Any:
        content = Path(self._data_path(name)).read_bytes()
        if sha256(content[:-DIGEST]).digest() != content[-DIGEST:]:
            raise ValueError("damaged")
        return super()._load_data(name)

    def _dump(self, obj: object) -> bytes:
        content = super()._dump(obj)
        return content + sha256(content).digest()  # reading stops in front of it


class _Cache(FunctionCache):
    """A cache that never stops a computation: a damaged file is replaced, and without room nothing is written."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        # numba invalidates the cache when the function's own file changes. Kernels of different files call each other,
        # so here a change of any of them does.
        stamp = (self._impl.locator.get_source_stamp(), STAMP)
        self._cache_file = _CacheFile(self.cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: object, target_context: object) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # unpickling a damaged file can raise anything
            return None

    def save_overload(self, sig: object, data: object) -> None:
        with suppress(OSError):  # a full disk, a quota, a limit of the size of files
            super().save_overload(sig, data)


def jit(function: Loop, *, fastmath: set[str] = RELAXED) -> Loop:
    """Compile ``function`` at its first call, and cache the machine code on disk where a folder is writable."""
    compiled: Any = numba.njit(nogil=True, fastmath=fastmath, error_model="numpy")(function)
    if compiled is not function:  # as with NUMBA_DISABLE_JIT
        with suppress(RuntimeError):  # numba found no writable folder: compile again in each process
            compiled._cache = _Cache(function)
    return compiled
