"""Layers whose branches work side by side."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Add, Concat, Conv2D, Dense, Dropout, Input, MaxPool2D, Model, ReLU, Residual, Sequential
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, refuse


def several_outputs() -> Model:
    x = Input((3,))
    return Model(x, [Dense(3)(x), ReLU()(x)], name="pair")


def test_residual_adds_the_input(rng: np.random.Generator) -> None:
    layer = Residual(Dense(4))
    layer.build((4,), dtype=np.float64)
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    w, b = layer.main.weight.value, layer.main.bias.value
    np.testing.assert_allclose(layer.forward(x, training=True), x @ w.T + b + x, rtol=1e-13)
    np.testing.assert_allclose(layer.backward(dy), dy @ w + dy, rtol=1e-13)
    np.testing.assert_allclose(layer.main.weight.grad, dy.T @ x, rtol=1e-13)


def test_residual_with_a_shortcut(rng: np.random.Generator) -> None:
    layer = Residual(Dense(2), Dense(2, bias=False))
    layer.build((4,), dtype=np.float64)
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    main, side = layer.main.weight.value, layer.shortcut.weight.value
    np.testing.assert_allclose(layer.forward(x, training=True), x @ (main + side).T, rtol=1e-13)
    np.testing.assert_allclose(layer.backward(dy), dy @ (main + side), rtol=1e-13)
    assert list(layer.parameters()) == ["main.weight", "main.bias", "shortcut.weight"]


def test_concat_puts_channels_after_each_other(rng: np.random.Generator) -> None:
    layer = Concat([ReLU(), Conv2D(2, 1, bias=False), MaxPool2D(3, stride=1, padding=1)])
    assert layer.build((3, 4, 5), dtype=np.float64) == (8, 4, 5)
    x = rng.normal(size=(2, 3, 4, 5))
    y = layer.forward(x, training=True)
    assert_same_bits(y[:, :3], np.maximum(x, 0))
    assert_same_bits(y[:, 3:5], layer.branches[1].forward(x))
    assert_same_bits(y[:, 5:], layer.branches[2].forward(x))
    dy = np.zeros_like(y)
    dy[:, :3] = 1
    assert_same_bits(layer.backward(dy), (x > 0).astype(float))
    assert list(layer.parameters()) == ["1.weight"]


def test_the_mode_reaches_the_branches() -> None:
    x = np.ones((4, 50), np.float32)
    for layer in (Residual(Dropout(0.5)), Concat([Dropout(0.5)])):
        layer.build((50,))
        inference, training = layer.forward(x), layer.forward(x, training=True)
        assert np.unique(inference).size == 1
        assert np.unique(training).size == 2
        assert len(layer.random_generators()) == 1


def test_errors_name_the_place_inside() -> None:
    model = Sequential([Residual(Sequential([Dense(4, name="inner")]))])
    with pytest.raises(
        ValueError, match=r"Dense 'inner' \(layer 0\.main\.0\): expected inputs \(features,\), got \(2, 3\)"
    ):
        model.build((2, 3))


@pytest.mark.parametrize("wrap", [Residual, lambda main: Residual(Dense(4), main), lambda main: Concat([main, ReLU()])])
def test_a_built_branch_keeps_its_weights(wrap: Any, rng: np.random.Generator) -> None:
    branch = Dense(4)
    branch.build((4,), rng=1)
    before = branch.weight.value.copy()
    layer = wrap(branch)
    layer.build((4,), rng=2)
    assert_same_bits(branch.weight.value, before)
    with pytest.raises(ValueError, match=r"^Dense: expected inputs \(4,\), for which it is built, got \(5,\)"):
        wrap(branch).build((5,))


@pytest.mark.parametrize(
    "make",
    [
        lambda *branches: Residual(*branches),
        lambda *branches: Concat([*branches, ReLU()]),
        lambda *branches: Sequential([Concat([branch]) for branch in branches]),
    ],
)
@pytest.mark.parametrize("seed", [0, None])
def test_branches_have_masks_of_their_own(make: Any, seed: int | None) -> None:
    first, second = Dropout(0.5), Dropout(0.5)
    make(first, second).build((50,), rng=seed)
    x = np.ones((4, 50), np.float32)
    assert not np.array_equal(first.forward(x, training=True), second.forward(x, training=True))


def test_a_branch_that_does_not_fit_leaves_none_built() -> None:
    first, second = Dense(4), Conv2D(2, 3)
    for layer in (Residual(first, second), Concat([first, second])):
        with pytest.raises(ValueError, match="Conv2D: expected inputs"):
            layer.build((4,))
        assert (first.output_shape, first.weight, layer.output_shape) == (None, None, None)
    assert first.build((5,)) == (4,)


shared = Dense(2)
TWICE = "Dense is in this model already; each place needs its own layer"
BAD = [
    Bad(lambda: Residual(None), TypeError, "Residual: expected layers as branches, got NoneType"),
    Bad(lambda: Residual([Dense(2)]), TypeError, "Residual: expected layers as branches, got list"),
    Bad(lambda: Residual(Dense(2), "identity"), TypeError, "Residual: expected layers as branches, got str"),
    Bad(
        lambda: Residual(shared, shared),
        ValueError,
        f"Residual: {TWICE}",
    ),
    Bad(lambda: Residual(Dense), TypeError, "Residual: expected layers as branches, got"),
    Bad(
        lambda: Residual(Dense(3)),
        ValueError,
        "Residual: expected the same output shape of both branches, got (3,) from the main branch and (2,) from",
        (2,),
    ),
    Bad(
        lambda: Residual(Dense(3), Dense(4)),
        ValueError,
        "got (3,) from the main branch and (4,) from the shortcut",
        (2,),
    ),
    Bad(lambda: Residual(Dense(3)), ValueError, "Dense: expected inputs (features,), got (2, 3)", (2, 3)),
    Bad(lambda: Concat([]), ValueError, "Concat: expected at least one branch, got none"),
    Bad(lambda: Concat([Dense(2), None]), TypeError, "Concat: expected layers as branches, got NoneType"),
    Bad(
        lambda: Concat([shared, shared]),
        ValueError,
        f"Concat: {TWICE}",
    ),
    Bad(
        lambda: Concat([ReLU(), several_outputs()]),
        ValueError,
        "Concat: expected branches with one input and one output, got Model 'pair' with several outputs; connect it in",
    ),
    Bad(
        lambda: Residual(ReLU(), several_outputs()),
        ValueError,
        "Residual: expected branches with one input and one output, got Model 'pair' with several outputs",
    ),
    Bad(
        lambda: Residual(Add(name="sum")),
        ValueError,
        "Residual: expected branches with one input and one output, got Add 'sum' with several inputs",
    ),
    Bad(lambda: Concat("ab"), TypeError, "Concat: expected a list of layers, got str"),
    Bad(lambda: Concat(Dense(2)), TypeError, "Concat: expected a list of layers, got Dense"),
    Bad(
        lambda: Concat([Conv2D(2, 3), Conv2D(2, 2)]),
        ValueError,
        "Concat: expected branches that differ in channels only, got (2, 2, 3) and (2, 3, 4)",
        (1, 4, 5),
    ),
    Bad(lambda: Concat([ReLU()]), ValueError, "Concat: expected branches that differ in channels only, got ()", ()),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
