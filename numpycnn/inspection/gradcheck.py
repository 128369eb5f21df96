"""Gradient check: compare analytic gradients with central differences, element by element.

The outputs ``y`` are reduced to one number with a random probe, ``f = sum(probe * y)``, so that ``backward(probe)``
must return the gradient of ``f``. (With a probe of ones, a softmax backward that returns zeros would pass.) Then each
element ``w`` is perturbed in both directions:

    (f(w + h) - f(w - h)) / (2 h)        differs from the derivative by about  h^2 / 6 * f'''

If the two disagree, the difference is computed again with a smaller ``h``. If it changes, there is a kink between
``w - h`` and ``w + h`` (a ReLU at 0, a change of the maximum), and the derivative cannot be measured: another random
point is drawn. If it does not change, the gradient is wrong.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 11.5.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._checks import check_int, check_number, format_shape
from numpycnn._tables import WIDTH, format_table
from numpycnn.layers.base import Layer
from numpycnn.layers.building import unbuild
from numpycnn.losses import Loss

STEP = 1e-5
POINTS = 20  # maximum number of points drawn to find one without kinks


class GradientError(AssertionError):
    """An analytic gradient differs from the numerical one."""


@dataclass(frozen=True)
class GradientRow:
    """The result for one array.

    Attributes
    ----------
    layer, array : str
        The layer and the name of the array; the input is ``x``.
    checked, size : int
        Number of elements perturbed one by one, and of all elements. All are also perturbed together in a random
        direction.
    error : float
        The largest difference, relative to the largest of the two values and the typical gradient of this array.
    index : tuple of int or None
        Index of that difference; None for the random direction.
    analytic, numerical : float
        The two values there.
    passed : bool
    written : bool
        Whether the backward pass set the gradient.
    """

    layer: str
    array: str
    checked: int
    size: int
    error: float
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    passed: bool
    written: bool = True


@dataclass(frozen=True)
class GradientReport:
    """The rows of a layer or model, printed as a table."""

    rows: tuple[GradientRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether all gradients are right."""
        return all(row.passed for row in self.rows)

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
        head = ("layer", "array", "checked", "largest error", "")
        body = [
            (row.layer, row.array, f"{row.checked} of {row.size}", f"{row.error:.1e}", "ok" if row.passed else "WRONG")
            for row in self.rows
        ]
        verdict = [format_failure(row) for row in self.rows if not row.passed] or [
            f"all {len(self.rows)} gradients agree with central differences "
            f"(float64, relative error at most {self.tolerance:g})"
        ]
        return format_table(head, body, align=("left", "left", "right", "right", "left"), notes=verdict, width=width)


def format_failure(row: GradientRow) -> str:
    """Format the layer, the array, the index, and both values; or that there is no gradient."""
    if not row.written:
        return f"{row.layer}: _backward did not set the gradient of {row.array}"
    where = "in a random direction" if row.index is None else f"at index {format_shape(row.index)}"
    return (
        f"{row.layer}: the gradient of {row.array} is wrong {where}: backward gives {row.analytic:.10g}, "
        f"central differences give {row.numerical:.10g} (relative error {row.error:.1e})"
    )


class _Point:
    """A layer in float64 with inputs and a probe for each output, and its random state and buffers frozen."""

    def __init__(self, layer: Layer, inputs: tuple[np.ndarray, ...], rng: np.random.Generator, training: bool) -> None:
        self.layer, self.inputs, self.training = layer, inputs, training
        parameters = {id(parameter.value) for parameter in layer.parameters().values()}
        self.buffers = {n: (a, a.copy()) for n, a in layer.state().items() if id(a) not in parameters}
        self.random = {n: (g, copy.deepcopy(g.bit_generator.state)) for n, g in layer.random_generators().items()}
        before = copy.deepcopy(inputs)
        outputs = self.outputs()
        if any(x.tobytes() != old.tobytes() for x, old in zip(inputs, before, strict=True)):
            raise GradientError(f"{layer.label}: forward changes its input x in place; compute with a copy")
        self.probes = tuple(rng.normal(size=y.shape) for y in outputs)
        for parameter in layer.parameters().values():
            parameter.grad.fill(np.nan)  # to be overwritten, and not added to
        gradients = self._backward()
        self.unset = self._find_unset()
        names = [f"x[{i}]" for i in range(len(inputs))] if layer.several_inputs else ["x"]
        pairs = zip(inputs, gradients if layer.several_inputs else (gradients,), strict=True)
        self.arrays: dict[str, tuple[np.ndarray, np.ndarray]] = {
            name: pair for name, pair in zip(names, pairs, strict=True) if pair[0].dtype.kind == "f"
        } | {name: (parameter.value, parameter.grad.copy()) for name, parameter in layer.parameters().items()}
        products = [probe * y for probe, y in zip(self.probes, outputs, strict=True)]
        self.noise = 1e-15 * float(np.sqrt(sum(np.sum(product**2) for product in products)))  # rounding error of f

    def _backward(self) -> Any:
        """Run the backward pass with the probes, which it must not change."""
        dys = tuple(probe.copy() for probe in self.probes)
        gradients = self.layer.backward(dys if self.layer.output_count > 1 else dys[0])
        if not all(map(np.array_equal, dys, self.probes)):
            raise GradientError(f"{self.layer.label}: backward changes its argument dy in place; compute with a copy")
        return gradients

    def _find_unset(self) -> set[str]:
        """Return the parameters whose gradient the backward pass did not write."""
        parameters = self.layer.parameters()
        suspects = [name for name, parameter in parameters.items() if np.isnan(parameter.grad).all()]
        if not suspects:
            return set()
        for name in suspects:
            parameters[name].grad.fill(1.0)  # a gradient that is not written keeps it, one that is added to does not
        self.outputs()
        self._backward()
        unset = {name for name in suspects if (parameters[name].grad == 1.0).all()}
        for name in suspects:
            parameters[name].grad.fill(np.nan)
        return unset

    def outputs(self) -> tuple[np.ndarray, ...]:
        for array, frozen in self.buffers.values():
            array[...] = frozen
        for generator, frozen_state in self.random.values():
            generator.bit_generator.state = frozen_state
        x = self.inputs if self.layer.several_inputs else self.inputs[0]
        y = self.layer.forward(x, training=self.training, differentiable=True)
        outputs = y if self.layer.output_count > 1 else (y,)
        return tuple(output.copy() for output in outputs)  # an output may be a view of x, which is perturbed

    def central_difference(self, move: Callable[[float], None], h: float) -> float:
        """Return the central difference of f; ``move(t)`` shifts the array by ``t`` along a direction."""
        move(h)
        above = self.outputs()
        move(-h)
        below = self.outputs()
        move(0.0)
        difference = sum(  # unchanged outputs cancel exactly
            (probe * (up - down)).sum() for probe, up, down in zip(self.probes, above, below, strict=True)
        )
        return float(difference / (2 * h))


class _LossLayer(Layer):
    """A loss as a layer, with fixed targets: its output is the loss, for each example the same."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(name=type(loss).__name__)
        self.loss = loss
        self.target: Any = None

    @property
    def label(self) -> str:
        return type(self.loss).__name__

    def draw_input(self, shape: Any, rng: np.random.Generator) -> np.ndarray:
        self.target = self.loss.draw_target(shape, rng)
        return np.asarray(self.loss.draw_output(shape, rng), np.float64)

    def _forward(self, x: Any, *, training: bool, differentiable: bool) -> tuple[Any, Any]:
        value = self.loss.forward(x, self.target)
        return np.array([value]), self.loss.backward() if differentiable else None

    def _backward(self, dy: Any, cache: Any) -> Any:
        return dy[0] * cache


def _perturbations(
    array: np.ndarray, gradient: np.ndarray, picks: np.ndarray, direction: np.ndarray
) -> list[tuple[tuple[int, ...] | None, float, Callable[[float], None], float]]:
    """Return index, analytic derivative, move function and step of each perturbation of one array."""
    tries: list[tuple[tuple[int, ...] | None, float, Callable[[float], None], float]] = []
    for pick in picks:
        index = tuple(int(i) for i in np.unravel_index(pick, array.shape))

        def move_one(t: float, index: tuple[int, ...] = index, start: float = float(array[index])) -> None:
            array[index] = start + t

        tries.append((index, float(gradient[index]), move_one, STEP))
    original = array.copy()

    def move_all(t: float) -> None:
        array[...] = original + t * direction

    tries.append((None, float((gradient * direction).sum()), move_all, STEP / 10))
    return tries


def _check_point(point: _Point, rng: np.random.Generator, samples: int, tolerance: float) -> list[GradientRow] | None:
    """Return the rows, or None at a kink."""
    rows = []
    for name, (array, gradient) in point.arrays.items():
        if not array.size:
            continue
        picks = np.arange(array.size)
        if array.size > samples:
            picks = np.sort(rng.choice(array.size, samples, replace=False))
        direction = rng.normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        tries = _perturbations(array, gradient, picks, direction)
        slopes = [point.central_difference(move, h) for _, _, move, h in tries]
        scale = max(float(np.sqrt(np.mean(np.square(slopes)))), float(np.sqrt(np.mean(np.square(gradient)))))
        worst: tuple[float, tuple[int, ...] | None, float, float] = (-1.0, None, 0.0, 0.0)
        for (index, analytic, move, h), slope in zip(tries, slopes, strict=True):
            size = max(abs(analytic), abs(slope), scale, point.noise / h / tolerance)
            error = (
                abs(analytic - slope) / size if np.isfinite(size) and size > 0 else float(np.isnan(size) or size > 0)
            )
            if error > tolerance:
                finer = point.central_difference(move, h / 8)
                if abs(finer - slope) > 0.5 * tolerance * size + 16 * point.noise / h:
                    return None
            worst = max(worst, (error, index, analytic, slope), key=lambda found: found[0])
        place, _, short_name = name.rpartition(".")
        owner = point.layer.label_of(point.layer.walk()[place])
        passed, written = worst[0] <= tolerance, name not in point.unset
        rows.append(GradientRow(owner, short_name, len(picks), array.size, *worst, passed=passed, written=written))
    return rows


def measure_gradients(
    layer: Layer | Loss,
    input_shape: Sequence[Any],
    *,
    batch_size: int = 3,
    samples: int = 40,
    tolerance: float = 1e-6,
    training: bool = True,
    seed: int = 0,
) -> GradientReport:
    """Compare all gradients of a layer, model or loss with central differences, and return a report.

    The arguments are those of `check_gradients`, which raises if a gradient is wrong.
    """
    check_int(batch_size, "batch_size", "check_gradients")
    check_int(samples, "samples", "check_gradients")
    check_number(tolerance, "tolerance", "check_gradients", minimum=float(np.finfo(float).eps))
    if isinstance(layer, Loss):
        layer = _LossLayer(copy.deepcopy(layer))
    if not isinstance(layer, Layer):
        raise TypeError(f"check_gradients: expected a layer, a model or a loss, got {type(layer).__name__}")
    rng = np.random.default_rng(seed)
    trained = None if layer.output_shape is None else layer.state()
    for _ in range(POINTS):
        twin = copy.deepcopy(layer)
        unbuild(twin)
        twin.build(input_shape, rng=rng, dtype=np.float64)
        if trained is not None:
            twin.load_state(trained)
        shapes = [(batch_size, *shape) for shape in (input_shape if twin.several_inputs else (input_shape,))]
        point = _Point(twin, twin.draw_inputs(shapes, rng), rng, training)
        rows = _check_point(point, rng, samples, tolerance)
        if rows is not None:
            return GradientReport(tuple(rows), tolerance)
    again = zip(point.outputs(), point.outputs(), strict=True)
    if not all(np.array_equal(first, second, equal_nan=True) for first, second in again):
        raise GradientError(
            f"{layer.label}: two forward passes with the same input differ, so no derivative could be measured; "
            "draw random numbers from a generator that is an attribute of the layer"
        )
    raise GradientError(
        f"{layer.label}: central differences with steps of {STEP:g} and {STEP / 8:g} (an element) or {STEP / 10:g} and "
        f"{STEP / 80:g} (a random direction) disagree at {POINTS} points, so no derivative could be measured: the "
        "function has kinks nearly everywhere, or varies too fast for these steps; scale its input or parameters, or "
        "accept a larger tolerance"
    )


def check_gradients(
    layer: Layer | Loss,
    input_shape: Sequence[Any],
    *,
    batch_size: int = 3,
    samples: int = 40,
    tolerance: float = 1e-6,
    training: bool = True,
    seed: int = 0,
) -> GradientReport:
    """Check all gradients of a layer, model or loss; raise an error that names the wrong element.

    Works on a copy in float64, for any dtype of the layer. Buffers and random masks are frozen, so that batch
    normalization and dropout are checked as in training.

    Parameters
    ----------
    layer : Layer or Loss
        Built or not; a built layer keeps its weights, an unbuilt one gets random weights. The targets of a loss are
        those of its method `draw_target`.
    input_shape : tuple of int, or tuple of them for several inputs
        Of one example, without the batch axis; for a loss, that of the outputs.
    batch_size : int
        Examples in the random input.
    samples : int
        Largest number of elements of each array that are perturbed one by one.
    tolerance : float
        Largest accepted relative error.
    training : bool
        Whether to run the forward pass in training mode.
    seed : int
        Of the random input, probe and choices.

    Returns
    -------
    GradientReport
        Printed as a table.

    Raises
    ------
    ValueError
        If the weights of a built layer do not fit the input shape, or a number is out of range.
    GradientError
        An AssertionError with layer, array, index and both values, if a gradient is wrong.
    TypeError
        If `layer` is neither a layer nor a loss, or a number is of another type.

    Examples
    --------
    >>> from numpycnn import Conv2D
    >>> check_gradients(Conv2D(3, kernel_size=(2, 3), stride=2), input_shape=(2, 5, 6)).passed
    True
    """
    report = measure_gradients(
        layer, input_shape, batch_size=batch_size, samples=samples, tolerance=tolerance, training=training, seed=seed
    )
    wrong = [format_failure(row) for row in report.rows if not row.passed]
    if wrong:
        raise GradientError("\n".join(wrong))
    return report
