"""The data of the page, as JSON: the activations of a network for one example."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.explain.arrays import MAX_BYTES, Store, as_tuple, choose
from numpycnn.explain.formulas import FORMULAS, formula
from numpycnn.inspection.outputs import final_activation
from numpycnn.inspection.summary import Row, summarize
from numpycnn.inspection.traces import Passage, check_one_input, follow, layers_of
from numpycnn.layers import Concat, Layer, Residual, Softmax
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.layers.weighted import Weighted
from numpycnn.visualize.classes import class_probabilities
from numpycnn.visualize.style import one_line

MAX_TEXT = 300  # characters of an untrusted `repr` or file name


@dataclass(frozen=True)
class Example:
    """One input of a model, and its description.

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
    class_names : sequence of str, optional
        If given, the outputs are scores of these classes.
    notes : sequence of str
        Remarks for the reader, such as that the model is untrained.
    words : sequence of str, optional
        The tokens of `x`, if it is a sequence of token indices.
    """

    x: np.ndarray
    title: str = "an input"
    picture: np.ndarray | None = None
    image: np.ndarray | None = None
    class_names: Sequence[str] | None = None
    notes: Sequence[str] = ()
    words: Sequence[str] | None = None


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
        If `model` is not a model, it takes several inputs, the input has another shape, the numbers of class names and
        outputs differ, or the probability of a class is not finite.
    RuntimeError
        If the model has not been built.
    """
    check_one_input(model, "explain")
    x, picture = np.asarray(example.x), example.picture
    if isinstance(model, Network) and model.input_shape is not None and x.shape != model.input_shape:
        raise ValueError(
            f"explain: expected one example of shape {format_shape(model.input_shape)}, without a batch axis, "
            f"got {format_shape(x.shape)}"
        )
    records = follow(model, x[np.newaxis])
    passages = {use: _without_activation(passage, records) for use, passage in records.items()}
    rows = dict(zip(layers_of(model), summarize(model).rows, strict=True))
    recorder = _Recorder(passages, rows, Store(choose(list(passages.values()), most_bytes)))
    store, steps = recorder.store, recorder.steps_in(model, "")
    found: dict[str, Any] = {
        "title": _one_line(example.title),
        "model": _one_line(model.name or "a network"),
        "notes": [_one_line(note) for note in example.notes],
        "parameters": sum(row.parameters for row in rows.values()),
        "multiplyAdds": sum(row.multiply_adds for row in rows.values()),
        "input": store.add_map(np.atleast_1d(x)),
        "picture": None if picture is None else store.add_picture(np.moveaxis(np.atleast_3d(picture), 2, 0)),
        "image": None if example.image is None else store.add_picture(example.image),
        "words": None if example.words is None else [_one_line(word) for word in example.words],
        "classes": None,
    }
    if example.class_names is not None:
        found["classes"], last = _classes(model, x, list(example.class_names), store)
        steps += last
    found["steps"] = steps
    found["arrays"] = store.arrays
    return found


def _one_line(text: str) -> str:
    return one_line(text, MAX_TEXT)


def _without_activation(passage: Passage, records: dict[str, Passage]) -> Passage:
    """Return the passage through the operation of a dense layer or convolution alone; others as they are.

    An output of one value per example gets an axis of length 1.
    """
    key, _, number = passage.key.partition("#")
    activation = records.get(f"{key}.activation" + f"#{number}" * bool(number))
    if activation is not None and type(passage.layer) in FORMULAS:
        bare: Any = copy.copy(passage.layer)
        bare.activation = None
        passage = replace(passage, layer=bare, y=activation.x)
    is_vector = isinstance(passage.y, np.ndarray) and passage.y.ndim == 1
    return replace(passage, y=passage.y[:, np.newaxis]) if is_vector else passage


@dataclass
class _Recorder:
    """Collects the data of the steps, in the order in which the layers run."""

    passages: dict[str, Passage]
    rows: dict[str, Row]
    store: Store
    uses: Counter[str] = field(default_factory=Counter)

    def steps_in(self, layer: Layer, place: str) -> list[dict[str, Any]]:
        """Return the data of the layers inside a layer; in a graph one for each use, with the steps it takes."""
        prefix = f"{place}." if place else ""
        if not isinstance(layer, Model):
            return [self.step(prefix + name, child) for name, child in layer.children().items()]
        numbers = {name: -1 - i for i, name in enumerate(layer.input_names())}
        steps = []
        for use, child, inputs in layer.uses():
            step = self.step(prefix + use.partition("#")[0], child)
            steps.append(step | {"from": [numbers[name] for name in inputs]})
            numbers[use] = len(numbers) - len(layer.input_names())
        return steps

    def step(self, key: str, layer: Layer) -> dict[str, Any]:
        """Return the data of one layer and the layers inside it; a layer that was not run has no arrays."""
        self.uses[key] += 1
        use = key if self.uses[key] == 1 else f"{key}#{self.uses[key]}"
        passage = self.passages.get(use)
        inside = self.steps_in(layer, key)
        found = self._describe(use, layer, passage) | {"inside": inside, "branches": _branches(layer)}
        if passage is None or not isinstance(passage.layer, Weighted) or passage.layer is layer:
            return found | {"settings": "" if inside else found["settings"]}
        # The operation, then its activation function.
        return found | {
            "settings": "",
            "y": inside[0]["y"],
            "formula": {"type": "chain", "activation": True},
            "inside": [found | {"inside": [], "branches": None}, *inside],
        }

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
            "parameters": row.parameters,
            "shared": None if use == key else key,
            "multiplyAdds": 0 if layer.is_container() else layer.multiply_adds(),
            "sees": row.receptive_field,
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


def _classes(
    model: Network, x: np.ndarray, names: list[str], store: Store
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the classes with their probabilities, and the final softmax if the model lacks it."""
    if model.output_shape != (len(names),) or model.output_count > 1:
        raise ValueError(
            f"explain: expected a model with {len(names)} outputs, one per class name, "
            f"got one with outputs of shape {format_shapes(model.output_shape or ())}"
        )
    with np.errstate(invalid="ignore"):  # checked below
        probabilities = class_probabilities(model, x[np.newaxis])[0]  # (K,)
    if not np.isfinite(probabilities).all():
        raise ValueError("explain: expected finite outputs of the model, got infinity or NaN for this input")
    classes = {"names": [_one_line(name) for name in names], "probabilities": store.add(probabilities)}
    if final_activation(model) is not None:
        return classes, []
    scores = model.forward(x[np.newaxis])[0]
    passage = Passage("", Softmax(axis=1), scores[np.newaxis], probabilities[np.newaxis])
    step = _Recorder({"": passage}, {"": Row("", probabilities.shape, 0, 0, 0, None)}, store).step("", passage.layer)
    step["formula"]["added"] = True
    return classes, [step | {"settings": ""}]
