"""The data of the page, as JSON: the activations of a network for one example."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.explain.arrays import MAX_BYTES, Store, choose
from numpycnn.explain.formulas import formula
from numpycnn.inspection.summary import Row, summarize
from numpycnn.inspection.traces import Passage, chain_of, follow, layers_of
from numpycnn.layers import Concat, Layer, LogSoftmax, Residual, Sigmoid, Softmax
from numpycnn.layers.network import Network
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
        If `model` is not a model, the input has another shape, the numbers of class names and outputs differ, or
        the probability of a class is not finite.
    RuntimeError
        If the model has not been built.
    """
    x, picture = np.asarray(example.x), example.picture
    if isinstance(model, Network) and model.input_shape is not None and x.shape != model.input_shape:
        raise ValueError(
            f"explain: expected one example of shape {format_shape(model.input_shape)}, without a batch axis, "
            f"got {format_shape(x.shape)}"
        )
    passages = {key: _with_features(passage) for key, passage in follow(model, x[np.newaxis]).items()}
    store = Store(choose(list(passages.values()), most_bytes))
    rows = dict(zip(layers_of(model), summarize(model).rows, strict=True))
    steps = [_step(key, layer, passages, rows, store) for key, layer in model.children().items()]
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


def _with_features(passage: Passage) -> Passage:
    """Add an axis of length 1 to an output of one value per example."""
    return replace(passage, y=passage.y[:, np.newaxis]) if passage.y.ndim == 1 else passage


def _step(key: str, layer: Layer, passages: dict[str, Passage], rows: dict[str, Row], store: Store) -> dict[str, Any]:
    """Return the data of one layer and the layers inside it; a layer that was not run has no arrays."""
    row, passage = rows[key], passages.get(key)
    inside = [_step(f"{key}.{name}", child, passages, rows, store) for name, child in layer.children().items()]
    return {
        "key": key,
        "kind": type(layer).__name__,
        "name": None if layer.name is None else _one_line(layer.name),
        "settings": "" if inside else _one_line(repr(layer)),
        "parameters": row.parameters,
        "multiplyAdds": row.multiply_adds,
        "sees": row.receptive_field,
        "x": None if passage is None else store.add_map(np.atleast_1d(passage.x[0])),
        "y": None if passage is None else store.add_map(passage.y[0]),
        "formula": {"type": "unknown"} if passage is None else formula(passage, store),
        "inside": inside,
        "branches": _branches(layer),
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
    if model.output_shape != (len(names),):
        raise ValueError(
            f"explain: expected a model with {len(names)} outputs, one per class name, "
            f"got one with outputs of shape {format_shape(model.output_shape or ())}"
        )
    with np.errstate(invalid="ignore"):  # checked below
        probabilities = class_probabilities(model, x[np.newaxis])[0]  # (K,)
    if not np.isfinite(probabilities).all():
        raise ValueError("explain: expected finite outputs of the model, got infinity or NaN for this input")
    classes = {"names": [_one_line(name) for name in names], "probabilities": store.add(probabilities)}
    if isinstance(list(chain_of(model).values())[-1], LogSoftmax | Sigmoid | Softmax):
        return classes, []
    scores = model.forward(x[np.newaxis])[0]
    layer = Softmax(axis=1)
    passage = Passage("", layer, scores[np.newaxis], probabilities[np.newaxis])
    step = _step("", layer, {"": passage}, {"": Row("", probabilities.shape, 0, 0, 0, None)}, store)
    step["formula"]["added"] = True
    return classes, [step | {"settings": ""}]
