"""Building is all or nothing, and leaves each generator with a stream of its own."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Layer, Parameter, Sequential
from numpycnn.layers.building import seed_generators, unbuild
from tests.helpers import assert_same_bits


def test_a_failed_build_leaves_every_attribute_as_it_was() -> None:
    class Late(Layer):
        """Fails when all is made, with a layer inside that is made only once."""

        inner: Any = None

        def _build(self, input_shape, rng):
            self.inner = self.inner or Dense(2)
            self.factor = Parameter(np.ones(self.inner.build(input_shape, rng=rng, dtype=self.dtype), self.dtype))
            if input_shape == (3,):
                raise KeyboardInterrupt
            return (2,)

    layer = Late()
    before = vars(layer).copy()
    with pytest.raises(KeyboardInterrupt):
        layer.build((3,))
    assert vars(layer) == before
    assert layer.build((4,)) == (2,)


def test_an_unbuilt_layer_is_made_anew_for_another_shape_and_type() -> None:
    model = Sequential([Sequential([Dense(2)])], input_shape=(3,))
    unbuild(model)
    assert model.build((4,), dtype=np.float64) == (2,)
    assert (model[0][0].weight.value.shape, model[0][0].dtype) == ((2, 4), np.float64)


class Noise(Layer):
    """Adds noise from two generators, of any kind."""

    def __init__(self, kind: type = np.random.PCG64, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.kind = kind

    def _build(self, input_shape, rng):
        seeds = (0, 0) if rng is None else rng.integers(2**63, size=2)
        self._first, self._second = (np.random.Generator(self.kind(seed)) for seed in seeds)
        return input_shape

    def draw(self) -> list[float]:
        return [generator.random() for generator in (self._first, self._second)]


class Turns(Layer):
    """Draws from the generator that the whole model was built with."""

    def _build(self, input_shape, rng):
        self._rng = rng
        return input_shape


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_every_generator_has_a_stream_of_its_own(kind: type) -> None:
    model = Sequential([Noise(kind), Noise(kind)])
    model.build((3,), rng=None)
    loaded = [number for layer in model for number in layer.draw()]
    assert len(set(loaded)) == 4
    seed_generators(model, 1)
    seeded = [number for layer in model for number in layer.draw()]
    assert len({*loaded, *seeded}) == 8
    seed_generators(model, 1)  # they have a seed by now, and go on
    assert len({*loaded, *seeded, *(number for layer in model for number in layer.draw())}) == 12


def test_generators_that_come_from_a_seed_are_not_seeded_again() -> None:
    model, twin = (Sequential([Noise(), Noise()], input_shape=(3,), seed=5) for _ in range(2))
    seed_generators(model, 1)
    assert [layer.draw() for layer in model] == [layer.draw() for layer in twin]


def test_a_generator_that_layers_share_on_purpose_stays_shared() -> None:
    model = Sequential([Turns(), Turns(), Dense(2)], input_shape=(3,), seed=5)
    assert model[0]._rng is model[1]._rng
    assert_same_bits(model[2].weight.value, Sequential([Dense(2)], input_shape=(3,), seed=5)[0].weight.value)
