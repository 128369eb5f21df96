"""The input, output and gradient of each layer of a network for a batch.

A model does not keep them. A copy of it, which shares the weights, records the input and the output of each layer and
is then discarded: the model itself is not modified, and other threads may use it. Layers inside `Residual`, `Concat`,
`Sequential` or a custom container are recorded like all others.

The gradient of an inner quantity uses the same backward pass, which is linear in ``dy``: start with zeros at the output
and inject the ``dy`` of the quantity at its layer; the result at the input is the gradient of that quantity alone.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from numpycnn._checks import check_unmasked, format_shape
from numpycnn.inspection.graph import graph_of
from numpycnn.layers.base import Layer
from numpycnn.layers.checking import check_inputs, format_shapes, shapes_of
from numpycnn.layers.network import Network


@dataclass(frozen=True)
class Passage:
    """The input, output and gradient of one layer.

    Attributes
    ----------
    key : str
        Key of the layer in the model, as in ``"3"`` or ``"3.main.0"``; a second use of a layer is ``"3#2"``.
    layer : Layer
        The layer of the model itself, not of the copy.
    x, y : ndarray
        Input and output, with the batch axis; tuples of arrays for several.
    dy, dx : ndarray or None
        The gradients with respect to `y` and `x`; None without a backward pass.
    """

    key: str
    layer: Layer
    x: Any
    y: Any
    dy: Any = None
    dx: Any = None

    @property
    def title(self) -> str:
        """Key and type of the layer, and its name if set: ``3.main.0 Conv2D``."""
        return layer_title(self.key, self.layer)

    @property
    def is_map(self) -> bool:
        """Whether the output has spatial axes."""
        return isinstance(self.y, np.ndarray) and self.y.ndim > 2


def layer_title(key: str, layer: Layer) -> str:
    """Return key, type and name of a layer, as `model.summary()` prints them."""
    return f"{key} {type(layer).__name__}" + (f" {layer.name!r}" if layer.name else "")


def layers_of(model: Layer) -> dict[str, Layer]:
    """Return all layers of a model by key, in the order of `model.summary()`: a container, then its children.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> list(layers_of(Sequential([Residual(Sequential([Dense(4), ReLU()])), Dense(2)], input_shape=(4,))))
    ['0', '0.main', '0.main.0', '0.main.1', '1']
    """
    return {place: layer for place, layer in model.walk().items() if place}


def chain_of(model: Layer) -> dict[str, Layer]:
    """Return the layers of the main path by key; branches are represented by the layer that joins them.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> list(chain_of(Sequential([Residual(Dense(4)), Sequential([Dense(3), ReLU()])], input_shape=(4,))))
    ['0', '1.0', '1.1']
    """
    return dict(_in_turn(model, ""))


def _in_turn(layer: Layer, place: str) -> Iterator[tuple[str, Layer]]:
    for name, child in layer.children().items():
        key = f"{place}.{name}" if place else name
        if child.chained:
            yield from _in_turn(child, key)
        else:
            yield key, child


def follow(model: Network, x: Any, *, training: bool = False) -> dict[str, Passage]:
    """Run a model and return the input and output of each layer.

    Parameters
    ----------
    model : Sequential or Model
        Built. It is not changed, and neither are the gradients of its parameters.
    x : ndarray of shape (N, *input_shape), or a tuple of them for several inputs
    training : bool
        Switch dropout and batch statistics on.

    Returns
    -------
    dict of Passage
        By key, in the order of `layers_of`.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a model, or `x` is not a batch for it.
    RuntimeError
        If the model has not been built.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Concat, Conv2D, ReLU, Sequential
    >>> model = Sequential([Concat([Conv2D(2, 1), Sequential([Conv2D(3, 1), ReLU()])])], input_shape=(1, 5, 4))
    >>> for key, passage in follow(model, np.ones((1, 1, 5, 4), np.float32)).items():
    ...     print(passage.title, passage.y.shape)
    0 Concat (1, 5, 5, 4)
    0.0 Conv2D (1, 2, 5, 4)
    0.1 Sequential (1, 3, 5, 4)
    0.1.0 Conv2D (1, 3, 5, 4)
    0.1.1 ReLU (1, 3, 5, 4)
    """
    check_batch(model, x, "follow")
    clone, records = recording_copy(model)
    clone.forward(x, training=training)
    return _in_order(model, records)


def follow_back(
    model: Network,
    x: Any,
    pick: Callable[[Any], Any],
    *,
    at: str | None = None,
    training: bool = False,
) -> tuple[Any, dict[str, Passage]]:
    """Run a model forward, then backward from its output or from one of its layers.

    Parameters
    ----------
    model : Sequential or Model
        Built. It is not changed, and neither are the gradients of its parameters.
    x : ndarray of shape (N, *input_shape), or a tuple of them for several inputs
    pick : callable
        Takes the output of the layer and returns the gradient of a quantity with respect to it: for the sum of squares,
        ``lambda y: 2 * y``. Of several outputs it takes and returns a tuple.
    at : str, optional
        Key of the layer, as in ``"3.main.0"``, or of a further use, as in ``"conv#2"``; by default the model itself.
    training : bool
        Switch dropout and batch statistics on.

    Returns
    -------
    dx : ndarray of the shape of `x`, or a tuple of them for several inputs
        Gradient of the quantity with respect to the input.
    passages : dict of Passage
        As `follow` returns them, with the gradients; these are zero where the quantity does not depend on a layer.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a model, `x` is not a batch for it, `layer` does not exist, or `pick` changes the shape.
    RuntimeError
        If the model has not been built.

    Examples
    --------
    The gradient of an inner unit, here the maximum of four values:

    >>> import numpy as np
    >>> from numpycnn import Dense, Flatten, MaxPool2D, Sequential
    >>> model = Sequential([MaxPool2D(2), Flatten(), Dense(2)], input_shape=(1, 2, 2))
    >>> dx, _ = follow_back(model, np.array([[[[1, 4], [3, 2]]]], np.float32), np.ones_like, at="0")
    >>> dx
    array([[[[0., 1.],
             [0., 0.]]]], dtype=float32)
    """
    start: dict[str, np.ndarray] = {}
    check_batch(model, x, "follow_back")
    clone, records = recording_copy(model, start)
    if at is not None:
        check_layer(model, at.partition("#")[0], "follow_back")
    end = clone.forward(x, training=training, differentiable=True)
    if at is None:
        return clone.backward(_gradient_of(pick, end)), _in_order(model, records)
    if at not in records:
        ran = ", ".join(_in_order(model, records))
        raise ValueError(f"follow_back: expected the key of a layer that ran, one of {ran}, got {at!r}")
    start[at] = _gradient_of(pick, records[at].y)
    zeros = tuple(map(np.zeros_like, end)) if isinstance(end, tuple) else np.zeros_like(end)
    dx = clone.backward(zeros)
    return dx, _in_order(model, records)


def _gradient_of(pick: Callable[[Any], Any], y: Any) -> Any:
    """Return what `pick` returns for the output of a layer, with its shape and dtype."""
    picked = pick(y)
    ys, dys = (value if isinstance(y, tuple) else (value,) for value in (y, picked))
    if len(dys) != len(ys):
        raise ValueError(f"follow_back: expected pick to return {len(ys)} arrays, like y, got {len(dys)}")
    dys = tuple(np.asarray(dy, y.dtype) for dy, y in zip(dys, ys, strict=True))
    if shapes_of(dys) != shapes_of(ys):
        expected, got = (format_shapes(shapes_of(arrays)) for arrays in (ys, dys))
        raise ValueError(f"follow_back: expected pick to return {expected}, like y, got {got}")
    return dys if isinstance(y, tuple) else dys[0]


def check_layer(model: Network, key: str, operation: str) -> Layer:
    """Return the layer with a key, which may be that of a further use; raise if there is none."""
    layers = layers_of(model)
    place, mark, _ = key.partition("#")
    further = [use for use in graph_of(model).values if "#" in use]
    if place not in layers or (mark and key not in further):
        raise ValueError(
            f"{operation}: expected the key of a layer, one of {', '.join([*layers, *further])}, got {key!r}"
        )
    return layers[place]


def check_built(model: Network, operation: str) -> tuple[int, ...]:
    """Return the input shape of a model; raise if it is not built."""
    if model.input_shape is None:
        raise RuntimeError(f"{operation}: the model is not built yet; give it an input_shape")
    return model.input_shape


def check_one_input(model: Any, operation: str) -> None:
    """Raise if a model takes several inputs."""
    if isinstance(model, Network) and model.several_inputs:
        names = graph_of(model).inputs
        which = f"{len(names)}: {' and '.join(map(repr, names))}" if names else "several"
        raise ValueError(f"{operation}: expected a model that takes one input, got one that takes {which}")


def check_batch(model: object, x: Any, operation: str) -> Any:
    """Return `x` as an array, or a tuple for several inputs; raise if it is not a batch for a built model."""
    if not isinstance(model, Network):
        raise TypeError(f"{operation}: expected a Sequential or a Model, got {type(model).__name__}")
    input_shape = check_built(model, operation)
    if not model.children():
        raise ValueError(f"{operation}: expected a model with layers, got an empty one")
    if model.several_inputs:
        try:
            return check_inputs(model, x)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{operation}: {error}") from None
    x = check_unmasked(x, "x", operation)
    if x.shape[1:] != input_shape or x.ndim == 0:
        hint = "; put a batch axis before it, x[np.newaxis]" if x.shape == input_shape else ""
        raise ValueError(
            f"{operation}: expected x {format_shape(('N', *input_shape))}, got {format_shape(x.shape)}{hint}"
        )
    return x


def recording_copy(
    model: Network, start: Mapping[str, np.ndarray] = MappingProxyType({})
) -> tuple[Network, dict[str, Passage]]:
    """Return a copy of the model that shares its weights, and the dict that its layers record into.

    The records are in the order in which the layers finish their forward pass, and then their backward pass.
    In the backward pass, a layer whose key is in `start` begins with the gradient there instead of its own.
    """
    weights = (parameter.value for parameter in model.parameters().values())
    clone = copy.deepcopy(model, {id(array): array for array in weights})  # arrays in the memo are not copied
    records: dict[str, Passage] = {}
    for key, layer in layers_of(clone).items():
        _record(key, layer, records, start)
    return clone, records


def _record(key: str, layer: Layer, records: dict[str, Passage], start: Mapping[str, np.ndarray]) -> None:
    forward, backward = layer.forward, layer.backward
    uses: list[str] = []  # their keys; the backward pass visits them in the reverse order

    def record_forward(x: Any, **mode: bool) -> Any:
        y = forward(x, **mode)
        uses.append(f"{key}#{len(uses) + 1}" if uses else key)
        given = tuple(map(np.asarray, x)) if layer.several_inputs else np.asarray(x)
        records[uses[-1]] = Passage(uses[-1], layer, given, y)
        return y

    def record_backward(dy: Any) -> Any:
        use = uses.pop()
        dy = start.get(use, dy)
        dx = backward(dy)
        records[use] = replace(records.pop(use), dy=dy, dx=dx)
        return dx

    layer.forward = record_forward  # type: ignore[method-assign]
    layer.backward = record_backward  # type: ignore[method-assign]


def _in_order(model: Network, records: dict[str, Passage]) -> dict[str, Passage]:
    """Return the records in the order of the model, with its own layers instead of those of the copy."""
    layers = layers_of(model)
    order = {key: i for i, key in enumerate(layers)}

    def position(use: str) -> tuple[int, int]:
        key, _, number = use.partition("#")
        return order[key], int(number or 1)

    found = sorted(records, key=position)
    return {use: replace(records[use], layer=layers[use.partition("#")[0]]) for use in found}
