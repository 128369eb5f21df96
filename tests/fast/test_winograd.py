"""Winograd's convolution against the textbook backend, however images and weights are divided among the threads."""

import numba
import numpy as np
import pytest

from numpycnn import get_num_threads, plain, set_num_threads
from numpycnn.fast import conv, conv_backward
from numpycnn.fast import winograd as fast
from numpycnn.fast.layout import layout
from numpycnn.kernels.engine import memory, threads
from tests.drawn import generators


def windows(size=(14, 14), kernel=(3, 3), stride=1, padding=1, dilation=1):
    return layout(size, kernel, stride, padding, dilation)


@pytest.fixture(params=[1, 2])
def num_threads(request):
    before = get_num_threads()
    set_num_threads(request.param)
    yield request.param
    set_num_threads(before)


@pytest.fixture(params=["per image", "one group", "several groups"])
def division(request, monkeypatch, num_threads):
    """Each thread with images of its own, or all with the same images, in one group or in several."""
    monkeypatch.setattr(fast, "CACHED_WEIGHTS", 2**40 if request.param == "per image" else 0)
    monkeypatch.setattr(fast, "CACHED_TILES", 2**17)
    monkeypatch.setattr(fast, "GROUP_BYTES", 2**40 if request.param == "one group" else 2**17)
    monkeypatch.setattr(fast, "MIN_TILES", 1)
    fast._plan.cache_clear()
    called, run = set(), threads.run
    monkeypatch.setattr(threads, "run", lambda kernel, *args: (called.add(kernel.__name__), run(kernel, *args))[1])
    yield request.param, called
    fast._plan.cache_clear()


@pytest.fixture
def uninitialized_memory_is_nan(monkeypatch):
    empty = memory.empty

    def nan(shape, dtype):
        array = empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[:] = 255
        return array

    monkeypatch.setattr(memory, "empty", nan)


def draw(rng, dtype):
    """Return input, weights, bias or None, gradient of the output, and windows."""
    images, channels, filters = (int(n) for n in rng.integers(1, [14, 40, 40]))
    size, padding = tuple(rng.integers(3, 11, 2).tolist()), tuple(map(tuple, rng.integers(0, 6, (2, 2)).tolist()))
    x, weight = rng.normal(size=(images, channels, *size)), rng.normal(size=(filters, channels, 3, 3))
    bias = rng.normal(size=filters).astype(dtype) if rng.random() < 0.5 else None
    found = windows(size, padding=padding)
    dy = rng.normal(size=(images, filters, *found.output))
    return x.astype(dtype), weight.astype(dtype), bias, dy.astype(dtype), found


def assert_near(found, expected, tolerance):
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=0, atol=np.abs(expected).max() * tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.usefixtures("uninitialized_memory_is_nan")
def test_drawn_convolutions(dtype, division):
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    for rng in generators(90, count=5):
        x, weight, bias, dy, found = draw(rng, dtype)
        y = fast.winograd(x, weight, bias, found)
        assert_near(y, plain.conv(x, weight, bias, padding=found.padding), tolerance)
        expected = plain.conv_backward(dy, x, weight, padding=found.padding)
        for ours, theirs in zip(fast.winograd_backward(dy, x, weight, found), expected, strict=True):
            assert_near(ours, theirs, tolerance)
    kind, called = division
    assert ("convolve_images" in called) == (kind == "per image")
    assert "input_transform" in called  # per image as well, where there are fewer than four for each thread


@pytest.mark.usefixtures("division")
def test_the_arguments_are_not_modified():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((9, 5, 12, 12), (6, 5, 3, 3), (6,), (9, 6, 12, 12))]
    copies = [array.copy() for array in arrays]
    x, weight, bias, dy = arrays
    fast.winograd(x, weight, bias, windows((12, 12)))
    fast.winograd_backward(dy, x, weight, windows((12, 12)))
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("where", ["x", "dy", "weight"])
@pytest.mark.usefixtures("division")
def test_very_large_numbers_are_refused(value, where, rng):
    x, weight, dy = rng.normal(size=(9, 5, 12, 12)), rng.normal(size=(6, 5, 3, 3)), rng.normal(size=(9, 6, 12, 12))
    {"x": x, "dy": dy, "weight": weight}[where][-1, -1, -1, -1] = value
    with np.errstate(all="ignore"):
        assert (fast.winograd(x, weight, None, windows((12, 12))) is None) == (where != "dy")
        assert fast.winograd_backward(dy, x, weight, windows((12, 12))) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "dy", "weight"])
@pytest.mark.parametrize("num_threads", [1], indirect=True)  # uncompiled loops warn, and `errstate` is per thread
@pytest.mark.usefixtures("num_threads")
def test_a_convolution_confines_special_numbers_to_the_windows_that_cover_them(value, where, rng):
    x, weight, dy = rng.normal(size=(9, 32, 6, 6)), rng.normal(size=(32, 32, 3, 3)), rng.normal(size=(9, 32, 6, 6))
    assert fast.prefers_winograd(9, 32, 32, 1, windows((6, 6)))
    {"x": x, "dy": dy, "weight": weight}[where][2, 3, 1, 1] = value
    with np.errstate(all="ignore"):
        found = conv(x, weight, padding=1), *conv_backward(dy, x, weight, padding=1)
        expected = plain.conv(x, weight, padding=1), *plain.conv_backward(dy, x, weight, padding=1)
    for ours, theirs in zip(found, expected, strict=True):
        finite = np.isfinite(theirs)
        np.testing.assert_array_equal(np.isfinite(ours), finite)
        np.testing.assert_allclose(ours[finite], theirs[finite], rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="takes minutes uncompiled")
@pytest.mark.parametrize("shape", [(8, 32, 26, 26, 64), (8, 64, 14, 14, 64), (4, 64, 32, 32, 64), (4, 256, 8, 8, 256)])
def test_float32_is_close_to_float64_on_the_shapes_of_the_reference_networks(shape, rng):
    n, c, h, w, f = shape
    found = windows((h, w))
    assert fast.prefers_winograd(n, c, f, 1, found)
    x, weight = rng.normal(size=(n, c, h, w)), rng.normal(size=(f, c, 3, 3)) / np.sqrt(9 * c)
    dy = rng.normal(size=(n, f, h, w))
    exact = fast.winograd(x, weight, None, found), *fast.winograd_backward(dy, x, weight, found)
    x, weight, dy = (array.astype(np.float32) for array in (x, weight, dy))
    single = fast.winograd(x, weight, None, found), *fast.winograd_backward(dy, x, weight, found)
    for got, wanted in zip(single, exact, strict=True):
        assert np.linalg.norm(got - wanted) <= 1e-4 * np.linalg.norm(wanted)
        assert np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max()


# ----------------------------------------------------------------------------------------------------------- the choice


@pytest.mark.parametrize(
    ("channels", "filters", "groups", "settings", "expected"),
    [
        (32, 64, 1, {}, True),
        (64, 32, 1, {"padding": 0}, True),
        (64, 64, 1, {"size": (4, 4)}, True),
        (32, 32, 1, {}, True),
        (24, 24, 1, {}, True),
        (8, 8, 1, {}, False),
        (1, 128, 1, {}, False),
        (64, 64, 2, {}, False),
        (64, 64, 1, {"kernel": (3, 5)}, False),
        (64, 64, 1, {"stride": 2}, False),
        (64, 64, 1, {"dilation": 2}, False),
        (64, 64, 1, {"size": (1, 1)}, False),
    ],
)
def test_which_convolutions_prefer_winograd(channels, filters, groups, settings, expected):
    assert fast.prefers_winograd(32, channels, filters, groups, windows(**settings)) is expected


def test_the_transform_of_the_weights_counts_once_for_all_images():
    assert fast.prefers_winograd(32, 512, 512, 1, windows((4, 4)))
    assert not fast.prefers_winograd(1, 512, 512, 1, windows((4, 4)))


# ------------------------------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize("images", [1, 7, 40])
@pytest.mark.parametrize("channels", [8, 64, 256])
@pytest.mark.parametrize("num_threads", [1, 3], indirect=True)
def test_a_plan_covers_every_image_once_whatever_the_number_of_threads_becomes(images, channels, num_threads):
    plan = fast._plan.__wrapped__(images, channels, channels, windows((30, 30)), np.dtype(np.float32), num_threads)
    covered = [n for group in plan.groups for n in range(images)[group.images]]
    if plan.per_image:
        assert plan.groups == ()
        covered = [n for start, stop in plan.image_chunks for n in range(start, stop)]
    assert covered == list(range(images))
    set_num_threads(7)  # while the convolution runs: there is scratch memory for the threads of the plan alone
    again = fast._plan.__wrapped__(images, channels, channels, windows((30, 30)), np.dtype(np.float32), num_threads)
    assert again == plan
    chunks = [plan.image_chunks, plan.point_chunks, plan.channel_chunks, plan.filter_chunks]
    chunks += [found for group in plan.groups for found in (group.input_chunks, group.output_chunks)]
    assert max(map(len, chunks)) <= num_threads
