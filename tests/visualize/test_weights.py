"""The filters are the weights, in the documented layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import Conv2D, ConvTranspose2D, Dense, Flatten, ReLU, Residual, Sequential
from numpycnn.visualize import filters, read_filters
from numpycnn.visualize.panels import tile
from numpycnn.visualize.style import TIMES
from tests.visualize.networks import coloured, dense, enlarging, features, grey, signal, smooth, volume


def test_weights_of_any_layer() -> None:
    model = smooth()
    np.testing.assert_array_equal(read_filters(model), model[0].weight.value)
    np.testing.assert_array_equal(read_filters(model, "1.main.2"), model[1].main[2].weight.value)
    np.testing.assert_array_equal(read_filters(model, "5"), model[5].weight.value)


def test_transposed_filters_are_grouped_by_output() -> None:
    model = enlarging()
    np.testing.assert_array_equal(read_filters(model, "2"), model[2].weight.value.swapaxes(0, 1))  # (2, 3, 3, 3)
    grouped = Sequential([ConvTranspose2D(4, 2, groups=2)], input_shape=(6, 3, 3))
    found, weight = read_filters(grouped), grouped[0].weight.value  # (4, 3, 2, 2) from (6, 2, 2, 2)
    for group in range(2):
        for f in range(2):
            for c in range(3):
                np.testing.assert_array_equal(found[2 * group + f, c], weight[3 * group + c, f])


def test_dense_filters_on_the_input_have_its_shape() -> None:
    model = dense()
    np.testing.assert_array_equal(read_filters(model), model[1].weight.value.reshape(6, 1, 7, 5))
    assert read_filters(model, "3").shape == (3, 6)
    assert read_filters(features()).shape == (6, 9)
    nested = Sequential([Sequential([Flatten(), Dense(4)]), Dense(2)], input_shape=(2, 3, 3))
    assert read_filters(nested).shape == (4, 2, 3, 3)
    aside = Sequential([Flatten(), Residual(Dense(18))], input_shape=(2, 3, 3))
    assert read_filters(aside).shape == (18, 2, 3, 3)


def test_side_by_side(tmp_path: Path) -> None:
    for model, columns in ((grey(), 5), (signal(), 2)):
        planes = model[0].weight.value.reshape(len(model[0].weight.value), -1, model[0].weight.value.shape[-1])
        figure = filters(model, path=tmp_path / "a.png")
        (image,) = figure.axes[0].images
        np.testing.assert_array_equal(np.asarray(image.get_array()), tile(planes, columns))
        limit = np.abs(planes).max()
        assert image.get_clim() == (-limit, limit)
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.format == "PNG"
    assert figure.get_suptitle() == f"filters of 0 Conv1D: 4 of 2 {TIMES} 5"


def test_in_colours() -> None:
    model = coloured()
    shown = np.asarray(filters(model).axes[0].images[0].get_array())
    weight = model[0].weight.value  # (6, 3, 3, 3)
    first = shown[:3, :3]  # (H, W, 3)
    np.testing.assert_allclose(first, 0.5 + 0.5 * np.moveaxis(weight[0], 0, -1) / np.abs(weight).max(), rtol=1e-6)
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_in_rows() -> None:
    model = grey()
    figure = filters(model, at="2", limit=4)
    (axes,) = figure.axes[:1]
    shown = np.asarray(axes.images[0].get_array())
    weight = model[2].weight.value[:4, :4]
    np.testing.assert_array_equal(np.nan_to_num(shown), np.nan_to_num(tile(weight.reshape(16, 3, 3), 4)))
    assert axes.get_xlabel() == "input channel"
    assert axes.get_ylabel() == "filter"
    assert figure.get_suptitle() == f"filters of 2 Conv2D: 6 of 5 {TIMES} 3 {TIMES} 3, the first 4"
    np.testing.assert_allclose(axes.get_xticks(), [1, 5, 9, 13])


def test_volumes_and_matrices() -> None:
    model = volume()
    shown = np.asarray(filters(model).axes[0].images[0].get_array())
    np.testing.assert_array_equal(shown[:3, :3], model[0].weight.value[0, 0, 1])
    (axes,) = filters(features()).axes[:1]
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), features()[0].weight.value)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("input", "output")
    assert filters(features(), at="2").get_suptitle() == "filters of 2 Dense: 3 rows of 6 weights"


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="expected a layer with weights of two axes or more, got 1 ReLU"):
        filters(grey(), at="1")
    with pytest.raises(ValueError, match="expected a model with a convolution or a dense layer, got one without"):
        filters(Sequential([ReLU()], input_shape=(3,)))
    with pytest.raises(ValueError, match=r"read_filters: expected the key of a layer, one of 0, .*, got '12'"):
        filters(grey(), at="12")
    with pytest.raises(ValueError, match="filters: expected limit from 1"):
        filters(grey(), limit=0)
    for draw in (read_filters, filters):
        with pytest.raises(RuntimeError, match="ilters: the model is not built yet; give it an input_shape"):
            draw(Sequential([Conv2D(2, 1)]))
