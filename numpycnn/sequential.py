"""A network as a list of layers: data flows down the list, gradients flow back up."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

import numpy as np

from numpycnn.functional.checks import spell, whole_number
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.building import expect_separate, separate_streams
from numpycnn.serialization import save_model
from numpycnn.state_dict import load_torch, save_torch
from numpycnn.summary import Summary, summarize

OWN_SEED: Any = object()  # stands for the seed of the model that is built


class Sequential(Layer):
    """Layers applied one after the other.

    Parameters
    ----------
    layers : iterable of Layer
    input_shape : tuple of int, optional
        Of one example, without the batch axis. If given, the layers are built at once; without it this is a block that
        a parent builds, as in ``Residual(Sequential([...]))``.
    seed : int
        Determines all initial weights, and what dropout leaves out.
    dtype : dtype
        float32, or float64 for checking gradients.
    name : str, optional

    Attributes
    ----------
    layers : tuple of Layer
    metadata : dict
        What should be known about the model besides its weights (class names, how its inputs were normalised, ...).
        Saved with it; anything that JSON can hold.

    Raises
    ------
    TypeError
        If `layers` is no list of layers, `dtype` is not float32 or float64, or a layer was built for another dtype.
    ValueError
        If a layer does not fit the one before it, or was built for another shape; when it is built.

    Notes
    -----
    A layer that is built already, on its own or in another model, keeps its weights, its running statistics and the
    state of its random generator. It is shared between the models: training one of them changes it in all. The seed
    determines the weights of the other layers. ``copy.deepcopy(layer)`` makes a layer with the same weights that is not
    shared. Two layers with the same random stream, as dropout layers of two models with one seed, would leave out the
    same elements; the second of them gets a stream of its own.

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
        dtype: Any = np.float32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.seed = whole_number(seed, "seed", "Sequential", minimum=0)
        self.metadata: dict[str, Any] = {}
        self._layers: list[Layer] = []
        self._build_rng: list[np.random.Generator | None] = [None]  # boxed: it is no state that a checkpoint keeps
        if not isinstance(layers, Iterable):
            raise TypeError(f"Sequential: expected a list of layers, got {type(layers).__name__}")
        for layer in layers:
            self._append(layer)
        if input_shape is not None:
            self.build(input_shape, dtype=dtype)

    # ------------------------------------------------------------------------------------------------ making the list

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in their order."""
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
        """Return the layer at a position, or the list of those in a slice."""
        return self._layers[position]

    def _append(self, layer: Layer) -> None:
        if isinstance(layer, type):
            raise TypeError(
                f"Sequential: expected a layer, got the class {layer.__name__}; write {layer.__name__}(...)"
            )
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: expected a layer, got {type(layer).__name__}")
        expect_separate(self, [*self._layers, layer])
        self._layers.append(layer)
        layer._settle(self._key(len(self._layers) - 1))

    def _key(self, position: int) -> str:
        return f"{self._place}.{position}" if self._place else str(position)

    def add(self, layer: Layer) -> None:
        """Append a layer, and build it if the model is built and the layer is not.

        Parameters
        ----------
        layer : Layer

        Raises
        ------
        TypeError
            If it is no layer, or was built for another dtype.
        ValueError
            If it is in the model already, does not fit the layers before it, or was built for another shape; the model
            and the layer stay as they were.
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
            raise self._named(error) from None
        finally:
            if not fits:
                self._layers.pop()
                layer._settle(place)
        separate_streams(self.random_generators().values())

    def children(self) -> dict[str, Layer]:
        """Return the layers, by position."""
        return {str(i): layer for i, layer in enumerate(self._layers)}

    def _named(self, error: Exception) -> Exception:
        """Say also which layer gave the input that another one refused."""
        named: Any = super()._named(error)
        layer, message = named.source
        for before, after in pairwise(self._layers):
            if after is layer and named.given:
                named.source = layer, f"{message}; the layer before it, {before._label('')}, now gives {named.given}"
                named.given = ""
                return super()._named(named)
        return named

    def build(self, input_shape: Sequence[int], *, rng: Any = OWN_SEED, dtype: Any = np.float32) -> Shape:
        """Build the layers that are not built, with weights of this model's seed unless another source is given.

        See `Layer.build`.
        """
        return super().build(input_shape, rng=self.seed if rng is OWN_SEED else rng, dtype=dtype)

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
        """Go back no further than to the first layer that has something to learn."""
        first = next((i for i, layer in enumerate(self._layers) if layer.parameters()), len(self._layers))
        for layer in reversed(self._layers[first + 1 :]):
            dy = layer.backward(dy)
        for position, layer in enumerate(self._layers[: first + 1]):
            if position == first:
                layer.backward_parameters(dy)
            else:
                layer.forget()

    def predict(self, x: Any, *, batch_size: int = 256) -> np.ndarray:
        """Return the outputs for many examples, computed in batches.

        Parameters
        ----------
        x : ndarray of shape (N, *input_shape)
        batch_size : int
            How many at a time; it changes the memory needed, and the result by no more than rounding.

        Returns
        -------
        ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError
            If the model has not been built.
        ValueError, TypeError
            If `x` does not have the shape or the type that it was built for, or `batch_size` is no int from 1 on.
        """
        batch_size = whole_number(batch_size, "batch_size", "predict")
        x = np.asarray(x)
        if x.ndim == 0 or len(x) <= batch_size:
            return self.forward(x)
        return np.concatenate([self.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])

    # ------------------------------------------------------------------------------------------- knowing and keeping it

    def summary(self) -> Summary:
        """Return a table of the layers: output shape, parameters, multiply-adds, activations, receptive field.

        Returns
        -------
        Summary
            Printed as a table.

        Raises
        ------
        RuntimeError
            If the model has not been built.
        """
        return summarize(self)

    def save(self, path: str | Path) -> None:
        """Write architecture, weights and metadata to a safetensors file; `numpycnn.load_model` reads it.

        The file is written beside `path` first and then moved over it, so that no half-written file can be left.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        RuntimeError
            If the model has not been built.
        TypeError
            If JSON cannot hold the metadata, or a layer has another argument than numbers, strings, layers and lists.
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or `path` is one.
        """
        save_model(self, self.metadata, path)

    def load_torch(self, path: str | Path, *, ignore: Sequence[str] = ()) -> "Sequential":
        """Load weights that were trained in PyTorch, all or nothing, and return this model.

        Parameters
        ----------
        path : str or Path
            A state dict in a safetensors file: ``safetensors.torch.save_file(module.state_dict(), path)``.
        ignore : sequence of str
            Arrays whose names begin so are passed over. Batch norm's counters always are.

        Returns
        -------
        Sequential
            This model.

        Raises
        ------
        DataFormatError
            If the file is no such file or a damaged one, or names or shapes are not those of this model; the message
            lists them. See `numpycnn.state_dict` for what the arrays are called.
        FileNotFoundError
            If there is none.
        RuntimeError
            If the model has not been built.
        ValueError
            If two arrays of the model would have the same name.
        """
        self._check_built()
        load_torch(self, path, ignore)
        return self

    def save_torch(self, path: str | Path) -> None:
        """Write the weights as a state dict for PyTorch: ``module.load_state_dict(safetensors.torch.load_file(path))``.

        The names are those that `load_torch` reads. Architecture and metadata are not in it; `save` keeps them.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        RuntimeError
            If the model has not been built.
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or `path` is one.
        ValueError
            If two arrays of the model would have the same name.
        """
        self._check_built()
        save_torch(self, path)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments for an equal block."""
        return {"layers": self._layers, "seed": self.seed, "name": self.name}

    def __repr__(self) -> str:
        if not self._layers:
            return "Sequential([])"
        inner = "".join("    " + repr(layer).replace("\n", "\n    ") + ",\n" for layer in self._layers)
        settings = "" if self.input_shape is None else f", input_shape={spell(self.input_shape)}"
        settings += f", seed={self.seed}" if self.seed else ""
        settings += f", name={self.name!r}" if self.name else ""
        return f"Sequential([\n{inner}]{settings})"
