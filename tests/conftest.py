"""What all tests share: settings of hypothesis and matplotlib, a seeded generator, the folder of the real data."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from hypothesis import HealthCheck, settings

from numpycnn import get_backend, get_num_threads, set_backend, set_num_threads

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib: figures go to files, never to a screen

# One thread for NumPy's matrix products, here and in subprocesses: test processes share the cores, and OpenBLAS's
# threads spin while they wait for each other, which makes small products ten times as slow.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
threadpoolctl.threadpool_limits(1)

# The same examples in each run, and no failure because a machine is slow.
settings.register_profile(
    "numpycnn", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("numpycnn")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Collect test files alone: `--doctest-modules` would also import their helpers, some of which need PyTorch."""
    return True if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use PyTorch or scikit-learn, so that `-m oracle` selects them."""
    for item in items:
        if {"torch", "sklearn_metrics"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("oracle")


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch, where it is installed; a test that uses this fixture has the marker ``oracle``."""
    return pytest.importorskip("torch", reason="PyTorch wanted, to compare with: make oracle")


@pytest.fixture(autouse=True)
def settings_of_the_process() -> Iterator[None]:
    """Fail a test that leaves another backend or number of threads to the tests after it."""
    before = get_backend(), get_num_threads()
    yield
    after = get_backend(), get_num_threads()
    set_backend(before[0])
    set_num_threads(before[1])
    assert after == before


@pytest.fixture(scope="session")
def sklearn_metrics() -> Any:
    """The metrics of scikit-learn, where it is installed; a test that uses this fixture has the marker ``oracle``."""
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn wanted, to compare with: make oracle")


@pytest.fixture
def rng() -> np.random.Generator:
    """Generator with a fixed seed, fresh for each test."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real data sets, from the environment variable ``NUMPYCNN_DATA``."""
    text = os.environ.get("NUMPYCNN_DATA")
    if not text:
        pytest.skip("real data wanted: set NUMPYCNN_DATA to a folder as in docs/datasets.md")
    folder = Path(text)
    if not folder.is_dir():  # a slip in the setting, which a skip would hide
        pytest.fail(f"NUMPYCNN_DATA: expected a folder, got {text!r}, which is none")
    return folder.resolve()
