"""What neither import-linter nor ruff checks: what an import loads, which tests exist, names that hide each other."""

import inspect
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import numpycnn

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "numpycnn"
LONGEST = 450
HEAVY = [
    "PIL",
    "matplotlib",
    "onnx",
    "platformdirs",
    "requests",
    "rich",
    "safetensors",
    "scipy",
    "skimage",
    "starlette",
    "torch",
    "uvicorn",
]
WORKSHOP = ["animate", "cli", "data", "exercises", "explain", "models", "recipes", "training", "visualize"]
UNTESTED = {  # modules without a test file of their own, with the reason
    "errors.py": "one class without code",
    "_types.py": "names for types",
    "training/parts.py": "what a file can name: tests/training/test_checkpoint.py",
    "visualize/_types.py": "as above",
    "__main__.py": "one call, made by the tests of the command line",
    **dict.fromkeys(
        [f"kernels/{name}.py" for name in ("direct", "im2col", "normalization", "optimizers", "recurrence", "winograd")]
        + ["kernels/engine/matrices.py"],
        "loops that tests/fast compares with the textbook",
    ),
}
PICKLED = re.compile(r"allow_pickle\s*=\s*(?!False)|weights_only\s*=\s*False")


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh Python loads for a statement, beyond those of numba."""
    code = f"import sys, numba; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def mirror(module: Path) -> Path:
    """Return the test file of a module: that of ``numpycnn/io/loading.py``, or ``_loading.py``, is test_loading.py."""
    return ROOT / "tests" / module.relative_to(PACKAGE).with_name(f"test_{module.name.lstrip('_')}")


# -------------------------------------------------------------------------------------------------------------- imports


def test_importing_numpycnn_loads_no_heavy_library_and_no_workshop() -> None:
    loaded = loaded_by("import numpycnn")
    assert "numpycnn.layers.convolution" in loaded
    assert sorted(name for name in loaded if name.split(".")[0] in HEAVY) == []
    assert sorted(name for name in loaded if name.split(".")[1:2] and name.split(".")[1] in WORKSHOP) == []


def test_a_heavy_library_would_be_noticed() -> None:
    assert "PIL" in {name.split(".")[0] for name in loaded_by("import numpycnn.data.pictures; import PIL.Image")}


PACKAGES = ["numpycnn", *(name for _, name, package in pkgutil.walk_packages([str(PACKAGE)], "numpycnn.") if package)]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_hides_a_public_name_of_its_package(name: str) -> None:
    """``import numpycnn.functional.softmax`` would put a module in the place of the function."""
    package = import_module(name)
    public = {n for n in getattr(package, "__all__", []) if not inspect.ismodule(getattr(package, n))}
    assert public & {module.name for module in pkgutil.iter_modules(package.__path__)} == set()


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("folder", ["numpycnn", "examples", "benchmarks"])
def test_nothing_is_unpickled(folder: str) -> None:
    """Modules that unpickle, eval and exec are banned by ruff; this looks for the flags of other readers."""
    texts = {path: path.read_text(encoding="utf-8") for path in python_files(ROOT / folder)}
    assert [str(path) for path, text in texts.items() if PICKLED.search(text)] == []
    assert PICKLED.search("np.load(path, allow_pickle=True)")


def test_each_module_has_its_test_file() -> None:
    """An ``__init__.py`` only names what its package offers."""
    modules = [path for path in python_files(PACKAGE) if path.name != "__init__.py"]
    tested = [path for path in modules if path.relative_to(PACKAGE).as_posix() not in UNTESTED]
    assert len(tested) > 100
    assert [str(path.relative_to(ROOT)) for path in tested if not mirror(path).is_file()] == []


def test_no_module_is_too_long() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(PACKAGE)}
    assert {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > LONGEST} == {}


def test_the_package_under_test_is_this_one() -> None:
    assert Path(numpycnn.__file__).parent == PACKAGE
