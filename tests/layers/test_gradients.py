"""The gradients of every layer over drawn settings and shapes, against central differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Layer, check_gradients
from tests.drawn import draw_case, draw_pool, draw_transposed, generators, spread, transposed_size
from tests.layers.test_init import EXPORTED

Drawn = tuple[Layer, tuple[int, ...]]


def shape(rng: np.random.Generator, axes: int, largest: int = 5) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, largest + 1, axes))


def channels(rng: np.random.Generator) -> tuple[int, int, int]:
    """Groups, channels in, channels out."""
    groups, of_one, filters = (int(n) for n in rng.integers(1, 4, 3))
    return groups, groups * of_one, groups * filters


def convolution(kind: str, rank: int) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        groups, inputs, outputs = channels(rng)
        settings: dict[str, Any] = {"groups": groups, "bias": bool(rng.random() < 0.7)}
        if kind == "Conv":
            case = draw_case(rng, rank)
        else:
            case, settings["output_padding"] = draw_transposed(rng, rank)
            assert min(transposed_size(case, settings["output_padding"])) >= 1
        return getattr(numpycnn, f"{kind}{rank}D")(outputs, **case.settings, **settings), (inputs, *case.size)

    return draw


def pooling(kind: str, rank: int) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        case = draw_pool(rng, rank, dilated=kind == "Max")
        while kind == "Max" and max(max(pair) for pair in case.pairs) and max(case.dilation) > 1:
            case = draw_pool(rng, rank, dilated=True)  # a window that sees padding alone gives -inf, which has no slope
        extra = {
            "Max": {},
            "Avg": {"count_include_pad": bool(rng.random() < 0.5)},
            "Lp": {"p": float(rng.choice([1, 1.5, 2, 3]))},
        }[kind]
        return getattr(numpycnn, f"{kind}Pool{rank}D")(**case.settings, **extra), (int(rng.integers(1, 4)), *case.size)

    return draw


def simple(name: str, least: int = 1, most: int = 4, **settings: Any) -> Callable[[np.random.Generator], Drawn]:
    """A layer of any input with `least` to `most` axes; a setting is a function of the generator and the axes."""

    def draw(rng: np.random.Generator) -> Drawn:
        size = shape(rng, int(rng.integers(least, most + 1)))
        return getattr(numpycnn, name)(**{key: value(rng, size) for key, value in settings.items()}), size

    return draw


def reshape(rng: np.random.Generator) -> Drawn:
    a, b, c = shape(rng, 3)
    target = [(a * b, c), (c, b, a), (-1,), (b, -1), (a * b * c,)][rng.integers(5)]
    return numpycnn.Reshape(target), (a, b, c)


def permute(rng: np.random.Generator) -> Drawn:
    size = shape(rng, int(rng.integers(1, 5)), 4)
    return numpycnn.Permute(tuple(rng.permutation(len(size)).tolist())), size


def resize(name: str) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        size = shape(rng, int(rng.integers(2, 4)), 4)
        if name == "ZeroPad":
            pads = rng.integers(0, 3, (len(size) - 1, 2)).tolist()
            return numpycnn.ZeroPad(tuple(tuple(pair) for pair in pads)), size
        scales = shape(rng, len(size) - 1, 3)
        return numpycnn.Upsample(scales, mode=str(rng.choice(["nearest", "bilinear"]))), size

    return draw


def pad(rng: np.random.Generator) -> Drawn:
    size = (int(rng.integers(1, 4)), *(int(n) for n in rng.integers(3, 5, rng.integers(1, 4))))
    pads = rng.integers(0, 3, (len(size) - 1, 2)).tolist()
    return numpycnn.Pad(pads, mode=str(rng.choice(["constant", "reflect", "edge"]))), size


def pixel_shuffle(rng: np.random.Generator) -> Drawn:
    c, h, w = shape(rng, 3, 4)
    first, second = (int(n) for n in rng.integers(1, 4, 2))
    return numpycnn.PixelShuffle((first, second)), (c * first * second, h, w)


def recurrent(name: str) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        length, channels, hidden = shape(rng, 3, 4)
        sequences, both = (bool(flag) for flag in rng.integers(0, 2, 2))
        return getattr(numpycnn, name)(hidden, return_sequences=sequences, bidirectional=both), (length, channels)

    return draw


def group_norm(rng: np.random.Generator) -> Drawn:
    groups, within = (int(n) for n in rng.integers(1, 4, 2))
    h, w = shape(rng, 2)  # one row more: a group of a single value is refused
    return numpycnn.GroupNorm(groups, eps=float(rng.choice([1e-3, 1e-1]))), (groups * within, h + 1, w)


def instance_norm(rng: np.random.Generator) -> Drawn:
    c, h, w = shape(rng, 3)
    return numpycnn.InstanceNorm(affine=bool(rng.random() < 0.5)), (c, h + 1, w)


def residual(rng: np.random.Generator) -> Drawn:
    size = shape(rng, 3)
    outputs, kernel = shape(rng, 2, 3)
    shortcut = numpycnn.Conv2D(outputs, 1) if outputs != size[0] or rng.random() < 0.5 else None
    main = numpycnn.Sequential([numpycnn.Conv2D(outputs, kernel, padding="same"), numpycnn.Tanh()])
    return numpycnn.Residual(main, shortcut), size


def concat(rng: np.random.Generator) -> Drawn:
    kinds: list[Callable[[], Layer]] = [
        lambda: numpycnn.Conv2D(2, 3, padding="same"),
        lambda: numpycnn.Sigmoid(),
        lambda: numpycnn.AvgPool2D(3, stride=1, padding=1),
    ]
    return numpycnn.Concat([kinds[i]() for i in rng.integers(0, 3, rng.integers(1, 4))]), shape(rng, 3)


def sequential(rng: np.random.Generator) -> Drawn:
    c, h, w = shape(rng, 3)
    layers = [numpycnn.Conv2D(3, 2, padding="same"), numpycnn.BatchNorm(), numpycnn.GELU(), numpycnn.Dropout(0.3)]
    return numpycnn.Sequential([*layers, numpycnn.Flatten(), numpycnn.Dense(int(rng.integers(1, 5)))]), (c, h + 1, w)


def merge(kind: str) -> Callable[[np.random.Generator], Drawn]:
    def draw(rng: np.random.Generator) -> Drawn:
        size, count = shape(rng, int(rng.integers(1, 4))), int(rng.integers(1, 4))
        return getattr(numpycnn, kind)(), (size,) * count

    return draw


def concatenate(rng: np.random.Generator) -> Drawn:
    size, count = shape(rng, int(rng.integers(1, 4))), int(rng.integers(1, 4))
    axis = any_axis(rng, size)
    sizes = [list(size) for _ in range(count)]
    for each in sizes:
        each[axis - 1 if axis > 0 else axis] = int(rng.integers(1, 5))
    return numpycnn.Concatenate(axis=axis), tuple(map(tuple, sizes))


def model(rng: np.random.Generator) -> Drawn:
    """A graph whose nodes are drawn: each layer takes drawn nodes before it, and layers are used again."""
    inputs = [numpycnn.Input((4,)) for _ in range(rng.integers(1, 4))]
    layers = [numpycnn.Dense(4, activation="tanh"), numpycnn.Dense(4), numpycnn.Add(), numpycnn.Multiply()]
    nodes = list(inputs)
    for _ in range(rng.integers(2, 8)):
        layer = layers[rng.integers(len(layers))]
        picked = [nodes[i] for i in rng.integers(0, len(nodes), 2)]
        nodes.append(layer(picked) if layer.several_inputs else layer(picked[0]))
    outputs = [nodes[-1], numpycnn.Concatenate()(nodes)]  # the last layer has no other use, and all inputs have one
    return numpycnn.Model(inputs, outputs), ((4,),) * len(inputs)


def dense(rng: np.random.Generator) -> Drawn:
    inputs, outputs = shape(rng, 2, 12)
    return numpycnn.Dense(outputs, bias=bool(rng.random() < 0.7)), (inputs,)


def any_axis(rng: np.random.Generator, size: tuple[int, ...]) -> int:
    """An axis of the batched array after the batch's, counted from the front or the back."""
    axis = int(rng.integers(1, len(size) + 1))
    return axis if rng.random() < 0.5 else axis - len(size) - 1


ELEMENTWISE = ["ReLU", "SELU", "SiLU", "Sigmoid", "Softplus", "Tanh"]
DRAW: dict[str, Callable[[np.random.Generator], Drawn]] = {
    **{f"{kind}{rank}D": convolution(kind, rank) for kind in ("Conv", "ConvTranspose") for rank in (1, 2, 3)},
    **{f"{kind}Pool{rank}D": pooling(kind, rank) for kind in ("Max", "Avg", "Lp") for rank in (1, 2, 3)},
    **{name: simple(name) for name in ELEMENTWISE},
    **{name: simple(name, least=2) for name in ("GlobalAvgPool", "GlobalMaxPool")},
    "LeakyReLU": simple("LeakyReLU", negative_slope=lambda rng, size: float(rng.choice([0, 0.01, 0.5, 1.5]))),
    "PReLU": simple("PReLU", num_parameters=lambda rng, size: int(rng.choice([1, size[0]]))),
    "ELU": simple("ELU", alpha=lambda rng, size: float(rng.uniform(0.1, 2))),
    "GELU": simple("GELU", approximate=lambda rng, size: str(rng.choice(["none", "tanh"]))),
    "Softmax": simple("Softmax", axis=any_axis),
    "LogSoftmax": simple("LogSoftmax", axis=any_axis),
    "BatchNorm": simple("BatchNorm", eps=lambda rng, size: float(rng.choice([1e-5, 1e-2]))),
    "LayerNorm": simple("LayerNorm", axis=any_axis, eps=lambda rng, size: float(rng.choice([1e-3, 1e-1]))),
    "GroupNorm": group_norm,
    "InstanceNorm": instance_norm,
    "Dropout": simple("Dropout", p=lambda rng, size: float(rng.choice([0, 0.2, 0.5, 0.8]))),
    "SpatialDropout": simple("SpatialDropout", least=2, p=lambda rng, size: float(rng.choice([0, 0.2, 0.5]))),
    "Pad": pad,
    "PixelShuffle": pixel_shuffle,
    **{name: recurrent(name) for name in ("RNN", "LSTM", "GRU")},
    "Flatten": simple("Flatten"),
    "Reshape": reshape,
    "Permute": permute,
    "ZeroPad": resize("ZeroPad"),
    "Upsample": resize("Upsample"),
    "Embedding": simple(
        "Embedding",
        most=2,
        num_embeddings=lambda rng, size: int(rng.integers(1, 6)),
        embedding_dim=lambda rng, size: int(rng.integers(1, 5)),
    ),
    "Dense": dense,
    "Residual": residual,
    "Concat": concat,
    "Add": merge("Add"),
    "Multiply": merge("Multiply"),
    "Concatenate": concatenate,
    "Model": model,
    "Sequential": sequential,
}


def test_every_exported_layer_is_drawn() -> None:
    assert set(DRAW) == EXPORTED
    assert spread(2, 3) == (2, 2, 2)


@pytest.mark.parametrize("name", sorted(DRAW))
def test_drawn_gradients(name: str) -> None:
    number = sorted(DRAW).index(name)
    for i, rng in enumerate(generators(32, number)):
        layer, size = DRAW[name](rng)
        assert type(layer).__name__ == name
        report = check_gradients(
            layer, size, samples=8, batch_size=int(rng.integers(2, 5)), training=i % 2 == 0, seed=i, tolerance=1e-6
        )
        assert report.passed
        assert max((row.error for row in report.rows), default=0.0) <= 1e-6
