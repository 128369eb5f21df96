"""What `kernels.py` measures: each operation as ours, as NumPy writes it, and as PyTorch's operator."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn import functional as F
from numpycnn.functional.max_pool import max_pool, max_pool_backward
from numpycnn.functional.normalization import batch_statistics
from numpycnn.layers.base import Parameter
from numpycnn.optim import SGD, Adam, RMSProp

aten = torch.ops.aten
Arrays = tuple[Any, ...]


class Operation(NamedTuple):
    """One operation in three ways. Each returns a tuple of results, which must agree (None: not compared)."""

    name: str
    ours: Callable[[], Arrays]
    numpy: Callable[[], Arrays]
    torch: Callable[[], Arrays]
    products: int = 0  # multiplications of a product, if it is one


def _random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


# -------------------------------------------------------------------------------------------------------- convolutions


def _im2col(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """Return the matrix of all windows, (N, C KK, P)."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    seen = sliding_window_view(padded, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]  # (N, C, OH, OW, K, K)
    return seen.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kernel**2, -1)


def _numpy_conv(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, padding: int) -> Arrays:
    y = w.reshape(len(w), -1) @ _im2col(x, w.shape[2], stride, padding) + b[:, None]  # (N, F, P)
    return (y,)


def _numpy_conv_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int, padding: int) -> Arrays:
    k, (n, c, height, width), (oh, ow) = w.shape[2], x.shape, dy.shape[2:]
    rows = dy.reshape(n, len(w), -1)
    dw = (rows @ _im2col(x, k, stride, padding).swapaxes(1, 2)).sum(axis=0)
    columns = (w.reshape(len(w), -1).T @ rows).reshape(n, c, k, k, oh, ow)
    padded = np.zeros((n, c, height + 2 * padding, width + 2 * padding), x.dtype)
    for i, j in np.ndindex(k, k):
        padded[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += columns[:, :, i, j]
    dx = padded[:, :, padding : padding + height, padding : padding + width]
    return dx, dw.reshape(w.shape), dy.sum(axis=(0, 2, 3))


def _convolutions(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    cases = [  # channels, filters, kernel, stride, padding, size of the picture
        (1, 32, 3, 1, 0, 28),
        (10, 10, 3, 1, 1, 28),
        (6, 16, 5, 1, 0, 14),
        (32, 64, 3, 2, 1, 28),
        (64, 64, 3, 1, 1, 14),
        (256, 256, 3, 1, 1, 8),
    ]
    for c, f, k, s, p, size in cases:
        x, w, b = _random(rng, n, c, size, size), _random(rng, f, c, k, k) / k, _random(rng, f)
        y = F.conv2d(x, w, b, stride=s, padding=p)
        dy = _random(rng, *y.shape)
        tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))
        name = f"{c} to {f} channels, {k}x{k}" + (f", stride {s}" if s > 1 else "") + f", {size}x{size}"
        settings = {"stride": s, "padding": p}
        yield Operation(
            f"convolution {name}",
            lambda x=x, w=w, b=b, settings=settings: (F.conv2d(x, w, b, **settings),),
            lambda x=x, w=w, b=b, s=s, p=p: _numpy_conv(x, w, b, s, p),
            lambda x=tx, w=tw, b=tb, settings=settings: (torch.conv2d(x, w, b, **settings),),
            y.size * c * k * k,
        )
        yield Operation(
            f"its gradients, {name}",
            lambda dy=dy, x=x, w=w, settings=settings: F.conv2d_backward(dy, x, w, **settings),
            lambda dy=dy, x=x, w=w, s=s, p=p: _numpy_conv_backward(dy, x, w, s, p),
            lambda dy=tdy, x=tx, w=tw, f=f, s=s, p=p: aten.convolution_backward(
                dy, x, w, [f], [s, s], [p, p], [1, 1], False, [0, 0], 1, [True, True, True]
            ),
            2 * y.size * c * k * k,
        )


# -------------------------------------------------------------------------------------------------------- dense layers


def _dense(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    for inputs, outputs in ((9216, 128), (400, 120)):
        x, w, b, dy = (_random(rng, *shape) for shape in ((n, inputs), (outputs, inputs), (outputs,), (n, outputs)))
        tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))
        yield Operation(
            f"dense {inputs} to {outputs}",
            lambda x=x, w=w, b=b: (F.linear(x, w, b),),
            lambda x=x, w=w, b=b: (x @ w.T + b,),
            lambda x=tx, w=tw, b=tb: (torch.nn.functional.linear(x, w, b),),
            n * inputs * outputs,
        )
        yield Operation(
            f"its gradients, {inputs} to {outputs}",
            lambda dy=dy, x=x, w=w: F.linear_backward(dy, x, w),
            lambda dy=dy, x=x, w=w: (dy @ w, dy.T @ x, dy.sum(axis=0)),
            lambda dy=tdy, x=tx, w=tw: (dy @ w, dy.T @ x, dy.sum(dim=0)),
            2 * n * inputs * outputs,
        )


# ------------------------------------------------------------------------------------------------------------- pooling


def _pooling(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    x = _random(rng, n, 32, 26, 26)
    dy = _random(rng, n, 32, 13, 13)
    tx, tdy = torch.from_numpy(x), torch.from_numpy(dy)
    winners = torch.nn.functional.max_pool2d(tx, 2, return_indices=True)[1]

    our_winners = max_pool(x, 2)[1]

    def halves(a: np.ndarray) -> np.ndarray:
        return a.reshape(*a.shape[:2], 13, 2, 13, 2)

    def numpy_backward() -> Arrays:
        wins = halves(x) == halves(x).max(axis=(3, 5), keepdims=True)
        return ((wins * dy[:, :, :, None, :, None]).reshape(x.shape),)

    yield Operation(
        "max pool 2x2, 32 planes of 26x26",
        lambda: (F.max_pool2d(x, 2),),
        lambda: (halves(x).max(axis=(3, 5)),),
        lambda: (torch.nn.functional.max_pool2d(tx, 2, return_indices=True)[0],),
    )
    yield Operation(
        "its gradient",
        lambda: (max_pool_backward(dy, our_winners, (26, 26)),),
        numpy_backward,
        lambda: (aten.max_pool2d_with_indices_backward(tdy, tx, [2, 2], [2, 2], [0, 0], [1, 1], False, winners),),
    )
    yield Operation(
        "max pool 3x3, stride 2, padding 1",
        lambda: (F.max_pool2d(x, 3, stride=2, padding=1),),
        lambda: (
            sliding_window_view(
                np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf), (3, 3), axis=(2, 3)
            )[:, :, ::2, ::2].max(axis=(4, 5)),
        ),
        lambda: (torch.nn.functional.max_pool2d(tx, 3, 2, 1),),
    )
    yield Operation(
        "average pool 2x2",
        lambda: (F.avg_pool2d(x, 2),),
        lambda: (halves(x).mean(axis=(3, 5)),),
        lambda: (torch.nn.functional.avg_pool2d(tx, 2),),
    )
    yield Operation(
        "its gradient",
        lambda: (F.avg_pool2d_backward(dy, x, 2),),
        lambda: (np.repeat(np.repeat(dy / 4, 2, axis=2), 2, axis=3),),
        lambda: (aten.avg_pool2d_backward(tdy, tx, [2, 2], [2, 2], [0, 0], False, True, None),),
    )


# ------------------------------------------------------------------------------------------------- element by element


def _elements(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    x, dy = _random(rng, n, 32, 26, 26), _random(rng, n, 32, 26, 26)
    scale, shift = _random(rng, 32), _random(rng, 32)
    mean, variance = np.zeros(32, np.float32), np.ones(32, np.float32)
    tx, tdy, tscale, tshift = map(torch.from_numpy, (x, dy, scale, shift))
    tmean, tvariance = torch.zeros(32), torch.ones(32)
    axes, per_channel = (0, 2, 3), (1, -1, 1, 1)

    def numpy_norm() -> Arrays:
        centre, spread = x.mean(axis=axes).reshape(per_channel), x.var(axis=axes).reshape(per_channel)
        return ((x - centre) / np.sqrt(spread + 1e-5) * scale.reshape(per_channel) + shift.reshape(per_channel),)

    def numpy_norm_backward() -> Arrays:
        centre = x.mean(axis=axes).reshape(per_channel)
        inverse = 1 / np.sqrt(x.var(axis=axes).reshape(per_channel) + 1e-5)
        xhat, count = (x - centre) * inverse, x.size // 32
        total, product = dy.sum(axis=axes), (dy * xhat).sum(axis=axes)
        inner = dy - total.reshape(per_channel) / count - xhat * product.reshape(per_channel) / count
        return scale.reshape(per_channel) * inverse * inner, product, total

    def torch_norm() -> Arrays:
        return aten.native_batch_norm(tx, tscale, tshift, tmean, tvariance, True, 0.1, 1e-5)

    saved, statistics = torch_norm()[1:], batch_statistics(x)
    yield Operation(
        "batch normalisation, training",
        lambda: (F.batch_norm(x, scale, shift, mean, variance, training=True),),
        numpy_norm,
        lambda: torch_norm()[:1],
    )
    yield Operation(
        "its gradients",
        lambda: F.batch_norm_backward(dy, x, scale, training=True, statistics=statistics),
        numpy_norm_backward,
        lambda: aten.native_batch_norm_backward(
            tdy, tx, tscale, tmean, tvariance, *saved, True, 1e-5, [True, True, True]
        ),
    )
    yield Operation("ReLU", lambda: (F.relu(x),), lambda: (np.maximum(x, 0),), lambda: (torch.relu(tx),))
    yield Operation(
        "its gradient",
        lambda: (F.relu_backward(dy, x),),
        lambda: (np.where(x > 0, dy, 0),),
        lambda: (aten.threshold_backward(tdy, tx, 0),),
    )
    kept = rng.random(x.shape) > 0.25
    generator = np.random.default_rng(1)

    def numpy_dropout() -> Arrays:
        left = generator.random(x.shape, np.float32) >= 0.25
        np.where(left, x * np.float32(1 / 0.75), 0)
        return (None,)

    yield Operation(
        "dropout",
        lambda: (None, F.dropout(x, p=0.25, key=5))[:1],  # other random numbers: nothing to compare
        numpy_dropout,
        lambda: (None, torch.native_dropout(tx, 0.25, True))[:1],
    )
    yield Operation(
        "its gradient",
        lambda: (F.dropout_backward(dy, kept, p=0.25),),
        lambda: (np.where(kept, dy * np.float32(1 / 0.75), 0),),
        lambda: (aten.native_dropout_backward(tdy, torch.from_numpy(kept), 1 / 0.75),),
    )


# ---------------------------------------------------------------------------------------------------------- optimizers


def _numpy_optimizer(name: str, value: np.ndarray, g: np.ndarray) -> Callable[[], Arrays]:
    w, velocity, mean, square = value.copy(), np.zeros_like(value), np.zeros_like(value), np.zeros_like(value)
    steps = [0]

    def step() -> Arrays:
        steps[0] += 1
        t = steps[0]
        if name == "SGD":
            w[...] -= np.float32(1e-3) * g
        elif name == "SGD with momentum":
            velocity[...] = np.float32(0.9) * velocity + g
            w[...] -= np.float32(1e-3) * velocity
        elif name == "Adam":
            mean[...] += np.float32(0.1) * (g - mean)
            square[...] += np.float32(0.001) * (g * g - square)
            unbiased = np.sqrt(square / np.float32(1 - 0.999**t)) + np.float32(1e-8)
            w[...] -= np.float32(1e-3 / (1 - 0.9**t)) * mean / unbiased
        else:
            square[...] += np.float32(0.01) * (g * g - square)
            w[...] -= np.float32(1e-3) * g / (np.sqrt(square) + np.float32(1e-8))
        return (w,)

    return step


def _optimizers(rng: np.random.Generator, size: int) -> Iterator[Operation]:
    value, grad = _random(rng, size), _random(rng, size)
    pairs: dict[str, tuple[Any, Any]] = {
        "SGD": (SGD(1e-3), lambda p: torch.optim.SGD(p, 1e-3, fused=True)),
        "SGD with momentum": (SGD(1e-3, momentum=0.9), lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, fused=True)),
        "Adam": (Adam(1e-3), lambda p: torch.optim.Adam(p, 1e-3, fused=True)),
        "RMSProp": (RMSProp(1e-3), lambda p: torch.optim.RMSprop(p, 1e-3)),
    }
    for name, (ours, make) in pairs.items():
        mine = Parameter(value.copy())
        mine.grad[...] = grad
        other = torch.nn.Parameter(torch.from_numpy(value.copy()))
        other.grad = torch.from_numpy(grad.copy())
        theirs = make([other])
        yield Operation(
            f"{name}, {size:,} weights",
            lambda ours=ours, mine=mine: (ours.step({"w": mine}), mine.value)[1:],
            _numpy_optimizer(name, value, grad),
            lambda theirs=theirs, other=other: (theirs.step(), other.detach())[1:],
        )


def operations(n: int, weights: int) -> Iterator[Operation]:
    """Return all of them, for `n` images and so many weights of an optimizer."""
    rng = np.random.default_rng(0)
    yield from _convolutions(rng, n)
    yield from _dense(rng, 4 * n)
    yield from _pooling(rng, n)
    yield from _elements(rng, n)
    yield from _optimizers(rng, weights)
