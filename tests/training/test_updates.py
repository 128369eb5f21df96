"""The ratios against recorded weights, also across an interruption."""

from pathlib import Path

import numpy as np
import pytest

from numpycnn import SGD, Adam, CrossEntropy, Trainer
from numpycnn.training import Callback, EarlyStopping, UpdateRatios, WeightAverage
from tests.training.small import network, pictures


class Diary(Callback):
    """Keep all weights after each step."""

    def __init__(self) -> None:
        self.pages: list[dict[str, np.ndarray]] = []

    def on_train_begin(self, trainer: Trainer) -> None:
        self.on_batch_end(trainer)

    def on_batch_end(self, trainer: Trainer) -> None:
        self.pages.append({name: p.value.astype(np.float64) for name, p in trainer.model.parameters().items()})


def train(callbacks: list[Callback], epochs: int = 2) -> Trainer:
    trainer = Trainer(network(), loss=CrossEntropy(), optimizer=Adam(0.01), callbacks=callbacks)
    trainer.fit(pictures(), epochs=epochs, batch_size=8, progress=False)
    return trainer


def test_ratios_equal_those_of_the_recorded_weights() -> None:
    updates, diary = UpdateRatios(), Diary()
    train([updates, diary])
    assert list(updates.ratios) == ["0.weight", "6.weight", "9.weight"]  # and no bias, scale or shift
    for name, ratios in updates.ratios.items():
        assert len(ratios) == 12
        for i, ratio in enumerate(ratios):
            before, after = diary.pages[i][name], diary.pages[i + 1][name]
            expected = np.sqrt(((after - before) ** 2).sum() / (before**2).sum())
            assert ratio == pytest.approx(expected, rel=1e-5)


def test_a_resumed_training_continues_the_ratios(tmp_path: Path) -> None:
    whole = UpdateRatios()
    train([whole])
    first = UpdateRatios()
    train([first], epochs=1).save(tmp_path / "half.safetensors")
    second = UpdateRatios()
    trainer = Trainer.resume(tmp_path / "half.safetensors", callbacks=[second])
    trainer.fit(pictures(), epochs=2, batch_size=8, progress=False)
    assert second.ratios == whole.ratios


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("file", [False, True])
def test_a_continued_training_compares_with_its_own_weights(file: bool, reverse: bool, tmp_path: Path) -> None:
    """And not with the average or the best weights, which the first `fit` left in the model."""

    def callbacks() -> list[Callback]:
        made = [WeightAverage(0.9), UpdateRatios(), EarlyStopping("loss", patience=9)]
        for callback in made:
            callback.order = 0  # then the order is that of the list
        return made[::-1] if reverse else made

    def ratios(trainer: Trainer) -> dict[str, list[float]]:
        return next(c.ratios for c in trainer.callbacks if isinstance(c, UpdateRatios))

    straight, trainer = train(callbacks(), epochs=3), train(callbacks())
    if file:
        trainer.save(tmp_path / "training")
        trainer = Trainer.resume(tmp_path / "training", callbacks=callbacks())
    trainer.fit(pictures(), epochs=3, batch_size=8, progress=False)
    assert ratios(trainer) == ratios(straight)


def test_a_new_training_starts_over() -> None:
    updates = UpdateRatios()
    train([updates])
    train([updates], epochs=1)
    assert {len(ratios) for ratios in updates.ratios.values()} == {6}


def test_weights_of_zero() -> None:
    updates = UpdateRatios()
    model = network()
    for parameter in model.parameters().values():
        parameter.value[...] = 0
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1), callbacks=[updates])
    trainer.fit(pictures(), epochs=1, batch_size=44, progress=False)
    assert updates.ratios["0.weight"] == [0.0]  # no gradient reaches it
