"""A network as a list of layers, applied in order."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.building import check_not_shared, separate_streams
from numpycnn.layers.network import Network


class Sequential(Network):
    """Layers applied in order.

    Parameters
    ----------
    layers : iterable of Layer
    input_shape : tuple of int, optional
        Of one example, without the batch axis. If given, the layers are built immediately; otherwise the model that
        contains this block builds it, as in ``Residual(Sequential([...]))``.
    seed : int
        Determines all initial weights and dropout masks.
    dtype : dtype, optional
        float32, the default, or float64 for checking gradients.
    name : str, optional

    Attributes
    ----------
    layers : tuple of Layer
    metadata : dict
        Information about the model besides its weights (class names, normalization of the inputs, ...). Saved with the
        model as JSON.

    Raises
    ------
    TypeError
        If `layers` is not a list of layers, `dtype` is not float32 or float64, or a layer was built for another dtype.
    ValueError
        At build, if a layer does not fit the one before it, or was built for another shape.

    Notes
    -----
    A layer that is already built, on its own or in another model, keeps its weights, its running statistics and the
    state of its random generator. It is shared between the models: training one of them changes it in all. The seed
    determines the weights of the other layers. ``copy.deepcopy(layer)`` makes an independent layer with the same
    weights. Two layers with the same random stream, such as dropout layers of two models with one seed, would drop the
    same elements; the second one gets a new stream.

    Examples
    --------
    >>> from numpycnn import Conv2D, Dense, Flatten, MaxPool2D, ReLU
    >>> model = Sequential([Conv2D(8, 3), ReLU(), MaxPool2D(2), Flatten()], input_shape=(1, 28, 28), seed=0)
    >>> model.add(Dense(10))
    >>> model.output_shape
    (10,)

    The trained layers with another output layer:

    >>> other = Sequential([*model[:-1], Dense(3)], input_shape=(1, 28, 28), seed=1)
    >>> other[0] is model[0], other.output_shape
    (True, (3,))
    """

    chained = True

    def __init__(
        self,
        layers: Iterable[Layer] = (),
        *,
        input_shape: Sequence[int] | None = None,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(seed=seed, dtype=dtype, name=name)
        self._layers: list[Layer] = []
        self._build_rng: list[np.random.Generator | None] = [None]  # in a list, so that checkpoints do not save it
        if not isinstance(layers, Iterable):
            raise TypeError(f"Sequential: expected a list of layers, got {type(layers).__name__}")
        self._append(*layers)
        if input_shape is not None:
            self.build(input_shape)

    # -------------------------------------------------------------------------------------------------------- layers

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order."""
        return tuple(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    @overload
    def __getitem__(self, position: int) -> Layer: ...

    @overload
    def __getitem__(self, position: slice) -> list[Layer]: ...

    def __getitem__(self, position: int | slice) -> Layer | list[Layer]:
        """Return the layer at a position, or a list of the layers in a slice."""
        return self._layers[position]

    def _append(self, *layers: Layer) -> None:
        for layer in layers:
            if isinstance(layer, type):
                raise TypeError(
                    f"Sequential: expected a layer, got the class {layer.__name__}; write {layer.__name__}(...)"
                )
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: expected a layer, got {type(layer).__name__}")
        check_not_shared(self, [*self._layers, *layers])
        for layer in layers:
            self._layers.append(layer)
            self._copies_input = False  # the first layer does, once it has compared the shape
            self.several_inputs, self.output_count = self._layers[0].several_inputs, layer.output_count
            layer._set_place(self._key(len(self._layers) - 1))

    def _key(self, position: int) -> str:
        return f"{self._place}.{position}" if self._place else str(position)

    def add(self, layer: Layer) -> None:
        """Append a layer; if the model is built, build the layer.

        Parameters
        ----------
        layer : Layer

        Raises
        ------
        TypeError
            If it is not a layer, or was built for another dtype.
        ValueError
            If it is already in the model, does not fit the layers before it, or was built for another shape. The model
            and the layer are unchanged.
        """
        place = layer._place if isinstance(layer, Layer) else ""
        self._append(layer)
        if self.output_shape is None:
            return
        if self._build_rng[0] is None:  # loaded from a file
            self._build_rng[0] = np.random.default_rng(self.seed)
        fits = False
        try:
            self.output_shape = layer.build(self.output_shape, rng=self._build_rng[0], dtype=self.dtype)
            fits = True
        except (ValueError, TypeError, MemoryError) as error:
            raise self._with_label(error) from None
        finally:
            if not fits:
                self._layers.pop()
                self.output_count = self._layers[-1].output_count
                layer._set_place(place)
        separate_streams(self.random_generators().values())

    def children(self) -> dict[str, Layer]:
        """Return the layers, by position."""
        return {str(i): layer for i, layer in enumerate(self._layers)}

    def _sources(self, layer: Layer) -> list[Layer]:
        return [before for before, after in pairwise(self._layers) if after is layer]

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self._build_rng[0] = rng
        shape = input_shape
        for layer in self._layers:
            shape = layer.build(shape, rng=rng, dtype=self.dtype)
        return shape

    # ------------------------------------------------------------------------------------------------------- data flow

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        for layer in self._layers:
            x = layer.forward(x, training=training, differentiable=differentiable)
        return x, ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        for layer in reversed(self._layers):
            dy = layer.backward(dy)
        return dy

    def _backward_parameters(self, dy: np.ndarray, cache: Any) -> None:
        """Stop at the first layer with trainable parameters."""
        first = next((i for i, layer in enumerate(self._layers) if layer.has_trainable_parameters()), len(self._layers))
        for layer in reversed(self._layers[first + 1 :]):
            dy = layer.backward(dy)
        for position, layer in enumerate(self._layers[: first + 1]):
            if position == first:
                layer.backward_parameters(dy)
            else:
                layer.forget()

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments of an equal unbuilt block."""
        return {"layers": self._layers, "seed": self.seed, "name": self.name}

    def __repr__(self) -> str:
        if not self._layers:
            return "Sequential([])"
        inner = "".join("    " + repr(layer).replace("\n", "\n    ") + ",\n" for layer in self._layers)
        settings = "" if self.input_shape is None else f", input_shape={format_shape(self.input_shape)}"
        settings += f", seed={self.seed}" if self.seed else ""
        settings += f", name={self.name!r}" if self.name else ""
        return f"Sequential([\n{inner}]{settings})"
