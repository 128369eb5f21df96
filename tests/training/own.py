"""Trainers with a training step of their own: a GAN of two models, a VAE, and one with all settings at once.

The functions are those of `small`, so that `worker` can kill and resume these trainings as well.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import (
    SGD,
    Adam,
    BatchNorm,
    BinaryCrossEntropy,
    CrossEntropy,
    Dense,
    Dropout,
    LeakyReLU,
    PerEpoch,
    ReLU,
    Sequential,
    StepSchedule,
    Trainer,
)
from numpycnn.training import Callback, ModelCheckpoint
from tests.training import small

VARIANTS = ("gan", "vae", "all")
FEATURES, LATENT = 4, 3


class GAN(Trainer):
    """Its model is the generator; the discriminator has an optimizer of its own."""

    def __init__(self, callbacks: Sequence[Callback] = ()) -> None:
        generator = Sequential([Dense(16), BatchNorm(), ReLU(), Dense(FEATURES)], input_shape=(LATENT,), seed=1)
        super().__init__(generator, loss=BinaryCrossEntropy(), optimizer=Adam(0.01, (0.5, 0.9)), callbacks=callbacks)
        layers = [Dense(16), LeakyReLU(0.2), Dropout(0.2), Dense(1)]
        self.discriminator = Sequential(layers, input_shape=(FEATURES,), seed=2)
        self.discriminator_optimizer = Adam(0.01, (0.5, 0.9))
        self.noise = np.random.default_rng(3)

    def train_step(self, x: Any, target: Any) -> dict[str, float]:
        generator, discriminator, n = self.model, self.discriminator, len(x)
        z = self.noise.normal(size=(n, LATENT)).astype(x.dtype)
        real, fake = np.ones((n, 1), x.dtype), np.zeros((n, 1), x.dtype)

        y = discriminator.forward(np.concatenate([x, generator.forward(z)]), training=True)
        discriminator_loss = self.loss.forward(y, np.concatenate([real, fake]))
        discriminator.backward(self.loss.backward())
        self.discriminator_optimizer.step(discriminator.parameters())

        y = discriminator.forward(generator.forward(z, training=True), training=True)
        generator_loss = self.loss.forward(y, real)
        generator.backward(discriminator.backward(self.loss.backward()))
        self.optimizer.step(generator.parameters())
        return {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}


class VAE(Trainer):
    """Its model is the decoder; one optimizer steps both models."""

    def __init__(self, beta: float = 0.1, *, callbacks: Sequence[Callback] = (), dtype: Any = np.float32) -> None:
        decoder = Sequential([Dense(16), ReLU(), Dense(FEATURES)], input_shape=(LATENT,), seed=1, dtype=dtype)
        super().__init__(decoder, loss=BinaryCrossEntropy(), optimizer=Adam(0.01), callbacks=callbacks)
        self.decoder = decoder
        layers = [Dense(16), ReLU(), Dense(2 * LATENT)]
        self.encoder = Sequential(layers, input_shape=(FEATURES,), seed=2, dtype=dtype)
        self.noise = np.random.default_rng(3)
        self.beta = beta

    def parameters(self) -> dict[str, Any]:
        parts = {"encoder": self.encoder, "decoder": self.decoder}
        return {f"{part}.{name}": p for part, model in parts.items() for name, p in model.parameters().items()}

    def gradients(self, x: Any, noise: Any) -> tuple[float, float]:
        """Return the two parts of the loss, and leave the gradients in the parameters."""
        n = len(x)
        mean, log_variance = np.split(self.encoder.forward(x, training=True), 2, axis=1)
        deviation = np.exp(log_variance / 2)
        reconstruction = self.loss.forward(self.decoder.forward(mean + deviation * noise, training=True), x)
        divergence = float((deviation**2 + mean**2 - 1 - log_variance).sum()) / (2 * n)
        dz = self.decoder.backward(self.loss.backward())
        d_mean = dz + self.beta * mean / n
        d_log_variance = dz * noise * deviation / 2 + self.beta * (deviation**2 - 1) / (2 * n)
        self.encoder.backward(np.concatenate([d_mean, d_log_variance], axis=1).astype(x.dtype))
        return reconstruction, divergence

    def train_step(self, x: Any, target: Any) -> dict[str, float]:
        noise = self.noise.normal(size=(len(x), LATENT)).astype(x.dtype)
        reconstruction, divergence = self.gradients(x, noise)
        self.optimizer.step(self.parameters())
        loss = reconstruction + self.beta * divergence
        return {"loss": loss, "reconstruction": reconstruction, "divergence": divergence}


class Noisy(Trainer):
    """Trains with noise in the inputs, and counts its steps."""

    noise: np.random.Generator
    passes: int

    def train_step(self, x: Any, target: Any) -> dict[str, float]:
        self.passes += 1
        return super().train_step(x + self.noise.normal(size=x.shape).astype(x.dtype) / 10, target) | {"passes": 1}


def features(examples: int = small.EXAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from 0 to 1 around (0.9, 0.1, 0.9, 0.1)."""
    rng = np.random.default_rng(0)
    x = np.clip([0.9, 0.1, 0.9, 0.1] + 0.1 * rng.normal(size=(examples, FEATURES)), 0, 1)
    return x.astype(np.float32), np.zeros(examples, np.int64)


def noisy(callbacks: Sequence[Callback] = ()) -> Noisy:
    """A frozen layer, groups, clipping, a schedule by epoch; `fit` accumulates."""
    model = small.network()
    model[0].trainable = False
    optimizer = SGD(
        PerEpoch(StepSchedule(0.1, every=2, factor=0.5)),
        momentum=0.9,
        weight_decay=0.01,
        clip_norm=0.5,
        clip_value=0.3,
        param_groups={"9.": {"lr": 0.05, "weight_decay": 0}, "6.": {"lr": StepSchedule(0.2, every=5)}},
    )
    trainer = Noisy(model, loss=CrossEntropy(l2=1e-3), optimizer=optimizer, callbacks=callbacks)
    trainer.noise, trainer.passes = np.random.default_rng(3), 0
    return trainer


def new_trainer(folder: Path, variant: str, *, more: Sequence[Callback] = ()) -> Trainer:
    callbacks = [ModelCheckpoint(folder / "checkpoint.safetensors", every_batches=1), *more]
    if variant == "all":
        return noisy(callbacks)
    return GAN(callbacks=callbacks) if variant == "gan" else VAE(callbacks=callbacks)


def go_on(folder: Path, variant: str, *, file: Path | None = None, more: Sequence[Callback] = ()) -> Trainer:
    """A new trainer if there is no checkpoint, else one resumed from it."""
    file = folder / "checkpoint.safetensors" if file is None else file
    if not file.exists():
        return new_trainer(folder, variant, more=more)
    kind = {"gan": GAN, "vae": VAE, "all": Noisy}[variant]
    return kind.resume(file, callbacks=[ModelCheckpoint(folder / "checkpoint.safetensors", every_batches=1), *more])


def fit(trainer: Trainer) -> Trainer:
    if isinstance(trainer, Noisy):
        return small.fit(trainer, accumulate=4, validation=0.25)
    return small.fit(trainer, data=features(), validation=None, augment=None)


def fingerprint(trainer: Trainer) -> dict[str, Any]:
    """The whole state of a training except for its times, with its attributes."""
    return small.fingerprint(trainer) | {"attributes": attributes(trainer)}


def attributes(trainer: Trainer) -> dict[str, Any]:
    """The state of the further attributes, as JSON types."""
    if isinstance(trainer, GAN):
        further = trainer.discriminator_optimizer
        return {
            "discriminator": small.bits(trainer.discriminator.state()),
            "optimizer": [small.bits(further.state()), further.step_count],
            "noise": trainer.noise.bit_generator.state,
        }
    if isinstance(trainer, VAE):
        return {
            "encoder": small.bits(trainer.encoder.state()),
            "noise": trainer.noise.bit_generator.state,
            "beta": trainer.beta,
        }
    assert isinstance(trainer, Noisy)
    return {"noise": trainer.noise.bit_generator.state, "passes": trainer.passes}
