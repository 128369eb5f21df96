"""What `kernels.py` measures: each operation on the fast backend, on the plain one, and as PyTorch's operator."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

import numpycnn
from numpycnn import fast, plain
from numpycnn.layers.base import Parameter
from numpycnn.optim import SGD, Adadelta, Adagrad, Adam, RMSProp

aten = torch.ops.aten
Arrays = tuple[Any, ...]


class Operation(NamedTuple):
    """One operation in three ways. Each returns a tuple of results, which must agree (None: not compared)."""

    name: str
    fast: Callable[[], Arrays]
    plain: Callable[[], Arrays]
    torch: Callable[[], Arrays]
    products: int = 0  # multiplications of a product, if it is one


def _operation(
    name: str, function: str, *arrays: Any, torch: Callable[[], Arrays], products: int = 0, **settings: Any
) -> Operation:
    """Return an operation that both backends have, with the settings that a layer resolves for it."""

    def on(backend: Any) -> Callable[[], Arrays]:
        def call() -> Arrays:
            results = getattr(backend, function)(*arrays, **settings)
            return results if isinstance(results, tuple) else (results,)

        return call

    return Operation(name, on(fast), on(plain), torch, products)


def _windows(stride: int, padding: int) -> dict[str, Any]:
    return {"stride": (stride, stride), "padding": ((padding, padding),) * 2}


def _random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def _convolutions(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    cases = [  # channels, filters, kernel, stride, padding, size of the image
        (1, 32, 3, 1, 0, 28),
        (10, 10, 3, 1, 1, 28),
        (6, 16, 5, 1, 0, 14),
        (32, 64, 3, 2, 1, 28),
        (64, 64, 3, 1, 1, 14),
        (256, 256, 3, 1, 1, 8),
    ]
    for c, f, k, s, p, size in cases:
        x, w, b = _random(rng, n, c, size, size), _random(rng, f, c, k, k) / k, _random(rng, f)
        settings = _windows(s, p) | {"dilation": (1, 1), "groups": 1}
        y = fast.conv(x, w, b, **settings)
        dy = _random(rng, *y.shape)
        tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))
        name = f"{c} to {f} channels, {k}x{k}" + (f", stride {s}" if s > 1 else "") + f", {size}x{size}"
        yield _operation(
            f"convolution {name}",
            "conv",
            *(x, w, b),
            torch=lambda x=tx, w=tw, b=tb, s=s, p=p: (torch.conv2d(x, w, b, stride=s, padding=p),),
            products=y.size * c * k * k,
            **settings,
        )
        yield _operation(
            f"its gradients, {name}",
            "conv_backward",
            *(dy, x, w),
            torch=lambda dy=tdy, x=tx, w=tw, f=f, s=s, p=p: aten.convolution_backward(
                dy, x, w, [f], [s, s], [p, p], [1, 1], False, [0, 0], 1, [True, True, True]
            ),
            products=2 * y.size * c * k * k,
            **settings,
        )


def _dense(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    for inputs, outputs in ((9216, 128), (400, 120)):
        x, w, b, dy = (_random(rng, *shape) for shape in ((n, inputs), (outputs, inputs), (outputs,), (n, outputs)))
        tx, tw, tb, tdy = map(torch.from_numpy, (x, w, b, dy))
        yield _operation(
            f"dense {inputs} to {outputs}",
            "linear",
            *(x, w, b),
            torch=lambda x=tx, w=tw, b=tb: (torch.nn.functional.linear(x, w, b),),
            products=n * inputs * outputs,
        )
        yield _operation(
            f"its gradients, {inputs} to {outputs}",
            "linear_backward",
            *(dy, x, w),
            torch=lambda dy=tdy, x=tx, w=tw: (dy @ w, dy.T @ x, dy.sum(dim=0)),
            products=2 * n * inputs * outputs,
        )


def _pooling(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    x, dy = _random(rng, n, 32, 26, 26), _random(rng, n, 32, 13, 13)
    tx, tdy = torch.from_numpy(x), torch.from_numpy(dy)
    halves = _windows(2, 0)
    whole = {"dilation": (1, 1), "ceil_mode": False}
    _, indices = fast.max_pool(x, (2, 2), **halves, **whole, return_indices=True)
    _, winners = torch.nn.functional.max_pool2d(tx, 2, return_indices=True)
    yield _operation(
        "max pool 2x2, 32 planes of 26x26",
        "max_pool",
        *(x, (2, 2)),
        torch=lambda: (torch.nn.functional.max_pool2d(tx, 2, return_indices=True)[0],),
        **halves,
        **whole,
    )
    yield _operation(
        "its gradient",
        "max_pool_backward",
        *(dy, x, (2, 2)),
        torch=lambda: (aten.max_pool2d_with_indices_backward(tdy, tx, [2, 2], [2, 2], [0, 0], [1, 1], False, winners),),
        **halves,
        **whole,
        indices=indices,
    )
    yield _operation(
        "max pool 3x3, stride 2, padding 1",
        "max_pool",
        *(x, (3, 3)),
        torch=lambda: (torch.nn.functional.max_pool2d(tx, 3, 2, 1),),
        **_windows(2, 1),
        **whole,
    )
    yield _operation(
        "average pool 2x2",
        "avg_pool",
        *(x, (2, 2)),
        torch=lambda: (torch.nn.functional.avg_pool2d(tx, 2),),
        **halves,
    )
    yield _operation(
        "its gradient",
        "avg_pool_backward",
        *(dy, x, (2, 2)),
        torch=lambda: (aten.avg_pool2d_backward(tdy, tx, [2, 2], [2, 2], [0, 0], False, True, None),),
        **halves,
    )


def _elements(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    x, dy = _random(rng, n, 32, 26, 26), _random(rng, n, 32, 26, 26)
    scale, shift = _random(rng, 32), _random(rng, 32)
    tx, tdy, tscale, tshift = map(torch.from_numpy, (x, dy, scale, shift))
    tmean, tvariance = torch.zeros(32), torch.ones(32)

    def torch_norm() -> Arrays:
        return aten.native_batch_norm(tx, tscale, tshift, tmean, tvariance, True, 0.1, 1e-5)

    running = np.zeros(32, np.float32), np.ones(32, np.float32)
    saved = torch_norm()[1:]
    _, statistics = fast.batch_norm(x, scale, shift, *running, training=True, return_statistics=True)
    yield _operation(
        "batch normalization, training",
        "batch_norm",
        *(x, scale, shift, *running),
        torch=lambda: torch_norm()[:1],
        training=True,
    )
    yield _operation(
        "its gradients",
        "batch_norm_backward",
        *(dy, x, scale),
        torch=lambda: aten.native_batch_norm_backward(
            tdy, tx, tscale, tmean, tvariance, *saved, True, 1e-5, [True, True, True]
        ),
        training=True,
        statistics=statistics,
    )
    yield _operation("ReLU", "relu", x, torch=lambda: (torch.relu(tx),))
    yield _operation("its gradient", "relu_backward", dy, x, torch=lambda: (aten.threshold_backward(tdy, tx, 0),))
    kept = rng.random(x.shape) > 0.25
    tkept = torch.from_numpy(kept)
    yield _operation(
        "dropout",
        "dropout",
        x,
        torch=lambda: (torch.native_dropout(tx, 0.25, True), (None, None))[1],  # it draws other random numbers
        p=0.25,
        key=5,
    )
    yield _operation(
        "its gradient",
        "dropout_backward",
        *(dy, kept),
        torch=lambda: (aten.native_dropout_backward(tdy, tkept, 1 / 0.75),),
        p=0.25,
    )


def _group_norm(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    x, dy, weight, bias = _random(rng, n, 32, 28, 28), _random(rng, n, 32, 28, 28), _random(rng, 32), _random(rng, 32)
    tx, tdy, tw, tb = map(torch.from_numpy, (x, dy, weight, bias))
    _, mean, scale = aten.native_group_norm(tx, tw, tb, n, 32, 784, 8, 1e-5)
    arrays = x, 8, weight, bias
    yield _operation(
        "group normalization, 8 groups", "group_norm", *arrays, torch=lambda: (torch.group_norm(tx, 8, tw, tb),)
    )
    yield _operation(
        "its gradients",
        "group_norm_backward",
        *(dy, *arrays),
        torch=lambda: aten.native_group_norm_backward(tdy, tx, mean, scale, tw, n, 32, 784, 8, [True, True, True]),
    )


def _recurrent(rng: np.random.Generator, n: int) -> Iterator[Operation]:
    length, channels, hidden = 28, 28, 128
    for cell, kind, blocks in (("lstm", torch.nn.LSTM, 4), ("gru", torch.nn.GRU, 3)):
        rows = blocks * hidden
        x, dy = _random(rng, n, length, channels), _random(rng, n, length, hidden)
        weights = [_random(rng, *shape) / 10 for shape in ((rows, channels), (rows, hidden), (rows,), (rows,))]
        module = kind(channels, hidden, batch_first=True)
        for parameter, value in zip(module.parameters(), weights, strict=True):
            parameter.data = torch.from_numpy(value)
        tx, tdy = torch.from_numpy(x), torch.from_numpy(dy)
        inputs = [tx.requires_grad_(), *module.parameters()]
        output = module(tx)[0]
        trace = fast.recurrent(x, *weights, cell=cell, return_trace=True)[1]
        name = f"{cell.upper()}, {length} steps of {channels} numbers, {hidden} units"
        yield _operation(
            name,
            "recurrent",
            *(x, *weights),
            torch=lambda module=module, tx=tx: (module(tx)[0].detach(),),
            products=n * length * rows * (channels + hidden),
            cell=cell,
        )
        yield _operation(
            f"its gradients, {name}",
            "recurrent_backward",
            *(dy, x, *weights),
            torch=lambda output=output, inputs=inputs, tdy=tdy: torch.autograd.grad(
                output, inputs, tdy, retain_graph=True
            ),
            products=2 * n * length * rows * (channels + hidden),
            cell=cell,
            trace=trace,
        )


def _optimizers(rng: np.random.Generator, size: int) -> Iterator[Operation]:
    value, grad = _random(rng, size), _random(rng, size)
    pairs: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
        "SGD": (lambda: SGD(1e-3), lambda p: torch.optim.SGD(p, 1e-3, fused=True)),
        "SGD with momentum": (
            lambda: SGD(1e-3, momentum=0.9),
            lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, fused=True),
        ),
        "Adam": (lambda: Adam(1e-3), lambda p: torch.optim.Adam(p, 1e-3, fused=True)),
        "RMSProp": (lambda: RMSProp(1e-3), lambda p: torch.optim.RMSprop(p, 1e-3)),
        "Adagrad": (lambda: Adagrad(1e-3), lambda p: torch.optim.Adagrad(p, 1e-3, fused=True)),
        "Adadelta": (lambda: Adadelta(1e-3), lambda p: torch.optim.Adadelta(p, 1e-3)),
    }

    def steps_on(backend: str, make: Callable[[], Any]) -> Callable[[], Arrays]:
        optimizer, parameter = make(), Parameter(value.copy())
        parameter.grad[...] = grad

        def step() -> Arrays:
            with numpycnn.backend(backend):
                optimizer.step({"w": parameter})
            return (parameter.value,)

        return step

    for name, (ours, theirs) in pairs.items():
        other = torch.nn.Parameter(torch.from_numpy(value.copy()))
        other.grad = torch.from_numpy(grad.copy())
        optimizer = theirs([other])
        yield Operation(
            f"{name}, {size:,} weights",
            steps_on("fast", ours),
            steps_on("plain", ours),
            lambda optimizer=optimizer, other=other: (optimizer.step(), other.detach())[1:],
        )


def operations(n: int, weights: int) -> Iterator[Operation]:
    """Return all operations, for `n` images and a number of weights for the optimizers."""
    rng = np.random.default_rng(0)
    yield from _convolutions(rng, n)
    yield from _dense(rng, 4 * n)
    yield from _pooling(rng, n)
    yield from _elements(rng, n)
    yield from _group_norm(rng, n)
    yield from _recurrent(rng, 2 * n)
    yield from _optimizers(rng, weights)
