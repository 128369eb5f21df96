"""The rules of the house, read from the source: who may import whom, what `import numpycnn` loads, what no file may do.

Each check takes a folder and returns the breaches it found, one line each. Below, it is first run on small made-up
packages, to show that it can fail, and then on numpycnn.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "numpycnn"

FLOORS = {
    **dict.fromkeys(["_bars", "_tables", "errors", "kernels"], 1),
    **dict.fromkeys(["functional"], 2),
    **dict.fromkeys(
        [
            "layers",
            "losses",
            "optim",
            "sequential",
            "gradcheck",
            "initializers",
            "loading",
            "serialization",
            "state_dict",
            "summary",
        ],
        3,
    ),
    **dict.fromkeys(["training", "data", "models", "recipes", "visualize", "animate"], 4),
    **dict.fromkeys(["explain", "exercises", "interop", "cli"], 4),
}
ROOF = 5  # numpycnn/__init__.py and numpycnn/__main__.py
HEAVY = ["PIL", "matplotlib", "pooch", "rich", "safetensors", "scipy", "skimage", "starlette", "torch", "uvicorn"]

# Exceptions, each with its reason.
NEIGHBOURS = {  # on floor 4, who may import whom
    ("cli", "data"): "the command line is where the workshop's tools are put together",
    ("cli", "exercises"): "as above",
    ("cli", "explain"): "as above",
    ("cli", "interop"): "as above",
    ("cli", "models"): "as above",
    ("cli", "recipes"): "as above",
    ("cli", "training"): "as above",
    ("cli", "visualize"): "as above",
    ("recipes", "data"): "a recipe puts data, a network and a training together",
    ("recipes", "models"): "as above",
    ("recipes", "training"): "as above",
    ("recipes", "visualize"): "the figures that a run leaves",
    ("animate", "visualize"): "the films have the colours of the figures",
    ("visualize", "animate"): "lazily: the names of the films were in visualize first",
    ("explain", "visualize"): "the page is built on what the figures are: the numbers of every layer",
}
KERNEL_IMPORTS = {  # beside the standard library and the kernels themselves
    "numpy": "the arrays",
    "numba": "the compiler",
    "llvmlite": "the compiler's own language, in which vectors are spelled out",
}
UNTESTED = {  # modules without a test file of their own
    "errors.py": "one class without code",
    "__main__.py": "one call, made by the tests of the command line",
}
SAFE_RANDOM = {
    "BitGenerator",
    "Generator",
    "MT19937",
    "PCG64",
    "PCG64DXSM",
    "Philox",
    "SFC64",
    "SeedSequence",
    "default_rng",
}
UNSAFE_MODULES = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}  # loading a file runs it
LONGEST = 450

# -------------------------------------------------------------------------------------------------- reading the imports


@dataclass(frozen=True)
class Import:
    """One imported thing: the most exact module that is known for it, and whether importing the importer loads it."""

    target: str
    name: str | None  # what a `from` takes out of the target, where that is no module
    line: int
    lazy: bool  # in a function, under `if TYPE_CHECKING:` or under `if __name__ == "__main__":`


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def modules(package: Path) -> dict[str, Path]:
    """Dotted name -> file; a package goes by the name of its folder."""
    named = {}
    for path in python_files(package):
        parts = path.relative_to(package.parent).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imports(module: str, known: Mapping[str, Path]) -> list[Import]:
    """All imports of one module: relative ones, those inside functions, and `import_module("...")` as well."""
    path = known[module]
    home = module if path.name == "__init__.py" else module.rpartition(".")[0]  # what a relative import starts from
    found: list[Import] = []

    def visit(node: ast.AST, lazy: bool) -> None:
        match node:
            case ast.Import():
                found.extend(Import(alias.name, None, node.lineno, lazy) for alias in node.names)
            case ast.ImportFrom():
                base = node.module or ""
                if node.level:
                    start = home.split(".")[: len(home.split(".")) - node.level + 1]
                    base = ".".join([*start, base] if base else start)
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    target, name = (inner, None) if inner in known else (base, alias.name)
                    found.append(Import(target, name, node.lineno, lazy))
            case ast.Call(func=called, args=[ast.Constant(str(text)), *rest]):
                if ast.unparse(called) in ("import_module", "importlib.import_module"):
                    anchor = ast.literal_eval(rest[0]) if rest and isinstance(rest[0], ast.Constant) else home
                    found.append(Import(f"{anchor}{text}" if text[0] == "." else text, None, node.lineno, lazy))
            case ast.If(test=test):
                skipped = ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'")
                for statement in node.body:
                    visit(statement, lazy or skipped)
                for statement in node.orelse:
                    visit(statement, lazy)
                return
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, lazy)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def own_imports(package: Path) -> Iterator[tuple[str, Import]]:
    """Pairs (importer, import) among the modules of the package itself."""
    known = modules(package)
    for module in known:
        yield from ((module, i) for i in imports(module, known) if i.target.split(".")[0] == package.name)


def part(module: str) -> str:
    """`numpycnn.layers.dense` -> `layers`; the roof has the empty name."""
    parts = [*module.split("."), ""]
    return "" if parts[1] == "__main__" else parts[1]


def floor(module: str) -> int:
    return FLOORS.get(part(module), ROOF)  # what has no floor is reported by `without_a_floor`


def line(module: str, i: Import, why: str) -> str:
    return f"{module}:{i.line}: imports {i.target}{f' ({i.name})' if i.name else ''}: {why}"


# ----------------------------------------------------------------------------------------------------------- the checks


def without_a_floor(package: Path) -> list[str]:
    return sorted({f"{m}: on no floor" for m in modules(package) if part(m) not in FLOORS and part(m) != ""})


def upward(package: Path) -> list[str]:
    """Imports that go up. `__version__` is free to floor 4, which is loaded when the roof is complete."""
    return [
        line(module, i, f"up from floor {floor(module)} to {floor(i.target)}")
        for module, i in own_imports(package)
        if floor(i.target) > floor(module) and not (floor(module) == 4 and i.name == "__version__")
    ]


def eager_roof(package: Path) -> list[str]:
    return [
        line(module, i, "the roof may load floor 4 only when it is asked for")
        for module, i in own_imports(package)
        if floor(module) == ROOF and floor(i.target) == 4 and not i.lazy
    ]


def cycles(package: Path) -> list[str]:
    """Circles among the imports that run when a module is loaded; a module's package is loaded before it."""
    graph: dict[str, set[str]] = {module: set() for module in modules(package)}
    for module, i in own_imports(package):
        if not i.lazy:
            parents = (p for p in graph if i.target.startswith(f"{p}.") and not f"{module}.".startswith(f"{p}."))
            graph[module].update([i.target, *parents])
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


def foreign_kernel_imports(package: Path) -> list[str]:
    known = modules(package)
    own = f"{package.name}.kernels"

    def allowed(target: str) -> bool:
        near = [own, *KERNEL_IMPORTS]
        return target.split(".")[0] in sys.stdlib_module_names or any(f"{target}.".startswith(f"{n}.") for n in near)

    return [
        line(module, i, "not for a kernel")
        for module in known
        if part(module) == "kernels"
        for i in imports(module, known)
        if not allowed(i.target)
    ]


def busy_errors(package: Path) -> list[str]:
    known = modules(package)
    module = f"{package.name}.errors"
    return [line(module, i, "errors import nothing") for i in imports(module, known)] if module in known else []


def meddling_neighbours(package: Path) -> list[str]:
    return [
        line(module, i, "one part of floor 4 imports another")
        for module, i in own_imports(package)
        if floor(module) == floor(i.target) == 4
        and part(module) != part(i.target)
        and (part(module), part(i.target)) not in NEIGHBOURS
    ]


def unsafe_code(folder: Path) -> list[str]:
    """Pickle under any name, `eval`, `exec`, and the generator that NumPy shares among all users of a process."""
    breaches = []
    for path in python_files(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = path.relative_to(folder.parent)
        numpy_names, random_names = set(), set()
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        if alias.name.split(".")[0] in UNSAFE_MODULES:
                            breaches.append(f"{where}:{node.lineno}: {alias.name}")
                        if alias.name == "numpy.random" and alias.asname:
                            random_names.add(alias.asname)
                        elif alias.name.split(".")[0] == "numpy":
                            numpy_names.add(alias.asname or "numpy")
                case ast.ImportFrom(module=module, names=names) if module and not node.level:
                    if module.split(".")[0] in UNSAFE_MODULES:
                        breaches.append(f"{where}:{node.lineno}: {module}")
                    if module == "numpy":
                        random_names |= {alias.asname or "random" for alias in names if alias.name == "random"}
                    if module == "numpy.random":
                        taken = [alias.name for alias in names if alias.name not in SAFE_RANDOM]
                        breaches.extend(f"{where}:{node.lineno}: numpy.random.{name}" for name in taken)
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name("eval" | "exec" as name)):
                    breaches.append(f"{where}:{node.lineno}: {name}")
                case ast.keyword(arg="allow_pickle", value=value) if ast.unparse(value) != "False":
                    breaches.append(f"{where}:{value.lineno}: allow_pickle")
                case ast.Attribute(value=ast.Attribute(value=ast.Name(root), attr="random"), attr=name):
                    if root in numpy_names and name not in SAFE_RANDOM:
                        breaches.append(f"{where}:{node.lineno}: numpy.random.{name}")
                case ast.Attribute(value=ast.Name(root), attr=name):
                    if root in random_names and name not in SAFE_RANDOM:
                        breaches.append(f"{where}:{node.lineno}: numpy.random.{name}")
    return breaches


def unmirrored(package: Path, tests: Path) -> list[str]:
    """Modules without a test file at the mirrored place. An `__init__.py` only names what its package offers."""
    breaches = []
    for path in python_files(package):
        inside = path.relative_to(package)
        mirror = tests / inside.with_name(f"test_{inside.name}")
        if inside.name != "__init__.py" and inside.as_posix() not in UNTESTED and not mirror.is_file():
            breaches.append(f"{package.name}/{inside.as_posix()}: no {mirror.relative_to(tests.parent).as_posix()}")
    return breaches


def too_long(package: Path) -> list[str]:
    counted = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(package)}
    return [f"{path.relative_to(package.parent)}: {n} lines" for path, n in counted.items() if n > LONGEST]


def loaded_by(statement: str, folder: Path) -> set[str]:
    """Modules that a fresh Python loads for the statement, beyond numba's own, among them SciPy's bare base."""
    code = f"import sys, numba; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def heavy(loaded: set[str]) -> list[str]:
    return sorted(module for module in loaded if module.split(".")[0] in HEAVY)


# ------------------------------------------------------------------------------- each check can fail, and can also pass

Files = Mapping[str, str]


def grow(root: Path, files: Files) -> Path:
    """Write a made-up package, whose folders are packages too, and return its folder."""
    package = root / "toy"
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")
    return package


BAD: list[tuple[Callable[[Path], list[str]], Files, str]] = [
    (without_a_floor, {"attic.py": ""}, "toy.attic: on no floor"),
    (
        upward,
        {"functional/f.py": "import toy.layers.a", "layers/a.py": ""},
        "toy.functional.f:1: imports toy.layers.a:",
    ),
    (upward, {"layers/a.py": "def f():\n    from toy.data import load"}, "toy.layers.a:2: imports toy.data (load)"),
    (
        upward,
        {"layers/a.py": "from ..data import idx", "data/idx.py": ""},
        "imports toy.data.idx: up from floor 3 to 4",
    ),
    (upward, {"kernels/a.py": "from .. import optim", "optim/f.py": ""}, "imports toy.optim: up from floor 1 to 3"),
    (upward, {"functional/__init__.py": "from ..layers import x"}, "toy.functional:1: imports toy.layers (x)"),
    (upward, {"optim/a.py": "if True:\n    class A:\n        import toy.cli"}, "toy.optim.a:3: imports toy.cli"),
    (upward, {"losses.py": "import importlib\nimportlib.import_module('toy.data')"}, "toy.losses:2: imports toy.data"),
    (upward, {"losses.py": "from importlib import *\nimport_module('.data', 'toy')"}, "toy.losses:2: imports toy.data"),
    (upward, {"layers/a.py": "if TYPE_CHECKING:\n    import toy.data"}, "toy.layers.a:2: imports toy.data"),
    (upward, {"layers/a.py": "from toy import Dense"}, "imports toy (Dense): up from floor 3 to 5"),
    (upward, {"summary.py": "from toy import __version__"}, "imports toy (__version__): up from floor 3 to 5"),
    (upward, {"data/a.py": "from toy import Dense"}, "imports toy (Dense): up from floor 4 to 5"),
    (eager_roof, {"__init__.py": "from toy.data import load", "data/idx.py": ""}, "toy:1: imports toy.data (load)"),
    (eager_roof, {"__main__.py": "from .cli import main", "cli.py": ""}, "toy.__main__:1: imports toy.cli (main)"),
    (cycles, {"layers/a.py": "from .b import x", "layers/b.py": "import toy.layers.a"}, "toy.layers.a <- toy.layers.b"),
    (
        cycles,
        {"layers/__init__.py": "from .a import x", "layers/a.py": "from . import y"},
        "toy.layers.a <- toy.layers",
    ),
    (
        cycles,
        {"a.py": "import toy.b", "b.py": "import toy.c", "c.py": "if x:\n    from toy import a"},
        "toy.c <- toy.b",
    ),
    # losses needs one layer, but that loads toy.layers first, and with it the layer that needs losses
    (
        cycles,
        {"losses.py": "import toy.layers.b", "layers/__init__.py": "import toy.losses"},
        "toy.layers <- toy.losses",
    ),
    (
        foreign_kernel_imports,
        {"kernels/a.py": "def f():\n    import scipy.linalg"},
        "toy.kernels.a:2: imports scipy.linalg",
    ),
    (foreign_kernel_imports, {"kernels/a.py": "from ..errors import E", "errors.py": ""}, "imports toy.errors (E)"),
    (foreign_kernel_imports, {"kernels/a.py": "import numbagg"}, "toy.kernels.a:1: imports numbagg"),
    (busy_errors, {"errors.py": "import os"}, "toy.errors:1: imports os"),
    (meddling_neighbours, {"data/a.py": "def f():\n    import toy.cli"}, "toy.data.a:2: imports toy.cli"),
    (meddling_neighbours, {"models/a.py": "from .. import data", "data/b.py": ""}, "toy.models.a:1: imports toy.data"),
    (unsafe_code, {"a.py": "import pickle"}, "toy/a.py:1: pickle"),
    (unsafe_code, {"a.py": "def f():\n    from joblib import load"}, "toy/a.py:2: joblib"),
    (unsafe_code, {"a.py": "x = eval('1')"}, "toy/a.py:1: eval"),
    (unsafe_code, {"b/a.py": "\nexec('1')"}, "toy/b/a.py:2: exec"),
    (unsafe_code, {"a.py": "np.load(f, allow_pickle=True)"}, "toy/a.py:1: allow_pickle"),
    (unsafe_code, {"a.py": "import numpy as np\nnp.random.rand(3)"}, "toy/a.py:2: numpy.random.rand"),
    (unsafe_code, {"a.py": "import numpy.random\nnumpy.random.seed(3)"}, "toy/a.py:2: numpy.random.seed"),
    (unsafe_code, {"a.py": "import numpy.random as r\nr.seed(3)"}, "toy/a.py:2: numpy.random.seed"),
    (unsafe_code, {"a.py": "from numpy import random\nrandom.RandomState(3)"}, "toy/a.py:2: numpy.random.RandomState"),
    (unsafe_code, {"a.py": "from numpy.random import shuffle"}, "toy/a.py:1: numpy.random.shuffle"),
    (too_long, {"data/a.py": "x = 1\n" * (LONGEST + 1)}, f"a.py: {LONGEST + 1} lines"),
]

GOOD: Files = {
    "__init__.py": "import toy.layers\nif TYPE_CHECKING:\n    import toy.data\ndef f():\n    from . import cli",
    "__main__.py": "if __name__ == '__main__':\n    from toy.cli import main\n    main()",
    "errors.py": "class E(ValueError): pass",
    "kernels/a.py": "import os, numba, numpy as np\nfrom . import b\nfrom llvmlite import ir",
    "kernels/b.py": "y = 1",
    "functional/f.py": "from toy.kernels import a\nfrom ..errors import E",
    "layers/__init__.py": "from .dense import Dense",
    "layers/dense.py": "from .base import Layer\ndef f():\n    import toy.layers.conv",
    "layers/conv.py": "from .dense import Dense",  # no circle: dense imports it when f is called
    "layers/base.py": "import numpy as np\nmodel.eval()\nr = np.random.default_rng(0)\nr.random(3)",
    "data/a.py": "from . import b\nfrom toy import functional\nnp.load(f, allow_pickle=False)",
    "data/b.py": "import random\nrandom.seed(0)\n" + "\n" * (LONGEST - 2),
    "cli.py": "import toy.data.a\nfrom toy import __version__, layers",
}

TREE_CHECKS = list(dict.fromkeys(check for check, _, _ in BAD))


@pytest.mark.parametrize(("check", "files", "breach"), BAD)
def test_a_breach_is_found(check: Callable[[Path], list[str]], files: Files, breach: str, tmp_path: Path) -> None:
    found = check(grow(tmp_path, files))
    assert len(found) == 1
    assert breach in found[0]


@pytest.mark.parametrize("check", TREE_CHECKS)
def test_a_tidy_package_passes(check: Callable[[Path], list[str]], tmp_path: Path) -> None:
    assert check(grow(tmp_path, GOOD)) == []


def test_a_module_without_its_test_file_is_found(tmp_path: Path) -> None:
    package = grow(tmp_path, {"data/a.py": "", "data/b.py": "", "errors.py": "", "data/errors.py": ""})
    mirror = tmp_path / "tests" / "data" / "test_a.py"
    mirror.parent.mkdir(parents=True)
    mirror.touch()
    assert unmirrored(package, tmp_path / "tests") == [
        "toy/data/b.py: no tests/data/test_b.py",
        "toy/data/errors.py: no tests/data/test_errors.py",
    ]


def test_a_heavy_import_is_found(tmp_path: Path) -> None:
    package = grow(tmp_path, {"layers/a.py": "import PIL.Image", "functional/f.py": "import json"})
    assert "PIL.Image" in heavy(loaded_by("import toy.layers.a", package.parent))
    assert heavy(loaded_by("import toy.functional.f", package.parent)) == []


# ------------------------------------------------------------------------------------------------------ numpycnn itself


def test_the_package_is_found() -> None:
    assert {"numpycnn", "numpycnn.kernels", "numpycnn.functional.convolution"} <= set(modules(PACKAGE))
    assert sum(1 for _ in own_imports(PACKAGE)) > 30


@pytest.mark.parametrize("check", TREE_CHECKS)
def test_numpycnn_keeps_the_rules(check: Callable[[Path], list[str]]) -> None:
    assert check(PACKAGE) == []


@pytest.mark.parametrize("folder", ["examples", "benchmarks"])
def test_scripts_are_safe_too(folder: str) -> None:
    assert unsafe_code(REPOSITORY / folder) == []


def test_each_module_has_its_test_file() -> None:
    assert unmirrored(PACKAGE, REPOSITORY / "tests") == []


def test_importing_numpycnn_loads_no_heavy_library_and_no_workshop() -> None:
    loaded = loaded_by("import numpycnn", REPOSITORY)
    assert "numpycnn" in loaded
    assert heavy(loaded) == []
    assert sorted(module for module in loaded if module.startswith("numpycnn.") and floor(module) == 4) == []


def test_importing_the_lower_floors_loads_no_heavy_library() -> None:
    lower = [module for module in modules(PACKAGE) if floor(module) <= 3]
    assert heavy(loaded_by(f"import {', '.join(lower)}", REPOSITORY)) == []
