"""Checks of what a layer is given: the shapes at build, and the arrays of the forward and the backward pass.

A layer with several inputs takes and returns tuples; each check of one array here has a twin for the tuple around it.
"""

import inspect
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from numpycnn._checks import as_contiguous, check_int, check_unmasked, fits_shape, format_shape
from numpycnn._types import Shape
from numpycnn.layers.building import advise_dtype

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


def check_positional(kind: type, arguments: tuple[Any, ...], hint: str) -> None:
    """Refuse more arguments without a name than the constructor of a layer takes, and name the layer."""
    parameters = inspect.signature(kind).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    if len(arguments) > len(names) and all(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters):
        shown = ", ".join(names)
        raise TypeError(f"{kind.__name__}: expected {kind.__name__}({shown}), got {len(arguments)} arguments; {hint}")


class ForeignSetting:
    """An attribute that layers of other libraries have: setting it is an error with the remedy.

    Parameters
    ----------
    remedy : str
        What to write instead.
    """

    def __init__(self, remedy: str) -> None:
        self.remedy = remedy

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: "Layer | None", owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no attribute {self.name!r}: {self.remedy}")

    def __set__(self, layer: "Layer", value: Any) -> None:
        raise AttributeError(f"{layer.label} has no setting {self.name!r}: {self.remedy}")


class BuildSetting:
    """A setting that `build` uses: an attribute of the layer that cannot be changed afterwards.

    There is a `__set__` and, at run time, no `__get__`: reading the attribute takes no call.
    """

    if TYPE_CHECKING:

        def __get__(self, layer: "Layer | None", owner: type) -> Any:
            """Return the value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, layer: "Layer", value: Any) -> None:
        if layer.output_shape is not None:
            raise AttributeError(
                f"{layer.label}: expected {self.name} as it was when the layer was built; make a new layer to change it"
            )
        vars(layer)[self.name] = value


def shapes_of(arrays: Any) -> Any:
    """Return the shape of an array, or the shapes of a tuple of arrays."""
    return arrays.shape if isinstance(arrays, np.ndarray) else tuple(array.shape for array in arrays)


def format_shapes(shapes: Any) -> str:
    """Format a shape, or the shapes of several arrays: ``(3, 4) and (5,)``."""
    if shapes and isinstance(shapes[0], tuple):
        return " and ".join(format_shape(shape) for shape in shapes)
    return format_shape(shapes)


def check_input_shape(layer: "Layer", given: Any) -> Any:
    """Return the input shape that `build` was given, or the tuple of the shapes of several inputs."""
    if not isinstance(given, tuple | list):
        raise TypeError(f"expected input_shape to be a tuple of ints, got {given!r}")
    several = bool(given) and all(isinstance(shape, tuple | list) for shape in given)
    if several and not layer.several_inputs:
        raise ValueError(f"expected one input, got {len(given)}; merge them first, with Concatenate() or Add()")
    if layer.several_inputs and not several:
        raise ValueError(f"expected several inputs, a tuple of shapes, got {given!r}")
    if several:
        return tuple(_check_sizes(shape) for shape in given)
    return _check_sizes(given)


def _check_sizes(shape: Any) -> Shape:
    if None in shape:
        raise TypeError(
            f"expected input_shape to be a tuple of ints, got {tuple(shape)!r}; give a usual size for None, "
            "inputs of other sizes are accepted where the layers allow them"
        )
    return tuple(check_int(size, "input_shape", "build") for size in shape)


def check_input(layer: "Layer", x: Any) -> np.ndarray:
    """Return a batch of the layer's dtype and the expected shape, as a contiguous array."""
    expected = layer._expected
    x = x if type(x) is np.ndarray else check_unmasked(x, "x", "forward")
    if x.dtype.newbyteorder("=") != layer.dtype and not layer.is_container():  # layers inside check their own input
        raise TypeError(f"expected {layer.dtype}, got {x.dtype}; {advise_dtype(x.dtype, layer.dtype)}")
    if not (x.ndim >= 1 if expected is None else fits_shape(x.shape, expected)):
        error: Any = ValueError(f"expected {format_shape(expected or ('N', '...'))}, got {format_shape(x.shape)}")
        error.given = f"{x.shape[1]} features" if x.ndim == 2 else format_shape(x.shape[1:])
        raise error
    return as_contiguous(x) if layer._copies_input else x


def check_inputs(layer: "Layer", x: Any) -> tuple[np.ndarray, ...]:
    """Return the batches for the inputs of a layer with several, which have the same number of examples."""
    count = len(layer.input_shape or ())
    if not isinstance(x, tuple | list) or len(x) != count:
        given = f"{len(x)} items" if isinstance(x, tuple | list) else type(x).__name__
        raise TypeError(f"expected a tuple of {count} arrays, one for each input, got {given}")
    arrays = tuple(check_input(layer, array) for array in x)
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"expected as many examples in each input, got {format_shapes(shapes_of(arrays))}")
    return arrays


def check_output_gradient(layer: "Layer", dy: Any, shape: Any) -> Any:
    """Return the gradient of the output, or the tuple of those of several outputs, as contiguous arrays."""
    if layer.output_count > 1:
        if not isinstance(dy, tuple | list) or len(dy) != layer.output_count:
            raise TypeError(f"expected dy as a tuple of {layer.output_count} arrays, one for each output")
        return tuple(_check_gradient(layer, part, each) for part, each in zip(dy, shape, strict=True))
    return _check_gradient(layer, dy, shape)


def _check_gradient(layer: "Layer", dy: Any, shape: Shape) -> np.ndarray:
    dy = dy if type(dy) is np.ndarray else check_unmasked(dy, "dy", "backward")
    if dy.dtype.newbyteorder("=") != layer.dtype:
        raise TypeError(f"expected dy of {layer.dtype}, got {dy.dtype}")
    if dy.shape != shape:
        raise ValueError(f"expected dy {format_shape(shape)} like the output, got {format_shape(dy.shape)}")
    return as_contiguous(dy)


def check_input_gradient(dx: Any, shape: Any) -> None:
    """Check that ``_backward`` returned the gradient of the input, or a tuple with one for each input."""
    given = dx if isinstance(dx, tuple) else (dx,)
    if not all(isinstance(part, np.ndarray) for part in given):
        raise TypeError(f"expected _backward to return the gradient of the input, an array, got {dx!r}")
    if shapes_of(dx) != shape:
        raise ValueError(
            "expected _backward to return the gradient of the input, "
            f"{format_shapes(shape)}, got {format_shapes(shapes_of(dx))}"
        )
