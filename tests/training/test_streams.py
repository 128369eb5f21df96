"""Training on iterables of batches: what they can do, and what is refused."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Trainer
from numpycnn.data.augment import Noise
from numpycnn.training import find_learning_rate
from numpycnn.training.batches import TrainingState
from numpycnn.training.streams import Stream, as_source, epoch_batches
from tests.training import small

X, LABELS = small.points(44)
SIZE = 8


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for begin in range(0, len(X), SIZE):
        yield X[begin : begin + SIZE], LABELS[begin : begin + SIZE]


def train(source: Any, trainer: Trainer | None = None, *, epochs: int = 3, **settings: Any) -> Trainer:
    trainer = small.plain() if trainer is None else trainer
    trainer.fit(source, epochs=epochs, **({"batch_size": SIZE, "progress": False} | settings))
    return trainer


def reused() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches in arrays that are overwritten, which must not reach those that were made ahead."""
    for x, labels in batches():
        arrays = x.copy(), labels.copy()
        yield arrays
        arrays[0][:] = np.nan


class Again:
    """An object that can be iterated again."""

    def __iter__(self) -> Iterator[Any]:
        return batches()


@pytest.mark.parametrize("ahead", [0, 1, 3])
@pytest.mark.parametrize(
    "source", [batches, reused, Again(), list(batches()), lambda: [[x, y.tolist()] for x, y in batches()]]
)
def test_an_iterable_trains_like_the_same_arrays_in_order(source: Any, ahead: int) -> None:
    expected = train((X, LABELS), shuffle=False, validation=(X, LABELS))
    trainer = train(source, prefetch=ahead, validation=source)
    assert small.bits(trainer.model.state()) == small.bits(expected.model.state())
    for ours, theirs in zip(trainer.history.records, expected.history.records, strict=True):
        assert ours["loss"] == theirs["loss"]
        assert (ours["accuracy"], ours["val_accuracy"]) == (theirs["accuracy"], theirs["val_accuracy"])
        assert ours["val_loss"] == pytest.approx(theirs["val_loss"], rel=1e-6)


@pytest.mark.parametrize("accumulate", [2, 3, 9])
def test_batches_accumulate_like_those_of_arrays(accumulate: int, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    expected = train((X, LABELS), shuffle=False, accumulate=accumulate)
    saved = small.plain([small.At(expected.optimizer.step_count // 3 + 1, lambda trainer: trainer.save(path))])
    trainer = train(batches, saved, accumulate=accumulate)
    assert small.bits(trainer.model.state()) == small.bits(expected.model.state())
    assert trainer.optimizer.step_count == 3 * -(-6 // accumulate)
    resumed = Trainer.resume(path)
    with pytest.warns(UserWarning, match="resumed exactly only"):
        train(batches, resumed, accumulate=accumulate)
    assert small.bits(resumed.model.state()) == small.bits(expected.model.state())


def test_a_data_loader(torch: Any) -> None:
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(LABELS))
    trainer = train(torch.utils.data.DataLoader(data, batch_size=SIZE))
    expected = train((X, LABELS), shuffle=False)
    assert small.bits(trainer.model.state()) == small.bits(expected.model.state())


def test_weights_of_the_examples() -> None:
    weight = np.random.default_rng(1).uniform(0.5, 2, len(X))

    def weighted() -> Iterator[Any]:
        for begin, (x, labels) in zip(range(0, len(X), SIZE), batches(), strict=True):
            yield x, labels, weight[begin : begin + SIZE]

    expected = train((X, LABELS, weight), shuffle=False)
    assert small.bits(train(weighted).model.state()) == small.bits(expected.model.state())
    assert small.bits(train(list(weighted())).model.state()) == small.bits(expected.model.state())
    ours, theirs = expected.evaluate(weighted), expected.evaluate((X, LABELS, weight))
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6)
    assert ours["loss"] != pytest.approx(expected.evaluate(batches)["loss"], rel=1e-3)


def test_several_inputs_in_a_batch() -> None:
    stream = Stream([((X[:4], X[4:8]), LABELS[:4]), ([X[:4], X[4:8]], LABELS[:4])], "train")
    for x, target, weight in stream:
        assert weight is None
        assert isinstance(x, tuple)
        assert [part.tolist() for part in x] == [X[:4].tolist(), X[4:8].tolist()]
        assert target.tolist() == LABELS[:4].tolist()


def test_augmentation_depends_on_seed_epoch_and_batch() -> None:
    augment = Noise(0.1)
    found = list(
        epoch_batches(
            Stream(batches, "train"), TrainingState(epoch=2), seed=5, dtype=np.float32, augment=augment, ahead=2
        )
    )
    for number, ((x, _, _), (plain, labels)) in enumerate(zip(found, batches(), strict=True), 1):
        assert np.array_equal(x, augment(plain, labels, np.random.default_rng((5, 2, number)))[0])
    with pytest.raises(ValueError, match="augment: expected as many examples back as were given, 8, got 1"):
        train(batches, augment=lambda x, y, rng: (x[:1], y))


def test_a_generator_gives_one_epoch() -> None:
    train(batches(), epochs=1)
    text = "train: expected batches for 2 epochs; a generator gives its batches once; pass a function that makes one"
    with pytest.raises(ValueError, match=re.escape(text)):
        train(batches(), epochs=2)
    used = batches()
    train(used, epochs=1)
    with pytest.raises(ValueError, match="train: expected at least one batch, got none; a generator gives its batches"):
        train(used, epochs=1)
    text = "validation: expected batches for 3 epochs; a generator gives its batches once"
    for source in ((X, LABELS), batches):
        with pytest.raises(ValueError, match=text):
            train(source, validation=batches())
    assert "val_loss" in train((X, LABELS), validation=batches(), epochs=1).history.records[0]
    with pytest.raises(ValueError, match=r"evaluate: expected at least one batch, got none$"):
        small.plain().evaluate(lambda: [])
    with pytest.raises(TypeError, match=r"train: expected a function that returns an iterable .* NoneType$"):
        train(lambda: None)


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"shuffle": True}, "has its own order and batches; shuffle in the iterable"),
        ({"drop_last": True}, "has its own order and batches; leave the batch out in the iterable"),
        ({"validation": 0.1}, "has an unknown number of examples; pass a second iterable as validation"),
    ],
)
def test_what_an_iterable_cannot_do_is_refused(settings: dict[str, Any], remedy: str) -> None:
    name, value = next(iter(settings.items()))
    text = f"fit: {name}={value} needs a data set, an iterable of batches {remedy}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        train(batches, **settings)


def test_the_search_for_a_rate_needs_a_data_set() -> None:
    with pytest.raises(TypeError, match="train: expected a dataset or arrays"):
        find_learning_rate(small.dense(), batches, loss=small.plain().loss, optimizer=small.plain().optimizer)


def test_a_resumed_training_says_that_it_may_differ(tmp_path: Path) -> None:
    path, expected = tmp_path / "checkpoint.safetensors", train(batches)
    for step, epochs in ((8, 3), (6, 1)):  # within the second epoch, and at the end of the first one
        trainer = small.plain([small.At(step, lambda trainer: trainer.save(path))])
        train(batches, trainer, epochs=epochs)
        if epochs == 1:
            trainer.save(path)
        resumed = Trainer.resume(path)
        with pytest.warns(UserWarning, match=r"^fit: a training on an iterable of batches is resumed exactly only if"):
            train(batches, resumed)
        assert small.bits(resumed.model.state()) == small.bits(expected.model.state())
        assert small.without_times(resumed.history.records) == small.without_times(expected.history.records)


def test_going_on_in_the_same_process_is_not_a_resumption() -> None:
    trainer = train(batches, epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(batches, trainer, epochs=2)


def test_a_shorter_iterable_cannot_continue_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    train(batches, small.plain([small.At(4, lambda trainer: trainer.save(path))]), epochs=1)
    resumed = Trainer.resume(path)
    with (
        pytest.warns(UserWarning, match="resumed exactly only"),
        pytest.raises(ValueError, match="train: expected first batches of the 32 examples trained already"),
    ):
        train(list(batches())[:3], resumed)
    with (
        pytest.warns(UserWarning, match="resumed exactly only"),
        pytest.raises(ValueError, match="batches of the 32 examples trained already, got others"),
    ):
        train(lambda: ((X[begin : begin + 7], LABELS[begin : begin + 7]) for begin in range(0, 44, 7)), resumed)
    with pytest.raises(
        ValueError, match=r"within an epoch of an iterable of batches; .* got 44 examples in batches of"
    ):
        train((X, LABELS), Trainer.resume(path))


def test_the_position_in_an_iterable_survives_json() -> None:
    place = TrainingState(epoch=1, batch=3, shuffle=False, seen=19, sums={"loss": [[38.0, 19.0]]})
    assert TrainingState.from_json(place.to_json()) == place
    for changed in ({"seen": 2}, {"batch": 0}):
        with pytest.raises(ValueError, match="expected a place within the data"):
            TrainingState.from_json(place.to_json() | changed)


@pytest.mark.parametrize(
    ("item", "error", "text"),
    [
        (X, TypeError, "train: expected each batch as (x, target) or (x, target, weight), got ndarray"),
        ((X,), TypeError, "train: expected each batch as (x, target) or (x, target, weight), got tuple of 1"),
        ((X, LABELS, LABELS - 1), ValueError, "train: expected the weights to be finite and at least 0, got -1"),
        ((X, LABELS, X), ValueError, "train: expected the weights (44,), got (44, 2)"),
        ({"image": X}, TypeError, "train: expected each batch as (x, target) or (x, target, weight), got dict"),
        (
            (X, LABELS[:3]),
            ValueError,
            "train: expected as many targets as inputs in a batch, at least one, got 3 and 44",
        ),
        ((X[:0], LABELS[:0]), ValueError, "train: expected as many targets as inputs in a batch, at least one, got 0"),
        ((np.ma.array(X), LABELS), TypeError, "train: expected inputs without a mask, got a masked array"),
    ],
)
def test_other_batches_are_refused(item: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}"):
        train(lambda: [item])


@pytest.mark.parametrize("source", [X, [X, X], (X, X, X, X), {"x": X}, "batches", None, 3, Again, []], ids=str)
def test_what_is_not_an_iterable_of_batches(source: Any) -> None:
    text = r"train: expected a dataset or arrays .*, or an iterable of such batches, got "
    with pytest.raises(TypeError, match=text):
        as_source(source, "train")


def test_an_error_of_the_iterable_is_raised_in_its_turn() -> None:
    def broken() -> Iterator[Any]:
        yield from list(batches())[:2]
        raise OSError("disk full")

    trainer = small.plain()
    with pytest.raises(OSError, match="disk full"):
        train(broken, trainer)
    assert trainer.progress.batch == 2
