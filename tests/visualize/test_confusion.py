"""The counts against plain loops, and the cells against the counts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text
from PIL import Image

from numpycnn.visualize import confusion_matrix, count_confusions


@given(st.integers(1, 6), st.data())
def test_counts_match_plain_loops(classes: int, data: st.DataObject) -> None:
    pairs = data.draw(st.lists(st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), max_size=40))
    expected = np.zeros((classes, classes), np.int64)
    for label, prediction in pairs:
        expected[label, prediction] += 1
    found = count_confusions([pair[0] for pair in pairs], [pair[1] for pair in pairs], classes)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


def test_small_integer_types_do_not_wrap() -> None:
    labels = np.full(300, 99, np.uint8)
    assert count_confusions(labels, labels, 100)[99, 99] == 300


@pytest.mark.parametrize(
    ("labels", "predictions", "error", "text"),
    [
        ([0, 1], [0], ValueError, "expected as many predictions as labels, got 1 and 2"),
        ([0, 3], [0, 1], ValueError, r"\(labels\): expected labels from 0 to 2, got 3 at position 1"),
        ([0, 1], [0, -1], ValueError, r"\(predictions\): expected labels from 0 to 2, got -1 at position 1"),
        ([0.0, 1.0], [0, 1], TypeError, r"\(labels\): expected labels to be integers, got float64"),
        ([[0, 1]], [0, 1], ValueError, r"\(labels\): expected labels \(N,\), got \(1, 2\)"),
    ],
)
def test_wrong_arguments(labels: list[int], predictions: list[int], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        count_confusions(labels, predictions, 3)


def test_no_classes() -> None:
    with pytest.raises(ValueError, match="count_confusions: expected num_classes from 1"):
        count_confusions([], [], 0)


def test_cells_and_recall_are_the_counts(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 4, 5000)
    predictions = np.where(rng.random(5000) < 0.3, rng.integers(0, 4, 5000), labels)
    labels, predictions = labels[labels != 2], predictions[labels != 2]  # one class without examples
    names = ["cat", "dog", "ox", "hippopotamus"]
    (axes,) = confusion_matrix(labels, predictions, names, tmp_path / "confusions.png").axes
    counts = count_confusions(labels, predictions, 4)
    texts = [text for text in axes.texts if text.get_transform() == axes.transData]
    cells = {
        tuple(map(int, text.get_position()))[::-1]: text.get_text()
        for text in texts
        if "," in text.get_text() or text.get_text().isdecimal()
    }
    assert cells == {(i, j): f"{counts[i, j]:,}" for i, j in np.ndindex(4, 4) if counts[i, j]}
    said = [text.get_text() for text in axes.texts]
    for i in (0, 1, 3):
        assert f"{100 * counts[i, i] / counts[i].sum():.1f} %" in said
    assert said.count("none") == 1
    right, total = np.trace(counts), len(labels)
    assert axes.get_title(loc="left") == f"{right:,} of {total:,} correct, {100 * right / total:.2f} %"
    assert [label.get_text() for label in axes.get_xticklabels()] == names
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    with Image.open(tmp_path / "confusions.png") as file:
        assert file.format == "PNG"


def test_more_frequent_errors_are_darker() -> None:
    labels, predictions = [0] * 10 + [1] * 10 + [2] * 10, [0] * 5 + [1] * 4 + [2] + [1] * 10 + [2] * 10
    (axes,) = confusion_matrix(labels, predictions, ["a", "b", "c"]).axes
    shades = np.asarray(axes.images[0].get_array()).sum(axis=-1)
    assert shades[0, 1] < shades[0, 2] < shades[1, 0]
    assert shades[1, 1] < shades[0, 0]


def test_no_examples(tmp_path: Path) -> None:
    (axes,) = confusion_matrix([], [], ["a", "b"], tmp_path / "empty.png").axes
    assert axes.get_title(loc="left") == "0 of 0 correct"


def test_normalized_cells_are_shares_of_the_true_class(rng: np.random.Generator, tmp_path: Path) -> None:
    labels = np.r_[np.zeros(4000, int), np.ones(50, int), np.full(7, 3)]  # no example of class 2
    predictions = np.where(rng.random(len(labels)) < 0.05, rng.integers(0, 4, len(labels)), labels)
    predictions[:4000] = 0
    predictions[0] = 2  # one of 4,000
    (axes,) = confusion_matrix(labels, predictions, list("abcd"), tmp_path / "a.png", normalized=True).axes
    counts = count_confusions(labels, predictions, 4)
    cells = {
        tuple(map(int, text.get_position()))[::-1]: text.get_text()
        for text in axes.texts
        if text.get_transform() == axes.transData
    }
    wanted = {(i, j) for i, j in np.ndindex(4, 4) if counts[i, j]}
    assert wanted <= set(cells)
    for i, j in wanted:
        assert float(cells[i, j]) == pytest.approx(100 * counts[i, j] / counts[i].sum(), abs=0.08)
    assert cells[0, 2] == "0.03"
    assert cells[0, 0] == "99.9"  # not all of them
    said = [text.get_text() for text in axes.texts]
    assert {"examples", "4,000", "50", "7", "none"} <= set(said)
    assert axes.get_title(loc="left").endswith("\ncells in % of the true class")


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_a_title_is_not_cut_off(classes: int) -> None:
    labels = np.arange(50_000) % classes
    figure = confusion_matrix(labels, (labels + (labels == 1)) % classes, list("abcde")[:classes], normalized=True)
    figure.draw_without_rendering()
    (title,) = (text for text in figure.findobj(Text) if "correct" in text.get_text())
    box = title.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height
