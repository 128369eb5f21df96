"""The reference networks in PyTorch, for comparison. Imports nothing of numpycnn.

A network is built from its description, see `networks.describe`, and its weights have the same names in both.
"""

from typing import Any

import numpy as np
import torch
from torch import nn


class _Residual(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x) + self.shortcut(x)


class _GlobalAvgPool(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


_MAKERS = {
    "Conv2D": lambda s: nn.Conv2d(
        s["channels"], s["out_channels"], s["kernel_size"], s["stride"], s["padding"], bias=s["bias"]
    ),
    "Dense": lambda s: nn.Linear(s["channels"], s["out_features"], bias=s["bias"]),
    "BatchNorm": lambda s: nn.BatchNorm2d(s["channels"]),
    "ReLU": lambda s: nn.ReLU(),
    "MaxPool2D": lambda s: nn.MaxPool2d(s["kernel_size"], s["stride"], s["padding"]),
    "GlobalAvgPool": lambda s: _GlobalAvgPool(),
    "Flatten": lambda s: nn.Flatten(),
    "Dropout": lambda s: nn.Dropout(s["p"]),
}


def module(description: list[Any]) -> nn.Module:
    """Build the PyTorch module of a description."""
    kind, content = description
    if kind == "Sequential":
        return nn.Sequential(*map(module, content))
    if kind == "Residual":
        return _Residual(*map(module, content))
    return _MAKERS[kind](content)


class TorchStep:
    """Training steps and predictions of PyTorch."""

    def __init__(
        self, description: list[Any], state: dict[str, np.ndarray] | None, x: np.ndarray, labels: np.ndarray
    ) -> None:
        self.model = module(description)
        if state is not None:
            tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
            absent, unknown = self.model.load_state_dict(tensors, strict=False)
            assert not unknown, unknown
            assert all(name.endswith("num_batches_tracked") for name in absent), absent
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
