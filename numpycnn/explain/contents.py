"""What the page holds: one example's way through a network, as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numpycnn.explain.arrays import MOST_BYTES, Store, choose
from numpycnn.explain.formulas import formula
from numpycnn.functional.checks import spell
from numpycnn.layers import Concat, Layer, LogSoftmax, Residual, Sigmoid, Softmax
from numpycnn.sequential import Sequential
from numpycnn.summary import Row, summarize
from numpycnn.visualize.activations import Passage, chain_of, follow
from numpycnn.visualize.classes import class_probabilities
from numpycnn.visualize.style import one_line

LONGEST_TEXT = 300  # characters of what somebody else's `repr` or file name says


@dataclass(frozen=True)
class Example:
    """One input of a model, and what to say of it.

    Attributes
    ----------
    x : ndarray of shape `model.input_shape`
        Without the batch axis.
    title : str
        What it is called, such as the name of a file.
    picture : ndarray of uint8, shape (H, W) or (H, W, 3), optional
        What `x` was made of, as a person would see it.
    image : ndarray of uint8, shape (1, H, W) or (3, H, W), optional
        `x` before it was normalised: the picture as the network gets it.
    class_names : sequence of str, optional
        With them the outputs are read as scores of these classes.
    notes : sequence of str
        What a reader should know, such as that the model is untrained.
    words : sequence of str, optional
        What the numbers of `x` stand for, where it is a row of tokens.
    """

    x: np.ndarray
    title: str = "an input"
    picture: np.ndarray | None = None
    image: np.ndarray | None = None
    class_names: Sequence[str] | None = None
    notes: Sequence[str] = ()
    words: Sequence[str] | None = None


def contents(model: Sequential, example: Example, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return everything that the page shows, ready for `json.dumps`.

    Parameters
    ----------
    model : Sequential
        Built. It is not changed, and other threads may predict with it meanwhile.
    example : Example
    most_bytes : int
        Of the numbers. What is over that is left out, evenly; the page says what.

    Raises
    ------
    TypeError, ValueError
        If `model` is no model, the input does not have its shape, or there is not one class name for each output.
    RuntimeError
        If the model has not been built.
    """
    x = np.asarray(example.x)
    if isinstance(model, Sequential) and model.input_shape is not None and x.shape != model.input_shape:
        raise ValueError(
            f"explain: expected one example of shape {spell(model.input_shape)}, without a batch axis, "
            f"got {spell(x.shape)}"
        )
    passages = {key: _with_features(passage) for key, passage in follow(model, x[np.newaxis]).items()}
    store = Store(choose(list(passages.values()), most_bytes))
    rows = dict(zip(_places(model), summarize(model).rows, strict=True))
    steps = [_step(key, layer, passages, rows, store) for key, layer in model.children().items()]
    found: dict[str, Any] = {
        "title": _short(example.title),
        "model": _short(model.name or "a network"),
        "notes": [_short(note) for note in example.notes],
        "parameters": sum(row.parameters for row in rows.values()),
        "multiplyAdds": sum(row.multiply_adds for row in rows.values()),
        "input": store.add_map(np.atleast_1d(x)),
        "picture": None if example.picture is None else store.add_picture(_channels_first(example.picture)),
        "image": None if example.image is None else store.add_picture(example.image),
        "words": None if example.words is None else [_short(word) for word in example.words],
        "classes": None,
    }
    if example.class_names is not None:
        found["classes"], last = _classes(model, x, list(example.class_names), store)
        steps += last
    found["steps"] = steps
    found["arrays"] = store.arrays
    return found


def _short(text: str) -> str:
    return one_line(text, LONGEST_TEXT)


def _channels_first(picture: np.ndarray) -> np.ndarray:
    return picture[np.newaxis] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)


def _with_features(passage: Passage) -> Passage:
    """Give an output that is a single number for each example an axis, of length 1."""
    return replace(passage, y=passage.y[:, np.newaxis]) if passage.y.ndim == 1 else passage


def _places(layer: Layer, place: str = "") -> Iterator[str]:
    """Yield the places of all layers in the order of the summary."""
    for name, child in layer.children().items():
        key = f"{place}.{name}" if place else name
        yield key
        yield from _places(child, key)


# -------------------------------------------------------------------------------------------------------- the layers


def _step(key: str, layer: Layer, passages: dict[str, Passage], rows: dict[str, Row], store: Store) -> dict[str, Any]:
    """Return one layer with the layers inside of it; for one that nothing went through there is no way to show."""
    row, passage = rows[key], passages.get(key)
    inside = [_step(f"{key}.{name}", child, passages, rows, store) for name, child in layer.children().items()]
    return {
        "key": key,
        "kind": type(layer).__name__,
        "name": None if layer.name is None else _short(layer.name),
        "settings": "" if inside else _short(repr(layer)),
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
    """Return what to call the branches of a layer; None if its layers work one after the other, or nobody knows how."""
    if type(layer) is Residual:
        return ["main"] if layer.shortcut is None else ["main", "shortcut"]
    if type(layer) is Concat:
        return [f"branch {i}" for i in range(len(layer.branches))]
    return None


def _classes(
    model: Sequential, x: np.ndarray, names: list[str], store: Store
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the classes with their probabilities, and the softmax that makes these if the model has none."""
    if model.output_shape != (len(names),):
        raise ValueError(
            f"explain: expected a model with {len(names)} outputs, one for each class name, "
            f"got one with outputs of shape {spell(model.output_shape or ())}"
        )
    probabilities = class_probabilities(model, x[np.newaxis])[0]  # (K,)
    classes = {"names": [_short(name) for name in names], "probabilities": store.add(probabilities)}
    if isinstance(list(chain_of(model).values())[-1], LogSoftmax | Sigmoid | Softmax):
        return classes, []
    scores = model.forward(x[np.newaxis])[0]
    softmax = {
        "key": "",
        "kind": "Softmax",
        "name": None,
        "settings": "",
        "parameters": 0,
        "multiplyAdds": 0,
        "sees": None,
        "x": store.add(scores),
        "y": classes["probabilities"],
        "formula": {"type": "softmax", "axis": 0, "log": False, "added": True},
        "inside": [],
        "branches": None,
    }
    return classes, [softmax]
