"""Where a convolution helps, and where not
========================================

A rule of thumb says: a convolutional network helps where neighbouring columns of the data belong together, and where
the columns could stand in any other order it does not. Here it is put to the test. You learn what a convolution assumes
about a picture, by taking just that away: the 784 pixels of each digit are put into another order, the same for all.
The convolutional network is LeNet-5 with ReLU and max pooling, whose filters reach every pixel; it has 61,706
parameters, and the dense one 101,770. Takes 5 minutes to read and about a minute to run (``--quick``: a few seconds).

Measured with 10,000 digits of MNIST, means of three seeds on 10,000 new ones: with the pixels in their places 97.99 +-
0.13 % against 95.49 +- 0.08 % of the dense network, a lead of 2.50 points; in another order 92.05 +- 0.09 % against
95.36 +- 0.05 %, 3.31 points behind.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn

BLUE, VERMILION = "#0072B2", "#D55E00"
NETWORKS = {"dense": nn.models.mlp, "convolutional": nn.models.lenet}

# %%
# No pixel is lost or changed by the new order. A dense layer has a weight for each pixel wherever it stands, so it
# cannot care. A 5x5 filter looks at 25 pixels that are neighbours, and they are strangers to each other now.


def permute(data, order):
    """Return the data set with the pixels of every picture in another order."""
    shape = data.images.shape
    return data.replace(images=data.images.reshape(len(data), -1)[:, order].reshape(shape))


def train(build, data, epochs, seed):
    """Train a network of one kind."""
    steps = epochs * -(-len(data) // 32)
    rate = nn.OneCycleSchedule(3e-3, steps)
    trainer = nn.Trainer(build(seed=seed), loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, progress=False)
    return trainer


def draw(tests, accuracies, path):
    """Draw some digits in both orders, and what the networks make of them; accuracies are (orders, networks, seeds)."""
    figure = plt.figure(figsize=(8, 5), dpi=110, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 3))
    for column, (name, test) in enumerate(tests.items()):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(np.hstack(test.images[:6, 0]), cmap="gray")
        axes.set(title=name, xticks=[], yticks=[])
    axes = figure.add_subplot(grid[1, :])
    for network, values, colour in zip(NETWORKS, accuracies.swapaxes(0, 1), (VERMILION, BLUE), strict=True):
        means = values.mean(axis=1)  # (orders,)
        axes.errorbar([0, 1], means, values.std(axis=1), marker="o", capsize=4, color=colour, label=network)
        for place, mean, side in zip((0, 1), means, (-1, 1), strict=True):
            words = {"ha": "right" if side < 0 else "left", "va": "center", "color": colour}
            axes.annotate(f"{mean:.2f}", (place, mean), (8 * side, 0), textcoords="offset points", **words)
    axes.set(xlim=(-0.5, 1.5), ylabel="accuracy on new digits in %")
    axes.set_xticks([0, 1], list(tests))
    axes.legend(frameon=False, loc="lower left")
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    epochs, seeds = 4, range(3)
    digits = digits[:10_000]
    if quick:
        digits, test, seeds = digits[:2000], test[:1000], range(1)
    order = np.random.default_rng(0).permutation(digits.images[0].size)  # (784,)
    trains = {"pixels in their places": digits, "pixels in another order": permute(digits, order)}
    tests = {"pixels in their places": test, "pixels in another order": permute(test, order)}

    print(f"{len(digits):,} digits, {epochs} epochs, {len(seeds)} seeds; accuracy on {len(test):,} new ones in %\n")
    print(f"{'':23}   " + "   ".join(f"{name:>14}" for name in NETWORKS) + "   lead of the convolution")
    parameters = (f"{build().summary().parameters:14,}" for build in NETWORKS.values())
    print(f"{'parameters':23}   " + "   ".join(parameters))
    accuracies = np.zeros((2, 2, len(seeds)))
    for i, name in enumerate(trains):
        for j, build in enumerate(NETWORKS.values()):
            for k, seed in enumerate(seeds):
                trainer = train(build, trains[name], epochs, seed)
                accuracies[i, j, k] = 100 * trainer.evaluate(tests[name])["accuracy"]
        dense, convolutional = (f"{a.mean():.2f} +- {a.std():.2f}" for a in accuracies[i])
        lead = accuracies[i, 1].mean() - accuracies[i, 0].mean()
        print(f"{name:23}   {dense:>14}   {convolutional:>14}   {lead:+.2f}")

    out.mkdir(parents=True, exist_ok=True)
    draw(tests, accuracies, out / "permuted_pixels.png")
    print(f"\nfigure: {out / 'permuted_pixels.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits only, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
