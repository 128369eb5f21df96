"""The base class of networks: seed, dtype, predictions, summary and files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from numpycnn._checks import check_dtype, check_int, check_unmasked
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.checking import check_inputs

if TYPE_CHECKING:
    from numpycnn.inspection.summary import Summary

OWN_SEED: Any = object()  # stands for the seed of the model that is built


class Network(Layer):
    """What `Sequential` and `Model` share."""

    _dtype: Any = None  # given to the constructor

    def __init__(self, *, seed: int, dtype: Any, name: str | None) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.seed = check_int(seed, "seed", kind, minimum=0)
        self._dtype = None if dtype is None else check_dtype(dtype, kind)
        self.metadata: dict[str, Any] = {}

    def build(self, input_shape: Any, *, rng: Any = OWN_SEED, dtype: Any = None) -> Shape:
        """Build the unbuilt layers, with the model's own seed and dtype unless others are given.

        See `Layer.build`.
        """
        own = self.dtype if self.output_shape is not None else self._dtype
        if dtype is None:
            dtype = own or np.float32
        elif self.output_shape is None and own is not None and check_dtype(dtype, "build") != own:
            raise TypeError(f"{self.label}: expected dtype {own}, as given to it before, got {np.dtype(dtype)}")
        return super().build(input_shape, rng=self.seed if rng is OWN_SEED else rng, dtype=dtype)

    def _sources(self, layer: Layer) -> list[Layer]:
        """Return the layers inside whose outputs are the inputs of a layer."""
        raise NotImplementedError

    def _with_label(self, error: Exception) -> Exception:
        """Add the layers whose outputs were refused."""
        named: Any = super()._with_label(error)
        layer, message = named.source
        sources = self._sources(layer) if named.given else []
        if sources:
            labels = " and ".join(dict.fromkeys(source._label("") for source in sources))
            before = "the layer before it" if len(sources) == 1 else "the layers before it"
            output = "outputs" if len(sources) == 1 else "output"
            named.source = layer, f"{message}; {before}, {labels}, {output} {named.given}"
            named.given = ""
            return super()._with_label(named)
        return named

    def predict(self, x: Any, *, batch_size: int = 256) -> Any:
        """Return the outputs for many examples, computed in batches.

        Parameters
        ----------
        x : ndarray of shape (N, *input_shape), a tuple of arrays for several inputs, or a data set
            The examples of a data set, such as a `Dataset`, are normalized as it has been set.
        batch_size : int
            Examples at a time; it affects the memory use, and the result only by rounding.

        Returns
        -------
        ndarray of shape (N, *output_shape), or a tuple of them for several outputs
            They may share memory with each other and with `x`, as the result of `Flatten` does; copy an array before
            you change it in place.

        Raises
        ------
        RuntimeError
            If the model has not been built.
        ValueError, TypeError
            If `x` has another shape or dtype than the model, or `batch_size` is not an int of at least 1.
        """
        batch_size = check_int(batch_size, "batch_size", "predict")
        self._check_built()
        outputs = [self.forward(batch) for batch in self._batches(x, batch_size)]
        if len(outputs) == 1:
            return outputs[0]
        if self.output_count > 1:
            return tuple(np.concatenate(parts) for parts in zip(*outputs, strict=True))
        return np.concatenate(outputs)

    def _batches(self, x: Any, batch_size: int) -> Iterator[Any]:
        """Yield the inputs from an array, a tuple of arrays or a data set."""
        if is_dataset := hasattr(x, "batch"):
            count = len(x)
        elif self.several_inputs:
            try:
                x = check_inputs(self, x)
            except (ValueError, TypeError) as error:
                raise self._with_label(error) from None
            count = len(x[0])
        else:
            x = check_unmasked(x, "x", "predict")
            count = len(x) if x.ndim else 1
        for begin in range(0, max(1, count), batch_size):
            end = min(begin + batch_size, count)
            if is_dataset:
                yield x.batch(np.arange(begin, end), self.dtype)[0]
            elif self.several_inputs:
                yield tuple(array[begin:end] for array in x)
            else:
                yield x[begin:end] if x.ndim else x

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

    def load_torch(
        self, path: str | Path, *, ignore: Sequence[str] = (), names: Mapping[str, str] | None = None
    ) -> Self:
        """Load weights from PyTorch and return this model; on an error nothing is changed.

        Parameters
        ----------
        path : str or Path
            A state dict in a safetensors file: ``safetensors.torch.save_file(module.state_dict(), path)``.
        ignore : sequence of str
            Prefixes of names: such arrays of the file are skipped, and such arrays of the model, as those of a new
            output layer, keep their values. The counters of batch normalization are always skipped.
        names : dict of str to str, optional
            Names in the file, where they differ, by those that this model expects: of arrays, as in ``{"0.weight":
            "conv1.weight"}``, or of layers, as in ``{"0": "conv1"}``.

        Returns
        -------
        Sequential or Model
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
            If two arrays of the model would have the same name, or `names` has a name that the model does not expect.
        TypeError
            If `ignore` is not a list of strings, or `names` not a dict of strings.
        """
        from numpycnn.io.state_dict import load_torch

        self._check_built()
        load_torch(self, path, ignore, names)
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
            If two arrays of the model would have the same name, or the path has the ending of another format, such as
            ``.pt``, which is a pickle.
        """
        from numpycnn.io.state_dict import save_torch

        self._check_built()
        save_torch(self, path)
