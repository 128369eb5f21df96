"""How loops are compiled: the settings, and the cache of machine code."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import FunctionCache, IndexDataCacheFile

import numpycnn
from numpycnn.kernels import pooling
from numpycnn.kernels.engine.jit import RELAXED, jit

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="needs the compiler")


def test_nan_and_infinity_keep_their_meaning() -> None:
    assert {"nnan", "ninf", "fast"} & RELAXED == set()

    @jit
    def special(x):  # type: ignore[no-untyped-def]
        return x != x, x - x, x > 1e308

    with np.errstate(invalid="ignore"):
        assert special(np.float64(np.nan))[0]
        assert np.isnan(special(np.float64(np.inf))[1])
        assert special(np.float64(np.inf))[2]


@compiled
def test_settings_of_the_kernels() -> None:
    options = pooling.max_pool.targetoptions
    assert options["nogil"]
    assert options["fastmath"] == RELAXED
    assert options["error_model"] == "numpy"


@compiled
def test_division_by_zero_follows_ieee() -> None:
    @jit
    def divide(a, b):  # type: ignore[no-untyped-def]
        return a / b

    assert divide(1.0, 0.0) == np.inf
    assert np.isnan(divide(0.0, 0.0))


@compiled
def test_without_a_writable_folder_functions_are_compiled_uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FunctionCache._impl_class, "_locator_classes", [])

    @jit
    def double(x):  # type: ignore[no-untyped-def]
        return 2 * x

    assert double(21) == 42
    assert double.targetoptions["fastmath"] == RELAXED


def triple(x):  # type: ignore[no-untyped-def]
    return 3 * x


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache that holds the code of `triple` for an int."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert jit(triple)(1) == 3
    return tmp_path


def _hits() -> int:
    """Call `triple` in what stands for a new process; return how often its code was found in the cache."""
    again = jit(triple)
    assert again(2) == 6
    return sum(again.stats.cache_hits.values())


def _stale(content: bytes) -> bytes:
    """Let a pickle name a class that does not exist."""
    assert b"Integer" in content
    return content.replace(b"Integer", b"Removed")


DAMAGES = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "one bit flipped": lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
    "of another kind": lambda content: b"something else",
    "a removed class": _stale,
}


@compiled
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_damaged_files_of_the_cache_are_replaced(cache: Path, ending: str, damage: Callable[[bytes], bytes]) -> None:
    assert _hits() == 1
    file = next(cache.rglob(f"*.{ending}"))
    file.write_bytes(damage(file.read_bytes()))
    _hits()
    assert _hits() == 1


@compiled
@pytest.mark.parametrize("blocked", ["_save_index", "_save_data"])
def test_a_full_disk_does_not_stop_a_computation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(IndexDataCacheFile, blocked, full)
        assert _hits() == 0
    assert _hits() == 0
    assert _hits() == 1


@compiled
def test_code_of_an_older_source_is_not_used_when_only_the_index_was_renewed(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk fills up between the two files."""
    monkeypatch.setattr("numpycnn.kernels.engine.jit.STAMP", "another source")
    with monkeypatch.context() as patch:
        patch.setattr(IndexDataCacheFile, "_save_data", lambda *args: None)
        assert _hits() == 0
    assert _hits() == 0
    assert _hits() == 1


@compiled
@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_a_limit_of_the_size_of_files_does_not_stop_a_computation(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + USE.format(folder="")],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("[[[3.0, 5.0]]]", 0), done.stderr
    assert not list(tmp_path.rglob("*.nbc*"))


USE = """if True:
    import numpy as np, numpycnn as nn
    assert nn.__file__.startswith({folder!r}), nn.__file__
    print(nn.functional.max_pool1d(np.array([[[1.0, 3.0, 2.0, 5.0]]]), 2).tolist())"""


@compiled
def test_an_install_that_cannot_be_written_to_imports_and_runs(tmp_path: Path) -> None:
    """Neither the package nor the home has a folder for a cache: both are files here, which stops root as well."""
    package = tmp_path / "site" / "numpycnn"
    shutil.copytree(Path(numpycnn.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").write_text("in the way")
    (tmp_path / "home").write_text("in the way, too")
    done = subprocess.run(
        [sys.executable, "-c", USE.format(folder=str(package.parent))],
        cwd=package.parent,
        env={
            "PATH": "",
            "HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "home"),
            "LOCALAPPDATA": str(tmp_path / "home"),
            "PYTHONPATH": str(package.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("[[[3.0, 5.0]]]", 0), done.stderr
    assert not list(package.rglob("*.nbi"))


@compiled
def test_a_change_of_any_kernel_file_invalidates_the_cache(tmp_path: Path) -> None:
    """By itself, numba compares the function's own file only; pooling.py calls functions of vectors.py."""
    package = tmp_path / "site" / "numpycnn"
    shutil.copytree(Path(numpycnn.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))

    def written() -> int:
        environment = {**os.environ, "PYTHONPATH": str(package.parent), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-c", USE.format(folder=str(package.parent))]
        subprocess.run(command, cwd=package.parent, env=environment, check=True, capture_output=True)
        index = next((tmp_path / "cache").rglob("pooling.max_pool_inside*.nbi"))
        return index.stat().st_mtime_ns

    first = written()
    assert written() == first
    with (package / "kernels" / "engine" / "vectors.py").open("a") as file:
        file.write("# changed\n")
    assert written() != first
