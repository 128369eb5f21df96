"""Dropout: how much is left out, and what is drawn from."""

import numpy as np
import pytest

from numpycnn import Dropout, Sequential, SpatialDropout, Tanh
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, refuse


def built(p: float, seed: int = 0) -> Dropout:
    layer = Dropout(p)
    layer.build((50, 40), rng=seed, dtype=np.float64)
    return layer


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_the_share_of_zeros_and_the_mean(p: float) -> None:
    x = np.ones((10, 50, 40))
    y = built(p).forward(x, training=True)
    assert (y == 0).mean() == pytest.approx(p, abs=0.01)
    assert y.mean() == pytest.approx(1, rel=0.05)
    np.testing.assert_allclose(np.unique(y[y != 0]), [1 / (1 - p)])


def test_the_gradient_goes_where_the_input_went(rng: np.random.Generator) -> None:
    layer = built(0.4)
    y = layer.forward(np.ones((2, 50, 40)), training=True)
    dy = rng.normal(size=y.shape)
    np.testing.assert_allclose(layer.backward(dy), dy * y)


def test_inference_changes_nothing(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 50, 40))
    layer = built(0.9)
    assert_same_bits(layer.forward(x), x)
    assert_same_bits(layer.forward(x, differentiable=True), x)
    assert_same_bits(layer.backward(x), x)


def test_each_training_step_draws_anew_and_the_seed_repeats_the_whole(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 50, 40))
    first, second, other = built(0.5), built(0.5), built(0.5, seed=1)
    steps = [first.forward(x, training=True) for _ in range(3)]
    assert not np.array_equal(steps[0], steps[1])
    for step in steps:
        assert_same_bits(second.forward(x, training=True), step)
    assert not np.array_equal(other.forward(x, training=True), steps[0])


def test_what_is_drawn_does_not_depend_on_how_often_other_layers_drew(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 30))
    model = Sequential([Dropout(0.5), Tanh(), Dropout(0.5)], input_shape=(30,), dtype=np.float64)
    alone = Sequential([Dropout(0.5), Tanh(), Dropout(0.5)], input_shape=(30,), dtype=np.float64)
    alone[0].forward(x, training=True)
    assert_same_bits(model[2].forward(x, training=True), alone[2].forward(x, training=True))
    assert len(model.random_generators()) == 2


def test_spatial_dropout_leaves_out_whole_channels(rng: np.random.Generator) -> None:
    layer = SpatialDropout(0.4)
    layer.build((50, 4, 3), dtype=np.float64)
    x, dy = np.ones((20, 50, 4, 3)), rng.normal(size=(20, 50, 4, 3))
    y = layer.forward(x, training=True)
    assert set(np.unique(y).round(12)) == {0, round(1 / 0.6, 12)}
    assert np.ptp(y, axis=(2, 3)).max() == 0
    assert (y == 0).mean() == pytest.approx(0.4, abs=0.05)
    np.testing.assert_allclose(layer.backward(dy), dy * y)
    assert not np.array_equal(layer.forward(x, training=True), y)
    assert_same_bits(layer.forward(dy), dy)
    assert_same_bits(layer.forward(dy, differentiable=True), dy)
    assert_same_bits(layer.backward(dy), dy)


BAD = [
    Bad(lambda: SpatialDropout(1), ValueError, "SpatialDropout: expected p to be at least 0 and below 1, got 1"),
    Bad(lambda: SpatialDropout("1"), TypeError, "SpatialDropout: expected p to be a number, got str '1'"),
    Bad(SpatialDropout, ValueError, "SpatialDropout: expected inputs (C, ...) with at least one spatial axis", (5,)),
    Bad(lambda: Dropout(1), ValueError, "Dropout: expected p to be at least 0 and below 1, got 1"),
    Bad(lambda: Dropout(1.0), ValueError, "Dropout: expected p to be at least 0 and below 1, got 1"),
    Bad(lambda: Dropout(-0.1), ValueError, "Dropout: expected p to be at least 0 and below 1, got -0.1"),
    Bad(lambda: Dropout(float("nan")), ValueError, "Dropout: expected p to be finite, got nan"),
    Bad(lambda: Dropout(float("inf")), ValueError, "Dropout: expected p to be finite, got inf"),
    Bad(lambda: Dropout(2**63 - 1), ValueError, "Dropout: expected p to be at least 0 and below 1, got 9.22337e+18"),
    Bad(lambda: Dropout("0.5"), TypeError, "Dropout: expected p to be a number, got str '0.5'"),
    Bad(lambda: Dropout(None), TypeError, "Dropout: expected p to be a number, got NoneType None"),
    Bad(lambda: Dropout(False), TypeError, "Dropout: expected p to be a number, got bool False"),
    Bad(lambda: Dropout([0.5]), TypeError, "Dropout: expected p to be a number, got list [0.5]"),
    Bad(lambda: Dropout(0.5, name=1), TypeError, "Dropout: expected name to be a string, got int 1"),
    Bad(lambda: Dropout(0.5), ValueError, "Dropout: expected input_shape from 1 to 2147483647, got -1", (-1,)),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
