"""Helpers of layers: undo a failed build, refuse shared layers, separate random streams, advise on a dtype."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import format_shape

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


def check_not_shared(owner: "Layer", layers: "Sequence[Layer]") -> None:
    """Refuse a layer in two places of `owner`, where it would need two caches."""
    seen = {id(owner)}
    for layer in layers:
        for part in layer.walk().values():
            if id(part) in seen:
                raise ValueError(
                    f"{type(owner).__name__}: {type(part).__name__} is in this model already; "
                    "each place needs its own layer"
                )
            seen.add(id(part))


def check_built_for(layer: "Layer", shape: tuple[int, ...], dtype: Any) -> None:
    """Check that a built layer is built for this input shape and dtype."""
    remedy = "a built layer keeps its weights, so make a new layer"
    if shape != layer.input_shape:
        raise ValueError(
            f"expected inputs {format_shape(layer.input_shape or ())}, for which it is built, "
            f"got {format_shape(shape)}; {remedy}"
        )
    if dtype != layer.dtype:
        raise TypeError(f"expected dtype {layer.dtype}, for which it is built, got {dtype}; {remedy}")


def unbuild(layer: "Layer") -> None:
    """Make the next `build` create new parameters of any dtype, here and in the layers inside."""
    for part in layer.walk().values():
        part.input_shape = part.output_shape = part.dtype = None
        vars(part).pop("_dtype", None)  # of a network


def own_generators(layer: "Layer") -> list[np.random.Generator]:
    """Return the random generators of a layer, excluding those of the layers inside."""
    return [value for value in vars(layer).values() if isinstance(value, np.random.Generator)]


@contextmanager
def restore_on_failure(layer: "Layer") -> Iterator[None]:
    """Restore the attributes of unbuilt layers if the build inside the ``with`` fails.

    Otherwise, separate generators with the same stream; generators of layers built earlier keep theirs.
    """
    unbuilt = [(part, vars(part).copy()) for part in layer.walk().values() if part.output_shape is None]
    try:
        yield
    except BaseException:
        for part, attributes in unbuilt:
            vars(part).clear()
            vars(part).update(attributes)
        raise
    new = {id(generator) for part, _ in unbuilt for generator in own_generators(part)}
    separate_streams(sorted(layer.random_generators().values(), key=lambda generator: id(generator) in new))


def _reseed(generator: np.random.Generator, seed: np.random.SeedSequence) -> None:
    generator.bit_generator.state = type(generator.bit_generator)(seed).state


def _stream_id(generator: np.random.Generator) -> Any:
    """Return the identity of a generator's stream; drawing does not change it if the generator has an increment."""
    state = generator.bit_generator.state["state"]
    return state.get("inc", repr(state))


def separate_streams(generators: Iterable[np.random.Generator]) -> None:
    """Reseed each generator that has the same stream as a preceding one.

    The others keep theirs. One generator shared by several layers is not a duplicate.
    """
    seen: dict[Any, np.random.Generator] = {}
    for position, generator in enumerate(generators):
        while seen.setdefault(_stream_id(generator), generator) is not generator:
            _reseed(generator, np.random.SeedSequence([int(generator.integers(2**63)), position]))


def seed_generators(model: "Layer", seed: int) -> None:
    """Seed the generators of layers that were built without one, as in a loaded model, each differently.

    Generators seeded by a model keep their state.
    """
    kept, seeded = [], []
    for position, layer in enumerate(model.walk().values()):
        generators = own_generators(layer)
        if layer._seeded:
            kept += generators
            continue
        for number, generator in enumerate(generators):
            _reseed(generator, np.random.SeedSequence(seed, spawn_key=(position, number)))
        layer._seeded = True
        seeded += generators
    separate_streams(kept + seeded)


def advise_dtype(given: np.dtype, expected: Any) -> str:
    """Return how to make an input of `expected` dtype from one of another."""
    if given == np.uint8:  # a conversion alone would be accepted, and give wrong predictions
        return (
            "pixels are normalized as in the training: give a data set, as in model.predict(test), its batches, "
            "test.batch(indices), or test.normalize(images)"
        )
    return f"convert the input with x.astype(np.{expected}) or build the model with another dtype"
