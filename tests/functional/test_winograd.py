import numpy as np
import pytest

from numpycnn import get_num_threads, set_num_threads
from numpycnn.functional import conv2d, conv2d_backward
from numpycnn.functional import convolution as plain
from numpycnn.functional import winograd as functional
from numpycnn.functional.windows import slide
from numpycnn.functional.winograd import prefers_winograd
from numpycnn.kernels import threads


def windows(size=(14, 14), kernel=3, stride=1, padding=1, dilation=1):
    return slide(size, kernel, stride=stride, padding=padding, dilation=dilation, operation="test")


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
def test_the_choice(channels, filters, groups, settings, expected):
    assert prefers_winograd(32, channels, filters, groups, windows(**settings)) is expected


def test_the_choice_counts_the_kernels_once_for_all_images():
    assert prefers_winograd(32, 512, 512, 1, windows((4, 4)))
    assert not prefers_winograd(1, 512, 512, 1, windows((4, 4)))


def test_more_threads_in_the_middle_of_a_convolution_find_no_scratch_and_get_no_work():
    before = get_num_threads()
    set_num_threads(2)
    plan = functional._Plan(np.zeros((40, 64, 8, 8)), 64, windows((8, 8)))
    set_num_threads(7)
    try:
        assert len(plan.chunks(slice(0, 40), 64)) == 2
    finally:
        set_num_threads(before)


@pytest.fixture(params=["alone", "together", "in groups"])
def way(request, monkeypatch):
    """Each thread with images by itself, or all with the same ones, at once or a few at a time."""
    monkeypatch.setattr(functional, "ALONE", 2**40 if request.param == "alone" else 0)
    monkeypatch.setattr(functional, "TOGETHER_ALONE", 2**40)
    monkeypatch.setattr(functional, "TOGETHER", 2**40 if request.param == "together" else 2**17)
    monkeypatch.setattr(functional, "FEWEST", 1)
    taken, run, before = [], threads.run, get_num_threads()
    monkeypatch.setattr(threads, "run", lambda kernel, *args: (taken.append(kernel.__name__), run(kernel, *args))[1])
    set_num_threads(2)
    yield taken
    set_num_threads(before)
    assert ("see_images" if request.param == "alone" else "convolve_images") not in taken


@pytest.fixture
def either(monkeypatch):
    """Run something Winograd's way, and then the other one."""

    def run(call):
        results = []
        for chosen in (True, False):
            monkeypatch.setattr(plain, "prefers_winograd", lambda *args, chosen=chosen: chosen)
            results.append(call())
        return zip(*results, strict=True)

    return run


def all_of(x, weight, bias, dy, padding):
    return [conv2d(x, weight, bias, padding=padding), *conv2d_backward(dy, x, weight, padding=padding)]


@pytest.mark.parametrize("padding", [0, 1, 5, ((2, 0), (1, 2)), "same", "full"])
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (5, 7), (17, 3), (33, 18), (32, 64)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_agrees_with_the_direct_way(padding, channels, filters, dtype, way, either, rng):
    x, weight = rng.normal(size=(9, channels, 6, 7)).astype(dtype), rng.normal(size=(filters, channels, 3, 3))
    weight, bias = weight.astype(dtype), rng.normal(size=filters).astype(dtype) if channels > 1 else None
    dy = rng.normal(size=conv2d(x, weight, bias, padding=padding).shape).astype(dtype)
    for found, wanted in either(lambda: all_of(x, weight, bias, dy, padding)):
        np.testing.assert_allclose(
            found, wanted, rtol=0, atol=np.abs(wanted).max() * (1e-5 if dtype == np.float32 else 1e-12)
        )
    assert {"convolve_images", "see_images"} & set(way)


@pytest.mark.parametrize("images", [1, 3])
def test_few_images(images, either, rng):
    x, weight, bias = rng.normal(size=(images, 32, 14, 15)), rng.normal(size=(64, 32, 3, 3)), rng.normal(size=64)
    dy = rng.normal(size=(images, 64, 14, 15))
    for found, wanted in either(lambda: all_of(x, weight, bias, dy, 1)):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)


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


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("where", ["x", "dy", "weight"])
def test_what_is_not_finite_or_very_large_reaches_only_the_windows_that_see_it(value, where, way, either, rng):
    x, weight, dy = rng.normal(size=(9, 5, 12, 12)), rng.normal(size=(6, 5, 3, 3)), rng.normal(size=(9, 6, 12, 12))
    {"x": x, "dy": dy, "weight": weight}[where][2, 3, 1, 1] = value
    with np.errstate(all="ignore"):
        for found, wanted in either(lambda: all_of(x, weight, None, dy, 1)):
            np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted))
            fine = np.isfinite(wanted)
            np.testing.assert_allclose(found[fine], wanted[fine], rtol=1e-9, atol=1e-9)
