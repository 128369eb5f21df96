"""The six reference networks, a batch for them, and numpycnn's training step. Imports no PyTorch: see `peer`."""

from typing import Any

import numpy as np

import numpycnn

NETWORKS = {
    "lenet": (1, 28, 28),
    "tiny_vgg": (1, 28, 28),
    "keras_cnn": (1, 28, 28),
    "mnist_cnn": (1, 28, 28),
    "bn_net": (1, 28, 28),
    "resnet18_cifar": (3, 32, 32),
}

_SETTINGS = {
    "Conv2D": ("out_channels", "kernel_size", "stride", "padding"),
    "Dense": ("out_features",),
    "MaxPool2D": ("kernel_size", "stride", "padding"),
    "Dropout": ("p",),
}


def shape(name: str) -> tuple[int, int, int]:
    """Return the shape of the images that a network is measured with."""
    return NETWORKS.get(name, (1, 28, 28))


def make(name: str, *, drops: bool = True) -> numpycnn.Sequential:
    """Return a reference network; without `drops`, its dropout does nothing."""
    model = numpycnn.models.create(name, shape(name), 10)
    for layer in model:
        if isinstance(layer, numpycnn.Dropout) and not drops:
            layer.p = 0.0
    return model


def batch(name: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and labels."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(size, *shape(name))).astype(np.float32), rng.integers(0, 10, size)


def describe(layer: Any) -> list[Any]:
    """Return a built layer as JSON: its kind, and its settings or its children."""
    kind = type(layer).__name__
    if kind == "Sequential":
        return [kind, [describe(child) for child in layer]]
    if kind == "Residual":
        return [kind, [describe(child) for child in (layer.main, layer.shortcut) if child]]
    settings = {name: getattr(layer, name) for name in _SETTINGS.get(kind, ())}
    biased = getattr(layer, "bias", None) is not None
    return [kind, settings | {"channels": layer.input_shape[0], "bias": biased}]


class OurStep:
    """Training steps and predictions of numpycnn."""

    def __init__(self, model: numpycnn.Sequential, x: np.ndarray, labels: np.ndarray) -> None:
        self.model, self.x, self.labels = model, x, labels
        self.loss, self.optimizer = numpycnn.CrossEntropy(), numpycnn.Adam()

    def step(self) -> float:
        loss = self.loss.forward(self.model.forward(self.x, training=True), self.labels)
        self.model.backward_parameters(self.loss.backward())
        self.optimizer.step(self.model.parameters())
        return loss

    def predict(self) -> np.ndarray:
        return self.model.forward(self.x)
