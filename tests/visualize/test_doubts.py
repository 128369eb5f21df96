"""The images are ordered by margin, each with its own bars."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.visualize import least_certain, rank_doubts

NAMES = ("cat", "dog", "ox", "yak")


@pytest.fixture
def case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images = rng.integers(0, 256, (30, 1, 5, 4), dtype=np.uint8)
    return images, rng.dirichlet(np.ones(4), 30), rng.integers(0, 4, 30)


def test_smallest_margin_comes_first(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    gaps = []
    for i, row in enumerate(case[1].tolist()):
        first, second = sorted(row, reverse=True)[:2]
        gaps.append((first - second, i))
    assert rank_doubts(case[1]).tolist() == [i for _, i in sorted(gaps)]


def test_images_and_bars(case: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, shares, labels = case
    figure = least_certain(images, shares, NAMES, tmp_path / "a.png", labels=labels, limit=7)
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
        assert [label.get_text() for label in below.get_yticklabels()] == [NAMES[k] for k in best]
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


def test_no_images(tmp_path: Path) -> None:
    figure = least_certain(np.zeros((0, 1, 4, 4)), np.zeros((0, 3)), ["a", "b", "c"], tmp_path / "none.png")
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["There are no images."]


def test_wrong_arguments(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    images, shares, labels = case
    with pytest.raises(
        ValueError, match=r"least_certain: expected images of shape \(30, 1 or 3, H, W\), got \(29, 1, 5, 4\)"
    ):
        least_certain(images[1:], shares, NAMES)
    with pytest.raises(ValueError, match=r"least_certain: expected 4 class names, .*, got 2"):
        least_certain(images, shares, NAMES[:2])
    with pytest.raises(ValueError, match="least_certain: expected one label for each of 30 images, got 29"):
        least_certain(images, shares, NAMES, labels=labels[1:])
    with pytest.raises(ValueError, match="least_certain: expected probabilities of at least two classes, got 1"):
        rank_doubts(shares[:, :1])
    with pytest.raises(ValueError, match=r"least_certain: expected probabilities \(N, K\), got \(30,\)"):
        rank_doubts(shares[:, 0])
    with pytest.raises(ValueError, match="least_certain: expected limit from 1"):
        least_certain(images, shares, NAMES, limit=0)
