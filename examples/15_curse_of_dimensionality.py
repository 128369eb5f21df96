"""The curse of dimensionality
===========================

The more numbers describe a thing, the more alike all distances between things become, and the less it means to be near.
You learn to see that in random points, what it does to a classifier that goes by the nearest neighbours, and how a few
well chosen numbers, from principal components or an autoencoder, take the place of 784 pixels. Takes 5 minutes to read
and about a minute to run (``--quick``: a few seconds).

Measured: of 500 random points in a cube, the furthest is 3.6 times as far as the nearest in 10 dimensions, and 1.1
times in 1,000. With 3,000 noisy digits of MNIST, 61.6 % of 1,000 new ones are read by all pixels, 80.1 % by 32
principal components, 81.6 % by an autoencoder's code of 32 numbers; with 2 numbers only 37.6 % and 33.5 %.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#777777"


def distances(a, b):
    """Return the distance of each row of a from each row of b, by ``|a - b|^2 = |a|^2 - 2 a b + |b|^2``."""
    squares = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))  # (len(a), len(b))


def contrast(dimensions, rng):
    """Return how much further the furthest of 500 random points in a cube is than the nearest: 0 is just as far."""
    d = distances(rng.random((100, dimensions)), rng.random((500, dimensions)))
    return np.mean(d.max(axis=1) / d.min(axis=1) - 1)


def neighbour_accuracy(known, labels, new, new_labels, neighbours=5):
    """Return how many in % of the new examples have the class that most of their nearest neighbours have."""
    nearest = np.argpartition(distances(new, known), neighbours, axis=1)[:, :neighbours]
    votes = nn.functional.one_hot(labels[nearest].ravel(), 10).reshape(len(new), neighbours, 10).sum(axis=1)
    return 100 * np.mean(votes.argmax(axis=1) == new_labels)


# %%
# Noise in every pixel makes the curse felt: in a distance over 784 pixels it adds up, while what makes a digit is in a
# few directions. Both ways to find these look at the training digits alone, and at no label.


def by_components(train, new):
    """Return both sets in all their principal components, that of the largest variance first."""
    mean = train.mean(axis=0)
    directions = np.linalg.eigh(np.cov((train - mean).T))[1][:, ::-1]  # (784, 784)
    return (train - mean) @ directions, (new - mean) @ directions


def by_autoencoder(train, new, count, epochs):
    """Return both sets as codes of an autoencoder that was trained on the first."""
    x, y = (part.reshape(-1, 1, 28, 28) for part in (train, new))
    model = nn.models.conv_autoencoder(code=count)
    rate = nn.OneCycleSchedule(5e-3, epochs * -(-len(x) // 32))
    nn.Trainer(model, loss=nn.MeanSquaredError(), optimizer=nn.Adam(lr=rate)).fit((x, x), epochs=epochs, progress=False)
    return model[0].predict(x), model[0].predict(y)


def draw(sizes, contrasts, counts, curves, raw, path):
    """Draw the contrast of distances over the dimensions, and the accuracies over how many numbers are kept."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), dpi=110, layout="constrained")
    left.loglog(sizes, contrasts, "o-", color=GREY)
    left.set(title="random points", xlabel="dimensions", ylabel="furthest less nearest, over nearest")
    right.axhline(raw, color=GREY, linestyle="--", label="784 pixels")
    for (name, values), colour in zip(curves.items(), (BLUE, VERMILION), strict=True):
        right.plot(counts[: len(values)], values, "o-", color=colour, label=name)
    right.set(title="noisy digits, by their five nearest neighbours", xlabel="numbers for a digit", xscale="log")
    right.set_ylabel("accuracy on new digits in %")
    right.set_xticks(counts, counts)
    right.minorticks_off()
    right.legend(frameon=False, loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path)


def main(quick, out):
    rng = np.random.default_rng(0)
    sizes = [1, 3, 10, 30, 100, 300, 1000]
    contrasts = [contrast(size, rng) for size in sizes]
    print("random points in a cube\n\ndimensions   furthest less nearest, over nearest")
    for size, value in zip(sizes, contrasts, strict=True):
        print(f"{size:10,}   {value:12.2f}")

    digits, test = nn.data.load_mnist()
    digits, test, epochs, counts, largest = digits[:3000], test[:1000], 8, [2, 4, 8, 16, 32, 64, 128, 784], 64
    if quick:
        digits, test, epochs, counts, largest = digits[:1000], test[:500], 6, [2, 8, 32, 784], 32
    train, new = (part.images.reshape(len(part), -1) / 255 for part in (digits, test))  # (N, 784)
    train, new = (np.float32(pixels + rng.normal(0, 0.6, pixels.shape)) for pixels in (train, new))
    raw = neighbour_accuracy(train, digits.labels, new, test.labels)
    turned, new_turned = by_components(train, new)
    curves = {"principal components": [], "autoencoder": []}
    for count in counts:
        pairs = {"principal components": (turned[:, :count], new_turned[:, :count])}
        if count <= largest:
            pairs["autoencoder"] = by_autoencoder(train, new, count, epochs)
        for name, (known, unknown) in pairs.items():
            curves[name].append(neighbour_accuracy(known, digits.labels, unknown, test.labels))

    print(f"\n{len(digits):,} noisy digits, the five nearest to each of {len(test):,} new ones: accuracy in %")
    print(f"\n784 pixels   {raw:.1f}\n\nnumbers   principal components   autoencoder")
    for i, count in enumerate(counts):
        code = f"{curves['autoencoder'][i]:11.1f}" if i < len(curves["autoencoder"]) else ""
        print(f"{count:7}   {curves['principal components'][i]:20.1f}   {code}")

    out.mkdir(parents=True, exist_ok=True)
    draw(sizes, contrasts, counts, curves, raw, out / "curse_of_dimensionality.png")
    print(f"\nfigure: {out / 'curse_of_dimensionality.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="1,000 digits only, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
