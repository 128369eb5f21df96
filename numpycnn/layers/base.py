"""The base class of layers: build, forward pass, backward pass, parameters and names.

A custom layer implements three methods, the first of them only if the layer has parameters or changes the shape:

    def _build(self, input_shape, rng):                         # create Parameters; return the output shape
    def _forward(self, x, *, training, differentiable):         # return y, and a cache for the backward pass
    def _backward(self, dy, cache):                             # set each parameter's grad; return dx

In a layer with several inputs (`several_inputs`) ``input_shape``, ``x`` and ``dx`` are tuples, one item for each input;
in one with several outputs (`output_count`) the output shape, ``y`` and ``dy`` are.

The public methods around them check the arguments, keep the cache, and add the layer's name to every error.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from numpycnn._checks import check_dtype, check_flag, check_unmasked, format_shape
from numpycnn._types import Shape as Shape
from numpycnn.layers.building import check_built_for, restore_on_failure
from numpycnn.layers.checking import (
    ForeignSetting,
    check_input,
    check_input_gradient,
    check_input_shape,
    check_inputs,
    check_output_gradient,
    shapes_of,
)
from numpycnn.layers.labels import Labeled
from numpycnn.layers.nodes import connect, holds_nodes
from numpycnn.layers.parameter import Parameter as Parameter


class Layer(Labeled):
    """Base class of all layers. Shapes given at build exclude the batch axis; arrays include it.

    Parameters
    ----------
    name : str, optional
        Name of the layer in errors and in the summary.

    Raises
    ------
    TypeError
        If `name` is not a string.

    Attributes
    ----------
    name : str or None
    input_shape, output_shape : tuple of int or None
        None until the layer is built.
    dtype : dtype or None
        Of the parameters, inputs and outputs.
    """

    input_shape: Shape | None = None
    output_shape: Shape | None = None
    dtype: Any = None

    #: Whether the layers inside are applied in sequence, and not in parallel.
    chained = False

    #: Whether the layer takes several inputs, as a tuple.
    several_inputs = False

    #: Number of outputs; if there is more than one, they form a tuple.
    output_count = 1

    requires_grad = ForeignSetting("set layer.trainable = False to freeze it")
    frozen = ForeignSetting("set layer.trainable = False to freeze it")
    kernel_regularizer = ForeignSetting("give l2= to the loss, or weight_decay= to the optimizer")

    #: The batched input shape that `forward` requires, with names for axes of any size; None accepts every shape.
    _expected: tuple[int | str, ...] | None = None
    _cache: Any = None
    _seeded = True  # False if it was built without a generator
    _trainable = True

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: expected name to be a string, got {type(name).__name__} {name!r}")
        self.name = name

    # ----------------------------------------------------------------------------------- methods for subclasses

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        return input_shape

    def _forward(self, x: Any, *, training: bool, differentiable: bool) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no forward pass: implement _forward")

    def _backward(self, dy: Any, cache: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no backward pass: implement _backward")

    def _backward_parameters(self, dy: Any, cache: Any) -> None:
        """Set the gradients of the parameters only; overridden by layers that save time without ``dx``."""
        self._backward(dy, cache)

    def children(self) -> dict[str, "Layer"]:
        """Return the layers inside this one, by name."""
        found = {}
        for key, value in vars(self).items():
            if isinstance(value, Layer) and key[0] != "_":
                found[key] = value
        return found

    def multiply_adds(self) -> int:
        """Return the number of multiplications with a weight for one example."""
        return sum(child.multiply_adds() for child in self.children().values())

    def draw_input(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a random valid batch for one input, for checking the gradients.

        Parameters
        ----------
        shape : tuple of int
            With the batch axis.
        rng : Generator

        Returns
        -------
        ndarray of shape `shape`
        """
        for child in self.children().values():
            return child.draw_input(shape, rng)
        return rng.normal(size=shape).astype(self.dtype)

    def draw_inputs(self, shapes: Sequence[Shape], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return a random valid batch for each input, for checking the gradients.

        Parameters
        ----------
        shapes : sequence of tuple of int
            One for each input, with the batch axis.
        rng : Generator

        Returns
        -------
        tuple of ndarray
        """
        return tuple(self.draw_input(shape, rng) for shape in shapes)

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]] | None:
        """Return kernel size, stride and dilation for each axis if this layer slides a window, else None.

        For a layer that enlarges its input, the number of inputs of one output, and a fraction as the stride.
        """
        return None

    def mixes_all(self) -> bool:
        """Return whether each output depends on every position of the input."""
        assert self.input_shape is not None
        assert self.output_shape is not None
        return not len(self.output_shape) == len(self.input_shape) > 1

    def is_container(self) -> bool:
        """Return whether the layer only passes data to the layers inside."""
        return bool(self.children())

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer; setting it also sets it for all layers inside.

        Optimizers leave the parameters of a frozen layer (``layer.trainable = False``) as they are, and batch
        normalization uses its running statistics and leaves them, as in Keras. Dropout stays active.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = check_flag(value, "trainable", type(self).__name__)
        for layer in self.walk().values():
            layer._trainable = value
            layer._mark_parameters()

    def has_trainable_parameters(self) -> bool:
        """Return whether there is a parameter in this layer, or inside, that optimizers change."""
        return any(parameter.trainable for parameter in self.parameters().values())

    def _mark_parameters(self) -> None:
        """Tell the layer's own parameters whether they are trainable."""
        for value in vars(self).values():
            if isinstance(value, Parameter):
                value.trainable = self._trainable

    _check_input = check_input  # a layer whose input has another dtype overrides it

    # --------------------------------------------------------------------------------------------- building a layer

    def build(self, input_shape: Sequence[int], *, rng: Any = 0, dtype: Any = np.float32) -> Shape:
        """Create the parameters for an input shape, unless the layer is already built.

        A built layer keeps its parameters, its buffers and the state of its generators, also when a model that contains
        it is built, and draws nothing from `rng`. For other weights, make a new layer. In a container, the layers that
        are not yet built are built, and a generator with the same stream as another one gets a new stream. If the build
        fails, these layers are left unbuilt.

        Parameters
        ----------
        input_shape : tuple of int, or tuple of them for several inputs
            Without the batch axis.
        rng : Generator or int or None
            Source of the initial weights; an int is a seed. None leaves them zero, to be loaded.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        tuple of int
            The output shape, without the batch axis.

        Raises
        ------
        ValueError
            If the layer does not support the input shape, or is built for another one.
        TypeError
            If the shape is not a sequence of ints, or the dtype is unsupported, or not the one the layer is built for.
        MemoryError
            If the parameters do not fit into memory.
        """
        try:
            shape = check_input_shape(self, input_shape)
            dtype = check_dtype(dtype, "build")
            if self.output_shape is not None:
                check_built_for(self, shape, dtype)
                return self.output_shape
            generator = None if rng is None else np.random.default_rng(rng)
            with restore_on_failure(self):
                self.dtype = dtype
                output = self._build(shape, generator)
                if not isinstance(output, tuple):
                    raise TypeError(f"expected _build to return the output shape, a tuple, got {output!r}")
                self.output_shape, self.input_shape = output, shape
                self._seeded = generator is not None
                self._mark_parameters()
        except (ValueError, TypeError, MemoryError) as error:
            raise self._with_label(error) from None
        return self.output_shape

    def walk(self) -> dict[str, "Layer"]:
        """Return this layer and all layers inside, by place, in order; the place of this layer is ``""``.

        Returns
        -------
        dict of str to Layer

        Examples
        --------
        >>> from numpycnn import Dense, ReLU, Residual, Sequential
        >>> list(Sequential([Dense(2), Residual(ReLU())]).walk())
        ['', '0', '1', '1.main']
        """
        found: dict[str, Layer] = {}
        pending: list[tuple[str, Layer]] = [("", self)]
        while pending:
            place, layer = pending.pop()
            found[place] = layer
            children = layer.children()
            for key in reversed(children):
                pending.append((f"{place}.{key}" if place else key, children[key]))
        return found

    def _find(self, kind: type, private: bool = False) -> dict[str, Any]:
        """Return the attributes of a type in this layer and all layers inside, by name (``"0.weight"``)."""
        found = {}
        for place, layer in self.walk().items():
            for name, value in vars(layer).items():
                if isinstance(value, kind) and (private or name[0] != "_"):
                    found[f"{place}.{name}" if place else name] = value
        return found

    # ----------------------------------------------------------------------------------------- forward and backward

    def __call__(self, x: Any, *, training: bool = False, differentiable: bool = False) -> Any:
        """Return ``forward(x)`` for arrays; for nodes of a graph, see `Model`, the node of the output."""
        if holds_nodes(x):
            return connect(self, x)
        return self.forward(x, training=training, differentiable=differentiable)

    def forward(self, x: Any, *, training: bool = False, differentiable: bool = False) -> Any:
        """Return the output for a batch.

        Parameters
        ----------
        x : ndarray of shape (N, *input_shape), or tuple of them for several inputs
            Convolutions and pooling accept other spatial sizes. The output may share memory with `x`, and the cache may
            hold either: change neither in place before `backward`.
        training : bool
            Use dropout and batch statistics. Implies `differentiable`.
        differentiable : bool
            Keep the cache that `backward` needs. Otherwise nothing is written to the layer, so several threads may
            predict with it at once.

        Returns
        -------
        ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError
            If the layer has not been built.
        ValueError, TypeError
            If `x` does not have the shape or the dtype that the layer was built for.
        """
        try:
            training = training if type(training) is bool else check_flag(training, "training", "forward")
            if type(differentiable) is not bool:
                check_flag(differentiable, "differentiable", "forward")
            differentiable = bool(differentiable or training)
            if self.output_shape is None:
                self._check_built()
            x = check_inputs(self, x) if self.several_inputs else self._check_input(x)
            result = self._forward(x, training=training, differentiable=differentiable)
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"expected _forward to return (output, cache), got {type(result).__name__}")
            y, cache = result
        except (ValueError, TypeError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not hasattr(error, "source"):
                raise
            raise self._with_label(error) from None
        if differentiable:
            input_shape = shapes_of(x) if self.several_inputs else x.shape
            self._cache = (cache, input_shape, shapes_of(y) if self.output_count > 1 else y.shape)
        return y

    def backward(self, dy: Any) -> Any:
        """Set the gradients of the parameters, and return the gradient of the input.

        Parameters
        ----------
        dy : ndarray of shape (N, *output_shape)
            Gradient of the loss with respect to the output of the last differentiable `forward`.

        Returns
        -------
        ndarray of shape (N, *input_shape)
            Gradient of the loss with respect to the input.

        Raises
        ------
        RuntimeError
            If `forward` was called with neither `training` nor `differentiable`, or its backward pass is done.
        ValueError, TypeError
            If `dy` does not have the shape or the dtype of the output.
        """
        return self._run_backward(dy, input_gradient=True)

    def backward_parameters(self, dy: Any) -> None:
        """Set the gradients of the parameters as `backward` does, without computing the gradient of the input.

        For the first layer in training, which needs no gradient of its input; saves a third of a convolution's work.

        Parameters
        ----------
        dy : ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError, ValueError, TypeError
            As `backward`.
        """
        self._run_backward(dy, input_gradient=False)

    def _run_backward(self, dy: Any, *, input_gradient: bool) -> Any:
        if self._cache is None:
            raise self._with_label(
                RuntimeError(
                    "backward needs a forward pass before it, with training=True or differentiable=True; "
                    "each forward pass allows one backward pass"
                )
            )
        cache, input_shape, shape = self._cache
        dx = None
        try:
            dy = check_output_gradient(self, dy, shape)
            if input_gradient:
                dx = self._backward(dy, cache)
                check_input_gradient(dx, input_shape)
            else:
                self._backward_parameters(dy, cache)
        except (ValueError, TypeError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not hasattr(error, "source"):
                raise
            raise self._with_label(error) from None
        self._cache = None
        return dx

    def forget(self) -> None:
        """Drop the cache of the last forward pass."""
        for layer in self.walk().values():
            layer._cache = None

    def _check_built(self) -> None:
        if self.output_shape is None:
            raise RuntimeError(
                f"{self.label} is not built yet: call build(input_shape) first, "
                "or add it to a Sequential with an input_shape"
            )

    # ------------------------------------------------------------------------------------------- parameters and state

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters, by name, in the order of definition."""
        return self._find(Parameter)

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays that are saved, by name: values of parameters, and buffers (such as running means)."""
        return {
            name: found.value if isinstance(found, Parameter) else found
            for name, found in self._find(Parameter | np.ndarray).items()  # type: ignore[arg-type]
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Copy arrays, as returned by `state`, into this layer; on an error nothing is copied.

        Parameters
        ----------
        state : dict of str to ndarray

        Raises
        ------
        ValueError, TypeError
            If a name is missing or unknown, a shape differs, or an array is masked or does not hold real numbers.
        """
        mine = self.state()
        missing, unknown = sorted(mine.keys() - state.keys()), sorted(state.keys() - mine.keys())
        if missing or unknown:
            parts = [f"missing {', '.join(missing)}"] * bool(missing)
            parts += [f"unknown {', '.join(unknown)}"] * bool(unknown)
            raise ValueError(f"{self.label}: the arrays do not match this model: {'; '.join(parts)}")
        new = {key: check_unmasked(state[key], key, "load_state") for key in mine}
        for key, array in new.items():
            if array.shape != mine[key].shape:
                expected, got = format_shape(mine[key].shape), format_shape(array.shape)
                raise ValueError(f"{self.label}: expected {key} {expected}, got {got}")
            if array.dtype.kind not in "fiu":
                raise ValueError(f"{self.label}: expected {key} to hold real numbers, got {array.dtype}")
        for key, array in new.items():
            mine[key][...] = array

    def random_generators(self) -> dict[str, np.random.Generator]:
        """Return the random generators inside (such as dropout's), by name, for checkpoints."""
        return self._find(np.random.Generator, private=True)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        ``type(layer).from_config(layer.config())`` is an equal unbuilt layer; a container shares the layers inside.
        Each argument is stored as an attribute of the same name.
        """
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make an unbuilt layer from the result of `config`.

        Parameters
        ----------
        config : dict of str to object

        Returns
        -------
        Layer
        """
        return cls(**config)

    def __repr__(self) -> str:
        shown, config = [], self.config()
        for name, argument in inspect.signature(type(self)).parameters.items():
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(config[name]))
            elif config[name] != argument.default:
                shown.append(f"{name}={config[name]!r}")
        return f"{type(self).__name__}({', '.join(shown)})"
