"""The average follows the formula, is used for validation and best models, and survives an interruption."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from numpycnn import Trainer, load_model
from numpycnn.training import Callback, EarlyStopping, ModelCheckpoint, WeightAverage
from tests.training import small


class States(Callback):
    """Records the weights after each step, before any other callback sees them."""

    order = -1000

    def __init__(self) -> None:
        self.states: list[dict[str, np.ndarray]] = []

    def on_batch_end(self, trainer: Trainer) -> None:
        self.states.append({name: array.copy() for name, array in trainer.model.state().items()})


def averaged(start: dict[str, np.ndarray], states: Sequence[dict[str, np.ndarray]], decay: float) -> dict:
    average = {name: array.astype(np.float64) for name, array in start.items()}
    for t, state in enumerate(states, start=1):
        d = min(decay, (1 + t) / (10 + t))
        average = {name: d * array + (1 - d) * state[name] for name, array in average.items()}
    return average


def close(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert actual.keys() == expected.keys()
    for name, array in actual.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


def trained(*callbacks: Callback) -> Trainer:
    return small.fit(small.plain(callbacks, model=small.network()))


def copied(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in arrays.items()}


@pytest.mark.parametrize(("decay", "every"), [(0.5, 1), (0.9, 1), (0.9, 4)])
def test_the_formula_for_weights_and_running_statistics(decay: float, every: int) -> None:
    states, average = States(), WeightAverage(decay, every=every)
    start = copied(small.network().state())
    trainer = trained(states, average)
    assert len(states.states) == small.BATCHES * small.EPOCHS
    assert any("running_mean" in name for name in average.averages)
    close(trainer.model.state(), averaged(start, states.states[every - 1 :: every], decay))


def test_averaging_does_not_change_the_steps() -> None:
    with_it, without = States(), States()
    trained(with_it, WeightAverage(0.9))
    trained(without)
    for one, other in zip(with_it.states, without.states, strict=True):
        assert small.bits(one) == small.bits(other)


def test_validation_uses_the_average() -> None:
    trainer = trained(WeightAverage(0.9))
    found = trainer.evaluate(small.pictures(20, seed=1))
    last = trainer.history.records[-1]
    assert (last["val_loss"], last["val_accuracy"]) == (found["loss"], found["accuracy"])
    assert found["loss"] != trained().evaluate(small.pictures(20, seed=1))["loss"]


def test_the_best_model_is_an_average_and_early_stopping_restores_it(tmp_path: Path) -> None:
    best = ModelCheckpoint(tmp_path / "average.safetensors", best="loss")
    stopping = EarlyStopping("loss", patience=50)
    average = WeightAverage(0.9)
    trainer = small.plain([best, stopping, average])
    trainer.fit(small.points(), epochs=4, progress=False)
    loaded = load_model(tmp_path / "average.safetensors").state()
    assert small.bits(loaded) == small.bits(average.averages) == small.bits(trainer.model.state())


def test_more_epochs_continue_with_the_weights() -> None:
    once, often = small.plain([WeightAverage(0.9)]), small.plain([WeightAverage(0.9)])
    once.fit(small.points(), epochs=6, progress=False)
    for epochs in (1, 2, 6):
        often.fit(small.points(), epochs=epochs, progress=False)
        if epochs == 2:
            with pytest.warns(UserWarning, match="nothing left to train"):
                often.fit(small.points(), epochs=epochs, progress=False)
    assert small.fingerprint(often) == small.fingerprint(once)


def test_a_finished_training_continues_with_the_weights_after_a_file(tmp_path: Path) -> None:
    """The model in the file has the averages, and further epochs give the result of a single training."""
    once = small.fit(small.plain([WeightAverage(0.9)], model=small.network()))
    trainer = small.plain([WeightAverage(0.9)], model=small.network())
    settings = {"batch_size": small.BATCH_SIZE, "augment": small.AUGMENT, "progress": False}
    trainer.fit(small.pictures(), epochs=small.EPOCHS - 1, **settings)  # type: ignore[arg-type]
    trainer.save(tmp_path / "ended.safetensors")
    resumed = Trainer.resume(tmp_path / "ended.safetensors", callbacks=[WeightAverage(0.9)])
    assert small.bits(resumed.model.state()) == small.bits(trainer.model.state())
    assert small.bits(small.fit(resumed).model.state()) == small.bits(once.model.state())


def test_a_second_training_starts_a_new_average() -> None:
    average = WeightAverage(0.9)
    first = small.fingerprint(trained(average))
    assert small.fingerprint(trained(average)) == first


def test_resumed_from_any_batch_gives_the_same_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    files = []

    class SaveAll(ModelCheckpoint):
        order = 200

        def on_batch_end(self, trainer: Trainer) -> None:
            files.append(tmp_path / f"{trainer.optimizer.step_count}.safetensors")
            trainer.save(files[-1])

    more = [WeightAverage(0.9, every=4), SaveAll(tmp_path / "last")]
    unbroken = small.fit(small.new_trainer(tmp_path, "sgd", more=more))
    expected = small.bits(unbroken.model.state())
    for file in [*files[::5], tmp_path / "last"]:
        resumed = small.fit(small.go_on(tmp_path, "sgd", file=file, more=[WeightAverage(0.9, every=4)]))
        assert small.bits(resumed.model.state()) == expected
        assert small.without_times(resumed.history.records) == small.without_times(unbroken.history.records)


def test_after_a_failed_validation_the_training_continues_with_its_weights() -> None:
    class Fails(Callback):
        armed = True

        def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
            if self.armed and record["epoch"] == 2:
                self.armed = False
                raise RuntimeError("a defect")

    broken, whole = small.plain([WeightAverage(0.9), Fails()]), small.plain([WeightAverage(0.9)])
    with pytest.raises(RuntimeError, match="a defect"):
        broken.fit(small.points(), epochs=3, progress=False)
    broken.fit(small.points(), epochs=3, progress=False)
    whole.fit(small.points(), epochs=3, progress=False)
    assert small.bits(broken.model.state()) == small.bits(whole.model.state())


def test_averages_of_another_model() -> None:
    average = WeightAverage(0.9)
    average.load_state({"updates": 1}, {"0.weight": np.zeros((3, 3), np.float32)})
    trainer = small.plain([average])
    trainer.progress.epoch = 1
    with pytest.raises(ValueError, match="WeightAverage: expected the averages of this model's weights"):
        trainer.fit(small.points(), epochs=2, progress=False)


@pytest.mark.parametrize(("settings", "text"), [({"decay": 1.0}, "decay"), ({"every": 0}, "every")])
def test_invalid_settings(settings: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        WeightAverage(**settings)  # type: ignore[arg-type]
