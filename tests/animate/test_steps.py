"""The steps of the animations: the terms of each step give the result of the library, for any settings."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn._windows import Windows
from numpycnn.animate.steps import convolution_steps, pooling_steps, transposed_steps
from tests.drawn import draw_case, draw_pool, draw_transposed, generators
from tests.helpers import assert_close


def test_convolution_steps_match_the_library() -> None:
    for rng in generators(50, count=150):
        case = draw_case(rng, 2)
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x, weight = rng.normal(size=case.size), rng.normal(size=case.kernel)
        y = F.conv2d(x[None, None], weight[None, None], **around)[0, 0]
        windows, steps = convolution_steps(x, weight, **around)
        assert [step.output for step in steps] == list(np.ndindex(*y.shape))
        assert_close([step.terms.sum() for step in steps], y.ravel())
        assert [step.result for step in steps] == y.ravel().tolist()
        wide = np.pad(x, windows.padding)
        (above, _), (left, _) = windows.padding
        for step in steps:
            np.testing.assert_array_equal(step.terms, step.seen * weight)
            np.testing.assert_array_equal(step.seen, wide[np.ix_(step.rows + above, step.columns + left)])
            assert not step.seen[~step.inside].any()


@pytest.mark.parametrize("kind", ["max", "avg", "lp"])
def test_pooling_steps_match_the_library(kind: str) -> None:
    for rng in generators(51, count=150):
        case = draw_pool(rng, 2, dilated=kind == "max")
        around: dict[str, Any] = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x = rng.normal(size=case.size)
        if kind == "avg":
            around["count_include_pad"] = bool(rng.random() < 0.5)
        elif kind == "lp":
            around["p"] = float(rng.choice([1, 2, 3, 1.5]))
        pool = {"max": F.max_pool2d, "avg": F.avg_pool2d, "lp": F.lp_pool2d}[kind]
        y = pool(x[None, None], case.settings["kernel_size"], **around)[0, 0]
        _, steps = pooling_steps(x, case.settings["kernel_size"], kind=kind, **around)
        assert [step.output for step in steps] == list(np.ndindex(*y.shape))
        assert [step.result for step in steps] == y.ravel().tolist()
        for step in steps:
            if kind == "max":
                made = step.seen[step.inside].max(initial=-np.inf)  # a dilated window may miss the input
            elif kind == "avg":
                made = step.terms.sum() / step.counted.sum()
            else:
                share = step.counted.size / step.counted.sum()  # more than 1 if the window is incomplete
                made = (share * step.terms[step.inside].sum()) ** (1 / around["p"])
            assert made == pytest.approx(step.result, rel=1e-12, abs=1e-12)


def test_transposed_steps_add_up_to_the_library() -> None:
    for rng in generators(52, count=150):
        case, extra = draw_transposed(rng, 2)
        around: dict[str, Any] = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x, weight = rng.normal(size=case.size), rng.normal(size=case.kernel)
        y = F.conv_transpose2d(x[None, None], weight[None, None], output_padding=extra, **around)[0, 0]
        windows, steps = transposed_steps(x, weight, output_padding=extra, **around)
        assert [step.input for step in steps] == list(np.ndindex(*x.shape))
        (above, _), (left, _) = windows.padding
        height, width = y.shape
        assert windows.size == y.shape
        assert_close(steps[-1].after[above : above + height, left : left + width], y)
        for step in steps:
            laid = np.zeros(windows.padded)
            laid[np.ix_(step.rows, step.columns)] = step.terms
            assert_close(step.before + laid, step.after)
            np.testing.assert_array_equal(step.terms, x[step.input] * weight)
            assert not step.after[~step.touched].any()
        assert not steps[0].before.any()
        for one, other in pairwise(steps):
            assert other.before is one.after


def test_an_average_counts_the_padding_only_if_set() -> None:
    """A 2x2 window on a single element padded by one counts 4 or 1 values."""
    for count_include_pad, counted in ((True, 4), (False, 1)):
        _, steps = pooling_steps([[8]], 2, kind="avg", stride=1, padding=1, count_include_pad=count_include_pad)
        assert [step.counted.sum() for step in steps] == [counted] * 4
        assert [step.result for step in steps] == [8 / counted] * 4


def test_the_overhang_is_never_counted() -> None:
    _, steps = pooling_steps([[1, 2, 3]], (1, 2), kind="avg", ceil_mode=True)
    assert [step.counted.tolist() for step in steps] == [[[True, True]], [[True, False]]]
    assert [step.result for step in steps] == [1.5, 3.0]


def test_the_input_is_not_modified() -> None:
    x, weight = np.arange(12.0).reshape(3, 4), np.ones((2, 2))
    windows, _ = transposed_steps(x, weight)
    assert isinstance(windows, Windows)
    convolution_steps(x, weight)
    pooling_steps(x, 2)
    np.testing.assert_array_equal(x, np.arange(12.0).reshape(3, 4))
    np.testing.assert_array_equal(weight, np.ones((2, 2)))


BAD_CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (convolution_steps, (np.ones(3), np.ones((2, 2))), {}, ValueError, r"expected x \(H, W\), got \(3,\)"),
    (convolution_steps, (np.ones((3, 3)), np.ones((1, 2, 2))), {}, ValueError, r"expected weight \(KH, KW\), got"),
    (convolution_steps, (np.ones((3, 3)), np.ones((4, 1))), {}, ValueError, "kernel 4 does not fit into height 3"),
    (
        convolution_steps,
        (np.ones((3, 0)), np.ones((1, 1))),
        {},
        ValueError,
        "expected x that is not empty, got",
    ),
    (convolution_steps, ([["a"]], [[1]]), {}, TypeError, "expected x to hold numbers"),
    (convolution_steps, ([[1]], [[np.nan]]), {}, ValueError, "expected weight of finite numbers"),
    (convolution_steps, (np.ones((40, 40)), [[1]]), {}, ValueError, "at most 1000 steps, got 1,600; take a smaller"),
    (convolution_steps, ([[1]], [[1]]), {"padding": 9999, "stride": 9999}, ValueError, "at most 10,000 cells, got"),
    (transposed_steps, ([[1]], [[1, 2]]), {"dilation": 2**20}, ValueError, r"10,000 cells, got \(1, 1048577\)"),
    (pooling_steps, ([[1]], 2**15), {"ceil_mode": True}, ValueError, r"10,000 cells, got \(32768, 32768\); take a sm"),
    (transposed_steps, (np.ones((40, 40)), [[1]]), {}, ValueError, "conv_transpose_animation: expected at most 1000"),
    (transposed_steps, ([[1]], [[1]]), {"output_padding": 1}, ValueError, "expected output_padding smaller than"),
    (pooling_steps, ([[1]], 1), {"kind": "mean"}, ValueError, "expected kind 'max', 'avg' or 'lp', got 'mean'"),
    (pooling_steps, ([[1]], 1), {"kind": "avg", "dilation": 2}, ValueError, "dilation 1 for kind 'avg', got 2"),
    (pooling_steps, ([[1]], 1), {"kind": "lp", "p": 0}, ValueError, "expected p to be at least 1, got 0"),
    (pooling_steps, ([[1]], 1), {"padding": 1}, ValueError, "expected padding smaller than the window"),
]


@pytest.mark.parametrize(("function", "arguments", "settings", "error", "text"), BAD_CALLS)
def test_bad_calls(function: Any, arguments: Any, settings: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        function(*arguments, **settings)
