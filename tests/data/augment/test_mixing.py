"""Examples and labels mixed with the same shares."""

from typing import Any

import numpy as np
import pytest

from numpycnn import CrossEntropy
from numpycnn.data import Dataset
from numpycnn.data.augment import Augment, CutMix, Flip, MixUp
from numpycnn.training.batches import check_augmentation

N, K = 400, 5


def examples(kind: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Images that encode their labels: channel k is 1 if the label is k."""
    labels = np.random.default_rng(0).integers(0, K, N)
    images = np.zeros((N, K, 2, 3), kind)
    images[np.arange(N), labels] = 255 if kind == np.uint8 else 1
    return images, labels


@pytest.mark.parametrize(("kind", "tolerance"), [(np.uint8, 0.5 / 255), (np.float32, 1e-6), (np.float64, 1e-6)])
def test_labels_are_mixed_with_the_shares_of_the_images(kind: Any, tolerance: float) -> None:
    images, labels = examples(kind)
    mixed, shares = MixUp(K, alpha=1.0)(images, labels, 0)
    shown = mixed[:, :, 0, 0] / (255 if kind == np.uint8 else 1)
    np.testing.assert_allclose(shown, shares, atol=tolerance + 1e-6)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert ((shares > 0).sum(axis=1) == 2).mean() > 0.6  # the others were mixed within their class
    own = shares[np.arange(N), labels]
    assert (own < 1).any()
    assert CrossEntropy().value(np.zeros((N, K)), shares) == pytest.approx(np.log(K))


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    from scipy.stats import beta, kstest

    images, _ = examples()
    labels = np.arange(N)
    _, shares = MixUp(N, alpha=alpha)(images, labels, 1)
    own = shares[labels, labels]
    assert kstest(own[(shares > 0).sum(axis=1) == 2], beta(alpha, alpha).cdf).pvalue > 1e-3


def test_mixed_labels_can_be_mixed_again() -> None:
    images, labels = examples()
    mixed, shares = Augment([MixUp(K, alpha=1.0), MixUp(K, alpha=1.0)])(images, labels, 0)
    np.testing.assert_allclose(mixed[:, :, 0, 0], shares, atol=1e-6)
    assert ((shares > 0).sum(axis=1) > 2).any()


@pytest.mark.parametrize(
    ("labels", "error", "text"),
    [
        (np.full(N, K), ValueError, "one_hot: expected labels from 0 to 4, got 5 at position 0"),
        (np.zeros(N), TypeError, "one_hot: expected labels to be integers, got float64"),
        (np.zeros(3, int), ValueError, r"MixUp: expected 400 labels, .* got an array of shape \(3, 5\)"),
        (np.zeros((N, 2)), ValueError, r"MixUp: .* one share for each of 5 classes, got an array of shape \(400, 2\)"),
        (np.full((N, K), 1.5), ValueError, r"MixUp: .* other numbers of float64; numbers to predict are not mixed"),
        (np.full((N, K), -1), ValueError, r"MixUp: .* other numbers of int64; numbers to predict are not mixed"),
        (np.full((N, K), np.nan, np.float32), ValueError, r"MixUp: .* of float32; numbers to predict are not mixed"),
    ],
)
def test_invalid_labels_are_refused(labels: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        MixUp(K)(examples()[0], labels, 0)


@pytest.mark.parametrize("mix", [MixUp(2), Augment([Flip(), Augment([CutMix(2)])])], ids=repr)
def test_numbers_to_predict_are_not_mixed(mix: Any) -> None:
    images = np.zeros((6, 1, 4, 4), np.uint8)
    with pytest.raises(
        ValueError, match=r"augment: expected classes to mix them with .* got a data set of numbers to pred"
    ):
        check_augmentation(mix, Dataset(images, np.linspace(0, 1, 12).reshape(6, 2)))
    assert check_augmentation(mix, Dataset(images, [0, 1] * 3, ("a", "b"))) == repr(mix)
    assert check_augmentation(Flip(), Dataset(images, np.zeros(6))) == "Flip()"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: MixUp(0), ValueError, "MixUp: expected classes from 1 to 2147483647, got 0"),
        (lambda: MixUp(2, alpha=0), ValueError, "MixUp: expected alpha to be at least 0.001 and at most 1000, got 0"),
        (lambda: MixUp(2, alpha="a"), TypeError, "MixUp: expected alpha to be a number, got str 'a'"),
    ],
)
def test_bad_settings(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        make()


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_])
@pytest.mark.parametrize("mix", [MixUp(K, alpha=1.0), CutMix(K)], ids=repr)
def test_several_labels_become_shares(mix: MixUp | CutMix, kind: Any) -> None:
    images, labels = examples()
    several = np.eye(K)[labels].astype(kind)
    mixed, shares = mix(images, several, 0)
    expected, same = mix(images, labels, 0)
    assert shares.dtype == np.float32
    assert np.array_equal(mixed, expected)
    np.testing.assert_allclose(shares, same, atol=1e-6)
    assert 0.1 < (shares > 0).sum(axis=1).mean() - 1 < 1


# --------------------------------------------------------------------------------------------------------------- CutMix


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_the_labels_of_cutmix_are_shares_of_the_area(kind: Any) -> None:
    labels = np.random.default_rng(0).integers(0, K, N)
    images = np.zeros((N, K, 8, 6), kind)
    images[np.arange(N), labels] = 1
    mixed, shares = CutMix(K)(images, labels, 0)
    assert mixed.dtype == kind
    assert (mixed.sum(axis=1) == 1).all()  # each pixel is of one example
    np.testing.assert_allclose(mixed.mean(axis=(2, 3), dtype=float), shares, atol=1e-6)
    assert 0.5 < shares[np.arange(N), labels].mean() < 0.95


def test_the_rectangle_of_cutmix() -> None:
    images = np.arange(N, dtype=np.float64).reshape(N, 1, 1, 1) * np.ones((1, 1, 9, 7))
    mixed, _ = CutMix(2)(images, np.zeros(N, int), 3)
    pasted = (mixed != images)[:, 0]
    areas = []
    for gap in pasted:
        rows, columns = gap.any(axis=1), gap.any(axis=0)
        assert np.array_equal(gap, np.outer(rows, columns))
        assert len(np.flatnonzero(np.diff(rows.astype(int)))) <= 2
        areas.append(gap.mean())
    assert min(areas) == 0
    assert max(areas) > 0.7
    assert pasted.any(axis=0).all()
    with pytest.raises(ValueError, match=r"CutMix: expected 400 labels, .* got an array of shape \(400, 9, 7\)"):
        CutMix(2)(images, np.zeros((N, 9, 7), int), 0)
