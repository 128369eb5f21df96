"""Fixtures of the data package: small IDX files, a temporary cache and no network."""

import functools
import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import CATALOG, Dataset


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes((0, 0, 0x08, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def write_idx() -> Callable[[Path, np.ndarray], bytes]:
    """Write an array as IDX, compressed if the name ends in .gz, and return the uncompressed bytes."""

    def write(path: Path, array: np.ndarray) -> bytes:
        content = idx_bytes(array)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        return content

    return write


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NUMPYCNN_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No loader reaches a mirror; the list records the requested files."""
    asked: list[str] = []

    def fetch(filename: str, *arguments: object, **settings: object) -> Path:
        asked.append(filename)
        raise ConnectionError(f"{filename} could not be downloaded (no network in tests)")

    monkeypatch.setattr("numpycnn.data.source.fetch", fetch)
    monkeypatch.delenv("NUMPYCNN_DATA", raising=False)
    return asked


@pytest.fixture(scope="session")
def real(data_folder: Path) -> Callable[[str], tuple[Dataset, Dataset]]:
    """Load a real data set by its name, once for all tests; skip if it is not available."""

    @functools.cache
    def load(name: str) -> tuple[Dataset, Dataset] | str:
        try:
            return CATALOG[name].load(data_folder)
        except FileNotFoundError as error:
            return f"NUMPYCNN_DATA does not contain {name}: {error}"

    def loaded(name: str) -> tuple[Dataset, Dataset]:
        found = load(name)
        if isinstance(found, str):
            pytest.skip(found)
        return found

    return loaded
