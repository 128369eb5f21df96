"""Configurations drawn at random, the same ones in each run: 30 for each operation, 300 with ``NUMPYCNN_FULL=1``."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
FULL = 300


def num_draws() -> int:
    """How many configurations a test draws unless it says otherwise."""
    return FULL if os.environ.get("NUMPYCNN_FULL") == "1" else 30


def generators(*seed: int, count: int | None = None) -> Iterator[np.random.Generator]:
    """One generator for each configuration, so that each can be drawn again by itself."""
    return (np.random.default_rng([*seed, i]) for i in range(num_draws() if count is None else count))


def draw_setting(rng: np.random.Generator, smallest: int, largest: int, rank: int) -> int | Shape:
    """An int for all axes, or one for each."""
    if rng.random() < 0.3:
        return int(rng.integers(smallest, largest + 1))
    return tuple(int(n) for n in rng.integers(smallest, largest + 1, rank))


def spread(setting: int | Shape, rank: int) -> Shape:
    return setting if isinstance(setting, tuple) else (setting,) * rank


def draw_padding(rng: np.random.Generator, limits: Shape, words: Sequence[str]) -> Any:
    """An int, one for each axis, a pair for each axis, or a word; at most `limits`."""
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(min(limits) + 1))
    if kind == 1:
        return tuple(int(rng.integers(limit + 1)) for limit in limits)
    if kind == 2:
        return tuple((int(rng.integers(limit + 1)), int(rng.integers(limit + 1))) for limit in limits)
    return str(rng.choice(words))


def pairs_of(padding: Any, size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Pairs:
    """What a padding means on each axis, from the definitions of the words."""
    axes = list(zip(size, kernel, stride, dilation, strict=True))
    if padding == "valid":
        return tuple((0, 0) for _ in axes)
    if padding == "full":
        return tuple((d * (k - 1), d * (k - 1)) for _, k, _, d in axes)
    if padding == "same":
        missing = [max(0, (int(np.ceil(i / s)) - 1) * s + d * (k - 1) + 1 - i) for i, k, s, d in axes]
        return tuple((m // 2, m - m // 2) for m in missing)
    if isinstance(padding, int):
        return ((padding, padding),) * len(axes)
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


class Case(NamedTuple):
    """A drawn window: its settings as a caller writes them, and what they mean on each axis."""

    size: Shape
    settings: dict[str, Any]  # as given to the function, with the kernel size
    kernel: Shape
    stride: Shape
    dilation: Shape
    pairs: Pairs

    @property
    def reach(self) -> Shape:
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def room(self) -> Shape:
        axes = zip(self.size, self.pairs, self.reach, strict=True)
        return tuple(i + before + after - r for i, (before, after), r in axes)

    @property
    def output(self) -> Shape:
        return tuple(room // s + 1 for room, s in zip(self.room, self.stride, strict=True))


SIZES = {1: (12,), 2: (6, 10), 3: (3, 4, 9)}  # largest of each axis: long rows have a kernel of their own


def draw_case(
    rng: np.random.Generator, rank: int, *, dilated: bool = True, words: Sequence[str] = ("valid", "same", "full")
) -> Case:
    """A window that fits; for a pool, leave "full" out of the words, and the padding is smaller than the window."""
    while True:
        size = tuple(int(rng.integers(1, largest + 1)) for largest in SIZES[rank])
        kernel_size = draw_setting(rng, 1, 4 if rank < 3 else 3, rank)
        stride = 1 if rng.random() < 0.3 else draw_setting(rng, 1, 3, rank)
        dilation = draw_setting(rng, 1, 3, rank) if dilated and rng.random() < 0.5 else 1
        kernel, strides, dilations = (spread(setting, rank) for setting in (kernel_size, stride, dilation))
        reach = tuple(d * (k - 1) for k, d in zip(kernel, dilations, strict=True))
        padding = draw_padding(rng, tuple(min(r, 3) for r in reach), words)
        pairs = pairs_of(padding, size, kernel, strides, dilations)
        settings = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        if dilated:
            settings["dilation"] = dilation
        case = Case(size, settings, kernel, strides, dilations, pairs)
        if min(case.room) >= 0:
            return case


def draw_transposed(rng: np.random.Generator, rank: int) -> tuple[Case, Shape]:
    """A window, and output padding, of a transposed convolution that leaves some output."""
    while True:
        case = draw_case(rng, rank)
        extra = tuple(int(rng.integers(max(s, d))) for s, d in zip(case.stride, case.dilation, strict=True))
        if case.settings["padding"] == "same":  # of the convolution that goes the other way
            wide = tuple(i * s for i, s in zip(case.size, case.stride, strict=True))
            case = case._replace(pairs=pairs_of("same", wide, case.kernel, case.stride, case.dilation))
        if min(transposed_size(case, extra)) >= 1:
            return case, extra


def draw_pool(rng: np.random.Generator, rank: int, *, dilated: bool = False) -> Case:
    case = draw_case(rng, rank, dilated=dilated, words=("valid", "same"))
    settings = case.settings | {"ceil_mode": bool(rng.random() < 0.5)}
    if case.stride == case.kernel and rng.random() < 0.5:
        settings["stride"] = None
    case = case._replace(settings=settings)
    if settings["ceil_mode"] and rng.random() < 0.5:  # a window that may be longer than all it stands on
        axis = int(rng.integers(rank))
        short = case.reach[axis] - sum(case.pairs[axis]) - int(rng.integers(1, case.stride[axis] + 1))
        size = (*case.size[:axis], max(1, short), *case.size[axis + 1 :])
        pairs = pairs_of(settings["padding"], size, case.kernel, case.stride, case.dilation)
        smaller = case._replace(size=size, pairs=pairs)
        return smaller if min(pool_output(smaller)) >= 1 else case
    return case


# ---------------------------------------------------------------------------------------- sizes, from the definitions


def transposed_size(case: Case, extra: Shape) -> Shape:
    """The output size, s (i - 1) + d (k - 1) + 1 + e - before - after, or s i + e where the padding is "same"."""
    if case.settings["padding"] == "same":
        return tuple(i * s + e for i, s, e in zip(case.size, case.stride, extra, strict=True))
    axes = zip(case.size, case.reach, case.stride, case.pairs, extra, strict=True)
    return tuple(s * (i - 1) + r + e - sum(pair) for i, r, s, pair, e in axes)


def pool_output(case: Case) -> Shape:
    """Places of the window; the last, incomplete one counts in ceil mode, unless it begins in the padding after."""
    output = []
    for i, s, room, (before, _) in zip(case.size, case.stride, case.room, case.pairs, strict=True):
        places = room // s + 1
        if case.settings.get("ceil_mode"):
            places = -(-room // s) + 1
            if (places - 1) * s >= i + before:
                places -= 1
        output.append(places)
    return tuple(output)
