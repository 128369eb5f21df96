"""Names of layers in errors: the class, the name given by the user, and the place in the model."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


class Labeled:
    """Base of `Layer` that labels it, and adds the label to the errors that pass through it."""

    name: str | None = None
    _place = ""  # position in the model that it was last added to, like "7" or "3.main.0"

    if TYPE_CHECKING:

        def walk(self) -> dict[str, Layer]: ...  # noqa: D102
        def children(self) -> dict[str, Layer]: ...  # noqa: D102

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
