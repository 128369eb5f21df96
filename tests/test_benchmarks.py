"""The benchmarks run, in a small way: their checks of equality hold, and their tables have numbers in all places.

No time is asserted. What they print is read only to see that it is there.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
NUMBER = r"\d+\.\d+ \(\d+\.\d+\)"  # median (minimum)


needs_pytorch = pytest.mark.usefixtures("torch")


def environment() -> dict[str, str]:
    """One thread, because threads that look for work while other tests run make seconds of milliseconds."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path, "NUMPYCNN_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(*command: str, quick: bool = True) -> str:
    script, *arguments = command
    done = subprocess.run(
        [sys.executable, str(FOLDER / script), *["--quick"] * quick, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


WRONG = """
import kernels, operations, numpy as np

operation = next(o for o in operations.operations(2, 10) if o.name == "ReLU")
kernels.check(operation)
for change in (np.abs, lambda y: y * np.nan):
    try:
        kernels.check(operation._replace(fast=lambda: (change(operation.fast()[0] - 1),)))
    except AssertionError as error:
        print(error)
"""


@needs_pytorch
def test_an_operation_that_differs_from_its_plain_version_is_not_timed() -> None:
    done = subprocess.run([sys.executable, "-c", WRONG], env=environment(), cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"ReLU: off by \d+\.\d+\nReLU: off by nan\n", done.stdout), done.stdout


def rows(printed: str, first: str) -> list[list[str]]:
    """The rows of all tables whose first cell has `first` in it."""
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.search(first, row[0])]


@needs_pytorch
def test_train_step(tmp_path: Path) -> None:
    printed = run("train_step.py", "lenet", "keras_cnn", "--out", str(tmp_path / "page.md"))
    found = rows(printed, "lenet|keras_cnn")
    assert [row[:3] for row in found] == [
        [name, "4", mode] for name in ("lenet", "keras_cnn") for mode in ("train", "predict")
    ]
    assert all(re.fullmatch(NUMBER, cell) for row in found for cell in row[3:5])
    assert len(re.findall(r"^- (?:train|predict): \d+\.\d\d times PyTorch's speed", printed, re.MULTILINE)) == 2
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == printed


@needs_pytorch
def test_kernels() -> None:
    """Every operation equals its plain version and PyTorch's before it is timed."""
    printed = run("kernels.py")
    assert len(rows(printed, "^convolution|^its gradients, .* channels")) == 12
    assert all(re.fullmatch(NUMBER, cell) for row in rows(printed, "^dense|^Adam|^dropout") for cell in row[1:4])


def test_tricks() -> None:
    printed = run("tricks.py", "--threads", "2")  # no PyTorch here, but a table of what two threads do
    assert len(re.findall(r"^### ", printed, re.MULTILINE)) == 8
    assert [row[0] for row in rows(printed, r"^\d+$")] == ["4", "8", "16", "32", "64", "128"]
    assert [row[1] for row in rows(printed, "^lenet")] == ["memory used again", "threads that stay awake"]


@needs_pytorch
def test_scaling(tmp_path: Path) -> None:
    printed = run("scaling.py", "--figure", str(tmp_path / "scaling.png"))
    assert [row[0] for row in rows(printed, r"^\d+$")] == ["1", "2", "4", "4", "8", "16", "8", "16", "32"]
    assert len(rows(printed, "^all$")) == 3
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_soak() -> None:
    found = rows(run("soak.py"), "lenet|images")
    assert [row[1] for row in found] == ["50", "20", "50"]
    assert all(re.fullmatch(r"-?\d+\.\d", cell) for row in found for cell in row[2:])


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="a loop that is not compiled is a call")
def test_the_road_is_short() -> None:
    """A reader with a debugger steps through each of these calls."""
    counts = [
        (int(calls), int(limit))
        for calls, limit in re.findall(r"(\d+) calls \(limit (\d+)\)", run("calls.py", quick=False))
    ]
    assert len(counts) == 5
    assert all(10 < calls <= limit for calls, limit in counts), counts


@needs_pytorch
def test_memory() -> None:
    (row,) = rows(run("memory.py"), "lenet")
    ours, theirs = (int(re.fullmatch(r"(\d+) \(\d+\)", cell)[1]) for cell in row[2:4])  # type: ignore[index]
    assert min(ours, theirs) > 30  # MiB: Python alone takes more than that


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="there is nothing to compile")
def test_cold_start() -> None:
    """The first process compiles, the second finds everything compiled. PyTorch is left out: it takes seconds."""
    printed = run("cold_start.py", "mlp", "--no-peer")
    cold, warm = rows(printed, "^mlp$")
    assert int(cold[-2]) > 5
    assert (int(cold[-1]), int(warm[-2])) == (0, 0)
    assert int(warm[-1]) > 2
    stages = [[float(cell) for cell in row[2:7]] for row in (cold, warm)]
    assert all(times == sorted(times) for times in stages)


@needs_pytorch
def test_the_page_of_all_of_them(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    run("run_all.py", "--only", "memory.py", "--out", str(page), "--figure", str(tmp_path / "scaling.png"))
    text = page.read_text(encoding="utf-8")
    assert re.search(r"^- date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert re.search(r"Python 3\.\d+\.\d+, numpy \d\S+, numba \d\S+, llvmlite \d\S+, torch \d", text)
    assert rows(text, "lenet")
    assert "## Peak memory of a training" in text


def test_augment() -> None:
    printed = run("augment.py")
    made = rows(printed, r"\(.*\)")
    assert {"Flip()", "PadCrop(4)", "Noise()"} < {row[0] for row in made}
    assert all(re.fullmatch(r"[\d,]+", cell) for row in made for cell in row[1:])
    trained = rows(printed, "augment(ed|ation)")
    assert len(trained) == 6
    assert all(re.fullmatch(r"[\d,]+ \([\d,]+\)", row[1]) and re.fullmatch(r"\d+\.\d%", row[2]) for row in trained)


def test_folder() -> None:
    printed = run("folder.py")
    found = rows(printed, "^memory|^disk")
    assert [row[0] for row in found] == ["memory", "disk"]
    for _, rate, waited, share in found:
        assert re.fullmatch(r"[\d,]+ \([\d,]+\)", rate)
        assert re.fullmatch(r"\d+\.\d%", waited)
        assert re.fullmatch(r"\d+%", share)
    ((pictures, _, peak, rate, _),) = rows(printed, r"^\d+$")
    assert pictures == "80"
    assert int(peak) > 50  # MiB
    assert int(rate.replace(",", "")) > 0


def test_large() -> None:
    (found,) = rows(run("large.py"), "resnet18")
    assert found[:2] == ["resnet18", "2"]
    built, predicted, stepped = map(int, found[2:5])
    assert 50 < built <= predicted <= stepped
    assert all(re.fullmatch(r"\d+\.\d", cell) for cell in found[5:])


@pytest.mark.skipif(
    not os.environ.get("NUMPYCNN_SLOW"),
    reason="it takes 4 GiB and half a minute: set NUMPYCNN_SLOW, as `make test-slow` does",
)
@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_a_large_network_is_trained_in_less_than_6_gib(name: str) -> None:
    """Eight pictures of 3x224x224, forward and one step with Adam; of the whole process."""
    (found,) = rows(run("large.py", name, "--batch", "8", quick=False), name)
    assert int(found[4]) < 6 * 1024


@needs_pytorch
def test_examples() -> None:
    printed = run("examples.py", "--threads", "1")
    found = [list(map(float, row[1:])) for row in rows(printed, "seed 0")]
    segmentation, vae, gan, enlarged, rare, angle, read = found
    assert segmentation[0] < 0.15
    assert segmentation[1] > 0.5
    assert vae[0] + vae[1] == pytest.approx(vae[2], abs=1e-3)
    assert vae[2] < 220
    generated, real = gan
    assert 2 < generated < real < 10
    assert enlarged[-1] == pytest.approx(np.mean(enlarged[:-1]), abs=1e-3)
    assert enlarged[-1] > 28
    assert min(rare[2::3]) > 50  # accuracies
    assert max(angle) < 100
    assert max(read[1:]) > 30


def test_published() -> None:
    printed = run("published.py", "keras_convnet", "--threads", "1")
    ((_, accuracy, mean, published),) = rows(printed, "keras_convnet")
    assert published == "about 99 %"
    assert accuracy == mean
    assert 50 < float(mean) < 100
    assert "keras_convnet: F. Chollet" in printed
