"""The base class of layers: build, forward pass, backward pass, parameters and names.

A custom layer implements three methods, the first of them only if the layer has parameters or changes the shape:

    def _build(self, input_shape, rng):                         # create Parameters; return the output shape
    def _forward(self, x, *, training, differentiable):         # return y, and a cache for the backward pass
    def _backward(self, dy, cache):                             # set each parameter's grad; return dx

In a layer with several inputs (`several_inputs`) ``input_shape``, ``x`` and ``dx`` are tuples, one item for each input;
in one with several outputs (`output_count`) the output shape, ``y`` and ``dy`` are.

The public methods around them check the arguments, keep the cache, and add the layer's name to every error.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import as_contiguous, check_dtype, check_flag
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
from numpycnn.layers.nodes import connect, holds_nodes
from numpycnn.layers.parameter import Parameter as Parameter
from numpycnn.layers.tree import Tree


class Layer(Tree):
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
    _copies_input = True  # whether an input that is not contiguous, or not in native byte order, is copied
    _cache: Any = None
    _seeded = True  # False if it was built without a generator

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
                self._check_parameters()
                self.output_shape, self.input_shape = output, shape
                self._seeded = generator is not None
                self._mark_parameters()
        except (ValueError, TypeError, MemoryError) as error:
            raise self._with_label(error) from None
        return self.output_shape

    def _check_parameters(self) -> None:
        """Check that ``_build`` made the layer's own parameters in its dtype."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter) and value.value.dtype != self.dtype:
                raise TypeError(f"expected the parameter {name} in self.dtype, {self.dtype}, got {value.value.dtype}")

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
            if type(dy) is np.ndarray and dy.shape == shape and dy.dtype == self.dtype:  # without further calls
                dy = as_contiguous(dy)
            else:
                dy = check_output_gradient(self, dy, shape)
            if input_gradient:
                dx = self._backward(dy, cache)
                if type(dx) is not np.ndarray or dx.shape != input_shape:
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
