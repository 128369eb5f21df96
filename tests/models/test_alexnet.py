from pathlib import Path

import numpy as np
import pytest

from numpycnn import Sequential, models
from tests.models.exchange import check_exchange


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def test_the_published_number_of_parameters() -> None:
    model = models.alexnet(seed=None)
    assert size(model) == 61_100_840
    assert "61,100,840 parameters" in (models.alexnet.__doc__ or "")
    assert model.layers[1].output_shape == (256 * 6 * 6,)
    assert sum(p.value.size for name, p in model.parameters().items() if name[0] == "2") > 0.9 * size(model)


@pytest.mark.parametrize(("shape", "left"), [((3, 63, 70), (1, 1)), ((1, 100, 131), (2, 3))], ids=str)
def test_other_sizes_and_classes(shape: tuple[int, int, int], left: tuple[int, int]) -> None:
    model = models.alexnet(shape, 7, seed=None)
    assert model.layers[0].output_shape == (256, *left)
    assert model.output_shape == (7,)
    convolutions = 64 * (shape[0] * 121 + 1) + 192 * (64 * 25 + 1) + 384 * (192 * 9 + 1) + 256 * (384 * 9 + 1)
    dense = 4096 * (256 * left[0] * left[1] + 1) + 4096 * 4097 + 7 * 4097
    assert size(model) == convolutions + 256 * (256 * 9 + 1) + dense


def test_an_image_that_is_too_small_is_refused_by_its_layer() -> None:
    with pytest.raises(ValueError, match=r"MaxPool2D \(layer 0\.12\): .*kernel"):
        models.alexnet((3, 62, 224), 10, seed=None)


@pytest.mark.usefixtures("torch")
def test_weights_of_pytorch(tmp_path: Path) -> None:
    from tests.models import twins

    check_exchange(models.alexnet((3, 63, 99), 5, seed=None), twins.alexnet(5, 256 * 2), tmp_path)


def test_a_training_step(rng: np.random.Generator) -> None:
    model = models.alexnet((1, 63, 63), 2)
    y = model.forward(rng.normal(size=(2, 1, 63, 63)).astype(np.float32), training=True)
    model.backward_parameters(rng.normal(size=y.shape).astype(np.float32))
    assert all(np.abs(parameter.grad).max() > 0 for parameter in model.parameters().values())
