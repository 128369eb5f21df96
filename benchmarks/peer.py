"""The reference networks in PyTorch, with the weights of ours: what the benchmarks measure against."""

import numpy as np
import torch
from torch import nn

import numpycnn


def twin(layer: numpycnn.Layer) -> nn.Module:
    """Return the PyTorch module that does what a built layer does, with copies of its weights."""
    kind = type(layer).__name__
    if kind == "Sequential":
        return nn.Sequential(*(twin(child) for child in layer))
    if kind == "Residual":
        return _Residual(twin(layer.main), twin(layer.shortcut) if layer.shortcut else nn.Identity())
    module = _MAKERS[kind](layer)
    with torch.no_grad():
        for name, array in layer.state().items():
            getattr(module, name).copy_(torch.from_numpy(array.copy()))
    return module


class _Residual(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x) + self.shortcut(x)


class _GlobalAvgPool(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


def _conv(layer: numpycnn.Conv2D) -> nn.Module:
    channels = layer.input_shape[0]
    return nn.Conv2d(
        channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, bias=layer.bias is not None
    )


_MAKERS = {
    "Conv2D": _conv,
    "Dense": lambda layer: nn.Linear(layer.input_shape[0], layer.out_features),
    "BatchNorm": lambda layer: nn.BatchNorm2d(layer.input_shape[0]),
    "ReLU": lambda layer: nn.ReLU(),
    "MaxPool2D": lambda layer: nn.MaxPool2d(layer.kernel_size, layer.stride, layer.padding),
    "GlobalAvgPool": lambda layer: _GlobalAvgPool(),
    "Flatten": lambda layer: nn.Flatten(),
    "Dropout": lambda layer: nn.Dropout(layer.p),
}


class TorchStep:
    """Training steps and predictions of the peer."""

    def __init__(self, model: numpycnn.Sequential, x: np.ndarray, labels: np.ndarray) -> None:
        self.model = twin(model)
        self.x, self.labels = torch.from_numpy(x), torch.from_numpy(labels)
        self.loss, self.optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(self.model.parameters())

    def step(self) -> float:
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.x), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self) -> np.ndarray:
        self.model.eval()
        with torch.inference_mode():
            return self.model(self.x).numpy()


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
