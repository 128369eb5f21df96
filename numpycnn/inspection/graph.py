"""The computation graph of a network: each use of a layer, and the arrays that it takes.

`Sequential` and `Model` only pass arrays on, so the graph has the layers inside them instead, with the keys under which
`follow` records them. A layer that is used again is a further use, ``"conv#2"``. Branches and layers of one's own take
their inputs and what the layers inside return.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from numpycnn.layers.base import Layer
from numpycnn.layers.model import Model

#: An array: the key of the use that computes it, or the number of an input; and its number among several outputs.
Value = tuple[str | int, int]

#: The same by the position of a step of one `Model`; the inputs are the steps -1, -2, and so on.
Link = tuple[int, int]


@dataclass(frozen=True)
class Use:
    """One call of a layer that computes something: its key, the layer, and the arrays that it takes.

    An activation function inside its layer is a part of it.
    """

    key: str
    layer: Layer
    sources: tuple[Value, ...]
    is_part: bool = False


@dataclass
class Graph:
    """The uses of a network, each after those that it takes arrays from.

    Attributes
    ----------
    uses : dict of str to Use
    values : dict of str to tuple of Value
        The outputs of every layer by key, also of the networks inside.
    inputs, outputs : tuple of str
        The names of the inputs and outputs of the network.
    ends : tuple of Value
        The outputs of the network.
    """

    uses: dict[str, Use] = field(default_factory=dict)
    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    ends: tuple[Value, ...] = ()

    def upstream(self, values: Iterable[Value]) -> set[str | int]:
        """Return the keys of all uses, and the numbers of the inputs, that arrays depend on."""
        found: set[str | int] = set()
        pending = [source for source, _ in values]
        while pending:
            source = pending.pop()
            if source not in found:
                found.add(source)
                if isinstance(source, str):
                    pending += [before for before, _ in self.uses[source].sources]
        return found

    def steps(self) -> list[Use]:
        """Return the uses of whole layers, in their order: those in branches, then the layer that joins them.

        Examples
        --------
        >>> from numpycnn import Dense, ReLU, Residual, Sequential
        >>> model = Sequential([Residual(Sequential([Dense(4), ReLU()])), Dense(2)], input_shape=(4,))
        >>> [use.key for use in graph_of(model).steps()]
        ['0.main.0', '0.main.1', '0', '1']
        """
        return [use for use in self.uses.values() if not use.is_part]

    def inputs_of(self, key: str) -> list[int]:
        """Return the numbers of the inputs that a layer, or a use of it, depends on."""
        found = self.upstream(self.values[key]) if key in self.values else set()
        return sorted(source for source in found if isinstance(source, int))

    def path(self, start: int, end: int) -> list[Use]:
        """Return the steps that depend on an input and lead to an output, in their order."""
        towards = self.upstream([self.ends[end]])
        return [use for use in self.steps() if use.key in towards and start in self.upstream([(use.key, 0)])]


def graph_of(model: Layer) -> Graph:
    """Return the computation graph of a built network or layer.

    Examples
    --------
    >>> from numpycnn import Add, Dense, Input, Model
    >>> a, b, shared = Input((3,), name="a"), Input((3,), name="b"), Dense(3, name="shared")
    >>> graph = graph_of(Model([a, b], Add()([shared(a), shared(b)])))
    >>> graph.inputs, graph.outputs
    (('a', 'b'), ('1',))
    >>> [(use.key, [source for source, _ in use.sources]) for use in graph.uses.values()]
    [('shared', [0]), ('shared#2', [1]), ('1', ['shared', 'shared#2'])]
    """
    graph, count = Graph(), Counter[str]()

    def enter(layer: Layer, place: str, inputs: tuple[Value, ...], is_part: bool = False) -> tuple[Value, ...]:
        count[place] += 1
        key = place if count[place] == 1 else f"{place}#{count[place]}"
        places = {id(child): f"{place}.{name}" if place else name for name, child in layer.children().items()}
        if isinstance(layer, Model):
            known = dict(enumerate(inputs))
            for step in layer._steps:
                given = tuple(known[number] for number in step.inputs)
                known |= zip(step.outputs, enter(step.layer, places[id(step.layer)], given), strict=True)
            made = tuple(known[number] for number in layer._outputs)
        elif layer.chained:
            made = inputs
            for child in layer.children().values():
                made = enter(child, places[id(child)], made)
        else:
            sources, is_whole = list(inputs), not layer.is_container()
            for child in layer.children().values():
                sources += enter(child, places[id(child)], inputs, is_whole)
            graph.uses[key] = Use(key, layer, tuple(sources), is_part)
            made = tuple((key, number) for number in range(layer.output_count))
        graph.values[key] = made
        return made

    graph.inputs = tuple(_input_names(model))
    graph.ends = enter(model, "", tuple((number, 0) for number in range(len(graph.inputs))))
    graph.outputs = tuple(_output_names(model))
    return graph


def _input_names(model: Layer) -> list[str]:
    """Return the names of the inputs, those of a `Model`'s `Input` where there is one."""
    if isinstance(model, Model):
        return model.input_names()
    if model.chained and model.several_inputs:
        return _input_names(next(iter(model.children().values())))
    shapes: Any = model.input_shape or ()
    return [f"input {number}" for number in range(len(shapes))] if model.several_inputs else ["input"]


def _output_names(model: Layer) -> list[str]:
    """Return the keys of the layers that compute the outputs; one that computes several has a number for each."""
    if isinstance(model, Model):
        keys = model.output_names()
    elif model.chained and model.output_count > 1:
        return _output_names(list(model.children().values())[-1])
    else:
        keys = ["output"] * model.output_count
    return [key if keys.count(key) == 1 else f"{key} {keys[:number].count(key)}" for number, key in enumerate(keys)]


def links_of(model: Model) -> tuple[list[list[Link]], list[Link]]:
    """Return where each step of a model takes its arrays from, and which steps compute the outputs.

    Examples
    --------
    >>> from numpycnn import Add, Dense, Input, Model
    >>> a, b = Input((3,)), Input((3,))
    >>> links_of(Model([a, b], Add()([Dense(3)(b), a])))
    ([[(-2, 0)], [(0, 0), (-1, 0)]], [(1, 0)])
    """
    made = {number: (-1 - number, 0) for number in range(len(model.input_names()))}
    for position, step in enumerate(model._steps):
        made |= {number: (position, output) for output, number in enumerate(step.outputs)}
    return [[made[number] for number in step.inputs] for step in model._steps], [made[n] for n in model._outputs]
