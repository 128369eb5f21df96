"""What each layer of a network makes of an input, and the gradient at each layer on the way back.

A model keeps none of this. So a twin of it is made that shares the weights, each layer of the twin notes what goes in
and what comes out, and the twin is thrown away: the model itself is not touched, and other threads may use it. Layers
inside of `Residual`, `Concat`, `Sequential`, or of a container that somebody else wrote, are heard like all others.

The gradient of any inner quantity needs no second mechanism. Going back is linear in ``dy``: start with zeros at the
end and put the wanted ``dy`` in where its layer is, and what arrives at the input is that quantity's gradient alone.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numpycnn.functional.checks import spell
from numpycnn.layers.base import Layer
from numpycnn.sequential import Sequential


@dataclass(frozen=True)
class Passage:
    """What happened at one layer.

    Attributes
    ----------
    key : str
        The layer's place in the model, as in ``"3"`` or ``"3.main.0"``.
    layer : Layer
        Of the model itself, not of the twin.
    x, y : ndarray
        What went in and what came out, with the batch axis.
    dy : ndarray or None
        The gradient with respect to `y`, of the shape of `y`; None if nobody went back.
    """

    key: str
    layer: Layer
    x: np.ndarray
    y: np.ndarray
    dy: np.ndarray | None = None

    @property
    def title(self) -> str:
        """The place and the kind, and the name if there is one: ``3.main.0 Conv2D``."""
        return layer_title(self.key, self.layer)

    @property
    def is_map(self) -> bool:
        """Whether the output has channels and places, and is no plain row of numbers."""
        return self.y.ndim > 2


def layer_title(key: str, layer: Layer) -> str:
    """Return place, kind and name of a layer, as `model.summary()` writes them."""
    return f"{key} {type(layer).__name__}" + (f" {layer.name!r}" if layer.name else "")


def layers_of(model: Layer) -> dict[str, Layer]:
    """Return all layers of a model by their place, in the order of `model.summary()`: a container, then what is in it.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> list(layers_of(Sequential([Residual(Sequential([Dense(4), ReLU()])), Dense(2)], input_shape=(4,))))
    ['0', '0.main', '0.main.0', '0.main.1', '1']
    """
    return dict(_walk(model, ""))


def _walk(layer: Layer, place: str) -> Iterator[tuple[str, Layer]]:
    for name, child in layer.children().items():
        key = f"{place}.{name}" if place else name
        yield key, child
        yield from _walk(child, key)


def steps_of(model: Layer) -> dict[str, Layer]:
    """Return all layers that compute something, in the order in which they do: what is in a branch, then what joins it.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> list(steps_of(Sequential([Residual(Sequential([Dense(4), ReLU()])), Dense(2)], input_shape=(4,))))
    ['0.main.0', '0.main.1', '0', '1']
    """
    return dict(_steps(model, ""))


def _steps(layer: Layer, place: str) -> Iterator[tuple[str, Layer]]:
    for name, child in layer.children().items():
        key = f"{place}.{name}" if place else name
        yield from _steps(child, key)
        if not child.chained:
            yield key, child


def chain_of(model: Layer) -> dict[str, Layer]:
    """Return the layers that data passes one after the other, by their place; of branches, only what joins them.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> list(chain_of(Sequential([Residual(Dense(4)), Sequential([Dense(3), ReLU()])], input_shape=(4,))))
    ['0', '1.0', '1.1']
    """
    return dict(_chain(model, ""))


def _chain(layer: Layer, place: str) -> Iterator[tuple[str, Layer]]:
    for name, child in layer.children().items():
        key = f"{place}.{name}" if place else name
        if child.chained:
            yield from _chain(child, key)
        else:
            yield key, child


def follow(model: Sequential, x: Any, *, training: bool = False) -> dict[str, Passage]:
    """Run a model and return what went into each layer and came out of it.

    Parameters
    ----------
    model : Sequential
        Built. It is not changed, and neither are the gradients of its parameters.
    x : ndarray of shape (N, *input_shape)
    training : bool
        Switch dropout and batch statistics on.

    Returns
    -------
    dict of Passage
        By place, in the order of `layers_of`.

    Raises
    ------
    TypeError, ValueError
        If `model` is no model, or `x` no batch for it.
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
    twin, heard = _twin(model, x)
    twin.forward(x, training=training)
    return _in_order(model, heard)


def follow_back(
    model: Sequential,
    x: Any,
    pick: Callable[[np.ndarray], np.ndarray],
    *,
    at: str | None = None,
    training: bool = False,
) -> tuple[np.ndarray, dict[str, Passage]]:
    """Run a model forward, and backward from one of its layers.

    Parameters
    ----------
    model : Sequential
        Built. It is not changed, and neither are the gradients of its parameters.
    x : ndarray of shape (N, *input_shape)
    pick : callable
        Given the output of the layer, returns the gradient of the wanted quantity with respect to it: for the sum of
        the squares, ``lambda y: 2 * y``.
    at : str, optional
        Place of the layer, as in ``"3.main.0"``; the last one if not given.
    training : bool
        Switch dropout and batch statistics on.

    Returns
    -------
    dx : ndarray of the shape of `x`
        Gradient of the quantity with respect to the input.
    passages : dict of Passage
        As `follow` returns them, with the gradients; these are zero where the quantity does not depend on a layer.

    Raises
    ------
    TypeError, ValueError
        If `model` is no model, `x` no batch for it, there is no such layer, or `pick` returns another shape.
    RuntimeError
        If the model has not been built.

    Examples
    --------
    The gradient of an inner unit, here the maximum of two times two numbers:

    >>> import numpy as np
    >>> from numpycnn import Dense, Flatten, MaxPool2D, Sequential
    >>> model = Sequential([MaxPool2D(2), Flatten(), Dense(2)], input_shape=(1, 2, 2))
    >>> dx, _ = follow_back(model, np.array([[[[1, 4], [3, 2]]]], np.float32), np.ones_like, at="0")
    >>> dx
    array([[[[0., 1.],
             [0., 0.]]]], dtype=float32)
    """
    twin, heard = _twin(model, x)
    at = at if at is not None else list(chain_of(twin))[-1]
    expect_layer(model, at, "follow_back")
    end = twin.forward(x, training=training, differentiable=True)
    y = heard[at].y
    begin = np.asarray(pick(y), y.dtype)
    if begin.shape != y.shape:
        raise ValueError(f"follow_back: expected pick to return {spell(y.shape)}, like y, got {spell(begin.shape)}")
    layer = layers_of(twin)[at]
    backward = layer.backward
    layer.backward = lambda dy: backward(begin)  # type: ignore[method-assign]  # dy from above is zero
    dx = twin.backward(np.zeros_like(end))
    return dx, _in_order(model, heard)


def expect_layer(model: Sequential, key: str, operation: str) -> Layer:
    """Return the layer at a place, and refuse a place where there is none."""
    layers = layers_of(model)
    if key not in layers:
        raise ValueError(f"{operation}: expected the place of a layer, one of {', '.join(layers)}, got {key!r}")
    return layers[key]


def expect_built(model: Sequential, operation: str) -> tuple[int, ...]:
    """Return the shape of the model's inputs, and refuse a model that has none yet."""
    if model.input_shape is None:
        raise RuntimeError(f"{operation}: the model is not built yet; give it an input_shape")
    return model.input_shape


def expect_batch(model: Any, x: Any, operation: str) -> np.ndarray:
    """Return `x` as an array, and refuse what is no built model or no batch for it."""
    if not isinstance(model, Sequential):
        raise TypeError(f"{operation}: expected a Sequential, got {type(model).__name__}")
    input_shape = expect_built(model, operation)
    if not model.layers:
        raise ValueError(f"{operation}: expected a model with layers, got an empty one")
    x = np.asarray(x)
    if x.shape[1:] != input_shape or x.ndim == 0:
        hint = "; put a batch axis before it, x[np.newaxis]" if x.shape == input_shape else ""
        raise ValueError(f"{operation}: expected x {spell(('N', *input_shape))}, got {spell(x.shape)}{hint}")
    return x


def _twin(model: Sequential, x: Any) -> tuple[Sequential, dict[str, Passage]]:
    """Return a copy of the model that shares its weights, and where its layers will note what they hear."""
    expect_batch(model, x, "follow")
    weights = (parameter.value for parameter in model.parameters().values())
    twin = copy.deepcopy(model, {id(array): array for array in weights})  # what the memo holds is not copied
    heard: dict[str, Passage] = {}
    for key, layer in layers_of(twin).items():
        _listen(key, layer, heard)
    return twin, heard


def _listen(key: str, layer: Layer, heard: dict[str, Passage]) -> None:
    forward, backward = layer.forward, layer.backward

    def hear_forward(x: Any, **mode: bool) -> np.ndarray:
        y = forward(x, **mode)
        heard[key] = Passage(key, layer, np.asarray(x), y)
        return y

    def hear_backward(dy: Any) -> np.ndarray:
        heard[key] = replace(heard[key], dy=np.asarray(dy))
        return backward(dy)

    layer.forward = hear_forward  # type: ignore[method-assign]
    layer.backward = hear_backward  # type: ignore[method-assign]


def _in_order(model: Sequential, heard: dict[str, Passage]) -> dict[str, Passage]:
    """Return what was heard in the order of the model, with its own layers in place of the twin's."""
    return {key: replace(heard[key], layer=layer) for key, layer in layers_of(model).items() if key in heard}
