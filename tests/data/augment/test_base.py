"""The contract of all transforms, with one row each in `transforms.py`, and their composition."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data import augment
from numpycnn.data.augment import Augment, CutMix, Cutout, Flip, GeometricTransform, MixUp, Noise, PadCrop, Transform
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
    assert kinds == set(augment.__all__) - {"Transform", "GeometricTransform"}
    assert {type(transform).__name__ for transform in UNCHANGING} == kinds - {"MixUp", "CutMix"}


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
    assert targets is labels or isinstance(transform, MixUp | CutMix)


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
    if isinstance(transform, MixUp | CutMix):
        images = images + np.arange(200).reshape(-1, 1, 1, 1)
    others, _ = transform(images, labels, 0)
    variants = len(np.unique((others - images).reshape(200, -1).round(9), axis=0))
    assert variants >= (2 if isinstance(transform, Flip) else 5)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_any_layout_gives_the_same_bits(transform: Transform) -> None:
    images, labels = examples(np.float32, count=5)
    expected, targets = transform(images, labels, 0)
    for kind, array in layouts(images).items():
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


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_masked_arrays_are_refused(transform: Transform) -> None:
    images, labels = examples(np.float32)
    name, text = type(transform).__name__, "without a mask, got a masked array; fill it first"
    with pytest.raises(TypeError, match=f"^{name}: expected images {text}"):
        transform(np.ma.array(images), labels, 0)
    with pytest.raises(TypeError, match=f"^{name}: expected labels {text}"):
        transform(images, np.ma.array(labels, mask=labels == 1), 0)


GEOMETRIC = [transform for transform in TRANSFORMS if isinstance(transform, GeometricTransform)]
INTENSITY = [t for t in TRANSFORMS if not isinstance(t, GeometricTransform | Augment | MixUp | CutMix)]


def test_what_moves_pixels_moves_targets() -> None:
    assert all(transform.moves for transform in GEOMETRIC)
    assert not any(transform.moves for transform in INTENSITY)
    names = {"Affine", "Flip", "PadCrop", "RandomResizedCrop", "TimeShift"}
    assert {type(transform).__name__ for transform in GEOMETRIC} == names


@pytest.mark.parametrize("transform", GEOMETRIC, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_as_target_moves_with_the_image(transform: Transform, kind: Any) -> None:
    images, labels = examples(kind)
    others, pictures = transform(images, images[:, :2].copy(), 5)
    assert_same_bits(others, transform(images, labels, 5)[0])
    assert_same_bits(pictures, np.ascontiguousarray(others[:, :2]))


@pytest.mark.parametrize("transform", GEOMETRIC, ids=repr)
@pytest.mark.parametrize(
    ("kind", "channels"),  # uint8 with channels is a picture
    [(np.uint8, ()), (np.int64, ()), (np.bool_, ()), (np.int64, (2,)), (np.bool_, (2,))],
)
def test_a_mask_keeps_its_classes_and_moves_with_the_image(
    transform: Transform, kind: Any, channels: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(2)
    classes = 2 if kind == np.bool_ else 4
    masks = rng.integers(0, classes, (40, *channels, 9, 7)).astype(kind)
    first = masks[:, 0] if channels else masks
    shown = (first[:, None] == np.arange(classes)[:, None, None]).astype(
        np.float64
    )  # (N, K, 9, 7), one channel a class
    shares, moved = transform(shown, masks, 5)
    assert (moved.dtype, moved.shape) == (masks.dtype, masks.shape)
    assert (moved != masks).any()
    moved = moved[:, 0] if channels else moved
    sure = shares.max(axis=1) > 0.5 + 1e-5  # the class of the nearest pixel has at least a quarter, and here it is it
    assert sure.mean() > 0.3
    nearest = np.take_along_axis(shares, moved[:, None].astype(int), axis=1)[:, 0]
    inside = shares.sum(axis=1) > 1 - 1e-5
    assert nearest[inside].min() > 0.25 - 1e-5
    assert moved[shares.sum(axis=1) < 1e-9].max(initial=0) == 0  # black outside of the image
    again = transform(shown, masks, 5)[1]
    assert np.array_equal(again[:, 0] if channels else again, moved)


@pytest.mark.parametrize("transform", GEOMETRIC, ids=repr)
def test_masks_of_any_layout_move_alike(transform: Transform) -> None:
    images, _ = examples(np.float32, count=5)
    masks = np.random.default_rng(2).integers(0, 4, (5, 9, 7))
    expected, moved = transform(images, masks, 0)
    for kind, array in layouts(masks).items():
        others, same = transform(layouts(images)[kind], array, 0)
        assert_same_bits(others, expected)
        assert_same_bits(same, moved)


MOVING = [*GEOMETRIC, Augment([Noise(), Flip(1.0)])]
SHARES = np.random.default_rng(3).dirichlet(np.ones(4), 40)


@pytest.mark.parametrize("transform", MOVING, ids=repr)
@pytest.mark.parametrize(
    "labels",
    [
        np.eye(4)[np.arange(40) % 4],
        np.eye(4, dtype=np.int64)[np.arange(40) % 4],
        SHARES.astype(np.float32),
        SHARES.astype(">f8"),
        SHARES.astype(np.float16),
        SHARES > 0.25,
        (SHARES > 0.25).astype(np.uint8),
        np.linspace(-3, 3, 40),
        np.zeros((40, 0)),
    ],
    ids=["one-hot", "one-hot integers", "shares", "other byte order", "half", "bools", "several", "numbers", "none"],
)
def test_labels_stay_where_pixels_move(transform: Transform, labels: np.ndarray) -> None:
    images, _ = examples()
    others, same = transform(images, labels, 0)
    assert same is labels
    assert not np.array_equal(others, images)


@pytest.mark.parametrize("transform", MOVING, ids=repr)
@pytest.mark.parametrize(
    "targets",
    [
        np.random.default_rng(4).uniform(0, 9, (40, 4)),
        np.random.default_rng(4).uniform(0, 1, (40, 4)),
        np.random.default_rng(4).integers(0, 9, (40, 4)),
        np.full((40, 4), np.nan),
        np.concatenate([SHARES[:-1], 2 * SHARES[-1:]]),
        np.array([[1.5, -0.5]] * 40),
    ],
    ids=["boxes", "boxes from 0 to 1", "boxes of integers", "nan", "one row", "negative"],
)
def test_points_and_boxes_are_refused_where_pixels_move(transform: Transform, targets: np.ndarray) -> None:
    text = r"expected a label for each image, .* points and boxes would not be moved with the images\. Pass a"
    with pytest.raises(ValueError, match=text):
        transform(examples()[0], targets, 0)


@pytest.mark.parametrize("transform", INTENSITY, ids=repr)
@pytest.mark.parametrize("shape", [(3, 9, 7), (9, 7), (4, 2)], ids=["images", "masks", "points"])
def test_a_change_of_intensity_leaves_targets_alone(transform: Transform, shape: tuple[int, ...]) -> None:
    images, _ = examples(np.float32)
    targets = np.ones((len(images), *shape), np.float32)
    assert Augment([transform])(images, targets, 0)[1] is targets
    assert (targets == 1).all()


def test_an_augmentation_moves_masks_through_all_its_transforms() -> None:
    images, _ = examples()
    masks = images[:, 1].astype(np.int64)
    others, moved = Augment([PadCrop(2), Cutout(0), Flip(), Augment([PadCrop(1, mode="reflect")])])(images, masks, 3)
    assert np.array_equal(moved, others[:, 1])
    noisy, moved = Augment([Flip(), Noise()])(images, masks, 3)
    assert np.array_equal(moved, Flip()(images, masks, 3)[1])
    assert not np.array_equal(noisy[:, 1], moved)


@pytest.mark.parametrize("transform", GEOMETRIC, ids=repr)
@pytest.mark.parametrize(
    ("targets", "error", "text"),
    [
        (
            np.zeros((40, 4, 2)),
            ValueError,
            r"masks \(40, 9, 7\) or pictures \(40, C, 9, 7\) .*, got targets \(40, 4, 2\)",
        ),
        (np.zeros((40, 3, 18, 14)), ValueError, r"got targets \(40, 3, 18, 14\)"),
        (np.zeros((39, 9, 7), int), ValueError, r"got targets \(39, 9, 7\)"),
        (np.zeros((40, 1, 1, 9, 7)), ValueError, r"got targets \(40, 1, 1, 9, 7\)"),
        (np.zeros((40, 9, 7), np.float16), TypeError, "pictures of uint8, float32 or float64, got float16"),
    ],
    ids=["points", "larger", "fewer", "volumes", "half"],
)
def test_other_targets_with_places_are_refused(
    transform: Transform, targets: np.ndarray, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        transform(examples()[0], targets, 0)


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
    with pytest.raises(NotImplementedError, match="GeometricTransform is incomplete: implement _moved"):
        GeometricTransform()(images, labels, 0)
    with pytest.raises(
        ValueError, match=r"^Negative: expected one label .*, got targets \(40, 9, 7\), .* moves = False"
    ):
        Negative()(images, images[:, 0], 0)


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
