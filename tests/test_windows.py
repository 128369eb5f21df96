"""Convolution arithmetic: sizes counted out by hand, receptive fields seen in real arrays."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn._windows import check_padding, padding_pairs
from tests.drawn import draw_case, draw_pool, draw_transposed, generators, pairs_of, pool_output, transposed_size
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST


def counted(i: int, k: int, s: int, before: int, after: int, d: int) -> int:
    """Let the window step over the padded input until it does not fit any more."""
    places = 0
    while places * s + d * (k - 1) + 1 <= i + before + after:
        places += 1
    return places


def test_conv_output_size_over_a_grid() -> None:
    for i, k, s, before, after, d in product(range(1, 8), range(1, 5), range(1, 4), range(3), range(3), range(1, 4)):
        places = counted(i, k, s, before, after, d)
        settings: dict[str, Any] = {"stride": s, "padding": ((before, after),), "dilation": d}
        if places:
            assert F.conv_output_size(i, k, **settings) == places
            assert F.pool_output_size(i, k, **settings) == places
        else:
            with pytest.raises(ValueError, match="does not fit into length"):
                F.conv_output_size(i, k, **settings)


def test_ceil_mode_over_a_grid() -> None:
    """Step over the padded input until the window hangs over its end, and never begin in the padding after it."""
    longer = 0
    for i, k, s, before, after, d in product(range(1, 7), range(1, 7), range(1, 5), range(3), range(3), range(1, 3)):
        reach, end = d * (k - 1) + 1, i + before + after
        if after >= reach:  # no pool has that much
            continue
        places, complete = 0, True
        while complete and places * s < i + before:
            complete = places * s + reach < end
            places += 1
        settings: dict[str, Any] = {"stride": s, "padding": ((before, after),), "dilation": d, "ceil_mode": True}
        if reach <= end:
            assert F.pool_output_size(i, k, **settings) == places
            continue
        longer += 1
        if reach - end < s:  # one place, with less than a stride hanging over
            assert F.pool_output_size(i, k, **settings) == 1
        else:
            with pytest.raises(ValueError, match=r"^pool_output_size: kernel .* does not fit into length"):
                F.pool_output_size(i, k, **settings)
    assert longer > 500


def test_ceil_mode_equals_pytorch_over_a_grid(torch: Any) -> None:
    """Sizes and numbers, of a window that is longer than its input as well, and errors where there is an error."""
    refused = 0
    for i, k, s, p, d in product(range(1, 7), range(1, 8), range(1, 5), range(3), range(1, 3)):
        if p > k // 2:
            continue
        x = np.arange(1.0, i + 1)[None, None] - 3
        settings: dict[str, Any] = {"stride": s, "padding": p, "ceil_mode": True}
        try:
            y = torch.nn.functional.max_pool1d(torch.tensor(x), k, **settings, dilation=d).numpy()
        except RuntimeError:
            refused += 1
            with pytest.raises(ValueError, match=r"^max_pool1d: kernel .* does not fit into length"):
                F.max_pool1d(x, k, **settings, dilation=d)
            continue
        np.testing.assert_array_equal(F.max_pool1d(x, k, **settings, dilation=d), y)
        if d == 1:
            for include in (True, False):
                expected = torch.nn.functional.avg_pool1d(torch.tensor(x), k, **settings, count_include_pad=include)
                np.testing.assert_allclose(F.avg_pool1d(x, k, **settings, count_include_pad=include), expected)
    assert refused > 50


def test_a_window_that_is_longer_than_any_memory() -> None:
    x, settings = np.array([[[3.0, 4.0]]]), {"stride": 2**31 - 1, "ceil_mode": True}
    assert F.max_pool1d(x, 2**31 - 1, **settings) == 4
    assert F.avg_pool1d(x, 2**31 - 1, **settings) == 3.5
    np.testing.assert_array_equal(F.max_pool1d_backward(np.ones((1, 1, 1)), x, 2**31 - 1, **settings), [[[0, 1]]])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_sizes_of_drawn_windows(rank: int) -> None:
    for rng in generators(28, rank):
        case = draw_case(rng, rank)
        assert F.conv_output_size(case.size, **case.settings) == case.output
        case = draw_pool(rng, rank, dilated=True)
        assert F.pool_output_size(case.size, **case.settings) == pool_output(case)
        case, extra = draw_transposed(rng, rank)
        size = F.conv_transpose_output_size(case.size, output_padding=extra, **case.settings)
        assert size == transposed_size(case, extra)


def test_the_words_for_padding() -> None:
    for i, k, s, d in product(range(1, 9), range(1, 5), range(1, 5), range(1, 4)):
        settings: dict[str, Any] = {"stride": s, "dilation": d}
        assert F.conv_output_size(i, k, padding="same", **settings) == -(-i // s)
        assert F.conv_output_size(i, k, padding="full", stride=1, dilation=d) == i + d * (k - 1)
        for word in ("same", "full", "valid"):
            pairs = padding_pairs(word, (i,), (k,), (s,), (d,), "test")
            assert pairs == pairs_of(word, (i,), (k,), (s,), (d,))
        before, after = padding_pairs("same", (i,), (k,), (s,), (d,), "test")[0]
        assert after - before in (0, 1)  # the odd one comes after


def test_an_int_gives_an_int_and_a_tuple_a_tuple() -> None:
    assert F.conv_output_size(28, 5) == 24
    assert F.conv_output_size((28,), 5) == (24,)
    assert F.conv_output_size([28, 30, 32], [5, 3, 1]) == (24, 28, 32)
    assert F.pool_output_size((7, 8), 2, ceil_mode=True) == (4, 4)
    assert F.conv_transpose_output_size((7, 8), 2, stride=(2, 1)) == (14, 9)


def test_receptive_field_by_moving_one_pixel_at_a_time(rng: np.random.Generator) -> None:
    """Which pixels change the middle output of a stack of convolutions, and how far the next output's lie from them."""
    for _ in range(20):
        layers = [tuple(int(n) for n in rng.integers(1, 4, 3)) for _ in range(rng.integers(1, 4))]
        size, jump = F.receptive_field(layers)
        reached = np.zeros((1, 1, size + jump))

        def outputs(x: np.ndarray, layers: list[Any] = layers) -> np.ndarray:
            for k, s, d in layers:
                x = F.conv1d(x, np.ones((1, 1, k)), stride=s, dilation=d)
            return x[0, 0]

        seen = []
        for position in range(size + jump):
            reached[...] = 0
            reached[0, 0, position] = 1
            seen.append(outputs(reached) != 0)
        first, second = np.nonzero([s[0] for s in seen])[0], np.nonzero([s[1] for s in seen])[0]
        assert (first[0], first[-1]) == (0, size - 1)
        assert (second[0], second[-1]) == (jump, jump + size - 1)


def test_receptive_field_without_layers() -> None:
    assert F.receptive_field([]) == (1, 1)
    assert F.receptive_field([(3, 2)]) == F.receptive_field([(3, 2, 1)]) == (3, 2)


def test_check_padding_returns_it_as_it_was_given() -> None:
    for padding in (1, (1, 2), ((0, 1), (2, 3)), "same"):
        assert check_padding(padding, 2, "test") == padding


BAD_CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (F.conv_output_size, (0, 1), {}, ValueError, "conv_output_size: expected input_size from 1 to 2147483647, got 0"),
    (F.conv_output_size, (-1, 1), {}, ValueError, "expected input_size from 1"),
    (F.conv_output_size, (5.0, 1), {}, TypeError, "expected input_size to be an int, got float 5.0"),
    (F.conv_output_size, ((1, 2, 3, 4), 1), {}, ValueError, "an int or 1 to 3 ints as input_size, got 4"),
    (F.conv_output_size, ((), 1), {}, ValueError, "an int or 1 to 3 ints as input_size, got 0"),
    (F.conv_output_size, (5, 6), {}, ValueError, r"kernel 6 does not fit into length 5 \+ padding 0 \+ 0 = 5"),
    (F.conv_output_size, (5, 3), {"dilation": 3}, ValueError, "kernel 3 with dilation 3 is 7 long and does not fit"),
    (F.conv_output_size, (INT32_OVERFLOW, 1), {}, ValueError, "expected input_size from 1 to 2147483647"),
    (F.conv_output_size, (INT64_LARGEST, 1), {}, ValueError, "expected input_size from 1 to 2147483647"),
    (F.conv_output_size, ((70000, 70000), 1), {}, ValueError, "at most 2147483647 elements in one padded channel"),
    (F.conv_output_size, (5, 3), {"padding": 2**31 - 1}, ValueError, "at most 2147483647 elements"),
    (F.conv_output_size, (5, 3), {"padding": (1, 1)}, ValueError, r"padding to be an int or 1 ints, got 2: \(1, 1\)"),
    (F.conv_output_size, (5, 3), {"padding": "SAME"}, ValueError, "'valid', 'same' or 'full', got 'SAME'"),
    (F.pool_output_size, (5, 6), {}, ValueError, "pool_output_size: kernel 6 does not fit"),
    (F.pool_output_size, (5, 2), {"stride": 0}, ValueError, "expected stride from 1"),
    (F.conv_transpose_output_size, (1, 1), {"padding": 1}, ValueError, "no length is left"),
    (F.conv_transpose_output_size, (5, 2), {"output_padding": 1}, ValueError, "output_padding smaller than stride"),
    (F.conv_transpose_output_size, (2**20, 2), {"stride": 2**20}, ValueError, "at most 2147483647 elements"),
    (F.pool_output_size, (5, 2), {"ceil_mode": 1}, TypeError, "expected ceil_mode to be True or False, got int 1"),
    (F.receptive_field, (5,), {}, TypeError, r"expected a list of \(kernel_size, stride\[, dilation\]\), got 5"),
    (F.receptive_field, ([3],), {}, ValueError, r"\(kernel_size, stride, dilation\) at position 0, got 3"),
    (F.receptive_field, ([(3, 1), (3,)],), {}, ValueError, r"at position 1, got \(3,\)"),
    (F.receptive_field, ([(3, 0)],), {}, ValueError, "receptive_field: expected layer from 1"),
]


@pytest.mark.parametrize(("function", "arguments", "settings", "error", "text"), BAD_CALLS)
def test_bad_calls(function: Any, arguments: Any, settings: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        function(*arguments, **settings)


def test_an_axis_without_elements_is_refused():
    for call in (
        lambda: F.conv_transpose1d(np.ones((1, 2, 0)), np.ones((2, 2, 2))),
        lambda: F.max_pool1d(np.ones((1, 2, 0)), 2, padding=1),
        lambda: F.conv2d(np.ones((1, 2, 0, 5)), np.ones((2, 2, 1, 1)), padding=1),
    ):
        with pytest.raises(ValueError, match=r": expected spatial axes of at least 1, got \(0,"):
            call()
