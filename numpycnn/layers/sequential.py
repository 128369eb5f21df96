"""A network as a list of layers, applied in order."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from numpycnn._checks import check_dtype, check_int, check_unmasked, format_shape
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.building import check_not_shared, separate_streams

if TYPE_CHECKING:
    from numpycnn.inspection.summary import Summary

OWN_SEED: Any = object()  # stands for the seed of the model that is built
OWN_DTYPE: Any = object()


class Sequential(Layer):
    """Layers applied in order.

    Parameters
    ----------
    layers : iterable of Layer
    input_shape : tuple of int, optional
        Of one example, without the batch axis. If given, the layers are built immediately; otherwise the model that
        contains this block builds it, as in ``Residual(Sequential([...]))``.
    seed : int
        Determines all initial weights and dropout masks.
    dtype : dtype
        float32, or float64 for checking gradients.
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
        dtype: Any = np.float32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.seed = check_int(seed, "seed", "Sequential", minimum=0)
        self._dtype = check_dtype(dtype, "Sequential")
        self.metadata: dict[str, Any] = {}
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
                layer._set_place(place)
        separate_streams(self.random_generators().values())

    def children(self) -> dict[str, Layer]:
        """Return the layers, by position."""
        return {str(i): layer for i, layer in enumerate(self._layers)}

    def _with_label(self, error: Exception) -> Exception:
        """Add the layer whose output was refused."""
        named: Any = super()._with_label(error)
        layer, message = named.source
        for before, after in pairwise(self._layers):
            if after is layer and named.given:
                named.source = layer, f"{message}; the layer before it, {before._label('')}, outputs {named.given}"
                named.given = ""
                return super()._with_label(named)
        return named

    def build(self, input_shape: Sequence[int], *, rng: Any = OWN_SEED, dtype: Any = OWN_DTYPE) -> Shape:
        """Build the unbuilt layers, with the model's own seed and dtype unless others are given.

        See `Layer.build`.
        """
        if dtype is OWN_DTYPE:
            dtype = self._dtype
        elif self.output_shape is None and self._dtype != np.float32 and check_dtype(dtype, "build") != self._dtype:
            raise TypeError(f"{self.label}: expected dtype {self._dtype}, with which it was made, got {dtype}")
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
        """Stop at the first layer with parameters."""
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
        x : ndarray of shape (N, *input_shape), or a data set
            The examples of a data set, such as a `Dataset`, are normalized as it has been set.
        batch_size : int
            Examples at a time; it affects the memory use, and the result only by rounding.

        Returns
        -------
        ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError
            If the model has not been built.
        ValueError, TypeError
            If `x` has another shape or dtype than the model, or `batch_size` is not an int of at least 1.
        """
        batch_size = check_int(batch_size, "batch_size", "predict")
        if is_dataset := hasattr(x, "batch"):
            self._check_built()
        else:
            x = check_unmasked(x, "x", "predict")
            if x.ndim == 0 or len(x) <= batch_size:
                return self.forward(x)
        outputs = []
        for begin in range(0, max(1, len(x)), batch_size):
            end = min(begin + batch_size, len(x))
            outputs.append(self.forward(x.batch(np.arange(begin, end), self.dtype)[0] if is_dataset else x[begin:end]))
        return np.concatenate(outputs)

    # -------------------------------------------------------------------------------------------- inspection and files

    def summary(self) -> "Summary":
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
        from numpycnn.inspection.summary import summarize

        return summarize(self)

    def save(self, path: str | Path) -> None:
        """Write architecture, weights and metadata to a safetensors file; `numpycnn.load_model` reads it.

        The file is written to a temporary file and then renamed, so `path` is never incomplete.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        RuntimeError
            If the model has not been built.
        ValueError
            If it has more than 25,000 layers, or layers nested more than 32 deep.
        TypeError
            If the metadata is not JSON-serializable, or a layer has an argument other than numbers, strings, layers and
            lists.
        FileNotFoundError, IsADirectoryError
            If the folder does not exist, or `path` is a folder.
        ValueError
            If the path has the ending of another format, such as ``.onnx``.
        """
        from numpycnn.io.serialization import save_model

        save_model(self, self.metadata, path)

    def load_torch(self, path: str | Path, *, ignore: Sequence[str] = ()) -> "Sequential":
        """Load weights from PyTorch and return this model; on an error nothing is changed.

        Parameters
        ----------
        path : str or Path
            A state dict in a safetensors file: ``safetensors.torch.save_file(module.state_dict(), path)``.
        ignore : sequence of str
            Prefixes of the names of arrays to skip. The counters of batch normalization are always skipped.

        Returns
        -------
        Sequential
            This model.

        Raises
        ------
        DataFormatError
            If the file is not such a file or is damaged, or names or shapes do not match the model; the message lists
            them. See `numpycnn.io.state_dict` for the names of the arrays.
        FileNotFoundError
            If the file does not exist.
        RuntimeError
            If the model has not been built.
        ValueError
            If two arrays of the model would have the same name.
        """
        from numpycnn.io.state_dict import load_torch

        self._check_built()
        load_torch(self, path, ignore)
        return self

    def save_torch(self, path: str | Path) -> None:
        """Write the weights as a state dict for PyTorch: ``module.load_state_dict(safetensors.torch.load_file(path))``.

        The names are those that `load_torch` reads. Architecture and metadata are not included; `save` writes them.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        RuntimeError
            If the model has not been built.
        FileNotFoundError, IsADirectoryError
            If the folder does not exist, or `path` is a folder.
        ValueError
            If two arrays of the model would have the same name, or the path has the ending of another format; PyTorch's
            own ``.pt`` is one.
        """
        from numpycnn.io.state_dict import save_torch

        self._check_built()
        save_torch(self, path)

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
