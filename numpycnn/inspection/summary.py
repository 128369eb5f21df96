"""The cost and the receptive field of a model, layer by layer."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod

from numpycnn._checks import format_shape
from numpycnn._tables import WIDTH, format_table
from numpycnn._windows import Field, widen
from numpycnn.layers.base import Layer

Fields = tuple[Field, ...] | None  # one for each axis; None means that an output sees everything


@dataclass(frozen=True)
class Row:
    """One layer of the table.

    Attributes
    ----------
    layer : str
        Position, kind and name.
    output_shape : tuple of int
        Of one example.
    parameters : int
        Number of trained elements.
    multiply_adds : int
        For one example.
    activation_bytes : int
        Size of the output of one example.
    receptive_field : tuple of int or None
        Pixels of the input that one output depends on, for each axis, at most the size of the input; None means all.
    """

    layer: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, ...] | None


@dataclass(frozen=True)
class Summary:
    """The rows of a model, printed as a table."""

    rows: tuple[Row, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def to_text(self, width: int = WIDTH) -> str:
        """Return the table as text.

        Parameters
        ----------
        width : int
            Largest number of characters in a line.

        Returns
        -------
        str
        """
        head = ("layer", "output", "parameters", "multiply-adds", "activations", "sees")
        body = [
            (
                row.layer,
                format_shape(row.output_shape),
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
                _format_bytes(row.activation_bytes),
                "all" if row.receptive_field is None else " x ".join(map(str, row.receptive_field)),
            )
            for row in self.rows
        ]
        return format_table(
            head,
            body,
            align=("left", "left", "right", "right", "right", "right"),
            total=(
                "total",
                "",
                f"{self.parameters:,}",
                f"{self.multiply_adds:,}",
                _format_bytes(self.activation_bytes),
                "",
            ),
            notes=["multiply-adds and activations are those of one example; a layer sees that much of the input"],
            width=width,
        )


def _format_bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


def _see(layer: Layer, field: Fields, place: str, seen: dict[str, Fields]) -> Fields:
    """Return what one output of `layer` sees if each of its inputs sees `field`; note it for all layers inside."""
    children = {f"{place}.{key}" if place else key: child for key, child in layer.children().items()}
    if layer.chained:
        for key, child in children.items():
            field = _see(child, field, key, seen)
    elif children:  # side by side: the widest view counts
        branches = [_see(child, field, key, seen) for key, child in children.items()]
        views = [branch for branch in branches if branch is not None]
        field = tuple(map(max, zip(*views, strict=True))) if field and len(views) == len(branches) else None
    elif field is not None and (window := layer.window()) is not None:
        field = tuple(widen(*axis) for axis in zip(field, *window, strict=True))
    elif layer.mixes_all():
        field = None
    seen[place] = field
    return field


def _row(place: str, layer: Layer, field: Fields, size: tuple[int, ...]) -> Row:
    assert layer.output_shape is not None
    assert layer.dtype is not None
    *path, key = place.split(".")
    is_container = bool(layer.children())
    own = [p for name, p in layer.parameters().items() if not (is_container and "." in name)]
    return Row(
        layer="  " * len(path) + f"{key} {type(layer).__name__}" + (f" {layer.name!r}" if layer.name else ""),
        output_shape=layer.output_shape,
        parameters=sum(p.value.size for p in own),
        multiply_adds=0 if is_container else layer.multiply_adds(),
        activation_bytes=0 if layer.chained else prod(layer.output_shape) * layer.dtype.itemsize,
        receptive_field=None
        if field is None
        else tuple(min(ceil(view), limit) for (view, _), limit in zip(field, size, strict=True)),
    )


def summarize(model: Layer) -> Summary:
    """Return the table of a built model, with nested layers indented."""
    if model.input_shape is None:
        raise RuntimeError("summary: the model is not built yet; give it an input_shape")
    size = model.input_shape[1:]
    seen: dict[str, Fields] = {}
    _see(model, tuple((Fraction(1), Fraction(1)) for _ in size) or None, "", seen)
    rows = [_row(place, layer, seen[place], size) for place, layer in model.walk().items() if place]
    return Summary(
        rows=tuple(rows),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
    )
