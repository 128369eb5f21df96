"""What building takes care of beside parameters: it is all or nothing, and each generator has a stream of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.functional.checks import spell

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


def expect_separate(owner: "Layer", layers: "Sequence[Layer]") -> None:
    """Check that no layer, nor one inside of it, stands in two places of `owner`, where it would need two caches."""
    seen = {id(owner)}

    def visit(layer: "Layer") -> None:
        if id(layer) in seen:
            raise ValueError(
                f"{type(owner).__name__}: {type(layer).__name__} is in this model already; "
                "each place needs its own layer"
            )
        seen.add(id(layer))
        for child in layer.children().values():
            visit(child)

    for layer in layers:
        visit(layer)


def expect_built_for(layer: "Layer", shape: tuple[int, ...], dtype: Any) -> None:
    """Check that a layer, which is built, is built for these inputs."""
    remedy = "a built layer keeps its weights, so make a new layer"
    if shape != layer.input_shape:
        raise ValueError(
            f"expected inputs {spell(layer.input_shape or ())}, for which it is built, got {spell(shape)}; {remedy}"
        )
    if dtype != layer.dtype:
        raise TypeError(f"expected dtype {layer.dtype}, for which it is built, got {dtype}; {remedy}")


def unbuild(layer: "Layer") -> None:
    """Let the next `build` make all parameters anew, here and in the layers inside."""
    for part in layer._walk().values():
        part.input_shape = part.output_shape = None


@contextmanager
def all_or_nothing(layer: "Layer") -> Iterator[None]:
    """Build a layer inside of a ``with``: if that fails, it and the layers inside have their attributes back.

    If not, generators with the same stream are separated; those of layers that were built before keep theirs.
    """
    unbuilt = [(part, vars(part).copy()) for part in layer._walk().values() if part.output_shape is None]
    try:
        yield
    except BaseException:
        for part, attributes in unbuilt:
            vars(part).clear()
            vars(part).update(attributes)
        raise
    new = {id(generator) for part, _ in unbuilt for generator in part._generators().values()}
    separate_streams(sorted(layer.random_generators().values(), key=lambda generator: id(generator) in new))


def _reseed(generator: np.random.Generator, seed: np.random.SeedSequence) -> None:
    generator.bit_generator.state = type(generator.bit_generator)(seed).state


def _stream(generator: np.random.Generator) -> Any:
    """Return the identity of a generator's stream, which drawing from it does not change where it has an increment."""
    state = generator.bit_generator.state["state"]
    return state.get("inc", repr(state))


def separate_streams(generators: Iterable[np.random.Generator]) -> None:
    """Give a stream of its own to each generator that has the stream of one before it.

    The others keep theirs. One generator that several layers draw from in turn is not a repetition.
    """
    seen: dict[Any, np.random.Generator] = {}
    for position, generator in enumerate(generators):
        while seen.setdefault(_stream(generator), generator) is not generator:
            _reseed(generator, np.random.SeedSequence([int(generator.integers(2**63)), position]))


def seed_generators(model: "Layer", seed: int) -> None:
    """Seed the generators of the layers that were built without one, as in a loaded model, each differently.

    The generators that come from the seed of a model go on where they are.
    """
    kept, seeded = [], []
    for position, layer in enumerate(model._walk().values()):
        generators = list(layer._generators().values())
        if layer._seeded:
            kept += generators
            continue
        for number, generator in enumerate(generators):
            _reseed(generator, np.random.SeedSequence(seed, spawn_key=(position, number)))
        layer._seeded = True
        seeded += generators
    separate_streams(kept + seeded)
