"""Targets of a data set: classes, several labels, masks, numbers."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Adam, BinaryCrossEntropy, Dense, Flatten, MeanSquaredError, Sequential, Trainer
from numpycnn.data import Dataset
from tests.helpers import assert_same_bits

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 1, 2, 3), dtype=np.uint8)
NAMES = ("red", "round", "large")
SEVERAL = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.bool_, np.float32])
def test_several_labels(kind: Any) -> None:
    data = Dataset(IMAGES, SEVERAL.astype(kind), NAMES)
    assert data.labels.dtype == np.uint8
    assert np.array_equal(data.labels, SEVERAL)
    assert np.array_equal(data.batch([4, 2])[1], SEVERAL[[4, 2]])
    assert np.array_equal(data[::2].labels, SEVERAL[::2])
    assert repr(data) == "Dataset('dataset': 6 images of shape (1, 2, 3), 3 classes)"


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 1, 2, 3)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_to_predict(shape: tuple[int, ...], kind: Any) -> None:
    targets = np.random.default_rng(1).normal(size=shape).astype(kind)
    data = Dataset(IMAGES, targets)
    assert data.labels is targets
    assert data.class_names == ()
    assert np.array_equal(data.batch([5, 0])[1], targets[[5, 0]])
    first, second = data.split(2)
    assert sorted(np.concatenate([first.labels, second.labels]).ravel()) == sorted(targets.ravel())
    assert repr(data) == f"Dataset('dataset': 6 images of shape (1, 2, 3), targets of shape {shape[1:]})"
    assert data.describe()["class_names"] == []
    assert len(data[:0]) == 0


def test_masks() -> None:
    masks = np.random.default_rng(1).integers(0, 3, (6, 2, 3)).astype(np.uint8)
    masks[0, 0, 0] = 255  # a pixel without a label, for ignore_index
    data = Dataset(IMAGES, masks, NAMES)
    assert data.labels is masks
    assert np.array_equal(data.batch([3, 1])[1], masks[[3, 1]])


def test_numbers_and_several_labels_train() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(64, 3)).astype(np.float32)
    for targets, names, loss in (
        (2 * features[:, 0] - 1, (), MeanSquaredError()),
        (features > 0, NAMES, BinaryCrossEntropy()),
    ):
        data = Dataset(features, targets, names)
        model = Sequential([Flatten(), Dense(1 if not names else 3)], input_shape=(3,), seed=0)
        trainer = Trainer(model, loss=loss, optimizer=Adam(lr=0.1))
        trainer.fit(data, epochs=40, batch_size=16, validation=data, progress=False)
        assert trainer.history.records[-1]["val_loss"] < 0.2
        assert "accuracy" not in trainer.history.records[-1]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array([0, 2, 1, 1, 0, 2]), NAMES),
        (SEVERAL, NAMES),
        (np.random.default_rng(1).integers(0, 3, (6, 2, 3)), NAMES),
        (np.random.default_rng(1).normal(size=(6, 2)), ()),
    ],
    ids=["classes", "several", "masks", "numbers"],
)
def test_targets_in_another_byte_order(labels: np.ndarray, names: Any, tmp_path: Path) -> None:
    swapped = labels.astype(labels.dtype.newbyteorder())
    np.save(tmp_path / "labels.npy", swapped)
    expected = Dataset(IMAGES, labels, names).batch([4, 2])[1]
    for given in (swapped, np.load(tmp_path / "labels.npy", mmap_mode="r")):
        found = Dataset(IMAGES, given, names).batch([4, 2])[1]
        assert found.dtype.isnative
        assert_same_bits(found, expected)
    with pytest.raises(TypeError, match="Dataset 'dataset': expected labels without a mask, got a masked array"):
        Dataset(IMAGES, np.ma.array(labels), names)


@pytest.mark.parametrize("labels", [SEVERAL, np.zeros((6, 2, 3), np.uint8), np.zeros(6)])
def test_only_classes_can_be_stratified(labels: np.ndarray) -> None:
    data = Dataset(IMAGES, labels, NAMES if labels.dtype.kind != "f" else ())
    with pytest.raises(ValueError, match="Dataset 'dataset': expected one class for each image for stratified=True"):
        data.split(2, stratified=True)


@pytest.mark.parametrize(
    ("labels", "names", "error", "text"),
    [
        (np.arange(6), (), TypeError, "integer labels are classes and need class_names, got none; numbers to predict"),
        (np.zeros(6), NAMES, TypeError, "labels must be integers (class numbers), got float64; leave class_names out"),
        (np.zeros(6, bool), NAMES, TypeError, "labels must be integers (class numbers), got bool"),
        (np.array(["a"] * 6), NAMES, TypeError, "labels must be integers (class numbers), got <U1"),
        (
            2 * SEVERAL,
            NAMES,
            ValueError,
            "labels of shape (6, 3) must be 0 or 1 for each class, got labels from 0 to 2",
        ),
        (SEVERAL / 2, NAMES, ValueError, "must be 0 or 1 for each class, got labels from 0.0 to 0.5"),
        (
            SEVERAL[:, :2],
            NAMES,
            ValueError,
            "shape (6,), or 0 or 1 for each class, shape (6, 3), got labels of shape (6, 2)",
        ),
        (np.zeros(5), (), ValueError, "expected one target per image, shape (6,), got labels of shape (5,)"),
        (
            np.zeros((5, 2, 3), int),
            NAMES,
            ValueError,
            "expected one label per image, shape (6,), got labels of shape (5, 2, 3)",
        ),
    ],
)
def test_other_targets_are_refused(labels: Any, names: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        Dataset(IMAGES, labels, names)
