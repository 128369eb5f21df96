"""Train on MNIST
==============

A convolutional network learns to read digits in an explicit loop: forward, loss, backward, step.

You learn what a training step consists of. Takes 2 minutes to read and a minute to run (``--quick``: seconds).
"""

import sys

import numpy as np

from numpycnn import Adam, Conv2D, CrossEntropy, Dense, Flatten, MaxPool2D, ReLU, Sequential
from numpycnn.data import load_mnist

epochs, batch_size = 3, 32
train, test = load_mnist()
if "--quick" in sys.argv:
    train, test = train[:2000], test[:1000]

model = Sequential([
    Conv2D(16, kernel_size=3), ReLU(), MaxPool2D(2),
    Conv2D(32, kernel_size=3), ReLU(), MaxPool2D(2),
    Flatten(), Dense(10),
], input_shape=(1, 28, 28), seed=0)  # fmt: skip
loss, optimizer, rng = CrossEntropy(), Adam(lr=2e-3), np.random.default_rng(0)

for epoch in range(epochs):
    losses = []
    for indices in np.array_split(rng.permutation(len(train)), len(train) // batch_size):
        x, labels = train.batch(indices)  # (N, 1, 28, 28) and (N,)
        y = model.forward(x, training=True)  # (N, 10): one score (logit) for each digit
        losses.append(loss.forward(y, labels))
        model.backward(loss.backward())  # set the gradient of each parameter
        optimizer.step(model.parameters())
    x, labels = test.batch(slice(None))
    accuracy = (model.predict(x).argmax(axis=1) == labels).mean()
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, test accuracy {100 * accuracy:.2f} %")
