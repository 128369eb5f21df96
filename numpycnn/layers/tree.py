"""A layer as a tree: the layers inside it, the parameters and arrays that they hold, and their names in errors."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from numpycnn._checks import check_flag, check_unmasked, format_shape
from numpycnn.layers.parameter import Parameter

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


class Tree:
    """Base of `Layer` for what a layer holds: layers inside, parameters, buffers, random generators, settings."""

    name: str | None = None
    _place = ""  # position in the model that it was last added to, like "7" or "3.main.0"
    _trainable = True
    _exceptions: frozenset[str] = frozenset()  # names of parameters with the other setting, read from a file

    def children(self) -> dict[str, "Layer"]:
        """Return the layers inside this one, by name."""
        found: dict[str, Any] = {}
        for key, value in vars(self).items():
            if isinstance(value, Tree) and key[0] != "_":
                found[key] = value
        return found

    def is_container(self) -> bool:
        """Return whether the layer only passes data to the layers inside."""
        return bool(self.children())

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer; setting it also sets it for all layers and parameters inside.

        A layer that is added later, with ``model.add``, keeps its own setting: a new output layer above a frozen body
        is trained. ``parameter.trainable = False`` freezes a single parameter.

        Optimizers leave the parameters of a frozen layer (``layer.trainable = False``) as they are, and batch
        normalization uses its running statistics and leaves them, as in Keras. Dropout stays active.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = check_flag(value, "trainable", type(self).__name__)
        for layer in self.walk().values():
            layer._trainable, layer._exceptions = value, frozenset()
            layer._mark_parameters()

    def has_trainable_parameters(self) -> bool:
        """Return whether there is a parameter in this layer, or inside, that optimizers change."""
        return any(parameter.trainable for parameter in self.parameters().values())

    def _mark_parameters(self) -> None:
        """Tell the layer's own parameters whether they are trainable."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                value.trainable = self._trainable != (name in self._exceptions)

    def _parameter_exceptions(self) -> list[str]:
        """Return the names of the layer's own parameters that are frozen while it is not, or the reverse."""
        found = vars(self).items()
        return [name for name, value in found if isinstance(value, Parameter) and value.trainable != self._trainable]

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
        found: dict[str, Any] = {}
        pending: list[tuple[str, Any]] = [("", self)]
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

        Raises
        ------
        TypeError
            If an argument is not.
        """
        arguments = inspect.signature(type(self)).parameters
        missing = [name for name in arguments if not hasattr(self, name)]
        if missing:
            raise TypeError(f"{self.label}: expected the argument {missing[0]} to be kept as self.{missing[0]}")
        return {name: getattr(self, name) for name in arguments}

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
                value = config[name]  # of a function, the address would differ from run to run
                shown.append(f"{name}={value.__name__ if inspect.isfunction(value) else repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    # ------------------------------------------------------------------------------------------------ names in errors

    @property
    def label(self) -> str:
        """Description of the layer for errors: ``Dense 'fc1' (layer 7)``."""
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
            for place, found in self.walk().items():
                if found is layer:
                    return layer._label(place)
        return layer.label

    def _with_label(self, error: Exception) -> Exception:
        """Return the error with the label in front of its message, in place of the function's name.

        The error passes through each container. The outermost one, which the caller knows, determines the place.
        """
        source: Any = getattr(error, "source", (self, None))
        layer, message = source
        kind = MemoryError if isinstance(error, MemoryError) else type(error)  # NumPy's subclass takes other arguments
        if message is None:
            message = str(error)
            operation, colon, rest = message.partition(": ")
            if colon and " " not in operation and not operation.isupper():  # an environment variable is kept
                message = rest
            if kind is MemoryError:
                message += "; make the layer, or its input, smaller"
        named: Any = kind(f"{self.label_of(layer)}: {message}")
        named.source = layer, message
        named.given = getattr(error, "given", "")
        return named

    def _set_place(self, place: str) -> None:
        """Set the place of this layer and of the layers inside."""
        self._place = place
        for key, child in self.children().items():
            child._set_place(f"{place}.{key}" if place else key)
