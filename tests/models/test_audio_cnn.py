from itertools import pairwise

import numpy as np
import pytest

from numpycnn import Sequential, check_gradients, models


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


@pytest.mark.parametrize(("shape", "classes", "width"), [((1, 40, 64), 10, 16), ((2, 16, 17), 3, 4)], ids=str)
def test_sizes_and_classes(shape: tuple[int, int, int], classes: int, width: int) -> None:
    model = models.audio_cnn(shape, classes, width=width)
    channels = [shape[0], width, 2 * width, 4 * width, 8 * width]
    expected = sum(after * before * 9 + 2 * after for before, after in pairwise(channels))
    assert size(model) == expected + classes * (8 * width + 1)
    assert model.output_shape == (classes,)


def test_the_number_of_parameters_in_the_docstring() -> None:
    assert f"{size(models.audio_cnn()):,} parameters" in " ".join((models.audio_cnn.__doc__ or "").split())


def test_it_takes_spectrograms_of_at_least_sixteen_bands_and_frames() -> None:
    with pytest.raises(ValueError, match=r"MaxPool2D \(layer 15\): .*kernel"):
        models.audio_cnn((1, 15, 64))


def test_gradients() -> None:
    assert check_gradients(models.audio_cnn((1, 17, 16), 2, width=2), (1, 17, 16), samples=5, batch_size=3).passed


def test_the_output_does_not_depend_on_the_time_of_a_sound() -> None:
    model = models.audio_cnn((1, 32, 96), 4)
    sound = np.random.default_rng(0).random((32, 16)).astype(np.float32)
    early, late = np.zeros((1, 1, 32, 96), np.float32), np.zeros((1, 1, 32, 96), np.float32)
    early[0, 0, :, 32:48], late[0, 0, :, 48:64] = sound, sound
    np.testing.assert_allclose(model.predict(early), model.predict(late), atol=1e-6)
