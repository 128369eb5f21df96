"""The attributes of a trainer of one's own are in its checkpoint: models, optimizers, arrays, generators, values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, CrossEntropy, Dense, Sequential, Trainer, load_model
from numpycnn.errors import DataFormatError
from numpycnn.layers.building import seed_generators
from numpycnn.training.attributes import OWN
from tests.training import own, small


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
    again = resumed(holder(**values, h=np.float32(0.25), i=(1, 2), j=CrossEntropy(label_smoothing=0.5)), tmp_path)
    assert {name: getattr(again, name) for name in values} == values
    assert (again.h, again.i, repr(again.j)) == (0.25, [1, 2], "CrossEntropy(label_smoothing=0.5)")


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


def test_models_with_common_layers_are_not_saved(tmp_path: Path) -> None:
    trainer = holder()
    trainer.body = Sequential([trainer.model[0]], input_shape=(2,))  # type: ignore[attr-defined]
    text = r"Holder\.body: expected models without common layers to save, got Dense\(.*\) in model and body; keep"
    with pytest.raises(TypeError, match=text):
        trainer.save(tmp_path / "file")


@pytest.mark.parametrize("value", [object(), Dense(3), {1: 2}, [small.dense()], np.random.SeedSequence(0)])
def test_anything_else_is_not_saved(value: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"Holder\.thing: expected a model, an optimizer, a loss, an array, .* got"):
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
