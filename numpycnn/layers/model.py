"""A network as a graph of layers, with several inputs and outputs, skips and shared layers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from numpycnn._checks import check_flag
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.building import check_not_shared
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.network import Network
from numpycnn.layers.nodes import Call, Input, Node, connect


@dataclass(frozen=True)
class Step:
    """One call of a layer; the arrays are numbered, first those of the inputs, then those of each step in turn."""

    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Model(Network):
    """A graph of layers: several inputs and outputs, skips, and layers that are used more than once.

    Calling a layer with an `Input`, or with the node of another layer, makes a node; calling it with a list of nodes
    gives it several inputs. The model computes the nodes of its outputs:

        image, meta = Input((3, 32, 32)), Input((4,))
        h = GlobalAvgPool()(ReLU()(Conv2D(16, 3)(image)))
        model = Model([image, meta], Dense(10)(Concatenate()([h, meta])), seed=0)

    In the forward pass each layer is called once all its inputs are known. In the backward pass the order is reversed:
    the gradient of an array is the sum of the gradients from all layers that use it, and the gradient of a parameter
    is the sum over all uses of its layer.

    Parameters
    ----------
    inputs : Input or list of Input
    outputs : node or list of nodes
    seed : int
        Determines all initial weights and dropout masks.
    dtype : dtype, optional
        float32, the default, or float64 for checking gradients.
    name : str, optional

    Attributes
    ----------
    layers : tuple of Layer
        Each layer once, in the order of the calculation.
    metadata : dict
        Information about the model besides its weights; saved with the model as JSON.

    Raises
    ------
    TypeError
        If `inputs` are not made by `Input`, `outputs` are not nodes, or a layer was built for another dtype.
    ValueError
        If an input is not used, an input that is used is not listed, a layer does not fit the outputs that it is called
        with, or two layers have the same name.

    Notes
    -----
    The name of a layer's parameters is that of the layer if it has one, and otherwise its position: ``"conv1.weight"``,
    ``"3.bias"``. A layer that is already built keeps its weights, see `Sequential`. A `Model` is a layer: it can be
    called with nodes of another model.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Add, Dense, ReLU
    >>> x = Input((4,))
    >>> h = ReLU()(Dense(8)(x))
    >>> model = Model(x, Dense(3)(Add()([h, Dense(8)(h)])), seed=0)
    >>> model.forward(np.ones((2, 4), np.float32)).shape
    (2, 3)

    Weights shared by two inputs:

    >>> a, b, encoder = Input((4,)), Input((4,)), Dense(2)
    >>> twins = Model([a, b], [encoder(a), encoder(b)])
    >>> list(twins.parameters())
    ['0.weight', '0.bias']
    """

    def __init__(
        self,
        inputs: Input | Sequence[Input],
        outputs: Node | Sequence[Node],
        *,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        self._describe(inputs, outputs, seed, dtype, name)
        self.build(self._declared)

    def _describe(self, inputs: Any, outputs: Any, seed: int, dtype: Any, name: str | None, keys: Any = None) -> None:
        """Set everything but the arrays; the keys of the layers are their names, or else their positions."""
        super().__init__(seed=seed, dtype=dtype, name=name)
        given = [inputs] if isinstance(inputs, Input) else inputs
        wanted = [outputs] if isinstance(outputs, Node) else outputs
        for nodes, kind, what in ((given, Input, "inputs made by Input(shape)"), (wanted, Node, "nodes as outputs")):
            if not isinstance(nodes, tuple | list) or not all(isinstance(node, kind) for node in nodes):
                raise TypeError(f"{self.label}: expected {what}, got {nodes!r}")
            if not nodes or len(set(nodes)) < len(nodes):
                raise ValueError(f"{self.label}: expected at least one of the {what}, each of them once")
        if any(isinstance(node, Input) for node in wanted):
            raise ValueError(f"{self.label}: expected outputs that layers compute, got one of its inputs")
        self._inputs = tuple(given)
        self.several_inputs = not isinstance(inputs, Input)
        self.output_count = len(wanted)
        self._steps, numbers = _number(self.label, given, wanted)
        self._outputs = tuple(numbers[node] for node in wanted)
        calls = Counter(step.layer for step in self._steps)
        self._layers = tuple(calls)
        self._repeated = frozenset(layer for layer, count in calls.items() if count > 1)
        check_not_shared(self, self._layers)
        names = [layer.name or str(position) for position, layer in enumerate(self._layers)]
        self._keys = _check_keys(self.label, names if keys is None else keys, len(names))
        if len(self.walk()) < 1 + sum(len(layer.walk()) for layer in self._layers):
            raise ValueError(f"{self.label}: expected a name of a layer that is not the place of another one inside")
        for key, layer in self.children().items():
            layer._set_place(key)

    @property
    def _declared(self) -> Any:
        """The shapes of the inputs, as `build` takes them."""
        shapes = tuple(node.shape for node in self._inputs)
        return shapes if self.several_inputs else shapes[0]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each once, in the order of the calculation."""
        return self._layers

    def children(self) -> dict[str, Layer]:
        """Return the layers, by name or position."""
        return dict(zip(self._keys, self._layers, strict=True))

    def _sources(self, layer: Layer) -> list[Layer]:
        made = {number: step.layer for step in self._steps for number in step.outputs}
        used = [number for step in self._steps if step.layer is layer for number in step.inputs]
        return [made[number] for number in used if number in made]

    def uses(self) -> Iterator[tuple[str, Layer, list[str]]]:
        """Yield the key of each step, its layer, and the keys of the steps, or of the inputs, that it takes.

        The key of a step is that of its layer; a layer used again has ``#2``, ``#3``, ... behind it.

        Yields
        ------
        str, Layer, list of str
        """
        places = {id(layer): key for key, layer in self.children().items()}
        names = dict(enumerate(self.input_names()))
        count: dict[str, int] = defaultdict(int)
        for step in self._steps:
            place = places[id(step.layer)]
            count[place] += 1
            key = place if count[place] == 1 else f"{place}#{count[place]}"
            yield key, step.layer, [names[number] for number in step.inputs]
            names |= dict.fromkeys(step.outputs, key)

    def input_names(self) -> list[str]:
        """Return the names that `uses` gives to the inputs; no layer and no other input has them."""
        names: list[str] = []
        for i, node in enumerate(self._inputs):
            name = node.name or (f"input {i}" if self.several_inputs else "input")
            while name.partition("#")[0] in {*self._keys, *names}:
                name = f"input {name}"
            names.append(name)
        return names

    def output_names(self) -> list[str]:
        """Return the keys of the steps that compute the outputs."""
        keys = [key for key, _, _ in self.uses()]
        made = {number: key for key, step in zip(keys, self._steps, strict=True) for number in step.outputs}
        return [made[number] for number in self._outputs]

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Any:
        if input_shape != self._declared:
            raise ValueError(
                f"expected the input shape {format_shapes(self._declared)} that its Input has, "
                f"got {format_shapes(input_shape)}"
            )
        shapes: dict[int, Shape] = dict(enumerate(node.shape for node in self._inputs))
        for step in self._steps:
            given: Any = tuple(shapes[number] for number in step.inputs)
            try:
                shape = step.layer.build(given if step.layer.several_inputs else given[0], rng=rng, dtype=self.dtype)
            except (ValueError, TypeError) as error:
                raise self._name_sources(error, step) from None
            made: Any = shape if len(step.outputs) > 1 else (shape,)
            shapes |= zip(step.outputs, made, strict=True)
        results = tuple(shapes[number] for number in self._outputs)
        return results if self.output_count > 1 else results[0]

    def _name_sources(self, error: Any, step: Step) -> Exception:
        """Add to the error of a build the layers whose outputs do not fit."""
        layer, message = error.source
        if layer is step.layer and "given by" not in message:
            sources = list(dict.fromkeys(source.label for source in self._sources(layer)))
            if sources:
                error.source = layer, f"{message}; given by {' and '.join(sources)}"
        return error

    # ------------------------------------------------------------------------------------------------------- data flow

    def _forward(self, x: Any, **mode: bool) -> tuple[Any, Any]:
        arrays = dict(enumerate(x if self.several_inputs else (x,)))
        last = {number: i for i, step in enumerate(self._steps) for number in step.inputs}
        kept = []
        for position, step in enumerate(self._steps):
            given = tuple(arrays[number] for number in step.inputs)
            made = step.layer.forward(given if step.layer.several_inputs else given[0], **mode)
            arrays |= zip(step.outputs, made if len(step.outputs) > 1 else (made,), strict=True)
            for number in set(step.inputs):
                if last[number] == position and number not in self._outputs:
                    del arrays[number]
            kept.append(_caches(step.layer) if mode["differentiable"] and step.layer in self._repeated else None)
        y = tuple(arrays[number] for number in self._outputs)
        return (y if self.output_count > 1 else y[0]), kept

    def _backward(self, dy: Any, cache: list[Any]) -> Any:
        gradients = self._run_steps(dy, cache, wanted=None)
        dx = tuple(gradients[number] for number in range(len(self._inputs)))
        return dx if self.several_inputs else dx[0]

    def _backward_parameters(self, dy: Any, cache: list[Any]) -> None:
        """Compute the gradients only of arrays that depend on a trainable parameter."""
        wanted: set[int] = set()
        for step in self._steps:
            if step.layer.has_trainable_parameters() or wanted & set(step.inputs):
                wanted |= set(step.outputs)
        self._run_steps(dy, cache, wanted)

    def _run_steps(self, dy: Any, cache: list[Any], wanted: set[int] | None) -> dict[int, np.ndarray]:
        """Go backward through the steps, and return the gradients of the inputs by number; None wants them all."""
        terms: dict[int, list[np.ndarray]] = defaultdict(list)  # the gradients of an array, from each of its uses
        for number, part in zip(self._outputs, dy if self.output_count > 1 else (dy,), strict=True):
            terms[number].append(part)
        seen: set[Layer] = set()
        for step, caches in zip(reversed(self._steps), reversed(cache), strict=True):
            layer = step.layer
            if wanted is not None and not wanted & set(step.outputs):
                layer.forget()
                continue
            if caches is not None:
                _restore(layer, caches)
            shapes: Any = layer._cache[2] if len(step.outputs) > 1 else (layer._cache[2],)
            parts = tuple(
                _total(terms.pop(number, []), shape, self.dtype)
                for number, shape in zip(step.outputs, shapes, strict=True)
            )
            # Those of frozen parameters may not be computed; adding what they hold would double it in each step.
            summed = [p for p in layer.parameters().values() if layer in seen and (wanted is None or p.trainable)]
            before = [parameter.grad.copy() for parameter in summed]
            given = parts if len(parts) > 1 else parts[0]
            if wanted is None or wanted & set(step.inputs):
                dx = layer.backward(given)
                for number, part in zip(step.inputs, dx if layer.several_inputs else (dx,), strict=True):
                    terms[number].append(part)
            else:
                layer.backward_parameters(given)
            for parameter, gradient in zip(summed, before, strict=True):
                parameter.grad += gradient
            seen.add(layer)
        if wanted is not None:
            return {}
        return {number: _total(terms[number], (), self.dtype) for number in range(len(self._inputs))}

    def multiply_adds(self) -> int:
        """Return the number of multiplications with a weight for one example, those of a layer once for each use."""
        return sum(step.layer.multiply_adds() for step in self._steps)

    def draw_inputs(self, shapes: Sequence[Shape], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return a random valid batch for each input, see `Layer.draw_inputs`."""
        first = {number: step.layer for step in reversed(self._steps) for number in step.inputs}
        return tuple(first[i].draw_input(shape, rng) for i, shape in enumerate(shapes))

    def draw_input(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a random valid batch for the first input."""
        return self.draw_inputs([shape], rng)[0]

    # ----------------------------------------------------------------------------------------------------------- files

    def config(self) -> dict[str, Any]:
        """Return the graph as lists and numbers, from which `from_config` makes an equal unbuilt model."""
        positions = {layer: i for i, layer in enumerate(self._layers)}
        renamed = any(key != (layer.name or str(i)) for i, (key, layer) in enumerate(self.children().items()))
        return {
            "inputs": [[node.shape, node.name] for node in self._inputs],
            "several_inputs": self.several_inputs,
            "layers": list(self._layers),
            "calls": [[positions[step.layer], list(step.inputs)] for step in self._steps],
            "outputs": list(self._outputs),
            "seed": self.seed,
            "name": self.name,
        } | ({"keys": list(self._keys)} if renamed else {})

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make an unbuilt model from the result of `config`.

        Parameters
        ----------
        config : dict of str to object

        Returns
        -------
        Model

        Raises
        ------
        ValueError, TypeError
            If it does not describe a graph: a call takes an array that is computed later, for example, a cycle.
        """
        several = check_flag(config["several_inputs"], "several_inputs", cls.__name__)
        inputs = [Input(shape, name=name) for shape, name in config["inputs"]]
        layers, nodes = config["layers"], list[Node](inputs)
        if not inputs or not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
            raise ValueError(f"{cls.__name__}: expected inputs and a list of layers, got {inputs!r} and {layers!r}")
        for position, numbers in config["calls"]:
            layer = _item(layers, position, f"{cls.__name__}: expected the position of a layer")
            missing = f"{cls.__name__}: the graph has a cycle: expected {layer.label} to take arrays computed before it"
            given = [_item(nodes, number, missing) for number in numbers]
            if not given or (len(given) > 1 and not layer.several_inputs):
                wanted = "one input or more" if layer.several_inputs else "one input"
                raise ValueError(f"{cls.__name__}: expected a call of {layer.label} with {wanted}, got {len(given)}")
            made = connect(layer, given if layer.several_inputs else given[0])
            nodes += made if layer.output_count > 1 else [made]
        model = cls.__new__(cls)
        outputs = [
            _item(nodes, number, f"{cls.__name__}: expected the number of an output") for number in config["outputs"]
        ]
        model._describe(
            inputs if several else inputs[0],
            outputs if len(outputs) != 1 else outputs[0],
            config["seed"],
            None,
            config["name"],
            config.get("keys"),
        )
        return model

    def __repr__(self) -> str:
        lines = [f"    {key}: {layer!r}({', '.join(inputs)})" for key, layer, inputs in self.uses()]
        return "Model(\n" + "\n".join(lines) + "\n)"


def _number(label: str, inputs: Sequence[Input], outputs: Sequence[Node]) -> tuple[list[Step], dict[Node, int]]:
    """Order the calls that the outputs depend on, each after those that it takes arrays from, and number the arrays.

    The order is that of a depth-first search from the outputs, in the order of the arguments.
    """
    numbers: dict[Node, int] = {node: i for i, node in enumerate(inputs)}
    ordered: list[Call] = []
    entered: set[Call] = set()
    pending = [(node, False) for node in reversed(outputs)]
    while pending:
        node, left = pending.pop()
        if node.call is None:
            if node not in numbers:
                raise ValueError(
                    f"{label}: expected each input that is used among its inputs, got {node!r}, which is not"
                )
        elif left:
            ordered.append(node.call)
        elif node.call not in entered:
            entered.add(node.call)
            pending.append((node, True))
            pending += [(source, False) for source in reversed(node.call.inputs)]
    unused = set(inputs) - {node for call in ordered for node in call.inputs} - set(outputs)
    for node in inputs:
        if node in unused:
            raise ValueError(f"{label}: expected each input to lead to an output, got {node!r}, which does not")
    steps = []
    count = len(inputs)
    by_call: dict[tuple[Call, int], int] = {}

    def number(node: Node) -> int:
        return numbers[node] if node.call is None else by_call[node.call, node.position]

    for call in ordered:
        made = tuple(range(count, count + call.layer.output_count))
        count += call.layer.output_count
        steps.append(Step(call.layer, tuple(number(node) for node in call.inputs), made))
        by_call |= {(call, position): value for position, value in enumerate(made)}
    return steps, {node: number(node) for node in outputs}


def _item(items: Sequence[Any], number: Any, expected: str) -> Any:
    """Return an item by its number, which comes from a file."""
    if type(number) is not int or not 0 <= number < len(items):
        raise ValueError(f"{expected}, got {number!r}, of {len(items)}")
    return items[number]


def _check_keys(label: str, keys: Any, count: int) -> list[str]:
    """Return the keys of the layers if each layer has one of its own."""
    if not isinstance(keys, list) or len(keys) != count or not all(isinstance(key, str) and key for key in keys):
        raise ValueError(f"{label}: expected a name for each of the {count} layers, got {keys!r}")
    for key, times in Counter(keys).items():
        if "#" in key:  # it marks the further uses of a layer
            raise ValueError(f"{label}: expected names of layers without '#', got {key!r}")
        if times > 1:
            raise ValueError(f"{label}: expected layers with different names, got {key!r} for two of them")
    return keys


def _total(terms: Sequence[np.ndarray], shape: Shape, dtype: Any) -> np.ndarray:
    """Return the sum of the gradients of an array, in the order of its uses; zeros if it is not used."""
    if not terms:
        return np.zeros(shape, dtype)
    total = terms[-1]
    for term in reversed(terms[:-1]):
        total = total + term
    return total


def _caches(layer: Layer) -> list[Any]:
    """Return the caches of the last forward pass, of this layer and all layers inside."""
    return [part._cache for part in layer.walk().values()]


def _restore(layer: Layer, caches: Sequence[Any]) -> None:
    for part, cache in zip(layer.walk().values(), caches, strict=True):
        part._cache = cache
