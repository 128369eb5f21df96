"""A training step of one's own, with further models and optimizers, is recorded, saved and resumed like any other."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, CrossEntropy, Trainer
from numpycnn.metrics import TopKAccuracy
from numpycnn.training import ModelCheckpoint
from tests.training import own, small
from tests.training.test_checkpoint import ONE_THREAD, worker


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked, which saves starting Python for each")
def test_killed_at_random_moments_and_resumed_gives_the_same_bits(tmp_path: Path) -> None:
    """A GAN, a VAE, and a training with accumulation, clipping, groups, a frozen layer and a held-out share."""
    rng = np.random.default_rng(1)
    plan = [[variant, rng.integers(1, 30, size=1 + i % 3).tolist()] for i in range(4) for variant in own.VARIANTS]
    found = worker("kill", str(tmp_path), json.dumps(plan), "own", **ONE_THREAD)
    for variant in own.VARIANTS:
        assert found["expected"][variant]["progress"]["epoch"] == small.EPOCHS
    assert all(run["kills"] for run in found["runs"])
    for run in found["runs"]:
        assert run["result"] == found["expected"][run["variant"]]


@pytest.mark.parametrize("variant", own.VARIANTS)
def test_resumed_from_any_step_gives_the_same_bits(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)  # hundreds of files that need not survive a power cut
    files = []

    class SaveAll(ModelCheckpoint):
        order = 200

        def on_batch_end(self, trainer: Trainer) -> None:
            files.append(tmp_path / f"{trainer.optimizer.step_count}.safetensors")
            trainer.save(files[-1])

    unbroken = own.fit(own.new_trainer(tmp_path, variant, more=[SaveAll(tmp_path / "last")]))
    expected = own.fingerprint(unbroken)
    assert len(files) == unbroken.optimizer.step_count == small.EPOCHS * (2 if variant == "all" else small.BATCHES)
    for file in files[::5]:
        resumed = own.go_on(tmp_path, variant, file=file)
        assert resumed.optimizer.step_count == int(file.stem)
        result = own.fingerprint(own.fit(resumed))
        result["callbacks"], expected["callbacks"] = [], []
        assert result == expected


def test_a_gan_learns_the_mean_of_its_data() -> None:
    gan = own.GAN()
    history = gan.fit(own.features(400), epochs=30, progress=False)
    assert {"generator_loss", "discriminator_loss"} < set(history.names())
    assert not {"loss", "accuracy"} & set(history.names())
    drawn = gan.model.predict(np.random.default_rng(9).normal(size=(500, own.LATENT)).astype(np.float32))
    np.testing.assert_allclose(drawn.mean(axis=0), [0.9, 0.1, 0.9, 0.1], atol=0.2)


def test_a_vae_learns() -> None:
    history = own.VAE().fit(own.features(400), epochs=10, progress=False)
    assert history["reconstruction"][-1] < 0.75 * history["reconstruction"][0]
    for record in history:
        assert record["loss"] == pytest.approx(record["reconstruction"] + 0.1 * record["divergence"])


def test_the_gradients_of_the_vae_equal_differences() -> None:
    vae, rng = own.VAE(beta=0.3, dtype=np.float64), np.random.default_rng(4)
    x, noise = rng.random((5, own.FEATURES)), rng.normal(size=(5, own.LATENT))

    def loss() -> float:
        reconstruction, divergence = vae.gradients(x, noise)
        return reconstruction + vae.beta * divergence

    loss()
    found = {name: parameter.grad.copy() for name, parameter in vae.parameters().items()}
    for name, parameter in vae.parameters().items():
        place = tuple(int(n) for n in rng.integers(parameter.value.shape))
        sides = []
        for step in (1e-6, -2e-6):
            parameter.value[place] += step
            sides.append(loss())
        parameter.value[place] += 1e-6
        assert found[name][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-4, abs=1e-8)


class Returns(Trainer):
    found: Any = None

    def train_step(self, x: Any, target: Any) -> Any:
        super().train_step(x, target)
        return self.found


def returns(found: Any) -> Trainer:
    trainer = Returns(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1))
    Returns.found = found
    return trainer


@pytest.mark.parametrize(
    ("found", "error", "text"),
    [
        (None, TypeError, "train_step: expected a dict of numbers to return, got NoneType"),
        (0.5, TypeError, "train_step: expected a dict of numbers to return, got float"),
        ({"loss": "0.5"}, TypeError, "train_step: expected a number for loss, got '0.5'"),
        ({"loss": np.ones(2)}, TypeError, "train_step: expected a number for loss, got array"),
        ({1: 0.5}, TypeError, "train_step: expected a string as the name of each number, got 1"),
        ({"lr": 0.5}, ValueError, "train_step: expected another name than 'lr', which a record has already"),
        ({"loss": float("nan")}, FloatingPointError, "loss is nan in epoch 1, batch 1, as train_step returned it"),
        ({"a": 1, "b": -np.inf}, FloatingPointError, "b is -inf in epoch 1, batch 1, as train_step returned it"),
    ],
)
def test_a_wrong_result_is_refused(found: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}"):
        returns(found).fit(small.points(), epochs=1, progress=False)


def test_numbers_of_numpy_are_numbers() -> None:
    history = returns({"a": np.float32(0.5), "b": np.int64(2)}).fit(small.points(), epochs=1, progress=False)
    assert (history["a"], history["b"]) == ([0.5], [2.0])


def test_diverging_weights_of_a_further_model_are_found() -> None:
    class Diverges(own.VAE):
        def train_step(self, x: Any, target: Any) -> dict[str, float]:
            self.encoder[0].bias.value[1] = np.nan
            return {"loss": 1.0}

    with pytest.raises(FloatingPointError, match=r"0\.bias is not finite any more after the step in epoch 1, batch 1"):
        Diverges().fit(own.features(), epochs=1, progress=False)


def test_metrics_are_measured_by_the_step_of_the_library() -> None:
    trainer = own.Noisy(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1), metrics=[TopKAccuracy(2)])
    trainer.noise, trainer.passes = np.random.default_rng(0), 0
    record = trainer.fit(small.points(), epochs=1, progress=False).records[0]
    assert (record["passes"], record["top_2_accuracy"], trainer.passes) == (1.0, 1.0, 7)
    assert list(record)[:5] == ["epoch", "loss", "accuracy", "passes", "top_2_accuracy"]
