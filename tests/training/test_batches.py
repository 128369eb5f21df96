import re
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import Augment, Flip, PadCrop
from numpycnn.data.dataset import Dataset
from numpycnn.training.batches import TrainingState, as_data, check_augmentation, epoch_order, prepare


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
        (X, TypeError, "train: expected a dataset or a pair of arrays (x, target), got ndarray"),
        ([X, X], TypeError, "train: expected a dataset or a pair of arrays (x, target), got list"),
        ((X, X, X), TypeError, "train: expected a dataset or a pair of arrays (x, target), got tuple"),
        (None, TypeError, "train: expected a dataset or a pair of arrays (x, target), got NoneType"),
        (Dataset, TypeError, "train: expected a dataset or a pair of arrays (x, target), got type"),
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
    x, labels = prepare(data, indices, np.float32, augment, (3, 1, 2))
    expected, _ = augment(data.images[indices], labels, np.random.default_rng((3, 1, 2)))
    assert np.array_equal(x, data.normalize(expected))
    assert (x.min(axis=(0, 2, 3)) == [-1, -2]).all()  # black, at the edges
    assert labels.tolist() == [1, 1, 1]
    plain, _ = prepare(data, indices, np.float32, None, (3, 1, 2))
    assert np.array_equal(plain, data.batch(indices)[0])


def test_arrays_are_augmented_without_normalization() -> None:
    x = np.arange(12, dtype=np.float64).reshape(3, 1, 2, 2)
    data = as_data((x, np.arange(3)), "train")
    flipped, labels = prepare(data, np.array([2, 0]), np.float64, Flip(1.0), (0,))
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
            r"fit: expected augment to be an augmentation, as in Augment\(\[Flip\(\)\]\), got \[Flip\(\)\]",
        ),
        (Flip, pixels(), r"fit: expected augment to be an augmentation, .* got <class .*Flip'>"),
        (Flip(), OnlyBatches(), "fit: expected data with the method take to augment it, got OnlyBatches"),
    ],
)
def test_data_that_cannot_be_augmented(augment: Any, data: Any, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{text}$"):
        check_augmentation(augment, data)


# ---------------------------------------------------------------------------------------------- a place in the training


PLACE = TrainingState(
    epoch=3, batch=2, batch_size=8, examples=20, loss_sum=12.5, correct=9, seen=16, labelled=True, lr=0.1
)


def test_a_position_survives_json() -> None:
    assert TrainingState.from_json(PLACE.to_json()) == PLACE
    assert TrainingState.from_json(TrainingState().to_json()) == TrainingState()
    earlier = PLACE.to_json()
    del earlier["drop_last"]  # of an earlier version
    assert TrainingState.from_json(earlier) == PLACE
    last = replace(PLACE, batch=3, seen=20)
    assert TrainingState.from_json(last.to_json()) == last


def test_the_next_epoch_keeps_only_the_data() -> None:
    place = replace(PLACE, shuffle=False, stop_reason="enough")
    assert place.next_epoch() == TrainingState(epoch=4, batch_size=8, examples=20, shuffle=False, stop_reason="enough")


def test_the_start() -> None:
    assert TrainingState().at_start
    assert not replace(TrainingState(), batch=1).at_start
    assert not replace(TrainingState(), epoch=1).at_start


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"batch": True}, "expected batch of the place in the training as int, got True"),
        ({"batch": 2.0}, "expected batch of the place in the training as int, got 2.0"),
        ({"lr": "0.1"}, "expected lr of the place in the training as float, got '0.1'"),
        ({"loss_sum": None}, "expected loss_sum of the place in the training as float, got None"),
        ({"labelled": 1}, "expected labelled of the place in the training as bool, got 1"),
        ({"stop_reason": 0}, "expected stop_reason of the place in the training as str, got 0"),
        ({"correct": -1}, "expected correct of the place in the training as int, got -1"),
        ({"more": 1}, "expected a place in the training with epoch, batch, batch_size"),
        ({"seen": 15}, "got 15 of 20 examples seen after 2 batches of 8"),
        ({"batch": 3, "seen": 20, "drop_last": True}, "got 20 of 20 examples seen after 3 batches of 8"),
        ({"drop_last": 0}, "expected drop_last of the place in the training as bool, got 0"),
        ({"batch": 3}, "got 16 of 20 examples seen after 3 batches of 8"),
        ({"batch": 0}, "got 16 of 20 examples seen after 0 batches of 8"),
        ({"seen": 0, "batch_size": 0}, "got 0 of 20 examples seen after 2 batches of 0"),
    ],
)
def test_an_impossible_position_is_refused(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TrainingState.from_json(asdict(PLACE) | changed)
