import math

import numpy as np
import pytest

from numpycnn import Adam, MeanSquaredError, Sequential, Trainer, check_gradients, load_model, models


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def conv(c: int, f: int) -> int:
    return f * (9 * c + 1)


@pytest.mark.parametrize(("shape", "code"), [((1, 28, 28), 32), ((3, 13, 10), 4), ((2, 1, 7), 1)], ids=str)
def test_the_output_has_the_shape_of_the_input(shape: tuple[int, int, int], code: int) -> None:
    model = models.conv_autoencoder(shape, code)
    assert model.output_shape == shape
    assert model[0].output_shape == (code,)
    height, width = (math.ceil(math.ceil(size / 2) / 2) for size in shape[1:])
    flat = 32 * height * width
    encoder = conv(shape[0], 16) + conv(16, 32) + code * (flat + 1)
    decoder = flat * (code + 1) + conv(32, 16) + conv(16, shape[0])
    assert size(model) == encoder + decoder
    assert [part.name for part in model] == ["encoder", "decoder"]


def test_custom_widths() -> None:
    model = models.conv_autoencoder((1, 20, 28), 5, widths=[4, 6, 8])
    encoder, decoder = model
    assert encoder.children()["6"].input_shape == (8, 3, 4)
    assert decoder.output_shape == (1, 20, 28)


def test_gradients() -> None:
    model = models.conv_autoencoder((1, 6, 5), 3, widths=[2, 3])
    for name, parameter in model.parameters().items():
        if name.endswith("bias"):
            parameter.value[...] = 0.1  # otherwise a ReLU with zero inputs would be at its kink
    assert check_gradients(model, (1, 6, 5), samples=10, batch_size=2).passed


def test_it_learns_a_compact_code(tmp_path: object) -> None:
    """Blobs differ in two coordinates only, so a small code suffices."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:12, :14]
    middles = rng.uniform(3, 9, (200, 2, 1, 1))
    x = np.exp(-((rows - middles[:, 0]) ** 2 + (columns - middles[:, 1]) ** 2) / 8)[:, None].astype(np.float32)
    model = models.conv_autoencoder((1, 12, 14), 4)
    trainer = Trainer(model, loss=MeanSquaredError(), optimizer=Adam(0.003))
    trainer.fit((x, x), epochs=25, progress=False)
    assert trainer.evaluate((x, x))["loss"] < 0.1 * x.var(axis=0).mean()
    model.save(f"{tmp_path}/model")
    again = load_model(f"{tmp_path}/model")
    assert np.array_equal(again[1](again[0](x)), model.predict(x))


def test_other_input_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^conv_autoencoder: expected input_shape \(C, H, W\), got \(28, 28\)$"):
        models.conv_autoencoder((28, 28))
