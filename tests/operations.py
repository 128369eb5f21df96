"""Arguments of every operation of `numpycnn.functional`, drawn at random, and one way to call them all."""

import inspect
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional._recurrent import GATES
from tests.drawn import (
    Case,
    Shape,
    draw_case,
    draw_padding,
    draw_pool,
    draw_setting,
    draw_transposed,
    spread,
)

Arguments = dict[str, Any]
Draw = Callable[[np.random.Generator], Arguments]


def call(name: str, arguments: Arguments) -> Any:
    """Return what the operation gives; arrays that it updates in place are copied before."""
    return getattr(F, name)(
        **{key: value.copy() if "running" in key and value is not None else value for key, value in arguments.items()}
    )


def call_backward(name: str, arguments: Arguments, dy: Any) -> list[Any]:
    """Return the gradients, as a list; the backward pass takes those of the arguments that its signature names."""
    backward = getattr(F, f"{name}_backward")
    taken = {key: value for key, value in arguments.items() if key in inspect.signature(backward).parameters}
    gradients = backward(dy=dy, **taken)
    return list(gradients) if isinstance(gradients, tuple) else [gradients]


def shape(rng: np.random.Generator, least: int, most: int, largest: int = 4) -> Shape:
    """Draw `least` to `most` sizes from 1 to `largest`."""
    return tuple(int(n) for n in rng.integers(1, largest + 1, rng.integers(least, most + 1)))


# ----------------------------------------------------------------------------------------------------------- operations


def without_kernel(case: Case) -> Arguments:
    return {name: value for name, value in case.settings.items() if name != "kernel_size"}


def draw_conv(rng: np.random.Generator, rank: int) -> tuple[Arguments, Case]:
    case = draw_case(rng, rank)
    groups, channels = (int(n) for n in rng.integers(1, 4, 2))
    filters = int(rng.integers(1, 7 if groups == 1 else 4))  # of one group
    arguments = {
        "x": rng.normal(size=(rng.integers(1, 4), groups * channels, *case.size)),
        "weight": rng.normal(size=(groups * filters, channels, *case.kernel)),
        "bias": rng.normal(size=groups * filters) if rng.random() < 0.7 else None,
        **without_kernel(case),
        "groups": groups,
    }
    return arguments, case


def draw_conv_transpose(rng: np.random.Generator, rank: int) -> tuple[Arguments, Case, Shape]:
    case, extra = draw_transposed(rng, rank)
    groups, channels, filters = (int(n) for n in rng.integers(1, 4, 3))  # channels and filters of one group
    arguments = {
        "x": rng.normal(size=(rng.integers(1, 4), groups * channels, *case.size)),
        "weight": rng.normal(size=(groups * channels, filters, *case.kernel)),
        "bias": rng.normal(size=groups * filters) if rng.random() < 0.7 else None,
        **without_kernel(case),
        "groups": groups,
        "output_padding": extra,
    }
    return arguments, case, extra


def draw_pooling(rng: np.random.Generator, rank: int, kind: str) -> tuple[Arguments, Case]:
    case = draw_pool(rng, rank, dilated=kind == "max")
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 4), *case.size))
    if kind == "max" and rng.random() < 0.3:
        x = np.round(x)  # ties
    extra: Arguments = {}
    if kind == "avg":
        extra = {"count_include_pad": bool(rng.random() < 0.5)}
    if kind == "lp":
        extra = {"p": float(rng.choice([1, 1.5, 2, 3, 4.5]))}
    case = case._replace(settings=case.settings | extra)
    return {"x": x, **case.settings}, case


def draw_global_pool(rng: np.random.Generator) -> Arguments:
    x = rng.normal(size=(*shape(rng, 2, 2), *shape(rng, 1, 3, 5)))
    return {"x": np.round(x) if rng.random() < 0.3 else x}


def elementwise(**settings: list[Any]) -> Draw:
    """A function of each element; each setting is drawn from a list."""

    def draw(rng: np.random.Generator) -> Arguments:
        x = rng.normal(size=shape(rng, 0, 4)) * rng.choice([0.1, 1, 5])
        return {"x": np.asarray(x)} | {name: values[rng.integers(len(values))] for name, values in settings.items()}

    return draw


def draw_prelu(rng: np.random.Generator) -> Arguments:
    x = rng.normal(size=shape(rng, 0, 4)) * rng.choice([0.1, 1, 5])
    slopes = x.shape[1] if x.ndim > 1 and rng.random() < 0.6 else 1
    return {"x": np.asarray(x), "weight": rng.normal(size=slopes)}


def draw_softmax(rng: np.random.Generator) -> Arguments:
    x = rng.normal(size=shape(rng, 1, 4)) * rng.choice([0.1, 1, 10])
    return {"x": x, "axis": int(rng.integers(-x.ndim, x.ndim))}


def draw_linear(rng: np.random.Generator) -> Arguments:
    inputs, outputs = shape(rng, 2, 2, 7)
    x = rng.normal(size=(*shape(rng, 0, 2), inputs))
    bias = rng.normal(size=outputs) if rng.random() < 0.7 else None
    return {"x": x, "weight": rng.normal(size=(outputs, inputs)), "bias": bias}


def draw_embedding(rng: np.random.Generator) -> Arguments:
    rows, length = shape(rng, 2, 2, 6)
    return {"x": rng.integers(0, rows, shape(rng, 0, 3)), "weight": rng.normal(size=(rows, length))}


def draw_batch_norm(rng: np.random.Generator) -> Arguments:
    """At least two numbers in a channel, or the unbiased variance would divide by 0."""
    n, c, *size = shape(rng, 2, 5)
    if n * prod(size) == 1:
        n = 2
    x = rng.normal(rng.normal(size=(c, *[1] * len(size))), 1 + rng.random(), (n, c, *size))
    return {
        "x": x,
        "weight": rng.normal(size=c) if rng.random() < 0.8 else None,
        "bias": rng.normal(size=c) if rng.random() < 0.8 else None,
        "running_mean": rng.normal(size=c),
        "running_var": rng.random(c) + 0.1,
        "training": bool(rng.random() < 0.5),
        "momentum": float(rng.choice([0.1, 0.5, 1.0, 0.0])),
        "eps": float(rng.choice([1e-5, 1e-3, 0.1])),
    }


def draw_layer_norm(rng: np.random.Generator) -> Arguments:
    x = rng.normal(rng.normal(), 1 + rng.random(), shape(rng, 1, 4))
    axis = int(rng.integers(-x.ndim, x.ndim))
    weight = rng.normal(size=x.shape[axis:]) if rng.random() < 0.8 else None
    bias = rng.normal(size=x.shape[axis:]) if rng.random() < 0.8 else None
    return {"x": x, "weight": weight, "bias": bias, "axis": axis, "eps": float(rng.choice([1e-5, 1e-3, 0.1]))}


def draw_group_norm(rng: np.random.Generator) -> Arguments:
    """At least two numbers in a group, or it has no variance."""
    groups, (n, within, *size) = int(rng.integers(1, 4)), shape(rng, 2, 5)
    within += prod((within, *size)) == 1
    c = groups * within
    x = rng.normal(rng.normal(size=(c, *[1] * len(size))), 1 + rng.random(), (n, c, *size))
    weight = rng.normal(size=c) if rng.random() < 0.8 else None
    bias = rng.normal(size=c) if rng.random() < 0.8 else None
    eps = float(rng.choice([1e-5, 1e-3, 0.1]))
    return {"x": x, "num_groups": groups, "weight": weight, "bias": bias, "eps": eps}


def draw_recurrent(rng: np.random.Generator) -> Arguments:
    n, length, channels, hidden = (int(size) for size in rng.integers(1, 7, 4))
    cell = str(rng.choice(list(GATES)))
    rows = GATES[cell] * hidden
    return {
        "x": rng.normal(size=(n, length, channels)),
        "weight_ih": 0.5 * rng.normal(size=(rows, channels)),
        "weight_hh": 0.5 * rng.normal(size=(rows, hidden)),
        "bias_ih": rng.normal(size=rows),
        "bias_hh": rng.normal(size=rows),
        "cell": cell,
        "reverse": bool(rng.random() < 0.5),
    }


def draw_upsample(rng: np.random.Generator) -> Arguments:
    rank = int(rng.integers(1, 4))
    x = rng.normal(size=(*shape(rng, 2, 2, 2), *shape(rng, rank, rank, 6 - rank)))
    return {"x": x, "scale_factor": draw_setting(rng, 1, 3, rank), "mode": str(rng.choice(["nearest", "bilinear"]))}


def draw_zero_pad(rng: np.random.Generator) -> Arguments:
    rank = int(rng.integers(1, 4))
    padding: Any = "valid"
    while isinstance(padding, str):
        padding = draw_padding(rng, (2,) * rank, ["valid"])
    return {"x": rng.normal(size=(*shape(rng, 2, 2, 2), *shape(rng, rank, rank))), "padding": padding}


def draw_pad(rng: np.random.Generator) -> Arguments:
    """Axes longer than the padding, which can be reflected."""
    arguments = draw_zero_pad(rng)
    x = rng.normal(size=(*arguments["x"].shape[:2], *rng.integers(3, 6, arguments["x"].ndim - 2)))
    return arguments | {"x": x, "mode": str(rng.choice(["constant", "reflect", "edge"]))}


def draw_pixel_shuffle(rng: np.random.Generator) -> Arguments:
    rank = int(rng.integers(1, 4))
    factor = draw_setting(rng, 1, 3, rank)
    channels = int(rng.integers(1, 4)) * prod(spread(factor, rank))
    x = rng.normal(size=(rng.integers(1, 3), channels, *shape(rng, rank, rank)))
    return {"x": x, "upscale_factor": factor}


def draw_shares(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """Rows that add up to 1, some of them with zeros."""
    shares = rng.random((n, k)) * (rng.random((n, k)) < 0.7)
    shares[np.arange(n), rng.integers(0, k, n)] += 0.5
    return shares / shares.sum(axis=1, keepdims=True)


def draw_labels(rng: np.random.Generator) -> tuple[Shape, Arguments]:
    """Draw labels of examples or pixels, and how they count."""
    n, k, *size = shape(rng, 2, 4, 7)
    as_shares = rng.random() < 0.5
    rows = draw_shares(rng, n * prod(size), k).reshape(n, *size, k)
    arguments: Arguments = {
        "labels": np.moveaxis(rows, -1, 1) if as_shares else rng.integers(0, k, (n, *size)),
        "label_smoothing": float(rng.choice([0, 0.1, 0.5, 1])),
        "class_weight": rng.random(k) + 0.1 if rng.random() < 0.5 else None,
        "ignore_index": None if as_shares or rng.random() < 0.5 else int(rng.choice([0, -1])),
        "sample_weight": rng.random(n) + 0.1 if rng.random() < 0.5 else None,
    }
    return (n, k, *size), arguments


def draw_cross_entropy(rng: np.random.Generator) -> Arguments:
    size, arguments = draw_labels(rng)
    return {"logits": rng.normal(size=size) * rng.choice([0.1, 1, 10])} | arguments


def draw_negative_log_likelihood(rng: np.random.Generator) -> Arguments:
    size, arguments = draw_labels(rng)
    return {"log_p": -rng.exponential(size=size)} | arguments


def draw_binary_cross_entropy(rng: np.random.Generator) -> Arguments:
    size = shape(rng, 0, 3)
    target = rng.random(size)
    weights = [None, 2.5, rng.random(size[-1:])]
    return {
        "logits": 3 * rng.normal(size=size),
        "target": np.round(target) if rng.random() < 0.5 else target,
        "pos_weight": weights[rng.integers(3)],
    }


def draw_mean_squared_error(rng: np.random.Generator) -> Arguments:
    size = shape(rng, 0, 3)
    return {"y": rng.normal(size=size), "target": rng.normal(size=size)}


def by_rank(draw: Callable[..., tuple[Any, ...]], rank: int, *settings: Any) -> Draw:
    return lambda rng: draw(rng, rank, *settings)[0]


DRAW: dict[str, Draw] = {
    **{f"conv{rank}d": by_rank(draw_conv, rank) for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": by_rank(draw_conv_transpose, rank) for rank in (1, 2, 3)},
    **{f"{kind}_pool{rank}d": by_rank(draw_pooling, rank, kind) for kind in ("max", "avg", "lp") for rank in (1, 2, 3)},
    "global_avg_pool": draw_global_pool,
    "global_max_pool": draw_global_pool,
    "relu": elementwise(),
    "leaky_relu": elementwise(negative_slope=[0.01, 0.3, 1.5]),
    "prelu": draw_prelu,
    "elu": elementwise(alpha=[1.0, 0.7]),
    "selu": elementwise(),
    "gelu": elementwise(approximate=["none", "tanh"]),
    "sigmoid": elementwise(),
    "silu": elementwise(),
    "softplus": elementwise(),
    "tanh": elementwise(),
    "softmax": draw_softmax,
    "log_softmax": draw_softmax,
    "linear": draw_linear,
    "embedding": draw_embedding,
    "batch_norm": draw_batch_norm,
    "layer_norm": draw_layer_norm,
    "group_norm": draw_group_norm,
    "recurrent": draw_recurrent,
    "upsample": draw_upsample,
    "zero_pad": draw_zero_pad,
    "pad": draw_pad,
    "pixel_shuffle": draw_pixel_shuffle,
    "cross_entropy": draw_cross_entropy,
    "binary_cross_entropy": draw_binary_cross_entropy,
    "mean_squared_error": draw_mean_squared_error,
    "negative_log_likelihood": draw_negative_log_likelihood,
}
