import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from numpycnn import Conv2D, Layer, MaxPool2D, Residual, Sequential, check_gradients, models
from numpycnn.models import resnet
from tests.models.exchange import check_exchange

# Each convolution of F filters has no bias; the batch normalization after it has 2 F parameters.


def conv(c: int, f: int, k: int) -> int:
    return f * c * k * k + 2 * f


def basic(c: int, f: int) -> int:
    return conv(c, f, 3) + conv(f, f, 3)


def bottleneck(c: int, f: int) -> int:
    return conv(c, f // 4, 1) + conv(f // 4, f // 4, 3) + conv(f // 4, f, 1)


def small_stages(c: int, stem: int, block: object, widths: Sequence[int], depths: Sequence[int], k: int) -> int:
    """Parameters after a stem of `c` channels; the first block of a stage has a projection if the shape changes."""
    total = stem
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        total += conv(c, width, 1) if stage or c != width else 0
        for _ in range(depth):
            total += block(c, width)  # type: ignore[operator]
            c = width
    return total + k * (c + 1)


WIDE, WIDEST = (64, 128, 256, 512), (256, 512, 1024, 2048)
COUNTS = {
    "resnet18": lambda c, k: small_stages(64, conv(c, 64, 7), basic, WIDE, (2, 2, 2, 2), k),
    "resnet34": lambda c, k: small_stages(64, conv(c, 64, 7), basic, WIDE, (3, 4, 6, 3), k),
    "resnet50": lambda c, k: small_stages(64, conv(c, 64, 7), bottleneck, WIDEST, (3, 4, 6, 3), k),
    "resnet18_cifar": lambda c, k: small_stages(64, conv(c, 64, 3), basic, WIDE, (2, 2, 2, 2), k),
    "resnet20": lambda c, k: small_stages(16, conv(c, 16, 3), basic, (16, 32, 64), (3, 3, 3), k),
}
PUBLISHED = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet20": 272_474}
LARGE = ("resnet18", "resnet34", "resnet50")
SHRINK = {"resnet18": 32, "resnet34": 32, "resnet50": 32, "resnet18_cifar": 8, "resnet20": 4}


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def inside(layer: Layer) -> Iterator[Layer]:
    yield layer
    for child in layer.children().values():
        yield from inside(child)


def test_every_network_of_this_module_is_counted() -> None:
    built = {name for name, builder in models.MODELS.items() if builder.__module__ == resnet.__name__}
    assert built == set(COUNTS) == set(SHRINK)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(("shape", "classes"), [((3, 32, 32), 1000), ((1, 13, 16), 2)], ids=str)
def test_sizes_and_classes(name: str, shape: tuple[int, int, int], classes: int) -> None:
    model = models.create(name, shape, classes)
    assert size(model) == COUNTS[name](shape[0], classes)
    assert (model.input_shape, model.output_shape, model.name) == (shape, (classes,), name)
    height, width = (-(-extent // SHRINK[name]) for extent in shape[1:])
    pooled = next(layer for layer in model.layers if type(layer).__name__ == "GlobalAvgPool")
    assert pooled.input_shape is not None
    assert pooled.input_shape[1:] == (height, width)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_number_of_parameters(name: str) -> None:
    assert size(models.MODELS[name](seed=None)) == PUBLISHED[name]
    assert f"{PUBLISHED[name]:,} parameters" in re.sub(r"\s+", " ", models.MODELS[name].__doc__ or "")


@pytest.mark.parametrize(
    ("name", "depth"), [("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet18_cifar", 18), ("resnet20", 20)]
)
def test_the_name_gives_the_number_of_layers(name: str, depth: int) -> None:
    model = models.create(name, (1, 13, 16), 2)
    shortcuts = [layer.shortcut for layer in inside(model) if isinstance(layer, Residual) and layer.shortcut]
    convolutions = sum(isinstance(layer, Conv2D) for layer in inside(model)) - len(shortcuts)
    assert convolutions + 1 == depth  # and the dense layer
    assert any(isinstance(layer, MaxPool2D) for layer in inside(model)) == (name in LARGE)


def test_one_seed_determines_all_weights() -> None:
    one, same, other = (models.resnet20((1, 8, 6), 3, seed=seed).state() for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["0.weight"], other["0.weight"])


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_outputs_and_a_training_step(name: str, rng: np.random.Generator) -> None:
    model = models.create(name, (2, 13, 18), 3)
    x = rng.normal(size=(4, 2, 13, 18)).astype(np.float32)
    y = model.forward(x, training=True)
    assert y.shape == (4, 3)
    model.backward(rng.normal(size=y.shape).astype(np.float32))
    assert all(np.abs(parameter.grad).max() > 0 for parameter in model.parameters().values())
    assert np.isfinite(model.predict(x)).all()


def test_gradients() -> None:
    model = models.resnet20((1, 6, 5), 2)
    assert check_gradients(model, (1, 6, 5), samples=1, batch_size=2).passed


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("name", COUNTS)
def test_weights_of_pytorch(name: str, tmp_path: Path) -> None:
    from tests.models import twins

    block = twins.Bottleneck if name == "resnet50" else twins.BasicBlock
    widths, stem = {"resnet50": (WIDEST, 64), "resnet20": ((16, 32, 64), 16)}.get(name, (WIDE, 64))
    depths = {"resnet20": (3, 3, 3), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}.get(name, (2, 2, 2, 2))
    twin = twins.ResNet(block, widths, depths, 7, stem, small=name not in LARGE)
    check_exchange(models.create(name, (3, 33, 48), 7, seed=None), twin, tmp_path)


def test_the_layers_have_torchvisions_names() -> None:
    named = [layer.name for layer in inside(models.resnet18((3, 32, 32), 10, seed=None)) if layer.name]
    assert named[:4] == ["resnet18", "conv1", "bn1", "layer1.0.conv1"]
    assert named[-1] == "fc"
    assert {"layer2.0.downsample.0", "layer2.0.downsample.1", "layer4.1.bn2"} <= set(named)
