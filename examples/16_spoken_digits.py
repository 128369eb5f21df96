"""Digits that are spoken
======================

A spectrogram is a picture of a sound: time runs to the right, pitch upwards, and bright is loud. Neighbours belong
together along both axes, so what reads digits can hear them as well. You learn how convolutional networks do beside a
dense one, and what becomes of them when a word comes later: it is the global average at the end, and not the
convolutions before it, that makes no difference between moments. With the same convolutions and ``Flatten`` in its
place there is a weight for each moment. The six speakers of the test are those of the training. Takes 5 minutes to read
and about three minutes to run (``--quick``: a few seconds, on melodies instead of words).

Measured after eight epochs over the 2,700 training recordings of the free spoken digit dataset, means of three seeds
with their deviations on its 300 test recordings: 100.0 +- 0.0 % are understood by the convolutional network with the
average, 98.9 +- 0.2 % by the one with Flatten and 95.2 +- 0.3 % by the dense one, which has three times as many
weights. When they come an eighth of a second later, it is 99.8 +- 0.2 %, 79.6 +- 2.0 % and 31.9 +- 1.9 %; a quarter of
a second later 100.0 +- 0.0 %, 35.8 +- 2.5 % and 11.2 +- 0.3 %.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
from numpycnn import visualize
from numpycnn.data import Dataset, SpectrogramReader


def flattened(input_shape, seed):
    """Return `audio_cnn` with Flatten in place of GlobalAvgPool."""
    layers = []
    for channels in (16, 32, 64, 128):
        layers += [nn.Conv2D(channels, 3, padding=1, bias=False), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D(2)]
    return nn.Sequential([*layers, nn.Flatten(), nn.Dropout(0.3), nn.Dense(10)], input_shape=input_shape, seed=seed)


NETWORKS = {"dense": nn.models.mlp, "CNN, flattened": flattened, "CNN, averaged": nn.models.audio_cnn}

# %%
# Where the recordings are not at hand, ten melodies of three tones stand in: no two have the same tones in the same
# order, and each is played in another key, at another speed, and not quite clean.

MELODIES = ["047", "740", "074", "407", "007", "700", "070", "707", "000", "770"]  # semitones


def melodies(count, rng):
    """Return spectrograms of `count` melodies; their semitones are counted from a random key."""
    reader, labels = SpectrogramReader(), rng.integers(0, 10, count)
    waves = []
    for label in labels:
        length = rng.integers(900, 1700)  # samples of a tone, 8,000 a second
        semitones = np.repeat([int(tone) for tone in MELODIES[label]], length) + rng.uniform(0, 5)
        wave = np.sin(2 * np.pi * np.cumsum(400 * 2 ** (semitones / 12)) / 8000)
        waves.append(reader.stretch(8000, wave + rng.normal(0, 0.2, len(wave))))
    return Dataset(
        reader.spectrograms(np.stack(waves)), labels, tuple("0123456789"), name="melodies", mean=0.4, std=0.3
    )


def train(build, data, epochs, seed):
    """Train a network on spectrograms as they are."""
    model = build(data.images.shape[1:], seed=seed)
    rate = nn.OneCycleSchedule(5e-3, epochs * -(-len(data) // 32))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, progress=False)
    return trainer


def move(data, frames):
    """Return the data set with each sound delayed by a number of frames, and silence before it."""
    moved = np.zeros_like(data.images)
    moved[..., frames:] = data.images[..., : data.images.shape[-1] - frames]
    return data.replace(images=moved)


def draw(data, delays, accuracies, confusions, path):
    """Draw one sound of each class, the accuracies over the delays, (seeds, delays), and what was taken for what."""
    figure = plt.figure(figsize=(12, 6.4), dpi=110, layout="constrained")
    grid = figure.add_gridspec(4, 5, height_ratios=(1, 1, 1.6, 1.6))
    for label in range(10):
        axes = figure.add_subplot(grid[label // 5, label % 5], title=data.class_names[label], xticks=[], yticks=[])
        axes.imshow(data.images[data.labels == label][0, 0], origin="lower", aspect="auto", cmap="magma")
    left = figure.add_subplot(grid[2:, :3])
    for (name, values), colour in zip(accuracies.items(), ("#D55E00", "#009E73", "#0072B2"), strict=True):
        left.errorbar(delays, values.mean(axis=0), values.std(axis=0), marker="o", capsize=2, color=colour, label=name)
    left.set(xlabel="delay in ms", ylabel="accuracy on new recordings in %", ylim=(0, 102))
    left.legend(frameon=False)
    left.grid(alpha=0.3)
    right = figure.add_subplot(grid[2:, 3:], title="confusion matrix, CNN, averaged")
    right.imshow(np.sqrt(confusions), cmap="Blues")  # so that a single mistake can be seen
    for (row, column), count in np.ndenumerate(confusions):
        right.text(column, row, count or "", ha="center", va="center", color="white" if row == column else "black")
    right.set(xticks=range(10), yticks=range(10), xlabel="taken for", ylabel="true")
    figure.savefig(path)


def main(quick, out):
    if quick:
        (data, test), epochs, seeds = melodies(700, np.random.default_rng(0)).split(500), 6, range(1)
    else:
        (data, test), epochs, seeds = nn.data.load_spoken_digits(), 8, range(3)
    print(f"{data.name}: {len(data):,} spectrograms of shape {data.images.shape[1:]}")
    print(f"{epochs} epochs, {len(seeds)} seeds; accuracy on {len(test):,} new ones in %, with a delay in ms\n")

    shifts = np.array([0, 4, 8, 12, 16])  # frames, of which there are 64 a second
    print(f"{'':14}   parameters" + "".join(f"{delay:8g}       " for delay in 1000 / 64 * shifts))
    accuracies = {}
    for name, build in NETWORKS.items():
        trainers = [train(build, data, epochs, seed) for seed in seeds]
        values = [[trainer.evaluate(move(test, shift))["accuracy"] for shift in shifts] for trainer in trainers]
        accuracies[name] = 100 * np.array(values)
        results = "".join(f"{column.mean():8.1f} +- {column.std():3.1f}" for column in accuracies[name].T)
        print(f"{name:14}   {trainers[0].model.summary().parameters:10,}{results}")
    predictions = trainers[0].model.predict(test.batch(slice(None))[0]).argmax(axis=1)

    out.mkdir(parents=True, exist_ok=True)
    confusions = visualize.count_confusions(test.labels, predictions, 10)
    draw(test, 1000 / 64 * shifts, accuracies, confusions, out / "spoken_digits.png")
    print(f"\nfigure: {out / 'spoken_digits.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="500 melodies instead of recordings, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
