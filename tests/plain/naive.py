"""Convolution, transposed convolution and pooling as explicit loops, written from the definitions alone.

A convolution is first listed as its terms, one for each product that the definition names; output and gradients are
sums over them. There is no term for an element outside of the input, so a NaN reaches exactly what sees it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from tests.drawn import Case, Shape, pool_output, transposed_size


def positions(shape: Iterable[int]) -> Iterator[Shape]:
    return product(*(range(size) for size in shape))


# -------------------------------------------------------------------------------------- convolution, by its terms


class Terms(NamedTuple):
    """Every product of a convolution: which output it is added to, which weight it uses, which input."""

    y_shape: Shape
    y: np.ndarray  # (T, axes of y)
    weight: np.ndarray
    x: np.ndarray


def convolution_terms(x_shape: Shape, weight_shape: Shape, case: Case, groups: int) -> Terms:
    """List y[n, f, o] = sum of w[f, c, u] * x[n, block(f) + c, s o + d u - before]."""
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


def transposed_terms(x_shape: Shape, weight_shape: Shape, case: Case, extra: Shape, groups: int) -> Terms:
    """Each x[n, c, i] adds w[c, f, u], scaled, at s i + d u - before of y[n, block(c) + f]."""
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
