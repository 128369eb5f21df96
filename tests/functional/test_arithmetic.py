"""The relationships of "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), by their numbers.

Each is written out as in the guide and held to the shapes of real arrays and to the functions that predict sizes, over
a grid. The guide assumes the same sizes on both axes; here height and width have different settings throughout, so that
an exchange of the two cannot pass. Its claims about transposed convolutions go beyond sizes (each equals a certain
direct convolution, and each is the adjoint of the one that it belongs to), and these are tested as well.

``i k s p d`` are input, kernel, stride, padding and dilation of a convolution and ``o`` its output. A transposed
convolution goes back from ``i_t = o`` to ``o_t``; the guide writes these with a prime.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import draw_case, draw_transposed, generators, num_draws, transposed_size
from tests.helpers import assert_close


class Axis(NamedTuple):
    """Settings of one axis."""

    i: int
    k: int
    s: int = 1
    p: int = 0
    d: int = 1

    @property
    def room(self) -> int:
        return self.i + 2 * self.p - self.d * (self.k - 1) - 1


Formula = Callable[[Axis], int]
INPUTS, KERNELS, STRIDES, PADDINGS, DILATIONS = range(1, 9), range(1, 5), range(1, 5), range(4), range(1, 4)


def fitting(axes: Iterable[Axis]) -> list[Axis]:
    """Those in which the window fits at least once."""
    return [axis for axis in axes if axis.room >= 0]


def pictures(axes: list[Axis]) -> Iterator[tuple[Axis, Axis]]:
    """Each as the height of a picture whose width is another one."""
    assert len(axes) >= 20
    other = np.random.default_rng(0).permutation(len(axes))
    return ((height, axes[at]) for height, at in zip(axes, other, strict=True))


def settings(h: Axis, w: Axis) -> dict[str, Any]:
    return {"stride": (h.s, w.s), "padding": (h.p, w.p), "dilation": (h.d, w.d)}


def check_convolution(axes: Iterable[Axis], o: Formula) -> None:
    for h, w in pictures(fitting(axes)):
        expected = (o(h), o(w))
        y = F.conv2d(np.ones((2, 1, h.i, w.i)), np.ones((3, 1, h.k, w.k)), **settings(h, w))
        assert y.shape == (2, 3, *expected)
        assert F.conv_output_size((h.i, w.i), (h.k, w.k), **settings(h, w)) == expected


# ------------------------------------------------------------------------------------------------------- convolutions


def test_relationship_01_no_padding_unit_strides() -> None:
    axes = (Axis(i, k) for i, k in product(INPUTS, KERNELS))
    check_convolution(axes, lambda r: (r.i - r.k) + 1)


def test_relationship_02_padding_unit_strides() -> None:
    axes = (Axis(i, k, p=p) for i, k, p in product(INPUTS, KERNELS, range(6)))
    check_convolution(axes, lambda r: (r.i - r.k) + 2 * r.p + 1)


def test_relationship_03_half_padding_unit_strides() -> None:
    """For odd kernels, ``k = 2n + 1`` and ``p = floor(k / 2) = n``, the size stays as it is."""
    axes = [Axis(i, 2 * n + 1, p=n) for i, n in product(INPUTS, range(4))]
    check_convolution(axes, lambda r: r.i + 2 * (r.k // 2) - (r.k - 1))
    check_convolution(axes, lambda r: r.i)
    for h, w in pictures(axes):
        x, weight = np.ones((1, 1, h.i, w.i)), np.ones((1, 1, h.k, w.k))
        np.testing.assert_array_equal(F.conv2d(x, weight, padding="same"), F.conv2d(x, weight, **settings(h, w)))


def test_relationship_04_full_padding_unit_strides() -> None:
    axes = [Axis(i, k, p=k - 1) for i, k in product(INPUTS, KERNELS)]
    check_convolution(axes, lambda r: r.i + 2 * (r.k - 1) - (r.k - 1))
    check_convolution(axes, lambda r: r.i + (r.k - 1))
    for h, w in pictures(axes):
        x, weight = np.ones((1, 1, h.i, w.i)), np.ones((1, 1, h.k, w.k))
        np.testing.assert_array_equal(F.conv2d(x, weight, padding="full"), F.conv2d(x, weight, **settings(h, w)))


def test_relationship_05_no_padding_strides() -> None:
    axes = (Axis(i, k, s) for i, k, s in product(INPUTS, KERNELS, STRIDES))
    check_convolution(axes, lambda r: (r.i - r.k) // r.s + 1)


def test_relationship_06_padding_strides() -> None:
    axes = (Axis(i, k, s, p) for i, k, s, p in product(INPUTS, KERNELS, STRIDES, PADDINGS))
    check_convolution(axes, lambda r: (r.i + 2 * r.p - r.k) // r.s + 1)


def test_relationship_06_inputs_that_share_an_output_size() -> None:
    """If ``s`` divides ``i + 2p - k``, then each of ``i, i + 1, ..., i + s - 1`` has the same output size."""
    compared = 0
    for i, k, s, p in product(INPUTS, KERNELS, STRIDES, PADDINGS):
        if i + 2 * p >= k and (i + 2 * p - k) % s == 0:
            sizes = [F.conv_output_size(i + a, k, stride=s, padding=p) for a in range(s + 1)]
            assert sizes == [sizes[0]] * s + [sizes[0] + 1]
            compared += 1
    assert compared > 100


def test_relationship_07_pooling() -> None:
    """The same for every kind of pooling, and with the stride left out, where it is the kernel's size."""
    for h, w in pictures(fitting(Axis(i, k, s) for i, k, s in product(INPUTS, KERNELS, STRIDES))):
        expected = ((h.i - h.k) // h.s + 1, (w.i - w.k) // w.s + 1)
        x, kernel, stride = np.ones((2, 3, h.i, w.i)), (h.k, w.k), (h.s, w.s)
        for pool in (F.max_pool2d, F.avg_pool2d, F.lp_pool2d):
            assert pool(x, kernel, stride=stride).shape == (2, 3, *expected)
        assert F.pool_output_size((h.i, w.i), kernel, stride=stride) == expected
        side_by_side = (h.i // h.k, w.i // w.k)
        assert F.max_pool2d(x, kernel).shape == (2, 3, *side_by_side)
        assert F.pool_output_size((h.i, w.i), kernel) == side_by_side


# ------------------------------------------------------------------------------------------ transposed convolutions


def stretched(x: np.ndarray, s: tuple[int, int], a: tuple[int, int]) -> np.ndarray:
    """``s - 1`` zeros between the elements of (N, C, H, W), and ``a`` more rows and columns of them at the end."""
    n, c, h, w = x.shape
    wide = np.zeros((n, c, s[0] * (h - 1) + 1 + a[0], s[1] * (w - 1) + 1 + a[1]))
    wide[:, :, : s[0] * h : s[0], : s[1] * w : s[1]] = x
    return wide


def check_transposed(
    axes: Iterable[Axis], o_t: Callable[[Axis, int, int], int], p_t: Formula, *, with_a: bool = False
) -> None:
    """Hold ``o_t(axis, i_t, a)`` to real arrays, and the result to the direct convolution with padding ``p_t(axis)``.

    The direct convolution has stride 1 and the same kernel, flipped: the same taps in the opposite order.
    """
    rng = np.random.default_rng(0)
    compared = 0
    for h, w in pictures(fitting(axes)):
        i_t = F.conv_output_size((h.i, w.i), (h.k, w.k), **settings(h, w))
        a = (h.room % h.s, w.room % w.s) if with_a else (0, 0)
        expected = (o_t(h, i_t[0], a[0]), o_t(w, i_t[1], a[1]))
        assert expected == (h.i, w.i)  # back to where the convolution came from
        z, weight = rng.normal(size=(2, 3, *i_t)), rng.normal(size=(3, 1, h.k, w.k))
        y = F.conv_transpose2d(z, weight, output_padding=a, **settings(h, w))
        assert y.shape == (2, 1, *expected)
        size = F.conv_transpose_output_size(i_t, (h.k, w.k), output_padding=a, **settings(h, w))
        assert size == expected
        padding = (p_t(h), p_t(w))
        if min(padding) >= 0:  # with more padding than that, the direct convolution would have to cut, not to pad
            turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
            direct = F.conv2d(stretched(z, (h.s, w.s), a), turned, padding=padding, dilation=(h.d, w.d))
            assert_close(y, direct)
            compared += 1
    assert compared >= 12


def test_relationship_08_no_padding_unit_strides_transposed() -> None:
    axes = (Axis(i, k) for i, k in product(INPUTS, KERNELS))
    check_transposed(axes, lambda r, i_t, a: i_t + (r.k - 1), lambda r: r.k - 1)


def test_relationship_09_padding_unit_strides_transposed() -> None:
    axes = (Axis(i, k, p=p) for i, k, p in product(INPUTS, KERNELS, PADDINGS))
    check_transposed(axes, lambda r, i_t, a: i_t + (r.k - 1) - 2 * r.p, lambda r: r.k - r.p - 1)


def test_relationship_10_half_padding_unit_strides_transposed() -> None:
    axes = [Axis(i, 2 * n + 1, p=n) for i, n in product(INPUTS, range(4))]
    check_transposed(axes, lambda r, i_t, a: i_t + (r.k - 1) - 2 * r.p, lambda r: r.p)
    check_transposed(axes, lambda r, i_t, a: i_t, lambda r: r.p)


def test_relationship_11_full_padding_unit_strides_transposed() -> None:
    axes = [Axis(i, k, p=k - 1) for i, k in product(INPUTS, KERNELS)]
    check_transposed(axes, lambda r, i_t, a: i_t + (r.k - 1) - 2 * r.p, lambda r: 0)
    check_transposed(axes, lambda r, i_t, a: i_t - (r.k - 1), lambda r: 0)


def test_relationship_12_no_padding_strides_transposed() -> None:
    """Where ``s`` divides ``i - k``."""
    axes = [Axis(i, k, s) for i, k, s in product(INPUTS, KERNELS, STRIDES) if (i - k) % s == 0]
    check_transposed(axes, lambda r, i_t, a: r.s * (i_t - 1) + r.k, lambda r: r.k - 1)


def test_relationship_13_padding_strides_transposed() -> None:
    """Where ``s`` divides ``i + 2p - k``."""
    grid = product(INPUTS, KERNELS, STRIDES, PADDINGS)
    axes = [Axis(i, k, s, p) for i, k, s, p in grid if (i + 2 * p - k) % s == 0]
    check_transposed(axes, lambda r, i_t, a: r.s * (i_t - 1) + r.k - 2 * r.p, lambda r: r.k - r.p - 1)


def test_relationship_14_padding_strides_transposed_any_input() -> None:
    """For any ``i``, with ``a = (i + 2p - k) mod s`` zeros more after the stretched input: the output padding."""
    axes = [Axis(i, k, s, p) for i, k, s, p in product(INPUTS, KERNELS, STRIDES, PADDINGS)]
    assert {(r.i + 2 * r.p - r.k) % r.s for r in fitting(axes)} == {0, 1, 2, 3}
    assert all((r.i + 2 * r.p - r.k) % r.s == r.room % r.s for r in axes)
    check_transposed(axes, lambda r, i_t, a: r.s * (i_t - 1) + a + r.k - 2 * r.p, lambda r: r.k - r.p - 1, with_a=True)


# ------------------------------------------------------------------------------------------------------------ dilation


def test_relationship_15_dilation() -> None:
    """A dilated kernel is as long as one of ``k + (k - 1)(d - 1)``."""
    axes = [Axis(*drawn) for drawn in product(INPUTS, KERNELS, STRIDES, PADDINGS, DILATIONS)]
    check_convolution(axes, lambda r: (r.i + 2 * r.p - r.k - (r.k - 1) * (r.d - 1)) // r.s + 1)
    for h, w in pictures(fitting(r for r in axes if r.p == 0)):
        y = F.max_pool2d(np.ones((1, 1, h.i, w.i)), (h.k, w.k), stride=(h.s, w.s), dilation=(h.d, w.d))
        size = F.pool_output_size((h.i, w.i), (h.k, w.k), stride=(h.s, w.s), dilation=(h.d, w.d))
        assert y.shape[2:] == size == tuple((r.i - r.k - (r.k - 1) * (r.d - 1)) // r.s + 1 for r in (h, w))


def test_relationship_15_dilation_equals_a_kernel_with_zeros_between() -> None:
    rng = np.random.default_rng(1)
    for k, d in product(KERNELS, DILATIONS):
        x, weight = rng.normal(size=(2, 3, 14, 11)), rng.normal(size=(4, 3, k, 2))
        inflated = np.zeros((4, 3, k + (k - 1) * (d - 1), 2))
        inflated[:, :, ::d] = weight
        assert_close(F.conv2d(x, weight, dilation=(d, 1)), F.conv2d(x, inflated))


def test_relationships_14_and_15_together() -> None:
    """The guide's transposed case with ``k`` replaced by the length of the dilated kernel, as in 15."""

    def length(r: Axis) -> int:
        return r.k + (r.k - 1) * (r.d - 1)

    axes = [Axis(*drawn) for drawn in product(INPUTS, KERNELS, range(1, 4), range(3), DILATIONS)][::3]
    check_transposed(
        axes,
        lambda r, i_t, a: r.s * (i_t - 1) + a + length(r) - 2 * r.p,
        lambda r: length(r) - r.p - 1,
        with_a=True,
    )


# ------------------------------------------------------------------------------------------------- figures of the guide


CONVOLUTION_FIGURES = [  # i, k, s, p, d and the output that is drawn
    (Axis(4, 3), 2),
    (Axis(5, 4, p=2), 6),
    (Axis(5, 3, p=1), 5),
    (Axis(5, 3, p=2), 7),
    (Axis(5, 3, 2), 2),
    (Axis(5, 3, 2, 1), 3),
    (Axis(6, 3, 2, 1), 3),
    (Axis(7, 3, d=2), 3),
]


@pytest.mark.parametrize(("r", "o"), CONVOLUTION_FIGURES)
def test_the_figures_and_their_transposes(r: Axis, o: int) -> None:
    around = {"stride": r.s, "padding": r.p, "dilation": r.d}
    assert F.conv_output_size(r.i, r.k, **around) == o
    assert F.conv_transpose_output_size(o, r.k, output_padding=r.room % r.s, **around) == r.i
    assert F.conv2d(np.ones((1, 1, r.i, r.i)), np.ones((1, 1, r.k, r.k)), **around).shape == (1, 1, o, o)


# --------------------------------------------------------------------------------------------------------- the adjoint


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_transposed_convolution_is_the_exact_adjoint(rank: int) -> None:
    """<conv(x), y> = <x, conv_transpose(y)> with the same weights, groups, dilation and output padding."""
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    transposed = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[rank]
    padded, grouped, dilated = 0, 0, 0
    for rng in generators(1603, rank):
        case = draw_case(rng, rank, words=("valid", "full"))
        groups, channels, filters = (int(n) for n in rng.integers(1, 4, 3))  # channels and filters of one group
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"} | {"groups": groups}
        a = tuple(room % s for room, s in zip(case.room, case.stride, strict=True))
        x = rng.normal(size=(2, groups * channels, *case.size))
        weight = rng.normal(size=(groups * filters, channels, *case.kernel))
        y = rng.normal(size=(2, groups * filters, *case.output))
        there, back = conv(x, weight, **around), transposed(y, weight, output_padding=a, **around)
        assert there.shape == y.shape
        assert back.shape == x.shape
        size = np.linalg.norm(there) * np.linalg.norm(y) + 1e-300  # the largest that the product can be
        assert abs((there * y).sum() - (x * back).sum()) <= 1e-13 * size
        padded, grouped, dilated = padded + (max(a) > 0), grouped + (groups > 1), dilated + (max(case.dilation) > 1)
    assert min(padded, grouped, dilated) >= num_draws() // 10


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_adjoint_for_every_output_padding(rank: int) -> None:
    """The other way round: whatever the output padding, there is the convolution that leads back.

    Where the output padding is not smaller than the stride (with dilation it may be), that convolution has places left
    over at the end, which the adjoint does not know of.
    """
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    transposed = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[rank]
    left_over = 0
    for rng in generators(1604, rank):
        case, extra = draw_transposed(rng, rank)
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x = rng.normal(size=(2, 3, *transposed_size(case, extra)))
        y, weight = rng.normal(size=(2, 4, *case.size)), rng.normal(size=(4, 3, *case.kernel))
        there = conv(x, weight, **(around | {"padding": case.pairs}))
        assert all(o >= i for o, i in zip(there.shape[2:], case.size, strict=True))
        left_over += there.shape != y.shape
        there = there[(..., *(slice(size) for size in case.size))]
        back = transposed(y, weight, output_padding=extra, **around)
        size = np.linalg.norm(there) * np.linalg.norm(y) + 1e-300
        assert abs((there * y).sum() - (x * back).sum()) <= 1e-13 * size
    assert left_over >= num_draws() // 30


# ------------------------------------------------------------------------------------------------------ receptive field


class Stage(NamedTuple):
    """A sliding window in two dimensions."""

    pooling: bool
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        around: dict[str, Any] = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        if self.pooling:
            return F.max_pool2d(x, self.kernel, **around)
        return F.conv2d(x, np.ones((1, 1, *self.kernel)), **around)


def draw_stage(rng: np.random.Generator) -> Stage:
    kernel, stride, dilation = (tuple(int(n) for n in rng.integers(1, limit, 2)) for limit in (4, 3, 3))
    padding = tuple(int(rng.integers(d * (k - 1) + 1)) for k, d in zip(kernel, dilation, strict=True))
    return Stage(bool(rng.random() < 0.4), kernel, stride, padding, dilation)  # type: ignore[arg-type]


def test_receptive_field_by_moving_every_pixel() -> None:
    """Raise one pixel after the other so far that whatever sees it must change; compare what each output has seen.

    With padding, the first and the last outputs look beyond the picture; what they see of it is cut off there.
    """
    whole = 0
    for rng in generators(16, count=60):
        stages = [draw_stage(rng) for _ in range(rng.integers(1, 4))]
        height, width = (int(n) for n in rng.integers(9, 17, 2))

        def network(x: np.ndarray, stages: list[Stage] = stages) -> np.ndarray:
            for stage in stages:
                x = stage(x)
            return x[:, 0]  # (N, OH, OW)

        x = rng.random((height, width))
        raised = np.repeat(x[None], height * width, axis=0)
        raised.reshape(height * width, -1)[np.arange(height * width), np.arange(height * width)] += 1e6
        try:
            before, after = network(x[None, None]), network(raised[:, None])
        except ValueError:  # a window does not fit any more
            continue
        moved = (after != before).reshape(height, width, *before.shape[1:])  # which pixel, which output
        for axis, size in enumerate((height, width)):
            layers = [(s.kernel[axis], s.stride[axis], s.dilation[axis]) for s in stages]
            field, jump = F.receptive_field(layers)
            begin, step = 0, 1  # of what the first output sees, and from one element to the next
            for stage in stages:
                begin -= stage.padding[axis] * step
                step *= stage.stride[axis]
            assert step == jump
            for o in range(before.shape[1 + axis]):
                lines = np.moveaxis(moved, (axis, 2 + axis), (0, 1))[:, o]
                seen = np.flatnonzero(lines.any(axis=(1, 2)))
                first, last = begin + o * jump, begin + o * jump + field - 1
                if first >= 0 and last < size:
                    assert (seen[0], seen[-1]) == (first, last)
                    whole += 1
                elif seen.size:
                    assert seen[0] >= first
                    assert seen[-1] <= last
    assert whole >= 200
