"""Pictures that deceive a network
===============================

A small change of each pixel, in the direction that makes the loss larger, is enough for a network to misread what it
read before. You learn how to get the gradient of a loss with respect to the pictures, to attack a network with its
sign, and how fast the accuracy falls with the size of the change. Takes 4 minutes to read and 5 minutes to run
(``--quick``: a few seconds).

Measured after five epochs: 98.9 % of the 10,000 test digits are read as they are, 86.9 % with an epsilon of 0.1, 51.3 %
with 0.2 and 19.1 % with 0.3. PyTorch's tutorial, which attacks the same network with weights of its own, gives 99.1 %,
87.4 %, 48.6 % and 14.1 %.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn

EPSILONS = (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)  # the pixels are from 0 to 1
PYTORCH = (99.12, 96.05, 87.43, 71.08, 48.59, 27.18, 14.11)  # accuracy in % in PyTorch's tutorial on this attack
BATCH = 100


def train(x, labels, epochs, seed):
    """Return the network of PyTorch's MNIST example, trained with its optimizer, learning rates and batch size."""
    model = nn.models.mnist_cnn(seed=seed)
    adadelta = nn.Adadelta(lr=nn.PerEpoch(nn.StepSchedule(1.0, every=1, factor=0.7)))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=adadelta, seed=seed)
    trainer.fit((x, labels), epochs=epochs, batch_size=64, progress=False)
    return model


# %%
# The fast gradient sign method (I. Goodfellow, J. Shlens, C. Szegedy, arXiv 1412.6572). A step of epsilon along the
# sign of the gradient changes the loss by about epsilon times the sum of the absolute values of the gradient: the more
# pixels, the larger. ``differentiable=True`` keeps the arrays that the backward pass needs, and leaves dropout off.


def attack(model, x, labels, epsilon):
    """Return the pictures with each pixel moved by epsilon, up or down, so that the loss grows."""
    loss = nn.CrossEntropy()
    loss.forward(model.forward(x, differentiable=True), labels)
    dx = model.backward(loss.backward())
    return np.clip(x + epsilon * np.sign(dx), 0, 1)


def attack_all(model, x, labels, epsilon):
    """Return all pictures, attacked, and the labels that the network gives them."""
    batches = range(0, len(x), BATCH)
    attacked = np.concatenate([attack(model, x[i : i + BATCH], labels[i : i + BATCH], epsilon) for i in batches])
    return attacked, model.predict(attacked).argmax(axis=1)


def draw(rows, accuracies, path):
    """Draw the same digits under growing attacks, with the predicted labels, and the accuracy over epsilon."""
    left, right = plt.figure(figsize=(10, 5.2), dpi=110, layout="constrained").subfigures(1, 2, width_ratios=[5, 6])
    panels = left.subplots(len(EPSILONS), 6, subplot_kw={"xticks": [], "yticks": []})
    left.suptitle("epsilon, and the prediction above each picture", size=10)
    for i, (epsilon, (pictures, predictions)) in enumerate(zip(EPSILONS, rows, strict=True)):
        for j, (picture, prediction) in enumerate(zip(pictures[:6, 0], predictions, strict=False)):
            axes = panels[i, j]
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axes.set_title(prediction, size=8, pad=2, color="black" if prediction == rows[0][1][j] else "#D55E00")
            axes.set_ylabel(f"{epsilon:g}" if j == 0 else "", rotation=0, ha="right", va="center")
    axes = right.subplots()
    axes.set(xlabel="epsilon", ylabel="accuracy in %", ylim=(0, 102))
    axes.plot(EPSILONS, accuracies, marker="o", color="#0072B2", label="here")
    axes.plot(EPSILONS, PYTORCH, marker="s", color="#777777", linestyle="--", label="PyTorch's tutorial")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    left.figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    epochs = 5
    if quick:
        digits, test, epochs = digits[:2000], test[:500], 3
    x, new = (part.images.astype(np.float32) / 255 for part in (digits, test))
    model = train(x, digits.labels, epochs, seed=0)
    print(f"{len(x):,} digits, {epochs} epochs; accuracy on {len(new):,} attacked digits in %\n")
    print("epsilon    here   PyTorch's tutorial")
    rows, accuracies = [], []
    for epsilon, published in zip(EPSILONS, PYTORCH, strict=True):
        attacked, predictions = attack_all(model, new, test.labels, epsilon)
        rows.append((attacked, predictions))
        accuracies.append(100 * np.mean(predictions == test.labels))
        print(f"{epsilon:7.2f}   {accuracies[-1]:5.2f}   {published:18.2f}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    draw(rows, accuracies, out / "adversarial_examples.png")
    print(f"\nfigure: {out / 'adversarial_examples.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits and 3 epochs, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
