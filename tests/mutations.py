"""Damage for the tests that hand parsers thousands of broken files: of bytes, and of JSON that is still JSON."""

import copy
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

COUNT = 2000 if os.environ.get("NUMPYCNN_FULL") == "1" else 200  # files of a test

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    3,
    1 << 31,
    1 << 63,
    -(1 << 70),
    1.5,
    float("nan"),
    float("inf"),
    "",
    "Dense",
    "x" * 300,
    [],
    [0],
    [1, 2, 3],
    [1 << 40] * 3,
    {},
    {"layer": "Sequential", "config": {}},
]


def mutate_bytes(content: bytes | bytearray, rng: np.random.Generator, within: int | None = None) -> bytes:
    """Change a few bytes among the first `within`; every tenth time cut the end off as well."""
    damaged = bytearray(content)
    for place in rng.integers(0, within or len(damaged), rng.integers(1, 4)):
        damaged[place] = rng.integers(256)
    if rng.random() < 0.1:
        del damaged[rng.integers(1, len(damaged)) :]
    return bytes(damaged)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Go through all entries of nested lists and dicts: the container and the key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def mutate_json(value: Any, rng: np.random.Generator) -> Any:
    """Replace, leave out or double one entry of nested lists and dicts."""
    changed = copy.deepcopy(value)
    places = list(_places(changed))
    container, key = places[rng.integers(len(places))]
    kind = rng.integers(4)
    if kind == 0:
        del container[key]
    elif kind == 1:
        if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        else:
            container[f"{key}_"] = container[key]
    else:
        container[key] = copy.deepcopy(ODD[rng.integers(len(ODD))])
    return changed


PEAK = Path("/proc/self/clear_refs")  # 5 written into it, Linux begins to count anew


@contextmanager
def bounded_memory(megabytes: int) -> Iterator[None]:
    """Fail if the most memory that this process has used grows by more than this while inside."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    with suppress(OSError):  # or whatever a test before has taken would hide as much here
        PEAK.write_text("5")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit
    assert grown < megabytes, f"{grown:.0f} MB more"
