"""The cost and the receptive field of a model, layer by layer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, prod
from typing import Any

from numpycnn._tables import WIDTH, format_table
from numpycnn._windows import widen
from numpycnn.inspection.graph import graph_of
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network

#: For each axis, how much of the input one output sees, and how far apart neighbours look; None: it sees everything.
Fields = tuple[tuple[Fraction, Fraction], ...] | None


@dataclass(frozen=True)
class Row:
    """One layer of the table.

    Attributes
    ----------
    layer : str
        Position, kind and name; in a graph, ``<-`` and the layers it takes its inputs from, unless it is the one above.
    output_shape : tuple of int, or tuple of them for several outputs
        Of one example.
    parameters : int
        Number of trained elements.
    multiply_adds : int
        For one example.
    activation_bytes : int
        Size of the output of one example.
    receptive_field : tuple of int or None
        Pixels of the input that one output depends on, for each axis, at most the size of the input; None means all. Of
        a layer that is used several times it is that of the last use.
    receptive_fields : tuple of these
        One for each use.
    """

    layer: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, ...] | None
    receptive_fields: tuple[tuple[int, ...] | None, ...] = ()


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
                format_shapes(row.output_shape),
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


@dataclass
class _Visit:
    """What the walk along the data notes of a layer."""

    inputs: tuple[str, ...] = ()  # in a graph
    fields: list[Fields] = field(default_factory=list)  # one for each use


def _widest(fields: Sequence[Fields]) -> Fields:
    """Return the widest of several fields; None if one of them is the whole input, or they have other axes."""
    if any(field is None or len(field) != len(fields[0] or ()) for field in fields):
        return None
    return tuple(max(axis) for axis in zip(*fields, strict=True))


def _see(layer: Layer, fields: Sequence[Fields], place: str, visits: dict[str, _Visit]) -> Sequence[Fields]:
    """Return what each output of `layer` sees if its inputs see `fields`; note it for all layers inside."""
    children = {key: f"{place}.{key}" if place else key for key in layer.children()}
    view = _widest(fields)
    if layer.chained:
        for key, child in layer.children().items():
            fields = _see(child, fields, children[key], visits)
        found = fields
    elif isinstance(layer, Model):
        keys = {id(child): children[key] for key, child in layer.children().items()}
        is_first = place not in visits or not visits[place].fields  # a further use takes the same arrays inside
        for use, _, inputs in layer.uses() if is_first else ():
            visits.setdefault(children[use.partition("#")[0]], _Visit()).inputs += tuple(inputs)
        seen = dict(enumerate(fields))
        for step in layer._steps:
            made = _see(step.layer, [seen[number] for number in step.inputs], keys[id(step.layer)], visits)
            seen |= zip(step.outputs, made, strict=True)
        found = [seen[number] for number in layer._outputs]
    elif layer.is_container():  # branches: the widest view counts
        ends = [end for key, child in layer.children().items() for end in _see(child, fields, children[key], visits)]
        found = [_widest(ends)] * layer.output_count
    else:
        if view is not None and (window := layer.window()) is not None:
            view = tuple(widen(*axis) for axis in zip(view, *window, strict=True))
        elif layer.mixes_all():
            view = None
        for key, child in layer.children().items():  # an activation function
            _see(child, [view], children[key], visits)
        found = [view] * layer.output_count
    visits.setdefault(place, _Visit()).fields.append(_widest(found))
    return found


def _row(title: str, layer: Layer, receptive_fields: Sequence[tuple[int, ...] | None]) -> Row:
    assert layer.output_shape is not None
    assert layer.dtype is not None
    outputs: Any = layer.output_shape if layer.output_count > 1 else (layer.output_shape,)
    return Row(
        layer=title,
        output_shape=layer.output_shape,
        parameters=sum(value.value.size for value in vars(layer).values() if isinstance(value, Parameter)),
        multiply_adds=0 if layer.is_container() else layer.multiply_adds() * len(receptive_fields),
        activation_bytes=0
        if isinstance(layer, Network)
        else layer.dtype.itemsize * len(receptive_fields) * sum(map(prod, outputs)),
        receptive_field=receptive_fields[-1],
        receptive_fields=tuple(receptive_fields),
    )


def _limit(fields: Fields, sizes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return a receptive field in pixels, at most the largest of the inputs that it is in; None for all."""
    if fields is None:
        return None
    limits = [max(axis) for axis in zip(*(size for size in sizes if len(size) == len(fields)), strict=True)]
    return tuple(min(ceil(view), limit) for (view, _), limit in zip(fields, limits, strict=True))


def _titles(layer: Layer, place: str, depth: int) -> Iterator[tuple[str, str, Layer, str]]:
    """Yield place, title and layer of each layer inside, nested ones indented; and the key before it, or the input."""
    before = layer.input_names()[0] if isinstance(layer, Model) and not layer.several_inputs else ""
    for key, child in layer.children().items():
        inner = f"{place}.{key}" if place else key
        name = f" {child.name!r}" if child.name and child.name != key else ""
        yield inner, f"{'  ' * depth}{key} {type(child).__name__}{name}", child, before
        yield from _titles(child, inner, depth + 1)
        before = key


def summarize(model: Layer) -> Summary:
    """Return the table of a built model, with nested layers indented."""
    if model.input_shape is None:
        raise RuntimeError("summary: the model is not built yet; give it an input_shape")
    shapes: Any = model.input_shape if model.several_inputs else (model.input_shape,)
    fields = [tuple((Fraction(1), Fraction(1)) for _ in shape[1:]) or None for shape in shapes]
    visits: dict[str, _Visit] = {}
    _see(model, fields, "", visits)
    rows, graph = [], graph_of(model)
    for place, title, layer, before in _titles(model, "", 0):
        visit = visits[place]
        found = []
        for number, view in enumerate(visit.fields):
            inputs = graph.inputs_of(f"{place}#{number + 1}" if number else place) or range(len(shapes))
            found.append(_limit(view, [shapes[i][1:] for i in inputs]))
        is_chain = visit.inputs in ((), (before,))
        rows.append(_row(title + ("" if is_chain else f" <- {', '.join(visit.inputs)}"), layer, found))
    return Summary(
        rows=tuple(rows),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
    )
