"""The most confident errors in order, each image with its own text."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.visualize import least_certain, misclassified, rank_doubts
from numpycnn.visualize.mistakes import worst_mistakes

NAMES = ("cat", "dog", "ox")


@pytest.fixture
def case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images = rng.integers(0, 256, (40, 1, 5, 4), dtype=np.uint8)
    probabilities = rng.dirichlet(np.ones(3), 40)
    return images, rng.integers(0, 3, 40), probabilities


def test_the_most_confident_error_comes_first(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, labels, probabilities = case
    expected = [
        (-max(row), i)
        for i, (row, label) in enumerate(zip(probabilities.tolist(), labels, strict=True))
        if row.index(max(row)) != label
    ]
    assert worst_mistakes(labels, probabilities).tolist() == [i for _, i in sorted(expected)]
    assert len(expected) > 5


def test_images_and_text(case: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, labels, probabilities = case
    worst = worst_mistakes(labels, probabilities)
    figure = misclassified(images, labels, probabilities, NAMES, tmp_path / "mistakes.png", limit=7)
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 7
    for axes, i in zip(drawn, worst, strict=False):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), images[i, 0])
        assert axes.get_title() == f"true: {NAMES[labels[i]]}"
        best = probabilities[i].argmax()
        assert [text.get_text() for text in axes.texts] == [
            f"predicted: {NAMES[best]}, {100 * probabilities[i, best]:.1f} %"
        ]
    assert figure.get_suptitle() == f"{len(worst)} of 40 misclassified, the 7 most confident"
    with Image.open(tmp_path / "mistakes.png") as file:
        assert file.format == "PNG"


def test_fewer_errors_than_panels(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    images, labels, probabilities = case
    wrong = worst_mistakes(labels, probabilities)[:1]
    labels = probabilities.argmax(axis=1)
    labels[wrong] = (labels[wrong] + 1) % 3
    figure = misclassified(images, labels, probabilities, NAMES)
    assert len([axes for axes in figure.axes if axes.images]) == 1
    assert figure.get_suptitle() == "1 of 40 misclassified"


@pytest.mark.parametrize(
    ("count", "text"), [(40, "All 40 images are classified correctly."), (0, "There are no images.")]
)
def test_no_errors(case: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path, count: int, text: str) -> None:
    images, _, probabilities = (array[:count] for array in case)
    figure = misclassified(images, probabilities.argmax(axis=1), probabilities, NAMES, tmp_path / "none.png")
    assert [said.get_text() for axes in figure.axes for said in axes.texts] == [text]
    assert (tmp_path / "none.png").stat().st_size > 0


def test_colour_images_and_floats(rng: np.random.Generator) -> None:
    images = rng.random((2, 3, 4, 6))
    figure = misclassified(images, [1, 1], [[0.9, 0.1], [0.2, 0.8]], ["a", "b"])
    (axes,) = [axes for axes in figure.axes if axes.images]
    assert np.asarray(axes.images[0].get_array()).shape == (4, 6, 3)


def test_wrong_arguments(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    images, labels, probabilities = case
    with pytest.raises(
        ValueError, match=r"misclassified: expected images of shape \(40, 1 or 3, H, W\), got \(39, 1, 5, 4\)"
    ):
        misclassified(images[1:], labels, probabilities, NAMES)
    with pytest.raises(ValueError, match=r"expected images of shape \(40, 1 or 3, H, W\), got \(40, 2, 5, 4\)"):
        misclassified(np.repeat(images, 2, axis=1), labels, probabilities, NAMES)
    with pytest.raises(
        ValueError, match="misclassified: expected a row of probabilities for each label, got 39 for 40"
    ):
        misclassified(images, labels, probabilities[1:], NAMES)
    with pytest.raises(
        ValueError, match="misclassified: expected 3 class names, one per column of the probabilities, got 2"
    ):
        misclassified(images, labels, probabilities, NAMES[:2])
    with pytest.raises(ValueError, match="misclassified: expected limit from 1"):
        misclassified(images, labels, probabilities, NAMES, limit=0)
    with pytest.raises(ValueError, match=r"misclassified: expected probabilities \(N, K\), got \(40,\)"):
        misclassified(images, labels, probabilities[:, 0], NAMES)


FOUR = ("cat", "dog", "ox", "yak")


@pytest.fixture
def doubtful(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images = rng.integers(0, 256, (30, 1, 5, 4), dtype=np.uint8)
    return images, rng.dirichlet(np.ones(4), 30), rng.integers(0, 4, 30)


def test_smallest_margin_comes_first(doubtful: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    gaps = []
    for i, row in enumerate(doubtful[1].tolist()):
        first, second = sorted(row, reverse=True)[:2]
        gaps.append((first - second, i))
    assert rank_doubts(doubtful[1]).tolist() == [i for _, i in sorted(gaps)]


def test_images_and_bars(doubtful: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, shares, labels = doubtful
    figure = least_certain(images, shares, FOUR, tmp_path / "a.png", labels=labels, limit=7)
    pictures = [axes for axes in figure.axes if axes.images]
    bars = [axes for axes in figure.axes if axes.patches]
    assert len(pictures) == len(bars) == 7
    place = {tuple(axes.get_subplotspec().get_position(figure).corners()[0].round(6)): axes for axes in figure.axes}  # type: ignore[union-attr]
    assert len(place) == 20
    for axes, below, i in zip(pictures, bars, rank_doubts(shares), strict=False):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), images[i, 0])
        best = sorted(range(4), key=lambda k, row=shares[i]: -row[k])[:3]
        if labels[i] not in best:
            best[-1] = labels[i]
        np.testing.assert_allclose([bar.get_width() for bar in below.patches], 100 * shares[i, best])  # type: ignore[attr-defined]
        assert [label.get_text() for label in below.get_yticklabels()] == [FOUR[k] for k in best]
        assert [text.get_text() for text in below.texts] == [f"{100 * shares[i, k]:.0f} %" for k in best]
        green = [bar.get_facecolor()[1] > bar.get_facecolor()[0] for bar in below.patches]
        assert green == [k == labels[i] for k in best]
    assert figure.get_suptitle() == "the 7 of 30 images with the smallest margin"
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_without_labels_and_in_colours(rng: np.random.Generator) -> None:
    figure = least_certain(rng.random((2, 3, 4, 6)), [[0.6, 0.4], [0.2, 0.8]], ["a", "b"])
    pictures = [axes for axes in figure.axes if axes.images]
    assert np.asarray(pictures[0].images[0].get_array()).shape == (4, 6, 3)
    bars = [axes for axes in figure.axes if axes.patches]
    assert len({bar.get_facecolor() for axes in bars for bar in axes.patches}) == 1


def test_no_doubtful_images(tmp_path: Path) -> None:
    figure = least_certain(np.zeros((0, 1, 4, 4)), np.zeros((0, 3)), ["a", "b", "c"], tmp_path / "none.png")
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["There are no images."]


def test_wrong_probabilities_and_labels(doubtful: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    images, shares, labels = doubtful
    with pytest.raises(
        ValueError, match=r"least_certain: expected images of shape \(30, 1 or 3, H, W\), got \(29, 1, 5, 4\)"
    ):
        least_certain(images[1:], shares, FOUR)
    with pytest.raises(ValueError, match=r"least_certain: expected 4 class names, .*, got 2"):
        least_certain(images, shares, FOUR[:2])
    with pytest.raises(ValueError, match="least_certain: expected one label for each of 30 images, got 29"):
        least_certain(images, shares, FOUR, labels=labels[1:])
    with pytest.raises(ValueError, match="least_certain: expected probabilities of at least two classes, got 1"):
        rank_doubts(shares[:, :1])
    with pytest.raises(ValueError, match=r"least_certain: expected probabilities \(N, K\), got \(30,\)"):
        rank_doubts(shares[:, 0])
    with pytest.raises(ValueError, match="least_certain: expected limit from 1"):
        least_certain(images, shares, FOUR, limit=0)
