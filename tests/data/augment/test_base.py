"""The contract of all transforms, with one row each in `transforms.py`, and their composition."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data import augment
from numpycnn.data.augment import Augment, Cutout, Flip, MixUp, Noise, PadCrop, Transform
from tests.data.augment.transforms import CLASSES, TRANSFORMS, UNCHANGING
from tests.helpers import assert_same_bits, layouts

KINDS = [np.uint8, np.float32, np.float64]


def examples(kind: Any = np.uint8, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Noise without black pixels; neither square nor grey."""
    rng = np.random.default_rng(1)
    images = rng.integers(20, 236, (count, 3, 9, 7)).astype(kind)
    return images if kind == np.uint8 else images / kind(255), rng.integers(0, CLASSES, count)


def test_every_transform_has_a_row() -> None:
    kinds = {type(transform).__name__ for transform in TRANSFORMS}
    assert kinds == set(augment.__all__) - {"Transform"}
    assert {type(transform).__name__ for transform in UNCHANGING} == kinds - {"MixUp"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_output_has_the_dtype_and_shape_of_the_input(transform: Transform, kind: Any) -> None:
    images, labels = examples(kind)
    kept = images.copy(), labels.copy()
    others, targets = transform(images, labels, 0)
    assert (others.dtype, others.shape) == (images.dtype, images.shape)
    assert not np.shares_memory(others, images)
    assert (others != images).any(axis=(1, 2, 3)).mean() > 0.2
    assert np.isfinite(others).all()
    assert_same_bits(images, kept[0])
    assert_same_bits(labels, kept[1])
    assert targets is labels or isinstance(transform, MixUp)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_the_seed_determines_all_bits(transform: Transform) -> None:
    images, labels = examples()
    one, same, other = (transform(images, labels, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert_same_bits(one[0], same[0])
    assert_same_bits(np.asarray(one[1]), np.asarray(same[1]))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_each_example_is_transformed_independently(transform: Transform) -> None:
    images, labels = examples(np.float64, count=1)
    images, labels = np.repeat(images, 200, axis=0), np.repeat(labels, 200)
    if isinstance(transform, MixUp):
        images = images + np.arange(200).reshape(-1, 1, 1, 1)
    others, _ = transform(images, labels, 0)
    variants = len(np.unique((others - images).reshape(200, -1).round(9), axis=0))
    assert variants >= (2 if isinstance(transform, Flip) else 5)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_any_layout_gives_the_same_bits(transform: Transform) -> None:
    images, labels = examples(np.float32, count=5)
    expected, targets = transform(images, labels, 0)
    for kind, array in layouts(images).items():
        if kind != "other byte order":
            others, same = transform(array, layouts(labels)[kind], 0)
            assert_same_bits(others, expected)
            assert np.array_equal(same, targets)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", UNCHANGING, ids=repr)
def test_zero_strength_changes_nothing(transform: Transform, kind: Any) -> None:
    images, labels = examples(kind)
    others, targets = transform(images, labels, 0)
    tolerance = 0 if kind == np.uint8 else 1e-6
    np.testing.assert_allclose(others, images, rtol=0, atol=tolerance)
    assert targets is labels


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_empty_batches_and_single_examples(transform: Transform) -> None:
    images, labels = examples()
    assert transform(images[:0], labels[:0], 0)[0].shape == (0, 3, 9, 7)
    assert transform(images[:1], labels[:1], 0)[0].shape == (1, 3, 9, 7)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_config_rebuilds_an_equal_transform(transform: Transform) -> None:
    again = type(transform)(**transform.config())
    assert repr(again) == repr(transform)
    images, labels = examples()
    assert_same_bits(again(images, labels, 0)[0], transform(images, labels, 0)[0])


def test_reprs() -> None:
    assert repr(Augment([PadCrop(4), Flip(), Cutout(8)])) == "Augment([PadCrop(4), Flip(), Cutout(8)])"
    assert repr(PadCrop(2, mode="reflect")) == "PadCrop(2, mode='reflect')"
    assert repr(augment.Affine(rotation=15)) == "Affine(rotation=15.0)"


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_unsupported_dtypes_and_shapes_are_refused(transform: Transform) -> None:
    name = type(transform).__name__
    with pytest.raises(TypeError, match=f"^{name}: expected pixels of uint8, or float32 or float64, got int64$"):
        transform(np.zeros((2, 3, 9, 7), np.int64), np.zeros(2, np.int64), 0)
    text = r"\(N, C, H, W\), got \(2, 9, 7\)" if transform.planar else r"\(N, \.\.\.\), got \(2,\)"
    with pytest.raises(ValueError, match=f"^{name}: expected images {text}$"):
        transform(np.zeros((2, 9, 7)[: 3 if transform.planar else 1]), np.zeros(2, np.int64), 0)


@pytest.mark.parametrize(
    "transform", [transform for transform in TRANSFORMS if type(transform) is not Augment], ids=repr
)
@pytest.mark.parametrize("shape", [(3, 9, 7), (9, 7), (4, 2)], ids=["images", "masks", "points"])
def test_targets_with_places_are_refused_where_pixels_move(transform: Transform, shape: tuple[int, ...]) -> None:
    images, _ = examples(np.float32)
    targets = np.zeros((len(images), *shape), np.float32)
    if type(transform).__name__ in ("Affine", "Flip", "PadCrop", "TimeShift"):
        for augmentation in (transform, Augment([Noise(), transform])):
            with pytest.raises(
                ValueError, match=r"expected one label for each image, got targets \(40, .* not be moved"
            ):
                augmentation(images, targets, 0)
    elif not isinstance(transform, MixUp):
        assert Augment([transform])(images, targets, 0)[1] is targets


def test_augment_applies_transforms_in_order() -> None:
    images, labels = examples()
    both, _ = Augment([PadCrop(3), Noise()])(images, labels, 7)
    rng = np.random.default_rng(7)
    by_hand, _ = Noise()(PadCrop(3)(images, labels, rng)[0], labels, rng)
    assert_same_bits(both, by_hand)
    nested, _ = Augment([Augment([PadCrop(3)]), Noise()])(images, labels, 7)
    assert_same_bits(nested, both)


class Negative(Transform):
    """A custom transform."""

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return 255 - images


def test_a_custom_transform() -> None:
    images, labels = examples()
    others, _ = Augment([Negative()])(images, labels, 0)
    assert np.array_equal(others, 255 - images)
    assert repr(Negative()) == "Negative()"
    with pytest.raises(NotImplementedError, match="Transform is incomplete: implement _images"):
        Transform()(images, labels, 0)


@pytest.mark.parametrize(
    ("transforms", "text"),
    [
        (Flip(), "Augment: expected a list of transforms, got Flip"),
        ([Flip], r"Augment: expected transforms, got <class .*Flip'>; write Flip\(\.\.\.\)"),
        ([Flip(), "flip"], "Augment: expected transforms, got 'flip'"),
    ],
)
def test_augment_refuses_anything_but_transforms(transforms: Any, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{text}$"):
        Augment(transforms)
