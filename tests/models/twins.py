"""torchvision's networks, reimplemented from their descriptions: the same names, without adaptive pooling.

They need PyTorch: import them inside a test that uses the fixture `torch`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def shortcut(before: int, after: int, stride: int) -> nn.Module | None:
    if stride == 1 and before == after:
        return None
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))


class BasicBlock(nn.Module):
    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(before, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        narrow = channels // 4
        self.conv1 = nn.Conv2d(before, narrow, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(before, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))
        return torch.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(
        self, block: Any, widths: Sequence[int], depths: Sequence[int], classes: int, stem: int, small: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, 1, 1, bias=False) if small else nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.pool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        before = stem
        self.stages = len(widths)
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for position in range(depth):
                blocks.append(block(before, width, 2 if stage and not position else 1))
                before = width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.fc(x.mean(dim=(2, 3)))


class TwoParts(nn.Module):
    """AlexNet and VGG: features, then a classifier of the remaining map."""

    def __init__(self, features: list[nn.Module], classifier: list[nn.Module]) -> None:
        super().__init__()
        self.features, self.classifier = nn.Sequential(*features), nn.Sequential(*classifier)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def alexnet(classes: int, left: int) -> nn.Module:
    """The features have `left` outputs."""
    features = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU()]
    features += [nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()]
    features += [nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2)]
    dense = [nn.Dropout(), nn.Linear(left, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()]
    return TwoParts(features, [*dense, nn.Linear(4096, classes)])


def vgg(plan: str, classes: int, left: int) -> nn.Module:
    """`plan` is a line of the paper's table, as in "64 M 128 M"."""
    features: list[nn.Module] = []
    before = 3
    for word in plan.split():
        if word == "M":
            features.append(nn.MaxPool2d(2))
        else:
            features += [nn.Conv2d(before, int(word), 3, 1, 1), nn.ReLU()]
            before = int(word)
    dense = [nn.Linear(left, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()]
    return TwoParts(features, [*dense, nn.Linear(4096, classes)])


class BasicConv(nn.Module):
    def __init__(self, before: int, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, channels, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, before: int, one: int, r3: int, three: int, r5: int, five: int, pooled: int) -> None:
        super().__init__()
        self.branch1 = BasicConv(before, one, 1)
        self.branch2 = nn.Sequential(BasicConv(before, r3, 1), BasicConv(r3, three, 3))
        self.branch3 = nn.Sequential(BasicConv(before, r5, 1), BasicConv(r5, five, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), BasicConv(before, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class GoogLeNet(nn.Module):
    BLOCKS = (
        ("3a", 192, 64, 96, 128, 16, 32, 32),
        ("3b", 256, 128, 128, 192, 32, 96, 64),
        ("4a", 480, 192, 96, 208, 16, 48, 64),
        ("4b", 512, 160, 112, 224, 24, 64, 64),
        ("4c", 512, 128, 128, 256, 24, 64, 64),
        ("4d", 512, 112, 144, 288, 32, 64, 64),
        ("4e", 528, 256, 160, 320, 32, 128, 128),
        ("5a", 832, 256, 160, 320, 32, 128, 128),
        ("5b", 832, 384, 192, 384, 48, 128, 128),
    )

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = BasicConv(3, 64, 7, 2), BasicConv(64, 64, 1), BasicConv(64, 192, 3)
        for name, *channels in self.BLOCKS:
            self.add_module(f"inception{name}", Inception(*channels))
        self.fc = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        large, small = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 2, ceil_mode=True)
        x = large(self.conv3(self.conv2(large(self.conv1(x)))))
        for name, *_ in self.BLOCKS:
            x = self.get_submodule(f"inception{name}")(x)
            x = {"3b": large, "4e": small}.get(name, nn.Identity())(x)
        return self.fc(x.mean(dim=(2, 3)))


class MnistExample(nn.Module):
    """The network of PyTorch's MNIST example."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, 1), nn.Conv2d(32, 64, 3, 1)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.max_pool2d(torch.relu(self.conv2(torch.relu(self.conv1(x)))), 2)
        x = torch.relu(self.fc1(self.dropout1(x).flatten(1)))
        return torch.log_softmax(self.fc2(self.dropout2(x)), 1)


def randomize(module: nn.Module, seed: int = 0) -> nn.Module:
    """Randomize all arrays, at a scale that preserves the activations."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                fan_in = part.weight[0].numel()
                part.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
                if part.bias is not None:
                    part.bias.normal_(0, 0.1, generator=generator)
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5, generator=generator)
                part.bias.normal_(0, 0.1, generator=generator)
                part.running_mean.normal_(0, 0.1, generator=generator)
                part.running_var.uniform_(0.5, 2, generator=generator)
    return module.eval()
