"""What a layer is: something that is built for an input shape, goes forward, and goes backward.

A layer of your own fills in three hooks, of which the first is only needed where there is something to learn:

    def _build(self, input_shape, rng):                         # make Parameters; return the output shape
    def _forward(self, x, *, training, differentiable):         # return y, and what the backward will need
    def _backward(self, dy, cache):                             # set each parameter's grad; return dx

The public methods around them check the arguments, keep the cache, and put the layer's name into every error.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from numpycnn.functional.checks import FLOATS, check_flag, in_order, spell, whole_number
from numpycnn.layers.building import all_or_nothing, expect_built_for
from numpycnn.layers.parameter import Parameter as Parameter

Shape = tuple[int, ...]


class Layer:
    """Base class of all layers. Shapes are without the batch axis where a layer is built, and with it in the arrays.

    Parameters
    ----------
    name : str, optional
        What errors and the summary call the layer.

    Raises
    ------
    TypeError
        If `name` is no string.

    Attributes
    ----------
    name : str or None
    input_shape, output_shape : tuple of int or None
        None until the layer is built.
    dtype : dtype or None
        Of the parameters and of all arrays that go through.
    """

    name: str | None = None
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    dtype: Any = None

    #: Whether the layers inside work one after the other, and not side by side.
    chained = False

    #: The batched input shape that `forward` asks for, with names for axes of any size; None accepts every shape.
    _expected: tuple[int | str, ...] | None = None
    _cache: Any = None
    _place = ""  # position in the model that it was put into last, like "7" or "3.main.0"
    _seeded = True  # False where it was built without a generator

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: expected name to be a string, got {type(name).__name__} {name!r}")
        self.name = name

    # ----------------------------------------------------------------------------------- hooks for the layers below

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        raise NotImplementedError(f"{type(self).__name__} does not say how to go forward: it needs a method _forward")

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not say how to go backward: it needs a method _backward")

    def _backward_parameters(self, dy: np.ndarray, cache: Any) -> None:
        """Set the parameters' gradients only; for layers that save time where nobody asks for ``dx``."""
        self._backward(dy, cache)

    def children(self) -> dict[str, "Layer"]:
        """Return the layers inside of this one, by name."""
        return {key: value for key, value in vars(self).items() if isinstance(value, Layer) and not key.startswith("_")}

    def multiply_adds(self) -> int:
        """Return how many multiplications with a weight one example costs."""
        return sum(child.multiply_adds() for child in self.children().values())

    def draw_input(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a random batch that this layer can work on, for checking its gradients.

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

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]] | None:
        """Return kernel size, stride and dilation for each axis if this layer slides a window, else None.

        For a layer that enlarges its input, how many inputs an output sees, and a fraction as the stride.
        """
        return None

    def mixes_all(self) -> bool:
        """Return whether each output depends on every position of the input."""
        assert self.input_shape is not None
        assert self.output_shape is not None
        return not len(self.output_shape) == len(self.input_shape) > 1

    # --------------------------------------------------------------------------------------------- building a layer

    @property
    def label(self) -> str:
        """Who this is, for errors: ``Dense 'fc1' (layer 7)``."""
        return self._label(self._place)

    def _label(self, place: str) -> str:
        name = f" {self.name!r}" if self.name else ""
        where = f" (layer {place})" if place else ""
        return f"{type(self).__name__}{name}{where}"

    def label_of(self, layer: "Layer") -> str:
        """Return the label of a layer by its place inside this one; it may be part of another model as well.

        Parameters
        ----------
        layer : Layer

        Returns
        -------
        str
        """
        if layer is not self and layer._place:
            for place, found in self._walk().items():
                if found is layer:
                    return layer._label(place)
        return layer.label

    def build(self, input_shape: Sequence[int], *, rng: Any = 0, dtype: Any = np.float32) -> Shape:
        """Make the parameters for inputs of a shape, unless the layer is built already.

        A built layer keeps its parameters, its buffers and the state of its generators, also where a model that it is
        put into builds its layers, and draws nothing from `rng`. For other weights, make a new layer. Inside of a
        container, the layers that are not built yet are built, and a generator with the same stream as another gets one
        of its own. If that fails, the layers that were not built before are not built after it.

        Parameters
        ----------
        input_shape : tuple of int
            Without the batch axis.
        rng : Generator or int or None
            Where the initial weights are drawn from; a number is a seed. None leaves them zero, to be loaded.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        tuple of int
            The output shape, without the batch axis.

        Raises
        ------
        ValueError
            If the layer cannot work on such inputs, or is built for another shape.
        TypeError
            If the shape is no sequence of ints, the dtype is another one, or the layer is built for the other one.
        MemoryError
            If there is no room for the parameters.
        """
        try:
            if not isinstance(input_shape, tuple | list):
                raise TypeError(f"expected input_shape to be a tuple of ints, got {input_shape!r}")
            shape = tuple(whole_number(size, "input_shape", "build") for size in input_shape)
            if np.dtype(dtype) not in FLOATS:
                raise TypeError(f"expected dtype float32 or float64, got {np.dtype(dtype)}")
            if self.output_shape is not None:
                expect_built_for(self, shape, np.dtype(dtype))
                return self.output_shape
            generator = None if rng is None else np.random.default_rng(rng)
            with all_or_nothing(self):
                self.dtype = np.dtype(dtype)
                output = self._build(shape, generator)
                if not isinstance(output, tuple):
                    raise TypeError(f"expected _build to return the output shape, a tuple, got {output!r}")
                self.output_shape, self.input_shape = output, shape
                self._seeded = generator is not None
        except (ValueError, TypeError, MemoryError) as error:
            raise self._named(error) from None
        return self.output_shape

    def _named(self, error: Exception) -> Exception:
        """Put the label in front of a message, in place of the name of the function that complained.

        The error passes each container on its way out. The last one, which the caller knows, determines the place.
        """
        layer, message = getattr(error, "source", (self, None))
        kind = MemoryError if isinstance(error, MemoryError) else type(error)  # NumPy's own takes other arguments
        if message is None:
            message = str(error)
            operation, colon, rest = message.partition(": ")
            if colon and " " not in operation:
                message = rest
            if kind is MemoryError:
                message += "; make the layer, or its input, smaller"
        named: Any = kind(f"{self.label_of(layer)}: {message}")
        named.source = layer, message
        named.given = getattr(error, "given", "")
        return named

    def _settle(self, place: str) -> None:
        """Learn where in a model this layer stands."""
        self._place = place
        for key, child in self.children().items():
            child._settle(f"{place}.{key}" if place else key)

    def _walk(self) -> dict[str, "Layer"]:
        """Return this layer and all inside of it, by their places and in the order of the model."""
        found: dict[str, Layer] = {}
        ahead: list[tuple[str, Layer]] = [("", self)]
        while ahead:
            place, layer = ahead.pop()
            found[place] = layer
            children = [(f"{place}.{key}" if place else key, child) for key, child in layer.children().items()]
            ahead.extend(reversed(children))
        return found

    # ----------------------------------------------------------------------------------------- forward and backward

    def __call__(self, x: Any, *, training: bool = False, differentiable: bool = False) -> np.ndarray:
        """Return ``forward(x)``."""
        return self.forward(x, training=training, differentiable=differentiable)

    def forward(self, x: Any, *, training: bool = False, differentiable: bool = False) -> np.ndarray:
        """Return the output for a batch.

        Parameters
        ----------
        x : ndarray of shape (N, *input_shape)
        training : bool
            Switch dropout and batch statistics on. Implies `differentiable`.
        differentiable : bool
            Keep what `backward` needs. Without it nothing is written to the layer, so that several threads may predict
            with it at once.

        Returns
        -------
        ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError
            If the layer has not been built.
        ValueError, TypeError
            If `x` does not have the shape or the type that the layer was built for.
        """
        try:
            training = check_flag(training, "training", "forward")
            differentiable = check_flag(differentiable, "differentiable", "forward") or training
            x = self._check_input(x)
            result = self._forward(x, training=training, differentiable=differentiable)
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"expected _forward to return (output, cache), got {type(result).__name__}")
            y, cache = result
        except (ValueError, TypeError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not hasattr(error, "source"):
                raise
            raise self._named(error) from None
        if differentiable:
            self._cache = (cache, y.shape)
        return y

    def backward(self, dy: Any) -> np.ndarray:
        """Set the gradients of the parameters, and return that of the input.

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
            If there was no such forward pass, or its backward pass has been done.
        ValueError, TypeError
            If `dy` does not have the shape or the type of the output.
        """
        return self._go_back(self._input_gradient, dy)

    def _input_gradient(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = self._backward(dy, cache)
        if not isinstance(dx, np.ndarray):
            raise TypeError(f"expected _backward to return the gradient of the input, an array, got {dx!r}")
        if dx.shape != (len(dy), *(self.input_shape or ())):
            raise ValueError(
                f"expected _backward to return the gradient of the input, {spell(('N', *(self.input_shape or ())))}, "
                f"got {spell(dx.shape)}"
            )
        return dx

    def backward_parameters(self, dy: Any) -> None:
        """Set the gradients of the parameters as `backward` does, where that of the input is of no interest.

        That is so for the first layer in training; a convolution saves a third of its work by it.

        Parameters
        ----------
        dy : ndarray of shape (N, *output_shape)

        Raises
        ------
        RuntimeError, ValueError, TypeError
            As `backward`.
        """
        self._go_back(self._backward_parameters, dy)

    def _go_back(self, hook: Callable[[np.ndarray, Any], Any], dy: Any) -> Any:
        if self._cache is None:
            raise self._named(
                RuntimeError(
                    "backward needs a forward pass before it, with training=True or differentiable=True; "
                    "each forward pass serves one backward"
                )
            )
        cache, shape = self._cache
        try:
            dy = np.asarray(dy)
            if dy.dtype != self.dtype:
                raise TypeError(f"expected dy of {self.dtype}, got {dy.dtype}")
            if dy.shape != shape:
                raise ValueError(f"expected dy {spell(shape)} like the output, got {spell(dy.shape)}")
            dx = hook(in_order(dy), cache)
        except (ValueError, TypeError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not hasattr(error, "source"):
                raise
            raise self._named(error) from None
        self._cache = None
        return dx

    def forget(self) -> None:
        """Let go of what the last forward pass kept for the backward one."""
        self._cache = None
        for child in self.children().values():
            child.forget()

    def _check_built(self) -> None:
        if self.output_shape is None:
            raise RuntimeError(
                f"{self.label} is not built yet: call build(input_shape) first, "
                "or give it to a Sequential with an input_shape"
            )

    def _check_input(self, x: Any) -> np.ndarray:
        self._check_built()
        x = np.asarray(x)
        if x.dtype != self.dtype and not self.children():  # the layers inside know best what they take
            raise TypeError(
                f"expected {self.dtype}, got {x.dtype}; convert the input with x.astype(np.{self.dtype}) "
                "or build the model with another dtype"
            )
        if self._expected is None:
            fits = x.ndim >= 1
        else:
            fits = x.ndim == len(self._expected) and all(
                wanted == size
                for wanted, size in zip(self._expected, x.shape, strict=True)
                if not isinstance(wanted, str)
            )
        if not fits:
            error: Any = ValueError(f"expected {spell(self._expected or ('N', '...'))}, got {spell(x.shape)}")
            error.given = f"{x.shape[1]} features" if x.ndim == 2 else spell(x.shape[1:])
            raise error
        return in_order(x)  # the last bits of a sum depend on the order in memory

    # ------------------------------------------------------------------------------------------- what a layer holds

    def _own(self, kind: type) -> Iterator[tuple[str, Any]]:
        return ((k, v) for k, v in vars(self).items() if isinstance(v, kind) and not k.startswith("_"))

    def parameters(self) -> dict[str, Parameter]:
        """Return what is trained, by name and in the order of definition."""
        found = dict(self._own(Parameter))
        for key, child in self.children().items():
            found.update({f"{key}.{name}": parameter for name, parameter in child.parameters().items()})
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays that are saved, by name: values of parameters, then buffers (such as running means)."""
        found = {name: parameter.value for name, parameter in self._own(Parameter)}
        found.update(self._own(np.ndarray))
        for key, child in self.children().items():
            found.update({f"{key}.{name}": array for name, array in child.state().items()})
        return found

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Copy arrays as returned by `state` into this layer, all or nothing.

        Parameters
        ----------
        state : dict of str to ndarray

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs.
        """
        mine = self.state()
        missing, unknown = sorted(mine.keys() - state.keys()), sorted(state.keys() - mine.keys())
        if missing or unknown:
            parts = [f"missing {', '.join(missing)}"] * bool(missing)
            parts += [f"unknown {', '.join(unknown)}"] * bool(unknown)
            raise ValueError(f"{self.label}: the arrays do not belong to this model: {'; '.join(parts)}")
        for key, array in mine.items():
            if np.shape(state[key]) != array.shape:
                raise ValueError(
                    f"{self.label}: expected {key} {spell(array.shape)}, got {spell(np.shape(state[key]))}"
                )
        for key, array in mine.items():
            array[...] = state[key]

    def random_generators(self) -> dict[str, np.random.Generator]:
        """Return the sources of randomness inside (as in dropout), by name, for a checkpoint to keep their state."""
        found = self._generators()
        for key, child in self.children().items():
            found.update({f"{key}.{name}": rng for name, rng in child.random_generators().items()})
        return found

    def _generators(self) -> dict[str, np.random.Generator]:
        return {k: v for k, v in vars(self).items() if isinstance(v, np.random.Generator)}

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        ``type(layer)(**layer.config())`` is an equal layer that is not built; in a container, the layers inside are the
        same. Every argument is kept as the attribute of the same name.
        """
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        shown, config = [], self.config()
        for name, argument in inspect.signature(type(self)).parameters.items():
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(config[name]))
            elif config[name] != argument.default:
                shown.append(f"{name}={config[name]!r}")
        return f"{type(self).__name__}({', '.join(shown)})"
