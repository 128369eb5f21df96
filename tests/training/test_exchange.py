"""The weights of a training come back, unless others have been loaded since."""

import numpy as np
import pytest

from numpycnn.training.exchange import WeightExchange
from tests.training import small


def test_the_weights_before_the_first_exchange_are_kept() -> None:
    model = small.dense(seed=0)
    own, weights = small.bits(model.state()), WeightExchange(model)
    for seed in (1, 2):
        others = small.dense(seed=seed).state()
        weights.exchange(others)
        assert small.bits(model.state()) == small.bits(others)
        assert small.bits(weights.kept()) == own
    weights.restore()
    assert small.bits(model.state()) == own
    assert weights.kept() == {}


def test_weights_loaded_after_an_exchange_are_those_of_the_training() -> None:
    model = small.dense(seed=0)
    weights, loaded = WeightExchange(model), small.dense(seed=3).state()
    weights.exchange(small.dense(seed=1).state())
    model.load_state(loaded)
    assert weights.kept() == {}
    weights.exchange(small.dense(seed=2).state())
    assert small.bits(weights.kept()) == small.bits(loaded)
    model.load_state(loaded)
    weights.restore()
    assert small.bits(model.state()) == small.bits(loaded)


def test_weights_that_do_not_fit_change_nothing() -> None:
    model = small.dense()
    before, weights = small.bits(model.state()), WeightExchange(model)
    with pytest.raises(ValueError, match="the arrays do not match this model"):
        weights.exchange({"x": np.zeros(2)})
    assert (small.bits(model.state()), weights.kept()) == (before, {})


def test_weights_of_a_checkpoint() -> None:
    model, own = small.dense(seed=0), small.dense(seed=1).state()
    weights = WeightExchange(model)
    weights.resume(own)
    assert small.bits(weights.kept()) == small.bits(own)
    weights.restore()
    assert small.bits(model.state()) == small.bits(own)
