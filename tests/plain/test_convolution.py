"""Convolutions and transposed convolutions against the sums that define them, SciPy and PyTorch."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate

from numpycnn import functional as F
from tests.drawn import FULL, generators, transposed_size
from tests.helpers import assert_close
from tests.operations import call, call_backward, draw_conv, draw_conv_transpose
from tests.plain.naive import bilinear, convolution_terms, transposed_terms

SPECIAL = [np.nan, np.inf, -np.inf]
RANKS = pytest.mark.parametrize("rank", [1, 2, 3])


def with_special(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Replace one element by NaN or infinity."""
    damaged = array.copy()
    damaged[tuple(rng.integers(array.shape))] = rng.choice(SPECIAL)
    return damaged


@RANKS
def test_convolution_equals_the_sum_over_its_terms(rank: int) -> None:
    for rng in generators(1, rank):
        drawn, case = draw_conv(rng, rank)
        x, weight, bias = drawn["x"], drawn["weight"], drawn["bias"]
        dy = rng.normal(size=(len(x), len(weight), *case.output))
        terms = convolution_terms(x.shape, weight.shape, case, drawn["groups"])
        actual = [call(f"conv{rank}d", drawn), *call_backward(f"conv{rank}d", drawn, dy)]
        for got, wanted in zip(actual, bilinear(terms, x, weight, bias, dy), strict=True):
            assert_close(got, wanted)


@RANKS
@pytest.mark.filterwarnings("ignore:invalid value")
def test_convolution_carries_nan_and_infinity_to_what_sees_them(rank: int) -> None:
    for rng in generators(2, rank):
        drawn, case = draw_conv(rng, rank)
        drawn["x"] = with_special(rng, drawn["x"])
        dy = rng.normal(size=(len(drawn["x"]), len(drawn["weight"]), *case.output))
        terms = convolution_terms(drawn["x"].shape, drawn["weight"].shape, case, drawn["groups"])
        actual = [call(f"conv{rank}d", drawn), *call_backward(f"conv{rank}d", drawn, dy)]
        for got, wanted in zip(actual, bilinear(terms, drawn["x"], drawn["weight"], drawn["bias"], dy), strict=True):
            assert_close(got, wanted)
        damaged = with_special(rng, dy)
        wanted, *_ = bilinear(terms, drawn["x"], drawn["weight"], None, damaged)[1:]
        assert_close(call_backward(f"conv{rank}d", drawn, damaged)[0], wanted)


@RANKS
def test_convolution_equals_pytorch(rank: int, torch: Any) -> None:
    theirs = getattr(torch.nn.functional, f"conv{rank}d")
    for rng in generators(1, rank):
        drawn, case = draw_conv(rng, rank)
        x, weight = (torch.tensor(drawn[name], requires_grad=True) for name in ("x", "weight"))
        bias = torch.tensor(np.zeros(len(drawn["weight"])) if drawn["bias"] is None else drawn["bias"])
        bias.requires_grad_()
        around = [n for pair in reversed(case.pairs) for n in pair]  # PyTorch lists the last axis first
        padded = torch.nn.functional.pad(x, around)
        y = theirs(padded, weight, bias, stride=case.stride, dilation=case.dilation, groups=drawn["groups"])
        dy = rng.normal(size=tuple(y.shape))
        y.backward(torch.tensor(dy))
        assert_close(call(f"conv{rank}d", drawn), y.detach())
        for got, tensor in zip(call_backward(f"conv{rank}d", drawn, dy), (x, weight, bias), strict=True):
            assert_close(got, tensor.grad)


@RANKS
def test_convolution_equals_scipy(rank: int) -> None:
    for rng in generators(3, rank):
        image, kernel = rng.normal(size=rng.integers(3, 9, rank)), rng.normal(size=rng.integers(1, 4, rank))
        for padding in ("valid", "full"):
            y = getattr(F, f"conv{rank}d")(image[None, None], kernel[None, None], padding=padding)
            assert_close(y[0, 0], correlate(image, kernel, mode=padding, method="direct"))


@RANKS
def test_the_drawn_configurations_reach_the_awkward_cases(rank: int) -> None:
    drawn = [draw_conv(rng, rank) for rng in generators(1, rank, count=FULL)]
    cases = [case for _, case in drawn]
    awkward = {
        "even kernel": [any(k % 2 == 0 for k in c.kernel) for c in cases],
        "kernel of one": [set(c.kernel) == {1} for c in cases],
        "input of one": [1 in c.size for c in cases],
        "stride does not divide the input": [any(r % s for r, s in zip(c.room, c.stride, strict=True)) for c in cases],
        "stride beyond the kernel": [any(s > k for s, k in zip(c.stride, c.kernel, strict=True)) for c in cases],
        "dilation": [max(c.dilation) > 1 and max(c.kernel) > 1 for c in cases],
        "uneven padding": [any(before != after for before, after in c.pairs) for c in cases],
        "padding of one side": [any(pair[0] and not pair[1] for pair in c.pairs) for c in cases],
        "stride 1 in long rows": [set(c.stride) == {1} and c.output[-1] >= 6 for c in cases],
        "groups": [d["groups"] > 1 for d, _ in drawn],
        "depthwise": [d["groups"] > 1 and d["weight"].shape[1] == 1 for d, _ in drawn],
        **{word: [c.settings["padding"] == word for c in cases] for word in ("valid", "same", "full")},
    }
    if rank > 1:
        awkward["not square"] = [len(set(c.size)) > 1 and len(set(c.kernel)) > 1 for c in cases]
        awkward["strides that differ"] = [len(set(c.stride)) > 1 for c in cases]
    assert {name: sum(hits) for name, hits in awkward.items() if sum(hits) < 5} == {}


# --------------------------------------------------------------------------------------------- transposed convolution


@RANKS
def test_transposed_convolution_equals_the_sum_over_its_terms(rank: int) -> None:
    for rng in generators(4, rank):
        drawn, case, extra = draw_conv_transpose(rng, rank)
        x, weight, bias = drawn["x"], drawn["weight"], drawn["bias"]
        dy = rng.normal(size=(len(x), weight.shape[1] * drawn["groups"], *transposed_size(case, extra)))
        terms = transposed_terms(x.shape, weight.shape, case, extra, drawn["groups"])
        actual = [call(f"conv_transpose{rank}d", drawn), *call_backward(f"conv_transpose{rank}d", drawn, dy)]
        for got, wanted in zip(actual, bilinear(terms, x, weight, bias, dy), strict=True):
            assert_close(got, wanted)


@RANKS
@pytest.mark.filterwarnings("ignore:invalid value")
def test_transposed_convolution_carries_nan_and_infinity_to_what_sees_them(rank: int) -> None:
    for rng in generators(5, rank):
        drawn, case, extra = draw_conv_transpose(rng, rank)
        damaged = with_special(rng, drawn["x"])
        dy = rng.normal(size=(len(damaged), drawn["weight"].shape[1] * drawn["groups"], *transposed_size(case, extra)))
        terms = transposed_terms(damaged.shape, drawn["weight"].shape, case, extra, drawn["groups"])
        y, *_ = bilinear(terms, damaged, drawn["weight"], drawn["bias"], dy)
        assert_close(call(f"conv_transpose{rank}d", drawn | {"x": damaged}), y)
        damaged = with_special(rng, dy)
        _, dx, dweight, dbias = bilinear(terms, drawn["x"], drawn["weight"], None, damaged)
        gradients = call_backward(f"conv_transpose{rank}d", drawn, damaged)
        for got, wanted in zip(gradients, (dx, dweight, dbias), strict=True):
            assert_close(got, wanted)


@RANKS
def test_transposed_convolution_equals_pytorch(rank: int, torch: Any) -> None:
    theirs = getattr(torch.nn.functional, f"conv_transpose{rank}d")
    for rng in generators(4, rank):
        drawn, case, extra = draw_conv_transpose(rng, rank)
        size = transposed_size(case, extra)
        x, weight = (torch.tensor(drawn[name], requires_grad=True) for name in ("x", "weight"))
        filters = drawn["weight"].shape[1] * drawn["groups"]
        bias = torch.tensor(np.zeros(filters) if drawn["bias"] is None else drawn["bias"], requires_grad=True)
        settings = {"stride": case.stride, "groups": drawn["groups"], "dilation": case.dilation}
        if drawn["padding"] != "same" and all(before == after for before, after in case.pairs):
            settings |= {"padding": tuple(before for before, _ in case.pairs), "output_padding": extra}
            y = theirs(x, weight, bias, **settings)
        else:  # PyTorch pads both sides alike: cut the whole result by hand
            y = theirs(x, weight, **settings)
            around: list[int] = []
            for have, want, (before, _) in zip(y.shape[2:], size, case.pairs, strict=True):
                around = [-before, want - have + before, *around]
            y = torch.nn.functional.pad(y, around) + bias.reshape(-1, *(1,) * rank)
        dy = rng.normal(size=(len(x), filters, *size))
        y.backward(torch.tensor(dy))
        assert_close(call(f"conv_transpose{rank}d", drawn), y.detach())
        for got, tensor in zip(call_backward(f"conv_transpose{rank}d", drawn, dy), (x, weight, bias), strict=True):
            assert_close(got, tensor.grad)
