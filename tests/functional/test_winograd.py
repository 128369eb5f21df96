import numpy as np
import pytest

from numpycnn.functional import conv2d, conv2d_backward
from numpycnn.functional import convolution as plain
from numpycnn.functional.windows import slide
from numpycnn.functional.winograd import prefers_winograd


def windows(size=(14, 14), kernel=3, stride=1, padding=1, dilation=1):
    return slide(size, kernel, stride=stride, padding=padding, dilation=dilation, operation="test")


@pytest.mark.parametrize(
    ("channels", "filters", "groups", "settings", "expected"),
    [
        (32, 64, 1, {}, True),
        (64, 32, 1, {"padding": 0}, True),
        (64, 64, 1, {"size": (4, 4)}, True),
        (32, 32, 1, {}, True),
        (16, 16, 1, {}, False),
        (1, 128, 1, {}, False),
        (64, 64, 2, {}, False),
        (64, 64, 1, {"kernel": (3, 5)}, False),
        (64, 64, 1, {"stride": 2}, False),
        (64, 64, 1, {"dilation": 2}, False),
        (64, 64, 1, {"size": (1, 1)}, False),
    ],
)
def test_the_choice(channels, filters, groups, settings, expected):
    assert prefers_winograd(32, channels, filters, groups, windows(**settings)) is expected


@pytest.mark.parametrize("padding", [0, 1, ((2, 0), (1, 2)), "same", "full"])
@pytest.mark.parametrize("images", [1, 3, 9])  # of nine, each thread does some by itself
def test_it_agrees_with_the_direct_way(padding, images, rng, monkeypatch):
    x, weight, bias = rng.normal(size=(images, 32, 14, 15)), rng.normal(size=(64, 32, 3, 3)), rng.normal(size=64)
    monkeypatch.setattr(plain, "prefers_winograd", lambda *args: True)
    y = conv2d(x, weight, bias, padding=padding)
    dy = rng.normal(size=y.shape)
    gradients = conv2d_backward(dy, x, weight, padding=padding)
    monkeypatch.setattr(plain, "prefers_winograd", lambda *args: False)
    expected = [conv2d(x, weight, bias, padding=padding), *conv2d_backward(dy, x, weight, padding=padding)]
    for found, wanted in zip([y, *gradients], expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max() * 100)


@pytest.mark.parametrize("shape", [(8, 32, 26, 26, 64), (8, 64, 14, 14, 64), (4, 64, 32, 32, 64), (4, 256, 8, 8, 256)])
def test_float32_stays_near_float64_on_the_shapes_of_the_reference_networks(shape, rng):
    n, c, h, w, f = shape
    x, weight = rng.normal(size=(n, c, h, w)), rng.normal(size=(f, c, 3, 3)) / np.sqrt(9 * c)
    exact = conv2d(x, weight, padding=1)
    dy = rng.normal(size=exact.shape)
    single = [array.astype(np.float32) for array in (x, weight, dy)]
    found = [conv2d(*single[:2], padding=1), *conv2d_backward(single[2], *single[:2], padding=1)]
    for got, wanted in zip(found, [exact, *conv2d_backward(dy, x, weight, padding=1)], strict=True):
        assert np.linalg.norm(got - wanted) <= 1e-4 * np.linalg.norm(wanted)
        assert np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_reach_only_the_windows_that_see_them(value, rng):
    x, weight = rng.normal(size=(1, 32, 12, 12)), rng.normal(size=(64, 32, 3, 3))
    x[0, 0, 5, 5] = value
    y = conv2d(x, weight)
    seen = np.zeros((10, 10), bool)
    seen[3:6, 3:6] = True
    assert not np.isfinite(y[0][:, seen]).any()
    assert np.isfinite(y[0][:, ~seen]).all()
