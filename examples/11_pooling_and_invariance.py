"""Max and average pooling under movement
======================================

Pooling is said to make a network indifferent to where exactly a thing is. You learn how far that goes: three networks,
which condense their maps by max pooling, by average pooling and by a stride, learn digits that stand upright in the
middle, and are then shown moved, turned, enlarged and shrunk ones. The one with strides has as many weights as the
others, and about a quarter of their multiply-adds: it computes only the places that it keeps. Takes 5 minutes to read
and about two minutes to run (``--quick``: a few seconds).

Measured with 6,000 digits of MNIST, means of three seeds on 1,000 new ones and of both directions: as they are, 97 %
are read with max pooling, 98 % with average pooling and 96 % with a stride; moved by two pixels 89 %, 88 % and 80 %;
shrunk to 0.7 of their size 82 %, 82 % and 71 %. So both kinds of pooling help, and equally. Neither helps far: moved by
six pixels, 25 %, 27 % and 22 % are left, and turned by 60 degrees 24 %, 23 % and 23 %.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import numpycnn as nn

KINDS = {"max pooling": "#0072B2", "average pooling": "#D55E00", "stride 2": "#777777"}


def network(kind, seed):
    """Return two stages, each of which halves the maps in its own way."""
    layers = []
    for channels in (16, 32):
        layers += [nn.Conv2D(channels, 5, padding=2, stride=2 if kind == "stride 2" else 1), nn.ReLU()]
        if kind != "stride 2":
            layers.append(nn.MaxPool2D(2) if kind == "max pooling" else nn.AvgPool2D(2))
    return nn.Sequential([*layers, nn.Flatten(), nn.Dense(10)], input_shape=(1, 28, 28), seed=seed)


def train(model, data, epochs, seed):
    """Train with Adam."""
    rate = nn.OneCycleSchedule(3e-3, epochs * -(-len(data) // 32))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, progress=False)
    return trainer


# %%
# A pixel of the new picture is looked up at its place in the old one, so the map between them is the inverse of what
# happens to the digit: it turns the other way round, and divides where the digit grows.


def move(images, shift=0.0, angle=0.0, zoom=1.0):
    """Return pictures (N, 1, H, W) moved to the right by pixels, turned by degrees, enlarged by a factor."""
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = np.eye(3)  # the first axis counts the pictures
    matrix[1:, 1:] = np.array([[cos, sin], [-sin, cos]]) / zoom
    middle = (np.array(images.shape[2:]) - 1) / 2  # (2,)
    offset = middle - matrix[1:, 1:] @ (middle + np.array([0, shift]))
    return ndimage.affine_transform(images[:, 0], matrix, (0, *offset), order=1)[:, None]


MOVES = {  # how much of each, and what it is called
    "shift": (np.arange(-8, 9, 2), "shift in pixels"),
    "angle": (np.arange(-90, 91, 15), "rotation in degrees"),
    "zoom": (np.array([0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.4, 1.6, 1.8]), "scale factor"),
}


def draw(accuracies, example, path):
    """Draw a curve for each network and move, (kinds, amounts, seeds), above the pictures that were read."""
    figure, rows = plt.subplots(2, 3, figsize=(11, 4.6), dpi=110, layout="constrained", height_ratios=(5, 1))
    for top, bottom, (move_name, (amounts, words)) in zip(*rows, MOVES.items(), strict=True):
        for (kind, colour), values in zip(KINDS.items(), accuracies[move_name], strict=True):
            spread = values.std(axis=1)
            top.errorbar(amounts, values.mean(axis=1), spread, marker="o", capsize=2, color=colour, label=kind)
        top.set(xlabel=words, ylim=(0, 102))
        top.grid(alpha=0.3)
        shown = amounts[::2]
        bottom.imshow(np.hstack([move(example, **{move_name: amount})[0, 0] for amount in shown]), cmap="gray")
        bottom.set(xticks=14 + 28 * np.arange(len(shown)), xticklabels=[f"{amount:g}" for amount in shown], yticks=[])
    rows[0, 0].set_ylabel("accuracy on new digits in %")
    rows[0, 0].legend(frameon=False, loc="lower center")
    figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    digits, test, epochs, seeds = digits[:6000], test[:1000], 3, range(3)
    if quick:
        digits, test, seeds = digits[:1500], test[:200], range(1)

    trainers = {kind: [train(network(kind, seed), digits, epochs, seed) for seed in seeds] for kind in KINDS}
    accuracies = {name: np.zeros((len(KINDS), len(amounts), len(seeds))) for name, (amounts, _) in MOVES.items()}
    for name, (amounts, _) in MOVES.items():
        for j, amount in enumerate(amounts):
            moved = test.replace(images=move(test.images, **{name: amount}))
            for i, runs in enumerate(trainers.values()):
                accuracies[name][i, j] = [100 * trainer.evaluate(moved)["accuracy"] for trainer in runs]

    print(f"{len(digits):,} upright digits, {epochs} epochs, {len(seeds)} seeds; accuracy on {len(test):,} new in %")
    for name, (amounts, words) in MOVES.items():
        print(f"\n{words:20}  " + "  ".join(f"{amount:5g}" for amount in amounts) + "    mean")
        for kind, values in zip(KINDS, accuracies[name], strict=True):
            means = "  ".join(f"{value:5.1f}" for value in values.mean(axis=1))
            print(f"{kind:20}  {means}   {values.mean():5.1f} +- {values.mean(axis=0).std():.1f}")

    out.mkdir(parents=True, exist_ok=True)
    draw(accuracies, test.images[test.labels == 4], out / "pooling_and_invariance.png")
    print(f"\nfigure: {out / 'pooling_and_invariance.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="1,500 digits only, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
