from itertools import pairwise

import numpy as np
import pytest

from numpycnn import Sequential, check_gradients, models


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def conv(channels: list[int]) -> int:
    """Parameters of convolutions without bias and their batch normalization, by hand."""
    return sum(after * before * 9 + 2 * after for before, after in pairwise(channels))


@pytest.mark.parametrize(("shape", "classes"), [((1, 28, 28), 10), ((2, 17, 9), 3)], ids=str)
def test_vgg5(shape: tuple[int, int, int], classes: int) -> None:
    model = models.vgg5(shape, classes, widths=(4, 5, 6))
    flat = 6 * (shape[1] // 8) * (shape[2] // 8)
    assert size(model) == conv([shape[0], 4, 4, 5, 5, 6]) + classes * (flat + 1)
    assert model.output_shape == (classes,)


@pytest.mark.parametrize(("shape", "classes"), [((3, 32, 32), 10), ((2, 17, 9), 3)], ids=str)
def test_vgg7(shape: tuple[int, int, int], classes: int) -> None:
    model = models.vgg7(shape, classes, widths=(2, 4, 5, 6))
    assert size(model) == conv([shape[0], 2, 4, 4, 5, 5, 6, 6]) + classes * (6 + 1)
    assert model.output_shape == (classes,)


@pytest.mark.parametrize(("shape", "classes"), [((3, 32, 32), 10), ((2, 17, 9), 3)], ids=str)
def test_resnet9(shape: tuple[int, int, int], classes: int) -> None:
    model = models.resnet9(shape, classes, width=4)
    convolutions = conv([shape[0], 4, 8, 8, 8, 16, 32, 32, 32])
    assert size(model) == convolutions + classes * (32 + 1)
    assert model.output_shape == (classes,)


def test_its_blocks_add_to_their_input() -> None:
    """With zeros as the last scale of a block, nothing is added."""
    model = models.resnet9((3, 8, 8), 4, width=2)
    (position, block), *_ = [(i, layer) for i, layer in enumerate(model) if type(layer).__name__ == "Residual"]
    name = f"{position}.main.4.weight"
    assert name in model.state()
    model.load_state(model.state() | {name: np.zeros(4, np.float32)})
    x = np.random.default_rng(0).random((2, 4, 4, 4), np.float32)
    np.testing.assert_array_equal(block.forward(x), x)


@pytest.mark.parametrize("name", ["vgg5", "vgg7", "resnet9"])
def test_gradients(name: str) -> None:
    settings = {"vgg5": {"widths": (2, 3, 4)}, "vgg7": {"widths": (2, 3, 4, 3)}, "resnet9": {"width": 2}}[name]
    model = getattr(models, name)((2, 9, 8), 3, **settings)
    assert check_gradients(model, (2, 9, 8), samples=5, batch_size=3).passed
