"""What a model costs and what it sees, layer by layer."""

from dataclasses import dataclass
from fractions import Fraction

from numpycnn._tables import WIDTH, format_table
from numpycnn.functional.checks import spell
from numpycnn.layers.base import Layer

#: For each axis, how much of the input one output sees and how far apart neighbours look; None means everything.
Field = tuple[tuple[Fraction, Fraction], ...] | None


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
        Trained numbers.
    multiply_adds : int
        For one example.
    activation_bytes : int
        Of the output of one example.
    receptive_field : tuple of int or None
        Pixels of the input that one output depends on, for each axis and no more than there are; None means all of
        them.
    """

    layer: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, ...] | None


@dataclass(frozen=True)
class Summary:
    """The rows of a model, which print as a table."""

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
            Characters of a line, at most.

        Returns
        -------
        str
        """
        head = ("layer", "output", "parameters", "multiply-adds", "activations", "sees")
        body = [
            (
                row.layer,
                spell(row.output_shape),
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
                _bytes(row.activation_bytes),
                "all" if row.receptive_field is None else " x ".join(map(str, row.receptive_field)),
            )
            for row in self.rows
        ]
        return format_table(
            head,
            body,
            align=("left", "left", "right", "right", "right", "right"),
            total=("total", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", _bytes(self.activation_bytes), ""),
            notes=["multiply-adds and activations are those of one example; a layer sees that much of the input"],
            width=width,
        )


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


def see(layer: Layer, field: Field) -> Field:
    """Return what one output of `layer` sees, if each of its inputs sees `field`."""
    assert layer.input_shape is not None
    assert layer.output_shape is not None
    children = list(layer.children().values())
    if children:
        if layer.chained:
            for child in children:
                field = see(child, field)
            return field
        branches = [see(child, field) for child in children]  # side by side: the widest view counts
        if any(branch is None for branch in branches) or field is None:
            return None
        return tuple(max(views) for views in zip(*[b for b in branches if b is not None], strict=True))
    window = layer.window()
    if field is not None and window is not None:
        return tuple(
            (size + d * (k - 1) * jump, jump * s) for (size, jump), k, s, d in zip(field, *window, strict=True)
        )
    return None if layer.mixes_all() else field


def _rows(layer: Layer, key: str, field: Field, size: tuple[int, ...], depth: int) -> list[Row]:
    assert layer.output_shape is not None
    assert layer.dtype is not None
    after = see(layer, field)
    children = layer.children()
    own = {name: p for name, p in layer.parameters().items() if "." not in name} if children else layer.parameters()
    label = f"{'  ' * depth}{key} {type(layer).__name__}" + (f" {layer.name!r}" if layer.name else "")
    elements = 1
    for length in layer.output_shape:
        elements *= length
    rows = [
        Row(
            layer=label,
            output_shape=layer.output_shape,
            parameters=sum(p.value.size for p in own.values()),
            multiply_adds=0 if children else layer.multiply_adds(),
            activation_bytes=0 if layer.chained else elements * layer.dtype.itemsize,
            receptive_field=None
            if after is None
            else tuple(min(int(-(-view // 1)), limit) for (view, _), limit in zip(after, size, strict=True)),
        )
    ]
    inner = field
    for name, child in children.items():
        rows += _rows(child, name, inner, size, depth + 1)
        if layer.chained:
            inner = see(child, inner)
    return rows


def summarize(model: Layer) -> Summary:
    """Return the table of a built model, with the layers inside of layers indented below them."""
    if model.input_shape is None:
        raise RuntimeError("summary: the model is not built yet; give it an input_shape")
    size = model.input_shape[1:]
    field: Field = tuple((Fraction(1), Fraction(1)) for _ in size) if size else None
    rows: list[Row] = []
    for key, layer in model.children().items():
        rows += _rows(layer, key, field, size, 0)
        field = see(layer, field)
    return Summary(
        rows=tuple(rows),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
    )
