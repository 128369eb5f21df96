import inspect
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Conv2D, Dense, Flatten, LogSoftmax, MaxPool2D, ReLU, Sequential, check_gradients, models
from numpycnn.models import MODELS, create
from tests.models.exchange import check_exchange

Shape = tuple[int, int, int]

# Parameters by hand, from the description of each network: a convolution has F (C KH KW + 1), a dense layer
# out (in + 1), batch normalization 2 C. Windows reduce height and width; pools halve them, rounding down.


def conv(c: int, f: int, k: int, bias: bool = True) -> int:
    return f * (c * k * k + bias)


def dense(inputs: int, *outputs: int) -> int:
    return sum(out * (before + 1) for before, out in zip((inputs, *outputs), outputs, strict=False))


def tiny_vgg(c: int, h: int, w: int, k: int) -> int:
    return conv(c, 10, 3) + 3 * conv(10, 10, 3) + dense(10 * (h // 2 // 2) * (w // 2 // 2), k)


def small_cnn(c: int, h: int, w: int, k: int) -> int:
    pairs = [(c, 16), (16, 32), (32, 64)]
    height, width = (((size - 2) // 2 - 2) // 2 - 2 for size in (h, w))
    return sum(conv(a, b, 3, bias=False) + 2 * b for a, b in pairs) + dense(64 * height * width, k)


def lenet(c: int, h: int, w: int, k: int) -> int:
    flat = 16 * ((h // 2 - 4) // 2) * ((w // 2 - 4) // 2)
    return conv(c, 6, 5) + conv(6, 16, 5) + dense(flat, 120, 84, k)


def keras_cnn(c: int, h: int, w: int, k: int) -> int:
    flat = 64 * (((h - 2) // 2 - 2) // 2) * (((w - 2) // 2 - 2) // 2)
    return conv(c, 32, 3) + conv(32, 64, 3) + dense(flat, k)


def mnist_cnn(c: int, h: int, w: int, k: int) -> int:
    return conv(c, 32, 3) + conv(32, 64, 3) + dense(64 * ((h - 4) // 2) * ((w - 4) // 2), 128, k)


def bn_net(c: int, h: int, w: int, k: int) -> int:
    pairs = [(c, 32), (32, 32), (32, 64), (64, 64)]
    return sum(conv(a, b, 3, bias=False) + 2 * b for a, b in pairs) + dense(64, k)


def mlp(c: int, h: int, w: int, k: int) -> int:
    return dense(c * h * w, 128, k)


COUNTS = {
    "tiny_vgg": tiny_vgg,
    "small_cnn": small_cnn,
    "lenet5": lenet,
    "lenet": lenet,
    "keras_cnn": keras_cnn,
    "mnist_cnn": mnist_cnn,
    "bn_net": bn_net,
    "mlp": mlp,
}
PUBLISHED = {"lenet5": 61_706, "lenet": 61_706, "keras_cnn": 34_826, "mnist_cnn": 1_199_882}
SHAPES: list[tuple[Shape, int]] = [((1, 28, 28), 10), ((3, 32, 32), 100), ((2, 20, 27), 3), ((1, 18, 21), 2)]


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def test_every_network_is_in_the_table() -> None:
    assert set(MODELS) == set(models.__all__) - {"MODELS", "create", "conv_autoencoder"}
    for name, builder in MODELS.items():
        assert builder is getattr(models, name)
        assert [*inspect.signature(builder).parameters][:2] == ["input_shape", "classes"]


def test_the_documentation_lists_their_costs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    table = {row[0].strip("`"): row[1:5] for row in cells if "x" in row[1] or row[0] == "`text_cnn`"}
    assert set(table) == set(MODELS)
    for name, found in table.items():
        model = MODELS[name](seed=None)
        summary = model.summary()
        assert model.input_shape is not None
        assert model.output_shape is not None
        assert found == [
            "x".join(map(str, model.input_shape)),
            f"{model.output_shape[0]:,}",
            f"{summary.parameters:,}",
            f"{summary.multiply_adds / 1e6:,.1f} M",
        ]


def test_every_network_of_this_module_is_counted() -> None:
    assert {name for name in MODELS if MODELS[name].__module__ == models.zoo.__name__} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(("shape", "classes"), SHAPES, ids=str)
def test_sizes_and_classes(name: str, shape: Shape, classes: int, rng: np.random.Generator) -> None:
    model = create(name, shape, classes)
    assert size(model) == COUNTS[name](*shape, classes)
    assert (model.input_shape, model.output_shape, model.name) == (shape, (classes,), name)
    if prod(shape) < 1000:
        y = model.predict(rng.normal(size=(3, *shape)).astype(np.float32))
        assert y.shape == (3, classes)
        assert np.isfinite(y).all()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_number_of_parameters(name: str) -> None:
    assert size(MODELS[name]()) == PUBLISHED[name]
    assert f"{PUBLISHED[name]:,}" in str(MODELS[name]().summary())


@pytest.mark.parametrize("name", COUNTS)
def test_one_seed_determines_all_weights(name: str) -> None:
    def weights(seed: int) -> list[np.ndarray]:
        return list(create(name, (1, 18, 21), 3, seed=seed).state().values())

    assert all(np.array_equal(a, b) for a, b in zip(weights(1), weights(1), strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(weights(1), weights(2), strict=True))


@pytest.mark.parametrize("name", COUNTS)
def test_a_training_step_sets_all_gradients(name: str, rng: np.random.Generator) -> None:
    model = MODELS[name]((1, 18, 21), 3, dtype=np.float64)
    x = rng.normal(size=(2, 1, 18, 21))
    y = model.forward(x, training=True)
    model.backward(rng.normal(size=y.shape))
    assert all(np.abs(parameter.grad).max() > 0 for parameter in model.parameters().values())


def test_custom_settings() -> None:
    assert size(models.tiny_vgg(width=4, input_shape=(1, 8, 8), classes=2)) == (
        conv(1, 4, 3) + 3 * conv(4, 4, 3) + dense(16, 2)
    )
    assert size(models.mlp(hidden=7, input_shape=(1, 2, 3), classes=2)) == dense(6, 7, 2)
    assert models.lenet(dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize(
    ("builder", "shape"), [(models.tiny_vgg, (2, 9, 6)), (models.lenet5, (1, 15, 12)), (models.bn_net, (1, 5, 4))]
)
def test_gradients(builder: models.zoo.Builder, shape: Shape) -> None:
    report = check_gradients(builder(shape, 3), shape, samples=10, batch_size=2)
    assert report.passed
    assert len(report.rows) == 1 + len(builder(shape, 3).parameters())


def test_an_unknown_network_is_an_error() -> None:
    with pytest.raises(ValueError, match=f"^unknown model 'resnet18b', expected one of {', '.join(MODELS)}$"):
        create("resnet18b", (1, 28, 28), 10)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "error", "text"),
    [
        ("small_cnn", (1, 17, 30), 10, ValueError, r"Conv2D \(layer 8\): .*kernel"),
        ("lenet", (1, 8, 8), 10, ValueError, r"Conv2D \(layer 3\): .*kernel"),
        ("keras_cnn", (28, 28), 10, ValueError, r"Conv2D \(layer 0\)"),
        ("mlp", (1, 28, 28), 0, ValueError, r"Dense: expected out_features from 1 to 2147483647, got 0"),
        ("mlp", (1, 28, 28), 2.5, TypeError, r"Dense: expected out_features to be an int, got float 2\.5"),
        ("bn_net", (1, 0, 28), 10, ValueError, r"Sequential 'bn_net': expected input_shape from 1"),
        ("bn_net", 28, 10, TypeError, r"Sequential 'bn_net': expected input_shape to be a tuple of ints, got 28"),
    ],
)
def test_invalid_input_shapes_and_classes_are_refused(
    name: str, shape: Shape, classes: int, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        create(name, shape, classes)


def test_mnist_cnn_takes_the_weights_of_the_example_of_pytorch(tmp_path: Path, torch: Any) -> None:
    from tests.models import twins

    model = models.mnist_cnn(seed=None)
    # The example ends with a log-softmax, which the loss contains here.
    with_softmax = Sequential([*model, LogSoftmax()], input_shape=(1, 28, 28))
    check_exchange(with_softmax, twins.MnistExample(), tmp_path)
    own = [Conv2D(32, 3), ReLU(), Conv2D(64, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(128), ReLU(), Dense(10)]
    renamed = Sequential(own, input_shape=(1, 28, 28), seed=1)
    renamed.load_torch(tmp_path / "theirs.safetensors", names={"0": "conv1", "2": "conv2", "6": "fc1", "8": "fc2"})
    x = np.random.default_rng(0).normal(size=(2, 1, 28, 28)).astype(np.float32)
    np.testing.assert_array_equal(renamed.predict(x), model.predict(x))
