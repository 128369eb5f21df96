"""What several test files share: settings drawn at random, oracles written as plain loops, and comparisons.

The oracles are written from the definitions alone and share no code with the package. A convolution is first spelled
out as a list of its terms, one for each product that the definition names; output and gradients are then sums over it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

DRAWN = 300  # configurations for each operation
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
INT32_OVERFLOW, INT64_LARGEST = 2**31, 2**63 - 1


# ---------------------------------------------------------------------------------------------------------- comparisons


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Same shape, and no number further off than `tolerance` times the largest one."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    if expected.size:
        worst = np.abs(actual.astype(np.float64) - expected).max()
        assert worst <= tolerance * max(np.abs(expected).max(), 1e-3), f"off by {worst:.3g}"


def assert_same_bits(actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert actual.tobytes() == expected.tobytes()


def layouts(array: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in every way that they can lie in memory."""
    back = tuple(reversed(range(array.ndim)))
    reversed_copy = np.ascontiguousarray(array[tuple(slice(None, None, -1) for _ in array.shape)])
    wide = np.full(tuple(2 * size + 1 for size in array.shape), 99, array.dtype)
    sliced = wide[tuple(slice(1, None, 2) for _ in array.shape)]
    sliced[...] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    unaligned = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    unaligned[...] = array
    return {
        "Fortran": np.asfortranarray(array),
        "transposed": np.ascontiguousarray(array.transpose(back)).transpose(back),
        "negative strides": reversed_copy[tuple(slice(None, None, -1) for _ in array.shape)],
        "sliced": sliced,
        "read-only": read_only,
        "unaligned": unaligned,
        "other byte order": array.astype(array.dtype.newbyteorder()),
    }


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of a function of one array."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] = x[index] + h
        above = function(moved)
        moved[index] = x[index] - h
        gradient[index] = (above - function(moved)) / (2 * h)
    return gradient


# ------------------------------------------------------------------------------------------------------ drawn settings


def generators(*seed: int, count: int = DRAWN) -> Iterator[np.random.Generator]:
    """One generator for each configuration, so that each can be drawn again by itself."""
    return (np.random.default_rng([*seed, i]) for i in range(count))


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


# -------------------------------------------------------------------------------------- convolution, by its terms


class Terms(NamedTuple):
    """Every product of a convolution: which output it is added to, which weight it uses, which input."""

    y_shape: Shape
    y: np.ndarray  # (T, axes of y)
    weight: np.ndarray
    x: np.ndarray


def positions(shape: Iterable[int]) -> Iterator[Shape]:
    return product(*(range(size) for size in shape))


def convolution_terms(x_shape: Shape, weight_shape: Shape, case: Case, groups: int) -> Terms:
    """Spell out y[n, f, o] = sum of w[f, c, u] * x[n, block(f) + c, s o + d u - before]."""
    n_images, filters, channels = x_shape[0], weight_shape[0], weight_shape[1]
    terms = []
    for n, f, o in product(range(n_images), range(filters), positions(case.output)):
        block = f // (filters // groups) * channels
        for c, u in product(range(channels), positions(case.kernel)):
            axes = zip(o, u, case.stride, case.dilation, case.pairs, strict=True)
            at = tuple(s * i + d * j - before for i, j, s, d, (before, _) in axes)
            if all(0 <= a < size for a, size in zip(at, case.size, strict=True)):
                terms.append(((n, f, *o), (f, c, *u), (n, block + c, *at)))
    return _collect((n_images, filters, *case.output), terms, x_shape)


def transposed_size(case: Case, extra: Shape) -> Shape:
    """The output size, s (i - 1) + d (k - 1) + 1 + e - before - after, or s i + e where the padding is "same"."""
    if case.settings["padding"] == "same":
        return tuple(i * s + e for i, s, e in zip(case.size, case.stride, extra, strict=True))
    axes = zip(case.size, case.reach, case.stride, case.pairs, extra, strict=True)
    return tuple(s * (i - 1) + r + e - sum(pair) for i, r, s, pair, e in axes)


def transposed_terms(x_shape: Shape, weight_shape: Shape, case: Case, extra: Shape, groups: int) -> Terms:
    """Spell out: each x[n, c, i] lays w[c, f, u] at s i + d u - before of y[n, block(c) + f]."""
    n_images, channels, filters = x_shape[0], weight_shape[0], weight_shape[1]
    output = transposed_size(case, extra)
    terms = []
    for n, c, i in product(range(n_images), range(channels), positions(case.size)):
        block = c // (channels // groups) * filters
        for f, u in product(range(filters), positions(case.kernel)):
            axes = zip(i, u, case.stride, case.dilation, case.pairs, strict=True)
            at = tuple(s * p + d * j - before for p, j, s, d, (before, _) in axes)
            if all(0 <= a < size for a, size in zip(at, output, strict=True)):
                terms.append(((n, block + f, *at), (c, f, *u), (n, c, *i)))
    return _collect((n_images, filters * groups, *output), terms, x_shape)


def _collect(y_shape: Shape, terms: list[tuple[Shape, Shape, Shape]], x_shape: Shape) -> Terms:
    table = np.array(terms, dtype=np.intp).reshape(len(terms), 3, len(x_shape))
    return Terms(y_shape, table[:, 0], table[:, 1], table[:, 2])


def bilinear(
    terms: Terms, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, dy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Add up y = sum of w x over the terms, and its gradients: dx of dy w, dw of dy x, db of dy."""
    at_y, at_weight, at_x = tuple(terms.y.T), tuple(terms.weight.T), tuple(terms.x.T)
    y, dx, dweight = np.zeros(terms.y_shape), np.zeros(x.shape), np.zeros(weight.shape)
    np.add.at(y, at_y, weight[at_weight] * x[at_x])
    np.add.at(dx, at_x, dy[at_y] * weight[at_weight])
    np.add.at(dweight, at_weight, dy[at_y] * x[at_x])
    dbias = np.array([dy[:, f].sum() for f in range(dy.shape[1])])
    if bias is not None:
        for f in range(len(bias)):
            y[:, f] += bias[f]
    return y, dx, dweight, dbias


# --------------------------------------------------------------------------------------------- pooling, by its windows


class PoolWindow(NamedTuple):
    """One place of the window: which output it makes, and which elements of the input it sees."""

    output: Shape
    seen: list[Shape]
    covered: int  # elements of the input and of the padding


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


def pool_windows(case: Case) -> list[PoolWindow]:
    windows = []
    for o in positions(pool_output(case)):
        seen, covered = [], 0
        for u in positions(case.kernel):
            axes = zip(o, u, case.stride, case.dilation, case.pairs, strict=True)
            at = tuple(s * i + d * j - before for i, j, s, d, (before, _) in axes)
            axes = zip(at, case.size, case.pairs, strict=True)
            covered += all(-before <= a < size + after for a, size, (before, after) in axes)
            if all(0 <= a < size for a, size in zip(at, case.size, strict=True)):
                seen.append(at)
        windows.append(PoolWindow(o, seen, covered))
    return windows


def pool(
    x: np.ndarray,
    case: Case,
    dy: np.ndarray,
    condense: Callable[[list[float], PoolWindow], tuple[float, list[float]]],
) -> tuple[np.ndarray, np.ndarray]:
    """Pool with ``condense(numbers, window) -> (number, its derivative by each)``; return y and dx."""
    y, dx = np.zeros((*x.shape[:2], *pool_output(case))), np.zeros(x.shape)
    windows = pool_windows(case)
    for n, c in positions(x.shape[:2]):
        for window in windows:
            out = (n, c, *window.output)
            y[out], slopes = condense([float(x[n, c][at]) for at in window.seen], window)
            for at, slope in zip(window.seen, slopes, strict=True):
                dx[n, c][at] += dy[out] * slope
    return y, dx
