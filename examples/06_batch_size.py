"""The batch size
==============

A gradient is the mean over a batch. You learn what its size costs and gains: a small batch takes many noisy steps and
wastes time between them, a large one takes few exact steps and wants a higher learning rate, and 32 is a good place to
begin. Takes 5 minutes to read and about two minutes to run (``--quick``: a few seconds).

Measured with 6,000 digits of MNIST in two epochs, means of three seeds on 10,000 new ones, at the same rate and at one
that grows with the root of the batch: batches of 8 lead to 95.5 % and 94.8 %, of 32 to 94.8 %, of 128 to 91.7 % and
94.0 %, of 512 to 76.0 % and 85.5 %. Batches of 2,048 leave six steps, too few at either rate: 30.7 % and 28.0 %. With
``--quick`` on two idle cores, 2,200 images a second went by in batches of 4, 11,600 in 32 and 25,900 in 256.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn

BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"

# %%
# The noise of a mean over ``B`` examples shrinks as the square root of ``B``. Where a batch is four times as large, the
# direction can be trusted for a step twice as long: that is the rule for Adam, whose steps have a size of their own.
# (For plain gradient descent the rate grows as ``B`` itself.)

RULES = {
    "the same rate": lambda batch_size: 1e-3,
    "rate times the root of the batch": lambda batch_size: 1e-3 * (batch_size / 32) ** 0.5,
}


def train(data, batch_size, lr, epochs, seed):
    """Train LeNet-5 for so many epochs, and return it with the images it went through in a second."""
    trainer = nn.Trainer(nn.models.lenet(seed=seed), loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=lr), seed=seed)
    history = trainer.fit(data, epochs=epochs, batch_size=batch_size, progress=False)
    return trainer, history["images_per_second"][-1]


def draw(sizes, accuracies, speeds, path):
    """Draw accuracy and speed over the batch size; accuracies are (rules, sizes, seeds)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), dpi=110, layout="constrained")
    for (name, _), values, colour in zip(RULES.items(), accuracies, (VERMILION, BLUE), strict=True):
        spread = values.std(axis=1)
        left.errorbar(sizes, values.mean(axis=1), spread, marker="o", capsize=3, color=colour, label=name)
    left.set(title="after the same number of epochs", ylabel="accuracy on new digits in %")
    left.legend(frameon=False, loc="lower left")
    right.plot(sizes, speeds / 1000, "o-", color=GREEN)
    right.set(title="speed", ylabel="1,000 images a second", ylim=(0, None))
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xlabel("batch size")
        axes.axvline(32, color="#bbbbbb", linewidth=6, alpha=0.4, zorder=0)
        axes.grid(alpha=0.3)
    figure.savefig(path)


# %%
# Every network sees the same digits as often; what differs is in how many steps. Several seeds show how much of a
# difference is chance.


def main(quick, out):
    digits, test = nn.data.load_mnist()
    sizes, epochs, seeds = [8, 32, 128, 512, 2048], 2, range(3)
    digits = digits[:6000]
    if quick:
        digits, sizes, seeds = digits[:1200], [4, 32, 256], range(1)

    print(f"{len(digits):,} digits, {epochs} epochs, {len(seeds)} seeds; accuracy on {len(test):,} new ones in %\n")
    print("batch size   steps   images/s   " + "   ".join(RULES))
    accuracies = np.zeros((len(RULES), len(sizes), len(seeds)))
    speeds = np.zeros(len(sizes))
    for j, size in enumerate(sizes):
        for i, rule in enumerate(RULES.values()):
            for k, seed in enumerate(seeds):
                trainer, speeds[j] = train(digits, size, rule(size), epochs, seed)
                accuracies[i, j, k] = 100 * trainer.evaluate(test)["accuracy"]
        steps = epochs * -(-len(digits) // size)
        results = [f"{a.mean():.2f} +- {a.std():.2f}" for a in accuracies[:, j]]
        print(f"{size:10,}   {steps:5,}   {speeds[j]:8,.0f}   {results[0]:>13}   {results[1]:>32}")

    out.mkdir(parents=True, exist_ok=True)
    draw(sizes, accuracies, speeds, out / "batch_size.png")
    print(f"\nfigure: {out / 'batch_size.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="1,200 digits and three sizes, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
