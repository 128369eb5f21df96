"""Digits drawn from noise
=======================

A variational autoencoder turns each digit into a distribution of codes, close to the standard normal one, so its
decoder draws new digits from normal noise. You learn to replace the training step of ``Trainer``, with two models and a
loss of two parts, and how a gradient passes through a random number. Takes 5 minutes to read and 2 minutes to run
(``--quick``: a few seconds).

Measured on the 10,000 test digits, means of three seeds: a loss of 105.6 +- 0.1, of which 80.3 for the reconstruction
and 25.2 for the divergence. The same network in PyTorch: 105.7 +- 0.2, 80.5 and 25.2 (``benchmarks/examples.py``).
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
import numpycnn.functional as F

PIXELS, HIDDEN, LATENT = 784, 400, 20  # as in PyTorch's example, with its optimizer, batch size and number of epochs


def uniform(rng, shape):
    """Draw the weights of a dense layer as PyTorch does, smaller than with "he_normal", the default here."""
    return rng.uniform(-1, 1, shape) / np.sqrt(shape[1])


# %%
# The encoder gives mean and log variance of each number of the code z, the decoder the logits of the pixels. The loss
# of a picture is the negative evidence lower bound (D. Kingma, M. Welling, arXiv 1312.6114): the cross-entropy of its
# pixels, plus the divergence of the distribution of z from the standard normal one,
# sum(variance + mean^2 - 1 - log variance) / 2.
#
# The noise is drawn first, and z = mean + deviation * noise: so the gradient of z passes on to mean and deviation.


class VAE(nn.Trainer):
    """The model is the decoder; the encoder has an optimizer of its own."""

    def __init__(self, seed):
        hidden = {"activation": "relu", "initializer": uniform}
        decoder = [nn.Dense(HIDDEN, **hidden), nn.Dense(PIXELS, initializer=uniform)]
        encoder = [nn.Dense(HIDDEN, **hidden), nn.Dense(2 * LATENT, initializer=uniform)]
        model = nn.Sequential(decoder, input_shape=(LATENT,), seed=seed)
        super().__init__(model, loss=nn.BinaryCrossEntropy(), optimizer=nn.Adam(lr=1e-3), seed=seed)
        self.encoder = nn.Sequential(encoder, input_shape=(PIXELS,), seed=seed + 1000)
        self.encoder_optimizer = nn.Adam(lr=1e-3)
        self.noise = np.random.default_rng(seed)

    def forward(self, x, training=False):
        """Return the loss of a picture and its parts, on average, and the arrays that the backward pass needs."""
        mean, log_variance = np.split(self.encoder.forward(x, training=training), 2, axis=1)  # (N, D) each
        deviation, noise = np.exp(log_variance / 2), self.noise.standard_normal(mean.shape, x.dtype)
        logits = self.model.forward(mean + deviation * noise, training=training)
        reconstruction = PIXELS * self.loss.forward(logits, x)  # the loss is a mean over pixels
        divergence = float(np.sum(deviation**2 + mean**2 - 1 - log_variance)) / (2 * len(x))
        found = {"loss": reconstruction + divergence, "reconstruction": reconstruction, "divergence": divergence}
        return found, (mean, deviation, noise)

    def train_step(self, x, target):
        found, (mean, deviation, noise) = self.forward(x, training=True)
        dz = self.model.backward(PIXELS * self.loss.backward())
        d_mean = dz + mean / len(x)
        d_log_variance = (dz * noise * deviation + (deviation**2 - 1) / len(x)) / 2
        self.encoder.backward(np.concatenate([d_mean, d_log_variance], axis=1))
        self.optimizer.step(self.model.parameters())
        self.encoder_optimizer.step(self.encoder.parameters())
        return found

    def test_step(self, x, target):
        return self.forward(x)[0]


def as_picture(x, rows):
    """Return digits (N, 784), side by side in rows."""
    return x.reshape(rows, -1, 28, 28).swapaxes(1, 2).reshape(rows * 28, -1)


def draw(digits, returned, drawn, path):
    """Draw digits above their reconstructions, beside new ones."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), dpi=110, layout="constrained")
    both = np.stack([digits.reshape(4, 8, -1), returned.reshape(4, 8, -1)], axis=1)  # (4, 2, 8, 784)
    for axes, title, x in ((left, "digits, each above its reconstruction", both), (right, "drawn from noise", drawn)):
        axes.imshow(as_picture(x, 8), cmap="gray", vmin=0, vmax=1)
        axes.set(title=title, xticks=[], yticks=[])
    figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    epochs, seeds = 10, range(3)
    if quick:
        digits, test, epochs, seeds = digits[:2000], test[:500], 4, range(1)
    x, new = (part.images.reshape(-1, PIXELS).astype(np.float32) / 255 for part in (digits, test))
    print(f"{len(x):,} digits without labels, {epochs} epochs; then {len(new):,} new ones; loss of a digit")
    print("\nseed   first epoch   last epoch   new digits: reconstruction   divergence     loss")
    losses = []
    for seed in seeds:
        vae = VAE(seed)
        history = vae.fit((x, x), epochs=epochs, batch_size=128, progress=False)
        print(f"{seed:4}   {history['loss'][0]:11.2f}   {history['loss'][-1]:10.2f}", end="")
        loss, reconstruction, divergence = vae.evaluate((new, new)).values()
        print(f"   {reconstruction:26.2f}   {divergence:10.2f}   {loss:6.2f}")
        losses.append(loss)
    print(f"\nloss of new digits {np.mean(losses):.2f} +- {np.std(losses):.2f}")
    mean, noise = vae.encoder.predict(new[:32])[:, :LATENT], vae.noise.standard_normal((64, LATENT), np.float32)
    returned, drawn = (F.sigmoid(vae.model.predict(z)) for z in (mean, noise))
    out.mkdir(parents=True, exist_ok=True)
    draw(new[:32], returned, drawn, out / "variational_autoencoder.png")
    print(f"figure: {out / 'variational_autoencoder.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits and 4 epochs, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
