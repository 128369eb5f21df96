"""The nodes of a graph: calling a layer with a node describes a step of a `Model`, without any array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpycnn._checks import check_int
from numpycnn._types import Shape

if TYPE_CHECKING:
    from numpycnn.layers.base import Layer


@dataclass(frozen=True, eq=False)
class Call:
    """A layer called with nodes."""

    layer: "Layer"
    inputs: "tuple[Node, ...]"


class Node:
    """An array that a graph will compute: one of the outputs of a call."""

    def __init__(self, call: Call | None, position: int = 0) -> None:
        self.call = call  # None for an `Input`
        self.position = position  # among the outputs of the call


class Input(Node):
    """An input of a `Model`.

    Parameters
    ----------
    shape : tuple of int
        Of one example, without the batch axis.
    name : str, optional
        For errors.

    Raises
    ------
    TypeError, ValueError
        If the shape is not a tuple of ints of at least 1.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.1.

    Examples
    --------
    >>> from numpycnn import Dense
    >>> x = Input((3, 32, 32))
    >>> x.shape
    (3, 32, 32)
    """

    def __init__(self, shape: Sequence[int], *, name: str | None = None) -> None:
        super().__init__(None)
        if not isinstance(shape, tuple | list):
            raise TypeError(f"Input: expected shape to be a tuple of ints, got {shape!r}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Input: expected name to be a string, got {type(name).__name__} {name!r}")
        self.shape: Shape = tuple(check_int(size, "shape", "Input") for size in shape)
        self.name = name

    def __repr__(self) -> str:
        return f"Input({self.shape!r}" + (f", name={self.name!r})" if self.name else ")")


def holds_nodes(x: Any) -> bool:
    """Return whether a layer is called with nodes, and not with arrays."""
    return isinstance(x, Node) or (isinstance(x, tuple | list) and any(isinstance(item, Node) for item in x))


def connect(layer: "Layer", inputs: Any) -> Any:
    """Return the node of the output of a layer called with nodes, or the tuple of nodes of several outputs."""
    given = (inputs,) if isinstance(inputs, Node) else tuple(inputs)
    for item in given:
        if not isinstance(item, Node):
            raise TypeError(
                f"{layer.label}: expected nodes of a graph alone, as Input(...) and calls of layers give, "
                f"got {type(item).__name__} as well"
            )
    if layer.several_inputs == isinstance(inputs, Node):
        expected = "a list of nodes" if layer.several_inputs else "one node"
        raise TypeError(f"{layer.label}: expected {expected}, got {'one' if layer.several_inputs else 'a list'}")
    call = Call(layer, given)
    nodes = tuple(Node(call, position) for position in range(layer.output_count))
    return nodes if layer.output_count > 1 else nodes[0]
