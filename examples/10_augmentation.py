"""Augmentation, on and off
========================

A digit stays what it is when it is turned, moved or enlarged a little. You learn what a network gains by seeing such
variants of its examples, and when: the fewer the examples, the more. Takes 5 minutes to read and about a minute to run
(``--quick``: a few seconds).

Measured with LeNet-5, about 800 steps, means of three seeds on 10,000 new digits of MNIST: 100 digits lead to 25.7 +-
3.8 % of errors as they are and to 10.1 +- 3.5 % augmented, 500 digits to 9.1 % and 3.6 %, 2,500 digits to 3.6 % and 2.4
%, both +- 0.3 % at most.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
from numpycnn.data.augment import Affine

BLUE, VERMILION = "#0072B2", "#D55E00"
WAYS = {"as they are": None, "augmented": Affine(rotation=12, scale=0.12, shift=0.08)}

# %%
# Each time that a digit is shown it is another one. All trainings have about the same number of steps, 800 and at most
# an epoch more, so a digit out of 100 is shown 200 times, and one out of 2,500 only 11 times.


def train(data, augment, steps, seed):
    """Train a small network for a number of steps, rounded up to whole epochs."""
    per_epoch = -(-len(data) // 32)
    epochs = -(-steps // per_epoch)
    rate = nn.OneCycleSchedule(3e-3, epochs * per_epoch)
    trainer = nn.Trainer(nn.models.lenet(seed=seed), loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, augment=augment, progress=False)
    return trainer


def draw(images, sizes, errors, path):
    """Draw digits with variants of them, and the errors over the number of digits; errors are (ways, sizes, seeds)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), dpi=110, layout="constrained", width_ratios=(1, 1.3))
    rng = np.random.default_rng(0)
    variants = [WAYS["augmented"](images, np.zeros(len(images)), rng)[0] for _ in range(6)]
    columns = [np.vstack(pictures[:, 0]) for pictures in (images, *variants)]
    left.imshow(np.hstack(columns), cmap="gray")
    left.axvline(27.5, color=VERMILION, linewidth=2)
    left.set(title="digits, and variants of them", xticks=[], yticks=[])
    for (name, _), values, colour in zip(WAYS.items(), errors, (VERMILION, BLUE), strict=True):
        right.errorbar(sizes, values.mean(axis=1), values.std(axis=1), marker="o", capsize=3, color=colour, label=name)
    right.set(title="what it gains", xlabel="digits to learn from", ylabel="errors on new digits in %")
    right.set(xscale="log", yscale="log")
    right.set_xticks(sizes, [f"{size:,}" for size in sizes])
    right.set_yticks([2, 5, 10, 20], [2, 5, 10, 20])
    right.minorticks_off()
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    sizes, steps, seeds = [100, 500, 2500], 800, range(3)
    if quick:
        test, sizes, steps, seeds = test[:500], [100, 500], 200, range(1)

    print(f"about {steps:,} steps with batches of 32, {len(seeds)} seeds; errors on {len(test):,} new digits in %\n")
    print("digits   " + "   ".join(f"{way:>13}" for way in WAYS) + "   errors avoided")
    errors = np.zeros((len(WAYS), len(sizes), len(seeds)))
    for j, size in enumerate(sizes):
        for i, augment in enumerate(WAYS.values()):
            for k, seed in enumerate(seeds):
                part = digits.split(size, seed=seed)[0] if size < len(digits) else digits
                trainer = train(part, augment, steps, seed)
                errors[i, j, k] = 100 * (1 - trainer.evaluate(test)["accuracy"])
        without, augmented = (f"{e.mean():.2f} +- {e.std():.2f}" for e in errors[:, j])
        avoided = 100 * (1 - errors[1, j].mean() / errors[0, j].mean())
        print(f"{size:6,}   {without:>13}   {augmented:>13}   {avoided:12.0f} %")

    out.mkdir(parents=True, exist_ok=True)
    draw(digits.images[:5], sizes, errors, out / "augmentation.png")
    print(f"\nfigure: {out / 'augmentation.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="500 digits at most, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
