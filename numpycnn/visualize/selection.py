"""The input and the output of a network that a figure is about, and the score of a class.

A network with one input and one output has nothing to select. Of several, those that fit are candidates (pictures, for
example); a single candidate is the default.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._checks import check_labels, check_unmasked
from numpycnn.inspection.graph import Graph, graph_of
from numpycnn.inspection.outputs import ACTIVATIONS, to_probabilities
from numpycnn.inspection.traces import Passage, check_batch, follow_back
from numpycnn.layers.base import Shape
from numpycnn.layers.checking import format_shapes, shapes_of
from numpycnn.layers.network import Network
from numpycnn.visualize.style import NARROW, escape_text

Choice = str | int | None  # the name or the number of an input or output


@dataclass(frozen=True)
class Selection:
    """A batch for each input of a network, and the numbers of the selected input and output."""

    model: Network
    graph: Graph
    batches: tuple[np.ndarray, ...]
    input: int
    output: int

    @property
    def x(self) -> np.ndarray:
        """The batch of the selected input."""
        return self.batches[self.input]

    @property
    def names(self) -> list[str]:
        """A line with the names of the selected input and output, where there are several; else none."""
        found = [(self.graph.inputs, self.input), (self.graph.outputs, self.output)]
        names = [escape_text(every[number], NARROW) for every, number in found if len(every) > 1]
        return [", ".join(names)] if names else []

    @property
    def classes(self) -> int:
        """The number of classes of the selected output."""
        return output_shapes(self.model)[self.output][0]

    @property
    def score(self) -> tuple[str, int]:
        """The layer that computes the scores (logits), the last one before a softmax, and the number of its output.

        Explanations use the score of a class, since its probability also rises when the other scores fall. A layer
        with ``activation="softmax"`` outputs probabilities only, which are then the scores.

        Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", arXiv 1312.6034, section 2.
        """
        return score_of(self.graph, self.output)

    def given(self, x: np.ndarray, rows: Any = slice(None)) -> Any:
        """Return the model's input: `x` for the selected one, and the other inputs of the examples `rows`."""
        if not self.model.several_inputs:
            return x
        return tuple(x if number == self.input else batch[rows] for number, batch in enumerate(self.batches))

    def probabilities(self, x: np.ndarray | None = None, rows: Any = slice(None), batch_size: int = 256) -> np.ndarray:
        """Return the probabilities (N, K) of the selected output, with `x` as the selected input if it is given."""
        y = self.model.predict(self.given(self.x if x is None else x, rows), batch_size=batch_size)
        return to_probabilities(self.model, y[self.output] if isinstance(y, tuple) else y, self.output)

    def targets(self, targets: Any, operation: str) -> np.ndarray:
        """Return one class for each example: the given ones, or by default the predicted ones."""
        if targets is None:
            return self.probabilities().argmax(axis=1)  # (N,)
        targets, count = check_unmasked(targets, "targets", operation), len(self.x)
        each = check_labels(np.full(count, targets) if targets.ndim == 0 else targets, self.classes, operation)
        if len(each) != count:
            raise ValueError(f"{operation}: expected one target for each of {count} examples, got {len(each)}")
        return each

    def differentiate(self, targets: np.ndarray, x: np.ndarray | None = None) -> tuple[np.ndarray, dict[str, Passage]]:
        """Return the gradient of the sum of the targets' scores with respect to the selected input, and the passages.

        `x` takes the place of the selected input if it is given.
        """
        at, number = self.score

        def pick(y: Any) -> Any:
            dys = [np.zeros_like(output) for output in (y if isinstance(y, tuple) else (y,))]
            dys[number][np.arange(len(targets)), targets] = 1
            return tuple(dys) if isinstance(y, tuple) else dys[0]

        dx, passages = follow_back(self.model, self.given(self.x if x is None else x), pick, at=at)
        return (dx[self.input] if self.model.several_inputs else dx), passages


def select(
    model: Network,
    x: Any,
    operation: str,
    input: Choice,
    output: Choice,
    fits: Callable[[Selection], bool],
    wanted: str,
) -> Selection:
    """Return the selection of an input and of an output with classes.

    `fits` is whether the operation can take the selected input, and `wanted` describes such inputs.
    """
    batches, graph = batches_of(model, x, operation), graph_of(model)
    end = choose_output(model, graph, output, operation)
    possible = [Selection(model, graph, batches, number, end) for number in range(len(batches))]
    numbers = [chosen.input for chosen in possible if fits(chosen)]
    return possible[choose_input(graph, input, operation, numbers, wanted)]


def batches_of(model: Network, x: Any, operation: str) -> tuple[np.ndarray, ...]:
    """Return a batch for each input of a model, also of a single example."""
    several = isinstance(model, Network) and model.several_inputs
    if several and not isinstance(x, tuple | list):
        check_batch(model, x, operation)  # refuses it
    arrays = tuple(_as_native(array, operation) for array in (x if several else (x,)))
    if isinstance(model, Network) and shapes_of(arrays) == input_shapes(model):
        arrays = tuple(array[np.newaxis] for array in arrays)
    checked = check_batch(model, arrays if several else arrays[0], operation)
    batches: tuple[np.ndarray, ...] = checked if several else (checked,)
    if not len(batches[0]):
        shapes = format_shapes(shapes_of(checked))
        raise ValueError(f"{operation}: expected at least one example, got an empty batch {shapes}")
    return batches


def _as_native(x: Any, operation: str) -> np.ndarray:
    """Return an array in native byte order, which the results have too."""
    x = check_unmasked(x, "x", operation)
    return x.astype(x.dtype.newbyteorder("="), copy=False)


def choose_input(graph: Graph, asked: Choice, operation: str, fits: Sequence[int], wanted: str) -> int:
    """Return the number of an input by its name or number; by default the only one that fits."""
    return _choose(graph.inputs, asked, operation, "input", fits, wanted)


def choose_output(model: Network, graph: Graph, asked: Choice, operation: str) -> int:
    """Return the number of an output with one value per class; by default the only one."""
    shapes = output_shapes(model)
    fits = [number for number, shape in enumerate(shapes) if len(shape) == 1]
    number = _choose(graph.outputs, asked, operation, "output", fits, "with one value per class, (K,)")
    if number not in fits:  # the only one
        shape = format_shapes(shapes[number])
        raise ValueError(f"{operation}: expected a model with one output per class, (K,), got {shape}")
    return number


def _choose(names: Sequence[str], asked: Choice, operation: str, kind: str, fits: Sequence[int], wanted: str) -> int:
    if asked is None:
        if len(names) == 1 or len(fits) == 1:
            return fits[0] if len(fits) == 1 else 0
        if not fits:
            raise ValueError(f"{operation}: expected a model with an {kind} {wanted}, got none among {_list(names)}")
        raise ValueError(f"{operation}: the model has several {kind}s; give one, {kind}={_list(names, fits)}")
    found = [number for number, name in enumerate(names) if asked in (name, number) and not isinstance(asked, bool)]
    if not found or found[0] not in (fits or found):
        which = f" {wanted}" if found else ""
        listed = _list(names, fits or range(len(names)))
        raise ValueError(f"{operation}: expected {kind} to be the name of an {kind}{which}, {listed}, got {asked!r}")
    return found[0]


def _list(names: Sequence[str], numbers: Sequence[int] | None = None) -> str:
    chosen = [repr(names[number]) for number in (range(len(names)) if numbers is None else numbers)]
    return " or ".join(chosen)


def input_shapes(model: Network) -> tuple[Shape, ...]:
    """Return the shape of each input of a built model."""
    shapes: Any = model.input_shape
    return tuple(shapes) if model.several_inputs else (shapes,)


def output_shapes(model: Network) -> tuple[Shape, ...]:
    """Return the shape of each output of a built model."""
    shapes: Any = model.output_shape
    return tuple(shapes) if model.output_count > 1 else (shapes,)


def blank_inputs(model: Network, count: int) -> tuple[np.ndarray, ...]:
    """Return zeros for each input, with the dtype that it takes: integers for tokens."""
    shapes = [(count, *shape) for shape in input_shapes(model)]
    return tuple(map(np.zeros_like, model.draw_inputs(shapes, np.random.default_rng(0))))


def score_of(graph: Graph, output: int) -> tuple[str, int]:
    """Return the layer that computes the scores of an output, and the number of its output; see `Selection.score`."""
    end = graph.ends[output]
    before = end
    while isinstance(before[0], str) and isinstance(graph.uses[before[0]].layer, ACTIVATIONS):
        before = graph.uses[before[0]].sources[0]
    key, number = before if isinstance(before[0], str) else end
    return str(key), number
