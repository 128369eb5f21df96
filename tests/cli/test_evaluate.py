"""The results of `evaluate` against counts by NumPy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import numpycnn
from numpycnn.cli.evaluate import class_table
from numpycnn.metrics import F1, Precision, Recall
from numpycnn.training import TestTimeAugmentation

Run = Callable[..., Any]


def test_evaluate_agrees_with_the_results_of_the_training(run: Run, trained: Path, known_digits: Path) -> None:
    outcome = run("evaluate", trained, "mnist")
    assert outcome.status == 0
    assert outcome.err == ""
    lines = outcome.out.splitlines()
    assert lines[0] == f"data      mnist: 120 test images, from {known_digits}"
    assert lines[2].split() == ["class", "images", "precision", "recall", "F1", "most", "often", "mistaken", "for"]
    model = numpycnn.load_model(trained / "model.safetensors")
    _, test = numpycnn.data.load_mnist(known_digits)
    x, labels = test.batch(slice(None))
    logits = model(x)
    hits = logits.argmax(axis=1) == labels
    scores = [kind(average=None) for kind in (Precision, Recall, F1)]
    for metric in scores:
        metric.update(logits, labels)
    for digit, line in enumerate(lines[4:14]):
        cells = line.replace(" %", "%").split()
        assert cells[:2] == [str(digit), str((labels == digit).sum())]
        for cell, metric in zip(cells[2:5], scores, strict=True):
            share = metric.result()[digit]
            assert cell == f"{100 * share:.2f}%" or (cell, share) == ("-", 0)
    shifted = logits - logits.max(axis=1, keepdims=True)
    loss = np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels])
    assert lines[-2] == f"test loss {loss:.4f}"
    assert lines[-1] == f"test accuracy {100 * hits.mean():.2f} %"


def test_views_are_averaged(run: Run, trained: Path, known_digits: Path) -> None:
    outcome = run("evaluate", trained, "mnist", "--views", "shift")
    assert outcome.status == 0
    model = numpycnn.load_model(trained / "model.safetensors")
    _, test = numpycnn.data.load_mnist(known_digits)
    x, labels = test.batch(slice(None))
    y = TestTimeAugmentation(shift=1)(model, x)
    assert outcome.out.splitlines()[-2] == f"test loss {numpycnn.CrossEntropy().value(y, labels):.4f}"


def test_an_untrained_network_is_noted(run: Run) -> None:
    outcome = run("evaluate", "lenet", "mnist")
    assert outcome.status == 0
    assert outcome.err == "note: lenet has random weights: it has not been trained\n"


def test_the_table_shows_the_most_frequent_mistake() -> None:
    confusions = np.array([[1998, 2, 0], [0, 3, 1], [0, 0, 0]])
    assert class_table(confusions, ["cat", "horse", "ox"]).splitlines() == [
        "class  images  precision   recall       F1  most often mistaken for",
        "-------------------------------------------------------------------",
        "cat     2,000   100.00 %  99.90 %  99.95 %  horse (2 times)",
        "horse       4    60.00 %  75.00 %  66.67 %  ox (once)",
        "ox          0     0.00 %        -   0.00 %",
    ]


def test_a_model_for_other_pictures_or_classes(run: Run, refused: Run) -> None:
    numpycnn.models.lenet((3, 32, 32)).save("rgb.safetensors")
    refused(
        run("evaluate", "rgb.safetensors", "mnist"),
        "rgb.safetensors: expected a model for inputs of shape (1, 28, 28), those of mnist, got one for (3, 32, 32)",
    )
    numpycnn.models.lenet(classes=3).save("three.safetensors")
    refused(
        run("evaluate", "three.safetensors", "mnist"),
        "three.safetensors: expected a model with 10 outputs, one per class of mnist, got one with outputs of",
    )


def test_a_model_with_other_class_names(run: Run, refused: Run) -> None:
    model = numpycnn.models.mlp()
    names = list("ABCDEFGHIJ")
    model.metadata = {"dataset": "letters", "class_names": names, "mean": [0.0], "std": [1.0]}
    model.save("letters.safetensors")
    refused(
        run("evaluate", "letters.safetensors", "mnist"),
        f"expected a model for the classes {', '.join('0123456789')}, got one for {', '.join(names)}",
    )


def test_pictures_are_normalized_as_in_the_training(run: Run, trained: Path) -> None:
    model = numpycnn.load_model(trained / "model.safetensors")
    model.metadata = model.metadata | {"mean": [0.5], "std": [0.1]}
    model.save("other.safetensors")
    before, after = (run("evaluate", path, "mnist").out.splitlines()[-2] for path in (trained, "other.safetensors"))
    assert before != after


def test_a_missing_model(run: Run, refused: Run, tmp_path: Path) -> None:
    refused(
        run("evaluate", "nothing", "mnist"), "nothing: expected a .safetensors file, the folder of a training, or one"
    )
    (tmp_path / "text").write_text("no model")
    refused(run("evaluate", "text", "mnist"), "text: not a safetensors file, or a damaged one")


def test_unknown_data(run: Run, refused: Run, trained: Path) -> None:
    refused(run("evaluate", trained, "mnist", "--data", "nowhere"), "found no such folder")
