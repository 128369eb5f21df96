"""The data of the page, as JSON: the activations of a network for one example."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from numpycnn.explain.arrays import MAX_BYTES, Store, as_tuple, choose
from numpycnn.explain.formulas import FORMULAS, formula
from numpycnn.inspection.graph import Graph, Link, graph_of, links_of
from numpycnn.inspection.outputs import final_activation, to_probabilities
from numpycnn.inspection.summary import Row, summarize
from numpycnn.inspection.traces import Passage, follow, layers_of
from numpycnn.layers import Concat, Layer, Residual, Sigmoid, Softmax
from numpycnn.layers.checking import format_shapes, shapes_of
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.layers.recurrent import Recurrent
from numpycnn.layers.weighted import Weighted
from numpycnn.visualize.classes import ClassNames, names_by_output
from numpycnn.visualize.selection import output_shapes
from numpycnn.visualize.style import one_line

MAX_TEXT = 300  # characters of an untrusted `repr` or file name


@dataclass(frozen=True)
class Example:
    """One example of a model, and its description.

    For a model with several inputs, `x`, `picture`, `image` and `words` are tuples with an item for each input, None
    where there is not any.

    Attributes
    ----------
    x : ndarray of shape `model.input_shape`
        Without the batch axis.
    title : str
        Its name, such as a file name.
    picture : ndarray of uint8, shape (H, W) or (H, W, 3), optional
        The original picture that `x` was made of.
    image : ndarray of uint8, shape (1, H, W) or (3, H, W), optional
        `x` before normalization.
    class_names : sequence of str, or a dict of str to them, optional
        If given, the outputs are scores of these classes; of several outputs, by the name of the output.
    notes : sequence of str
        Remarks for the reader, such as that the model is untrained.
    words : sequence of str, optional
        The tokens of `x`, if it is a sequence of token indices.
    """

    x: Any
    title: str = "an input"
    picture: Any = None
    image: Any = None
    class_names: ClassNames = None
    notes: Sequence[str] = ()
    words: Any = None

    def _parts(self, count: int) -> list[tuple[Any, Any, Any, Any]]:
        """Return x, picture, image and words of each of `count` inputs; one input if `count` is 0."""
        given = {"x": self.x, "picture": self.picture, "image": self.image, "words": self.words}
        if not count:
            return [(self.x, self.picture, self.image, self.words)]
        for name, value in given.items():
            if value is not None and (not isinstance(value, tuple | list) or len(value) != count):
                raise ValueError(f"explain: expected {name} as a tuple of {count} items, one for each input")
        return list(zip(*([None] * count if value is None else value for value in given.values()), strict=True))


def contents(model: Network, example: Example, *, most_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the data of the page, ready for `json.dumps`.

    Parameters
    ----------
    model : Sequential or Model
        Built. It is not modified, and other threads may predict with it at the same time.
    example : Example
    most_bytes : int
        Size limit of the arrays. Channels beyond it are omitted evenly; the page states which.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a model, the input has another shape, the numbers of class names and outputs differ, or the
        probability of a class is not finite.
    RuntimeError
        If the model has not been built.
    """
    several = isinstance(model, Network) and model.several_inputs
    parts = example._parts(len(model.input_shape) if several and model.input_shape else 0)
    xs = tuple(np.asarray(part[0]) for part in parts)
    if isinstance(model, Network) and model.input_shape is not None:
        shapes: Any = model.input_shape if several else (model.input_shape,)
        if [x.shape for x in xs] != list(shapes):
            expected, got = (format_shapes(found if several else found[0]) for found in (shapes, shapes_of(xs)))
            raise ValueError(f"explain: expected one example of shape {expected}, without a batch axis, got {got}")
    batch = tuple(x[np.newaxis] for x in xs)
    records = follow(model, batch if several else batch[0])
    graph = graph_of(model)
    passages = {use: _operation(passage, records) for use, passage in records.items()}
    rows = dict(zip(layers_of(model), summarize(model).rows, strict=True))
    recorder = _Recorder(passages, rows, Store(choose(list(passages.values()), most_bytes, inputs=batch)))
    store, steps = recorder.store, recorder.steps_in(model, "")
    last = [(len(steps) - 1, output) for output in range(model.output_count)]
    ends = links_of(model)[1] if isinstance(model, Model) else last
    names = names_by_output(graph, example.class_names, "explain")
    answers = [_answer(model, batch, graph, output, names[output], steps, ends, store) for output in sorted(names)]
    if isinstance(model, Model):
        columns = _columns([step["from"] for step in steps], len(xs), ends)
        steps = [step | {"column": column} for step, column in zip(steps, columns, strict=True)]
    return {
        "title": _one_line(example.title),
        "model": _one_line(model.name or "a network"),
        "notes": [_one_line(note) for note in example.notes],
        "parameters": sum(row.parameters for row in rows.values()),
        "multiplyAdds": sum(row.multiply_adds for row in rows.values()),
        "inputs": [_input(name, part, store) for name, part in zip(graph.inputs, parts, strict=True)],
        "outputs": [_one_line(name) for name in graph.outputs],
        "answers": answers,
        "steps": steps,
        "arrays": store.arrays,
    }


def _input(name: str, part: tuple[Any, Any, Any, Any], store: Store) -> dict[str, Any]:
    x, picture, image, words = part
    return {
        "name": _one_line(name),
        "y": store.add_map(np.atleast_1d(x)),
        "picture": None if picture is None else store.add_picture(np.moveaxis(np.atleast_3d(picture), 2, 0)),
        "image": None if image is None else store.add_picture(image),
        "words": None if words is None else [_one_line(word) for word in words],
    }


def _one_line(text: str) -> str:
    return one_line(text, MAX_TEXT)


def _operation(passage: Passage, records: dict[str, Passage]) -> Passage:
    """Return the passage through a layer as the page explains it; the output has at least one axis.

    The activation function of a dense layer or convolution is a step by itself, and so is the last step of a recurrent
    layer, which returns the hidden state after each step here.
    """
    recurrent = _as_recurrent(passage.layer)
    if recurrent is not None:
        return replace(passage, y=recurrent.hidden_states(passage.x))
    key, _, number = passage.key.partition("#")
    activation = records.get(f"{key}.activation" + f"#{number}" * bool(number))
    if activation is not None and type(passage.layer) in FORMULAS:
        bare: Any = copy.copy(passage.layer)
        bare.activation = None
        passage = replace(passage, layer=bare, y=activation.x)
    is_vector = isinstance(passage.y, np.ndarray) and passage.y.ndim == 1
    return replace(passage, y=passage.y[:, np.newaxis]) if is_vector else passage


def _as_recurrent(layer: Layer) -> Recurrent | None:
    """Return a recurrent layer of the library; None for others and for a subclass, which may compute otherwise."""
    return layer if isinstance(layer, Recurrent) and type(layer) in FORMULAS else None


@dataclass
class _Recorder:
    """Collects the data of the steps, in the order in which the layers run."""

    passages: dict[str, Passage]
    rows: dict[str, Row]
    store: Store
    uses: Counter[str] = field(default_factory=Counter)

    def steps_in(self, layer: Layer, place: str) -> list[dict[str, Any]]:
        """Return the data of the layers inside a layer; in a graph one for each use, with its `links_of`."""
        prefix = f"{place}." if place else ""
        if not isinstance(layer, Model):
            return [self.step(prefix + name, child) for name, child in layer.children().items()]
        places = {id(child): prefix + name for name, child in layer.children().items()}
        calls = zip(layer._steps, links_of(layer)[0], strict=True)
        return [self.step(places[id(call.layer)], call.layer) | {"from": sources} for call, sources in calls]

    def step(self, key: str, layer: Layer) -> dict[str, Any]:
        """Return the data of one layer and the layers inside it; a layer that was not run has no arrays."""
        self.uses[key] += 1
        use = key if self.uses[key] == 1 else f"{key}#{self.uses[key]}"
        passage = self.passages.get(use)
        inside = self.steps_in(layer, key)
        found = self._describe(use, layer, passage) | {"inside": inside, "branches": _branches(layer)}
        recurrent = _as_recurrent(layer)
        if passage is not None and recurrent is not None and not recurrent.return_sequences:
            return self._last_step(found, recurrent.hidden_size, passage)
        if passage is None or not isinstance(passage.layer, Weighted) or passage.layer is layer:
            return found | {"settings": "" if inside else found["settings"]}
        # The operation, then its activation function.
        return found | {
            "settings": "",
            "y": inside[0]["y"],
            "formula": {"type": "chain", "activation": True},
            "inside": [found | {"inside": [], "branches": None}, *inside],
        }

    def _last_step(self, found: dict[str, Any], hidden: int, passage: Passage) -> dict[str, Any]:
        """Return a recurrent layer as a chain: the hidden state after each step, then the last of each direction."""
        y = self.store.add(np.concatenate([passage.y[0, -1, :hidden], passage.y[0, 0, hidden:]]))
        last = {
            "key": f"{found['key']}.last",
            "kind": "last step",
            "name": None,
            "settings": "",
            "parameters": 0,
            "multiplyAdds": 0,
            "x": found["y"],
            "y": y,
            "formula": {"type": "last", "hidden": hidden},
        }
        chain = {"type": "chain", "recurrent": True}
        return found | {"settings": "", "y": y, "formula": chain, "inside": [found, found | last]}

    def _describe(self, use: str, layer: Layer, passage: Passage | None) -> dict[str, Any]:
        key = use.partition("#")[0]
        row = self.rows[key]
        given = () if passage is None else as_tuple(passage.x)
        xs = [self.store.add_map(np.atleast_1d(x[0])) for x in given]
        shown = passage is not None and isinstance(passage.y, np.ndarray)
        return {
            "key": use,
            "kind": type(layer).__name__,
            "name": None if layer.name is None else _one_line(layer.name),
            "settings": _one_line(repr(layer)),
            "outputs": layer.output_count if passage is not None else 0,
            "parameters": row.parameters,
            "shared": None if use == key else key,
            "multiplyAdds": 0 if layer.is_container() else layer.multiply_adds(),
            "sees": row.receptive_fields[self.uses[key] - 1],
            "x": xs[0] if len(xs) == 1 else None,
            "xs": xs if len(xs) > 1 else None,
            "y": self.store.add_map(passage.y[0]) if shown else None,  # type: ignore[union-attr]
            "formula": {"type": "unknown"} if passage is None else formula(passage, self.store),
        }


def _branches(layer: Layer) -> list[str] | None:
    """Return the names of the branches of a layer; None if it is a chain or an unknown container."""
    if type(layer) is Residual:
        return ["main"] if layer.shortcut is None else ["main", "shortcut"]
    if type(layer) is Concat:
        return [f"branch {i}" for i in range(len(layer.branches))]
    return None


def _columns(sources: Sequence[Sequence[Link]], inputs: int, ends: Sequence[Link]) -> list[tuple[str, int] | None]:
    """Return the column of each step: of several inputs, the only one that it depends on; else of several outputs.

    The columns of the inputs are above the steps that join them, those of the outputs below.
    """
    before: list[set[int]] = []  # the inputs that a step depends on
    for given in sources:
        before.append(set[int]().union(*(before[i] if i >= 0 else {-1 - i} for i, _ in given)))
    after: list[set[int]] = [{output for output, (i, _) in enumerate(ends) if i == at} for at in range(len(sources))]
    for position in reversed(range(len(sources))):
        for i, _ in sources[position]:
            if i >= 0:
                after[i] |= after[position]
    columns: list[tuple[str, int] | None] = []
    for reached, towards in zip(before, after, strict=True):
        if inputs > 1 and len(reached) == 1:
            columns.append(("input", min(reached)))
        else:
            columns.append(("output", min(towards)) if len(ends) > 1 and len(towards) == 1 else None)
    return columns


def _answer(
    model: Network,
    batch: tuple[np.ndarray, ...],
    graph: Graph,
    output: int,
    class_names: Sequence[str],
    steps: list[dict[str, Any]],
    ends: list[Link],
    store: Store,
) -> dict[str, Any]:
    """Return the probabilities of an output's classes; append the softmax to the steps if the model lacks it."""
    names, name = list(class_names), graph.outputs[output]
    if output_shapes(model)[output] != (len(names),):
        which = f" {name!r}" * (len(ends) > 1)
        raise ValueError(
            f"explain: expected a model with {len(names)} outputs{which}, one per class name, "
            f"got one with outputs of shape {format_shapes(output_shapes(model)[output])}"
        )
    with np.errstate(invalid="ignore"):  # checked below
        y = model.forward(batch if model.several_inputs else batch[0])
        scores = y[output] if model.output_count > 1 else y  # (1, K)
        probabilities = to_probabilities(model, scores, output)
    if not np.isfinite(probabilities).all():
        raise ValueError("explain: expected finite outputs of the model, got infinity or NaN for this input")
    if final_activation(model, output=output) is None:
        layer = Softmax(axis=1) if len(names) > 1 else Sigmoid()
        row = Row("", probabilities.shape[1:], 0, 0, 0, None, (None,))
        step = _Recorder({"": Passage("", layer, scores, probabilities)}, {"": row}, store).step("", layer)
        step["formula"]["added"] = True
        steps.append(step | {"settings": "", "from": [ends[output]]})
        ends[output] = (len(steps) - 1, 0)
    found = {"names": [_one_line(name) for name in names], "probabilities": store.add(probabilities[0])}
    return found | {"output": _one_line(name), "step": ends[output][0]}
