"""The attributes of a trainer of one's own are in its checkpoint: models, optimizers, arrays, generators, values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, CrossEntropy, Dense, Sequential, Trainer, load_model
from numpycnn.errors import DataFormatError
from numpycnn.layers.building import seed_generators
from numpycnn.metrics import ROCAUC, Accuracy, MeanAbsoluteError
from numpycnn.training.attributes import BIT_GENERATORS, OWN
from tests.training import own, small


class OwnBits(np.random.PCG64):
    """A bit generator of one's own."""


class Holder(Trainer):
    """Holds whatever it is given."""


def holder(**attributes: Any) -> Holder:
    trainer = Holder(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1))
    vars(trainer).update(attributes)
    return trainer


def resumed(trainer: Trainer, folder: Path) -> Any:
    trainer.save(folder / "file")
    return type(trainer).resume(folder / "file")


def test_a_plain_trainer_has_no_further_attributes() -> None:
    assert set(vars(small.plain())) == set(OWN)


def test_values_are_restored(tmp_path: Path) -> None:
    values = {"a": 1, "b": 0.5, "c": "text", "d": None, "e": True, "f": [1, [2.0]], "g": {"x": 1, "y": [None]}}
    values |= {"tuples": (1, (2,), [(3, "x")], {"y": ()}), "numbers": [np.float32(0.25), {"n": np.int64(3)}]}
    again = resumed(holder(**values, h=np.float32(0.25), j=CrossEntropy(label_smoothing=0.5)), tmp_path)
    assert {name: getattr(again, name) for name in values} == values
    assert (again.h, repr(again.j)) == (0.25, "CrossEntropy(label_smoothing=0.5)")


def test_arrays_and_generators_are_restored(tmp_path: Path) -> None:
    array, rng = np.arange(6, dtype=np.int32).reshape(2, 3), np.random.default_rng(5)
    rng.normal(size=3)
    again = resumed(holder(array=array, rng=rng), tmp_path)
    np.testing.assert_array_equal(again.array, array)
    assert again.array.dtype == np.int32
    again.array[...] = 0  # not a view of the file
    assert again.rng.normal() == rng.normal()


def test_an_object_with_two_names_is_one_object(tmp_path: Path) -> None:
    trainer, other = holder(), small.dense(seed=3)
    vars(trainer).update(network=trainer.model, first=other, second=other, steps=trainer.optimizer)
    again = resumed(trainer, tmp_path)
    assert again.network is again.model
    assert again.first is again.second
    assert again.steps is again.optimizer


@pytest.mark.parametrize("kind", BIT_GENERATORS.values())
def test_each_kind_of_generator_goes_on(kind: Any, tmp_path: Path) -> None:
    rng = np.random.Generator(kind(3))
    rng.integers(0, 9, 3, dtype=np.int32)  # leaves half of a 64-bit number
    again = resumed(holder(rng=rng), tmp_path)
    np.testing.assert_array_equal(again.rng.integers(0, 9, 9, dtype=np.int32), rng.integers(0, 9, 9, dtype=np.int32))


def test_a_metric_keeps_its_batches(tmp_path: Path) -> None:
    """Also one with the name of a loss, and one that has arrays of another kind."""
    error, area = MeanAbsoluteError(), ROCAUC()
    error.update(np.array([[1.0]]), np.array([[4.0]]))
    area.update(np.array([0.2, 0.9, 0.4]), np.array([0, 0, 1]))
    again = resumed(holder(error=error, area=area), tmp_path)
    assert isinstance(again.error, MeanAbsoluteError)
    again.error.update(np.array([[0.0]]), np.array([[1.0]]))
    assert (again.error.result(), again.area.result()) == (2.0, 0.5)


def test_arrays_generators_and_metrics_with_two_names_are_one_object(tmp_path: Path) -> None:
    metrics = [Accuracy(), Accuracy(name="other")]
    trainer = Holder(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1), metrics=metrics)
    array, rng, error = np.zeros(3), np.random.default_rng(0), MeanAbsoluteError()
    vars(trainer).update(a=array, b=array, c=rng, d=rng, e=error, f=error, hits=metrics[1])
    again = resumed(trainer, tmp_path)
    assert again.a is again.b
    assert again.c is again.d
    assert again.e is again.f
    assert again.hits is again.scores.parts[1][1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros(2, complex), "an array of bools, or of numbers of at most 64 bits, got complex128"),
        (np.array(["a"]), "an array of bools, .* got <U1"),
        (np.zeros(2, np.longdouble), "an array of bools, .* got "),
        (np.ma.masked_equal([1, 2], 2), "the array without a mask"),
        (np.random.Generator(OwnBits()), "a generator of PCG64, .* got one of OwnBits"),
    ],
)
def test_arrays_and_generators_that_a_file_cannot_hold_are_refused(value: Any, text: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=rf"Holder\.thing: expected {text}"):
        holder(thing=value).save(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_models_with_common_layers_are_not_saved(tmp_path: Path) -> None:
    trainer = holder()
    trainer.body = Sequential([trainer.model[0]], input_shape=(2,))  # type: ignore[attr-defined]
    text = r"Holder\.body: expected models without common layers to save, got Dense\(.*\) in model and body; keep"
    with pytest.raises(TypeError, match=text):
        trainer.save(tmp_path / "file")


@pytest.mark.parametrize(
    "value", [object(), Dense(3), {1: 2}, [small.dense()], [SGD(0.1)], {"a": (Accuracy(),)}, np.random.SeedSequence(0)]
)
def test_anything_else_is_not_saved(value: Any, tmp_path: Path) -> None:
    with pytest.raises(
        TypeError, match=r"Holder\.thing: expected a model, an optimizer, a loss, a metric, an array, .* got"
    ):
        holder(thing=value).save(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_training_is_resumed_by_its_own_class(tmp_path: Path) -> None:
    own.VAE().save(tmp_path / "file")
    text = r"expected the training of a Trainer, got that of a VAE; write VAE\.resume\(\.\.\.\)"
    with pytest.raises(DataFormatError, match=text):
        Trainer.resume(tmp_path / "file")


def test_a_loaded_model_gets_random_streams_of_its_own(tmp_path: Path) -> None:
    """The masks of both models depend on the seed, and differ."""
    small.network().save(tmp_path / "model")
    trainer = Holder(load_model(tmp_path / "model"), loss=CrossEntropy(), optimizer=SGD(0.1), seed=5)
    trainer.other = load_model(tmp_path / "model")  # type: ignore[attr-defined]
    trainer.fit(small.pictures(), epochs=1, batch_size=44, progress=False)
    again = load_model(tmp_path / "model")
    seed_generators(again, 6)
    states = [
        model.random_generators()["4._rng"].bit_generator.state["state"]
        for model in (trainer.model, trainer.other, again)  # type: ignore[attr-defined]
    ]
    assert states[0] != states[1] == states[2]
