from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Concat, Conv2D, DataFormatError, Sequential, models
from tests.models.exchange import check_exchange


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def test_the_published_number_of_parameters() -> None:
    model = models.googlenet(seed=None)
    assert size(model) == 6_624_904
    assert "6,624,904 parameters" in (models.googlenet.__doc__ or "")
    assert size(models.googlenet((1, 64, 48), 10, seed=None)) == 6_624_904 - 2 * 64 * 49 - 990 * 1025


def test_the_shapes_of_table_1() -> None:
    model = models.googlenet(seed=None)
    shapes = {layer.name: layer.output_shape for layer in model if layer.name}
    assert shapes["conv1.conv"] == (64, 112, 112)
    assert shapes["conv3.conv"] == (192, 56, 56)
    assert shapes["inception3a"] == (256, 28, 28)
    assert shapes["inception3b"] == (480, 28, 28)
    assert shapes["maxpool3"] == (480, 14, 14)
    assert [shapes[f"inception4{letter}"] for letter in "abcde"] == [
        (channels, 14, 14) for channels in (512, 512, 512, 528, 832)
    ]
    assert (shapes["inception5a"], shapes["inception5b"]) == ((832, 7, 7), (1024, 7, 7))
    deepest = 3 + 2 * sum(isinstance(layer, Concat) for layer in model) + 1
    assert deepest == 22
    assert sum(isinstance(layer, Conv2D) for block in model for layer in [block, *block.children().values()]) >= 3


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("shape", [(3, 37, 52), (3, 15, 17)], ids=str)
def test_weights_of_pytorch_at_any_size(shape: tuple[int, int, int], tmp_path: Path) -> None:
    from tests.models import twins

    check_exchange(models.googlenet(shape, 5, seed=None), twins.GoogLeNet(5), tmp_path)


def test_auxiliary_classifiers_are_skipped(tmp_path: Path, torch: Any) -> None:
    from safetensors.torch import save_file

    from tests.models import twins

    state = twins.GoogLeNet(5).state_dict() | {"aux1.fc1.weight": torch.zeros(3), "aux2.fc1.weight": torch.zeros(3)}
    save_file(state, str(tmp_path / "file"))
    model = models.googlenet((3, 32, 32), 5, seed=None)
    model.load_torch(tmp_path / "file", ignore=["aux1.", "aux2."])
    assert np.array_equal(model.state()["0.weight"], state["conv1.conv.weight"].numpy())
    with pytest.raises(DataFormatError, match=r"unknown aux1\.fc1\.weight, aux2\.fc1\.weight \(ignore="):
        model.load_torch(tmp_path / "file")


def test_a_training_step(rng: np.random.Generator) -> None:
    model = models.googlenet((1, 40, 33), 2)
    y = model.forward(rng.normal(size=(3, 1, 40, 33)).astype(np.float32), training=True)
    model.backward_parameters(rng.normal(size=y.shape).astype(np.float32))
    assert all(np.abs(parameter.grad).max() > 0 for parameter in model.parameters().values())
