import re
from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import Augment, Flip, PadCrop
from numpycnn.data.dataset import Dataset
from numpycnn.data.rows import Rows
from numpycnn.training.batches import Part, as_data, check_augmentation, epoch_order, hold_out, prepare
from numpycnn.training.streams import training_data


def test_a_pair_of_arrays_is_data() -> None:
    x, target = np.arange(12.0).reshape(6, 2), [5, 4, 3, 2, 1, 0]
    data = as_data((x, target), "train")
    assert len(data) == 6
    rows, targets = data.batch(np.array([4, 1]), np.float32)
    assert rows.tolist() == [[8, 9], [2, 3]]
    assert rows.dtype == np.float64  # the model says what is wrong with that
    assert targets.tolist() == [1, 4]


def test_a_dataset_is_used_unchanged() -> None:
    data = Dataset(np.zeros((3, 1, 2, 2), np.uint8), [0, 1, 0], ("a", "b"))
    assert as_data(data, "train") is data


X = np.zeros((3, 2), np.float32)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (X, TypeError, "train: expected a dataset or arrays (x, target) or (x, target, weight), got ndarray"),
        ([X, X], TypeError, "train: expected a dataset or arrays (x, target) or (x, target, weight), got list"),
        ((X, X, X, X), TypeError, "train: expected a dataset or arrays (x, target) or (x, target, weight), got tuple"),
        (None, TypeError, "train: expected a dataset or arrays (x, target) or (x, target, weight), got NoneType"),
        (Dataset, TypeError, "train: expected a dataset or arrays (x, target) or (x, target, weight), got type"),
        ((X, [0, 1]), ValueError, "train: expected as many targets as inputs, got inputs (3, 2) and targets (2,)"),
        ((X, 1), ValueError, "train: expected as many targets as inputs, got inputs (3, 2) and targets ()"),
        ((None, [1]), ValueError, "train: expected as many targets as inputs, got inputs () and targets (1,)"),
        ((X[:0], []), ValueError, "train: expected at least one example, got none"),
    ],
)
def test_anything_else_is_refused(source: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        as_data(source, "train")


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    orders = {(seed, epoch): epoch_order(50, seed, epoch, True) for seed in (0, 1) for epoch in (0, 1, 2)}
    for (seed, epoch), order in orders.items():
        assert sorted(order) == list(range(50))
        assert np.array_equal(order, epoch_order(50, seed, epoch, True))
    assert len({order.tobytes() for order in orders.values()}) == len(orders)
    assert epoch_order(4, 3, 2, False).tolist() == [0, 1, 2, 3]


# --------------------------------------------------------------------------------------------------------- augmentation


def pixels() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (12, 2, 4, 5), dtype=np.uint8)
    return Dataset(images, np.arange(12) % 3, ("a", "b", "c"), mean=[0.5, 0.25], std=[0.5, 0.125])


def test_pixels_are_augmented_before_they_are_normalized() -> None:
    data, augment, indices = pixels(), Augment([PadCrop(2), Flip()]), np.array([7, 1, 4])
    x, labels, _ = prepare(data, indices, np.float32, augment, (3, 1, 2))
    expected, _ = augment(data.images[indices], labels, np.random.default_rng((3, 1, 2)))
    assert np.array_equal(x, data.normalize(expected))
    assert (x.min(axis=(0, 2, 3)) == [-1, -2]).all()  # black, at the edges
    assert labels.tolist() == [1, 1, 1]
    plain, *_ = prepare(data, indices, np.float32, None, (3, 1, 2))
    assert np.array_equal(plain, data.batch(indices)[0])


def test_arrays_are_augmented_without_normalization() -> None:
    x = np.arange(12, dtype=np.float64).reshape(3, 1, 2, 2)
    data = as_data((x, np.arange(3)), "train")
    flipped, labels, _ = prepare(data, np.array([2, 0]), np.float64, Flip(1.0), (0,))
    assert np.array_equal(flipped, x[[2, 0], :, :, ::-1])
    assert labels.tolist() == [2, 0]


def test_an_augmentation_keeps_the_number_of_examples() -> None:
    with pytest.raises(ValueError, match="augment: expected as many examples back as were given, 2, got 1"):
        prepare(pixels(), np.array([0, 1]), np.float32, lambda x, y, rng: (x[:1], y), (0,))


def flip_all(x: np.ndarray, y: Any, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
    return x[..., ::-1], y


class Quiet:
    """Without a repr of its own."""

    def __call__(self, x: np.ndarray, y: Any, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
        return x, y


def test_the_name_of_an_augmentation() -> None:
    data = pixels()
    assert check_augmentation(None, data) == ""
    assert check_augmentation(Augment([PadCrop(2), Flip()]), data) == "Augment([PadCrop(2), Flip()])"
    assert check_augmentation(flip_all, data) == "flip_all"
    assert check_augmentation(Quiet(), data) == check_augmentation(Quiet(), data)


class OnlyBatches:
    def __len__(self) -> int:
        return 3

    def batch(self, indices: np.ndarray, dtype: Any) -> None: ...


@pytest.mark.parametrize(
    ("augment", "data", "text"),
    [
        (
            [Flip()],
            pixels(),
            r"augment: expected an augmentation, as in Augment\(\[Flip\(\)\]\), got \[Flip\(\)\]",
        ),
        (Flip, pixels(), r"augment: expected an augmentation, .* got <class .*Flip'>"),
        (Flip(), OnlyBatches(), "augment: expected data with the method take, got OnlyBatches"),
        (
            Flip(),
            Part(OnlyBatches(), np.arange(2)),  # type: ignore[arg-type]
            "augment: expected data with the method take, got OnlyBatches",
        ),
    ],
)
def test_data_that_cannot_be_augmented(augment: Any, data: Any, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{text}$"):
        check_augmentation(augment, data)


@pytest.mark.parametrize("held_out", [False, True])
def test_several_inputs_are_not_augmented(held_out: bool) -> None:
    x = np.zeros((10, 1, 2, 2), np.uint8)
    data = as_data(((x, x), np.arange(10)), "train")
    data = hold_out(data, 0.2, 0)[0] if held_out else data
    with pytest.raises(TypeError, match=r"^augment: expected one input, got several; augment them before$"):
        prepare(data, np.arange(4), np.float32, Flip(), (0, 0, 1))


# ------------------------------------------------------------------------------------------------ held out, and weights


def test_a_share_of_each_class_is_held_out() -> None:
    labels = np.repeat([0, 1], [80, 20])
    x = np.arange(100.0).reshape(100, 1)
    for source in ((x, labels), Dataset(x, labels, ("a", "b"))):
        rest, held = hold_out(as_data(source, "train"), 0.25, seed=3)
        assert (len(rest), len(held)) == (75, 25)
        (x_rest, labels_rest), (x_held, labels_held) = (
            part.batch(np.arange(len(part)), np.float64) for part in (rest, held)
        )
        assert sorted([*x_rest[:, 0], *x_held[:, 0]]) == list(range(100))
        assert (labels_rest.sum(), labels_held.sum()) == (15, 5)
        again = hold_out(as_data(source, "train"), 0.25, seed=3)[1]
        assert np.array_equal(x_held, again.batch(np.arange(25), np.float64)[0])
    assert (rest.noun, rest.describe()["class_names"]) == ("example", ["a", "b"])


@pytest.mark.parametrize("target", [np.zeros((40, 2)), np.linspace(0, 1, 40), (np.zeros(40), np.zeros((40, 2)))])
def test_targets_that_are_not_labels_are_held_out_at_random(target: Any) -> None:
    rest, held = hold_out(as_data((np.zeros((40, 2)), target), "train"), 0.1, seed=0)
    assert (len(rest), len(held)) == (36, 4)


def test_masks_on_disk_are_not_read_to_hold_out_a_share() -> None:
    def read(rows: np.ndarray) -> np.ndarray:
        raise AssertionError("read")

    masks = Rows(read, np.arange(10), (4, 3), np.uint8)
    data = Dataset(np.zeros((10, 1, 4, 3), np.uint8), masks, ("background", "cat"))  # type: ignore[arg-type]
    rest, held = hold_out(data, 0.3, seed=0)
    assert sorted([*rest.indices, *held.indices]) == list(range(10))
    assert (len(rest), len(held)) == (7, 3)


@pytest.mark.parametrize(
    ("share", "error", "text"),
    [
        (0, ValueError, "fit: expected a share for validation that leaves examples in both parts, got 0 of 3"),
        (0.1, ValueError, "fit: expected a share for validation that leaves examples in both parts, got 0.1 of 3"),
        (0.99, ValueError, "fit: expected a share for validation that leaves examples in both parts, got 0.99 of 3"),
        (1.0, ValueError, "fit: expected validation to be at least 0 and below 1, got 1"),
        (-0.1, ValueError, "fit: expected validation to be at least 0 and below 1, got -0.1"),
        (True, TypeError, "fit: expected validation to be a number, got bool True"),
    ],
)
def test_a_share_that_leaves_nothing_is_refused(share: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        training_data((X, [0, 1, 0]), share, seed=0, epochs=1)


def test_weights_go_with_their_examples() -> None:
    weight = np.array([3, 1, 2])
    data = as_data((np.arange(3.0), [0, 1, 0], weight), "train")
    x, _, found = prepare(data, np.array([2, 0]), np.float64, None, (0,))
    assert (x.tolist(), found.tolist()) == ([2, 0], [2, 3])
    _, _, found = prepare(data, np.array([2, 0]), np.float64, flip_all, (0,))
    assert found.tolist() == [2, 3]
    _, held = hold_out(as_data((np.arange(10.0), np.zeros((10, 1)), np.arange(10)), "train"), 0.5, seed=0)
    x, _, found = held.batch(np.arange(5), np.float64)
    assert np.array_equal(x, found)


@pytest.mark.parametrize(
    ("weight", "error", "text"),
    [
        ([1, 2], ValueError, "train: expected the weights (3,), got (2,)"),
        ([1, 2, -1], ValueError, "train: expected the weights to be finite and at least 0, got -1"),
        (["a", "b", "c"], TypeError, "train: expected the weights to hold numbers, got <U1"),
    ],
)
def test_wrong_weights_are_refused(weight: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        as_data((X, [0, 1, 0], weight), "train")
