from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from numpycnn import Conv2D, Dense, Sequential, models
from tests.models.exchange import check_exchange

PLANS = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}
PUBLISHED = {"vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240}


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_number_of_parameters(name: str) -> None:
    model = models.MODELS[name](seed=None)
    assert size(model) == PUBLISHED[name]
    assert f"{PUBLISHED[name]:,} parameters" in (models.MODELS[name].__doc__ or "")
    assert model.layers[1].output_shape == (512 * 7 * 7,)
    layers = [layer for block in (model[0], model[2]) for layer in block.children().values()]
    assert sum(isinstance(layer, Conv2D | Dense) for layer in layers) == int(name[3:])


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(("shape", "left"), [((3, 32, 47), (1, 1)), ((1, 64, 96), (2, 3))], ids=str)
def test_other_sizes_and_classes(name: str, shape: tuple[int, int, int], left: tuple[int, int]) -> None:
    model = models.create(name, shape, 7, seed=None)
    assert model.layers[0].output_shape == (512, *left)
    channels = [shape[0], *(int(word) for word in PLANS[name].split() if word != "M")]
    convolutions = sum(after * (before * 9 + 1) for before, after in pairwise(channels))
    assert size(model) == convolutions + 4096 * (512 * left[0] * left[1] + 1) + 4096 * 4097 + 7 * 4097
    assert (model.output_shape, model.name) == ((7,), name)


def test_an_image_that_is_too_small_is_refused_by_its_layer() -> None:
    with pytest.raises(ValueError, match=r"MaxPool2D \(layer 0\.20\): .*kernel"):
        models.vgg11((3, 32, 31), 10, seed=None)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("name", PLANS)
def test_weights_of_pytorch(name: str, tmp_path: Path) -> None:
    from tests.models import twins

    twin = twins.vgg(PLANS[name], 5, 512 * 2)
    check_exchange(models.create(name, (3, 32, 65), 5, seed=None), twin, tmp_path)


def test_a_training_step(rng: np.random.Generator) -> None:
    model = models.vgg11((1, 32, 32), 2)
    y = model.forward(rng.normal(size=(2, 1, 32, 32)).astype(np.float32), training=True)
    model.backward_parameters(rng.normal(size=y.shape).astype(np.float32))
    assert all(np.abs(parameter.grad).max() > 0 for parameter in model.parameters().values())
