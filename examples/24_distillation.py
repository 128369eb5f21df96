"""A network that learns from another one
======================================

A trained network knows more about a picture than its label: how much this 7 looks like a 1. You learn to train a
student with the outputs of a teacher, in a training step of your own, and what the student gains: the teacher is
convolutional and has seen moved digits, the dense student sees them in their places only. Takes 4 minutes to read and 3
minutes to run (``--quick``: a few seconds).

Measured after ten epochs: of the 10,000 test digits the student misreads 140 alone and 99 with its teacher, which
misreads 76. In the paper, with a dense teacher of two hidden layers of 1,200 units, it is 146, 74 and 67.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
import numpycnn.functional as F
from numpycnn.data.augment import Affine

# %%
# Divided by a temperature T above 1, the logits of the teacher give probabilities that are softer: the wrong classes
# count. The student learns them at the same temperature. The gradient with respect to its logits is then about T^2
# times smaller, so the loss is multiplied by T^2 (G. Hinton, O. Vinyals, J. Dean, arXiv 1503.02531, section 2).


class Distillation(nn.Trainer):
    """Train a student with the labels and, for a share of the loss, with the outputs of a teacher."""

    def __init__(self, student, teacher, *, temperature, share, **settings):
        super().__init__(student, **settings)
        self.teacher, self.temperature, self.share = teacher, temperature, share

    def train_step(self, x, target):
        t, share = self.temperature, self.share
        soft = F.softmax(self.teacher.forward(x) / t)  # (N, 10)
        logits = self.model.forward(x, training=True)
        label_loss = self.loss.forward(logits, target)
        dy = (1 - share) * self.loss.backward()
        teacher_loss = t**2 * self.loss.forward(logits / t, soft)
        dy += share * t * self.loss.backward()  # t^2, and 1 / t for the gradient of logits / t
        self.model.backward(dy)
        self.optimizer.step(self.model.parameters())
        return {"loss": (1 - share) * label_loss + share * teacher_loss}


def student(seed):
    """Return the dense student of the paper, with two hidden layers of 800 units."""
    layers = [nn.Flatten(), nn.Dense(800, activation="relu"), nn.Dense(800, activation="relu"), nn.Dense(10)]
    return nn.Sequential(layers, input_shape=(1, 28, 28), seed=seed)


def settings(data, lr, epochs, batch_size=128):
    """Return loss and optimizer, with a learning rate that rises to `lr` and falls again."""
    rate = nn.OneCycleSchedule(lr, epochs * -(-len(data) // batch_size))
    return {"loss": nn.CrossEntropy(), "optimizer": nn.Adam(lr=rate)}


def errors(model, data):
    return int(np.sum(model.predict(data).argmax(axis=1) != data.labels))


def draw(models, data, path):
    """Draw the digits of which the teacher is least certain, with the probabilities of all three networks."""
    probabilities = {name: F.softmax(model.predict(data)) for name, model in models.items()}  # (N, 10) each
    chosen = np.argsort(probabilities["teacher"].max(axis=1))[:5]
    figure, axes = plt.subplots(2, len(chosen), figsize=(11, 4), dpi=110, layout="constrained")
    for (top, bottom), n in zip(axes.T, chosen, strict=True):
        top.imshow(data.images[n, 0], cmap="gray")
        top.set(title=f"label {data.labels[n]}", xticks=[], yticks=[])
        for i, (name, colour) in enumerate(zip(models, ("#777777", "#D55E00", "#0072B2"), strict=True)):
            bottom.bar(np.arange(10) + 0.27 * (i - 1), probabilities[name][n], 0.27, color=colour, label=name)
        bottom.set(xticks=range(10), ylim=(0, 1), xlabel="class")
        bottom.label_outer()
    axes[1, 0].legend(frameon=False, fontsize=8)
    axes[1, 0].set_ylabel("probability")
    figure.savefig(path)


def main(quick, out):
    digits, test = nn.data.load_mnist()
    epochs, batch_size = 10, 128
    if quick:
        digits, test, epochs, batch_size = digits[:2000], test[:1000], 5, 32
    teacher = nn.models.small_cnn(seed=0)
    moved = Affine(shift=0.07)  # by up to two pixels
    trainer = nn.Trainer(teacher, **settings(digits, 5e-3, epochs // 2, batch_size))
    trainer.fit(digits, epochs=epochs // 2, batch_size=batch_size, augment=moved, progress=False)
    alone = nn.Trainer(student(seed=0), **settings(digits, 1e-3, epochs, batch_size))
    shared = settings(digits, 1e-3, epochs, batch_size)
    distilled = Distillation(student(seed=0), teacher, temperature=20.0, share=0.9, **shared)
    for trainer in (alone, distilled):
        trainer.fit(digits, epochs=epochs, batch_size=batch_size, progress=False)

    print(f"{len(digits):,} digits, {epochs} epochs; errors on {len(test):,} new ones\n")
    print("                    errors   parameters   in the paper")
    models = {"teacher": teacher, "student alone": alone.model, "student, distilled": distilled.model}
    for (name, model), published in zip(models.items(), (67, 146, 74), strict=True):
        print(f"{name:18}   {errors(model, test):5}   {model.summary().parameters:10,}   {published:12}")
    out.mkdir(parents=True, exist_ok=True)
    draw(models, test, out / "distillation.png")
    print(f"\nfigure: {out / 'distillation.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits and 5 epochs, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
