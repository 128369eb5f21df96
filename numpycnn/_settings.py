"""The two settings of a process: the backend that computes, and the number of threads that it may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from numpycnn._checks import check_int

BACKENDS = ("plain", "fast")
MAX_THREADS = 1024

_operations: ModuleType | None = None  # the module of the backend in use; None until first asked for
_num_threads: int | None = None  # None until first asked for


# ------------------------------------------------------------------------------------------------------- the backend


def operations() -> ModuleType:
    """Return the module whose functions compute: `numpycnn.plain` or `numpycnn.fast`."""
    return _operations or _load(os.environ.get("NUMPYCNN_BACKEND", "fast"), "NUMPYCNN_BACKEND")


def _load(name: str, source: str) -> ModuleType:
    global _operations
    if name not in BACKENDS:
        raise ValueError(f"{source}: expected one of the backends {', '.join(map(repr, BACKENDS))}, got {name!r}")
    _operations = import_module(f"numpycnn.{name}")
    return _operations


def get_backend() -> str:
    """Return the name of the backend in use.

    Returns
    -------
    {"plain", "fast"}

    Raises
    ------
    ValueError
        If the environment variable ``NUMPYCNN_BACKEND`` names an unknown backend.
    """
    return operations().__name__.rpartition(".")[2]


def set_backend(name: str) -> None:
    """Choose the backend that computes every operation from now on.

    The default is the environment variable ``NUMPYCNN_BACKEND``, or else ``"fast"``.

    Parameters
    ----------
    name : {"plain", "fast"}
        ``"plain"`` is the textbook version in NumPy alone, which a debugger steps through; ``"fast"`` runs compiled
        loops.

    Raises
    ------
    ValueError
        If the backend is unknown.
    """
    _load(name, "set_backend")


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Choose a backend for a ``with`` block.

    The backend is a setting of the whole process: other threads see the change as well.

    Parameters
    ----------
    name : {"plain", "fast"}

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If the backend is unknown.

    Examples
    --------
    >>> import numpycnn
    >>> with numpycnn.backend("plain"):
    ...     numpycnn.get_backend()
    'plain'
    """
    global _operations
    before = _operations
    _load(name, "backend")
    try:
        yield
    finally:
        _operations = before


# ---------------------------------------------------------------------------------------------- the number of threads


def _default_num_threads() -> int:
    text = os.environ.get("NUMPYCNN_NUM_THREADS")
    if text is not None:
        if not text.strip().isdecimal():
            raise ValueError(f"NUMPYCNN_NUM_THREADS: expected a whole number, got {text!r}")
        return check_int(int(text), "the number of threads", "NUMPYCNN_NUM_THREADS", maximum=MAX_THREADS)
    if hasattr(os, "sched_getaffinity"):  # the processors this process may use, which can be fewer than the machine's
        return min(len(os.sched_getaffinity(0)), MAX_THREADS)
    return min(os.cpu_count() or 1, MAX_THREADS)


def get_num_threads() -> int:
    """Return how many threads an operation of the fast backend may use.

    The default is the environment variable ``NUMPYCNN_NUM_THREADS``, or else the number of processors of this process.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the environment variable is not a whole number, or out of range.
    """
    global _num_threads
    if _num_threads is None:
        _num_threads = _default_num_threads()
    return _num_threads


def set_num_threads(n: int) -> None:
    """Let every operation of the fast backend use at most `n` threads from now on.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError
        If `n` is not an int.
    ValueError
        If `n` is smaller than 1 or absurdly large.
    """
    global _num_threads
    _num_threads = check_int(n, "n", "set_num_threads", maximum=MAX_THREADS)
