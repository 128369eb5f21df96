"""Is this gradient right? The analytic gradient held against central differences, number by number.

The outputs ``y`` are reduced to one number with a random probe, ``f = sum(probe * y)``, so that ``backward(probe)``
must return the gradient of ``f``. (A probe of ones would let a softmax pass whose backward returns nothing but zeros.)
Then each number ``w`` is moved a little to both sides:

    (f(w + h) - f(w - h)) / (2 h)        differs from the derivative by about  h^2 / 6 * f'''

Where the two disagree, the difference is taken once more with a smaller ``h``. If it changes, then there is a kink
between ``w - h`` and ``w + h`` (a ReLU that switches, another winner of a maximum), where no derivative can be
measured: another random point is drawn. If it does not, the gradient is wrong.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 11.5.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._tables import WIDTH, format_table
from numpycnn.functional.checks import spell, whole_number
from numpycnn.layers.base import Layer
from numpycnn.layers.building import unbuild

STEP = 1e-5
POINTS = 20  # drawn before giving up on finding one without kinks


class GradientError(AssertionError):
    """An analytic gradient differs from the numerical one."""


@dataclass(frozen=True)
class GradientRow:
    """What was found for one array.

    Attributes
    ----------
    layer, array : str
        Whose it is, and its name; the input's is ``x``.
    checked, size : int
        How many of its numbers were moved one by one. All of them together are moved as well, in a random direction.
    error : float
        The largest difference, relative to the larger of the two numbers and of the typical gradient of this array.
    index : tuple of int or None
        Where that was; None stands for the random direction.
    analytic, numerical : float
        The two numbers there.
    passed : bool
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


@dataclass(frozen=True)
class GradientReport:
    """The rows of a layer or model, which print as a table."""

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
            Characters of a line, at most.

        Returns
        -------
        str
        """
        head = ("layer", "array", "checked", "largest error", "")
        body = [
            (row.layer, row.array, f"{row.checked} of {row.size}", f"{row.error:.1e}", "ok" if row.passed else "WRONG")
            for row in self.rows
        ]
        verdict = [failure_text(row) for row in self.rows if not row.passed] or [
            f"all {len(self.rows)} gradients agree with central differences "
            f"(float64, relative error at most {self.tolerance:g})"
        ]
        return format_table(head, body, align=("left", "left", "right", "right", "left"), notes=verdict, width=width)


def failure_text(row: GradientRow) -> str:
    """Name the layer, the array, the index, and both numbers."""
    where = "in a random direction" if row.index is None else f"at index {spell(row.index)}"
    return (
        f"{row.layer}: the gradient of {row.array} is wrong {where}: backward gives {row.analytic:.10g}, "
        f"central differences give {row.numerical:.10g} (relative error {row.error:.1e})"
    )


class _Point:
    """A layer in float64 with an input and a probe, and all its randomness and buffers held still."""

    def __init__(self, layer: Layer, x: np.ndarray, rng: np.random.Generator, training: bool) -> None:
        self.layer, self.x, self.training = layer, x, training
        parameters = {id(parameter.value) for parameter in layer.parameters().values()}
        self.buffers = {n: (a, a.copy()) for n, a in layer.state().items() if id(a) not in parameters}
        self.random = {n: (g, copy.deepcopy(g.bit_generator.state)) for n, g in layer.random_generators().items()}
        y = self.outputs()
        self.probe = rng.normal(size=y.shape)
        self.probe.flags.writeable = False  # a backward that changes its argument would change the measure as well
        for parameter in layer.parameters().values():
            parameter.grad.fill(np.nan)  # to be overwritten, and not added to
        gradient = layer.backward(self.probe)
        arrays = {"x": (self.x, gradient)} if x.dtype.kind == "f" else {}
        self.arrays: dict[str, tuple[np.ndarray, np.ndarray]] = arrays | {
            name: (parameter.value, parameter.grad.copy()) for name, parameter in layer.parameters().items()
        }
        self.noise = 1e-15 * float(np.linalg.norm(self.probe * y))  # rounding of f, about

    def outputs(self) -> np.ndarray:
        for array, frozen in self.buffers.values():
            array[...] = frozen
        for generator, frozen_state in self.random.values():
            generator.bit_generator.state = frozen_state
        y = self.layer.forward(self.x, training=self.training, differentiable=True)
        return y.copy()  # a layer that only rearranges returns a view, which would move along with x

    def slope(self, move: Callable[[float], None], h: float) -> float:
        """Return the central difference of f; ``move(t)`` puts the array to ``t`` along some direction."""
        move(h)
        above = self.outputs()
        move(-h)
        below = self.outputs()
        move(0.0)
        return float((self.probe * (above - below)).sum() / (2 * h))  # outputs that did not move cancel exactly


def _moves(
    array: np.ndarray, gradient: np.ndarray, picks: np.ndarray, direction: np.ndarray
) -> list[tuple[tuple[int, ...] | None, float, Callable[[float], None], float]]:
    """Return index, analytic derivative, how to move, and step of everything to be tried on one array."""
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
    """Return the rows, or None where a kink is in the way."""
    rows = []
    for name, (array, gradient) in point.arrays.items():
        if not array.size:
            continue
        picks = np.arange(array.size)
        if array.size > samples:
            picks = np.sort(rng.choice(array.size, samples, replace=False))
        direction = rng.normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        tries = _moves(array, gradient, picks, direction)
        slopes = [point.slope(move, h) for _, _, move, h in tries]
        scale = max(float(np.sqrt(np.mean(np.square(slopes)))), float(np.sqrt(np.mean(np.square(gradient)))))
        worst: tuple[float, Any, float, float] = (-1.0, None, 0.0, 0.0)
        for (index, analytic, move, h), slope in zip(tries, slopes, strict=True):
            size = max(abs(analytic), abs(slope), scale, point.noise / h / tolerance)
            error = (
                abs(analytic - slope) / size if np.isfinite(size) and size > 0 else float(np.isnan(size) or size > 0)
            )
            if error > tolerance:
                finer = point.slope(move, h / 8)
                if abs(finer - slope) > 0.5 * tolerance * size + 16 * point.noise / h:
                    return None
            worst = max(worst, (error, index, analytic, slope), key=lambda found: found[0])
        error, index, analytic, slope = worst
        rows.append(
            GradientRow(
                _owner(point.layer, name),
                name.rpartition(".")[2],
                len(picks),
                array.size,
                error,
                index,
                analytic,
                slope,
                error <= tolerance,
            )
        )
    return rows


def _owner(layer: Layer, name: str) -> str:
    """Return the label of the layer that an array belongs to."""
    owner = layer
    *path, _ = name.split(".")
    for key in path:
        owner = owner.children()[key]
    return layer.label_of(owner)


def measure_gradients(
    layer: Layer,
    input_shape: Sequence[int],
    *,
    batch_size: int = 3,
    samples: int = 40,
    tolerance: float = 1e-6,
    training: bool = True,
    seed: int = 0,
) -> GradientReport:
    """Compare all gradients of a layer or model with central differences, and return what was found.

    The arguments are those of `check_gradients`, which fails where this only reports.
    """
    whole_number(batch_size, "batch_size", "check_gradients")
    whole_number(samples, "samples", "check_gradients")
    if not isinstance(layer, Layer):
        raise TypeError(f"check_gradients: expected a layer or a model, got {type(layer).__name__}")
    rng = np.random.default_rng(seed)
    trained = None if layer.output_shape is None else layer.state()
    for _ in range(POINTS):
        twin = copy.deepcopy(layer)
        unbuild(twin)
        twin.build(input_shape, rng=rng, dtype=np.float64)
        if trained is not None:
            twin.load_state(trained)
        x = twin.draw_input((batch_size, *input_shape), rng)
        rows = _check_point(_Point(twin, x, rng, training), rng, samples, tolerance)
        if rows is not None:
            return GradientReport(tuple(rows), tolerance)
    raise GradientError(
        f"{layer.label}: none of {POINTS} random points was free of kinks, so no derivative could be measured; "
        "is the forward pass the same each time it is called with the same input?"
    )


def check_gradients(
    layer: Layer,
    input_shape: Sequence[int],
    *,
    batch_size: int = 3,
    samples: int = 40,
    tolerance: float = 1e-6,
    training: bool = True,
    seed: int = 0,
) -> GradientReport:
    """Prove all gradients of a layer or model right, or say which number is wrong.

    Works on a copy in float64, whatever the type of the layer. Buffers and random masks are held still, so that batch
    normalisation and dropout are checked as they work in training.

    Parameters
    ----------
    layer : Layer
        Built or not; a built one keeps its weights, an unbuilt one is given random ones.
    input_shape : tuple of int
        Of one example, without the batch axis.
    batch_size : int
        Examples in the random input.
    samples : int
        How many numbers of each array are moved one by one, at most.
    tolerance : float
        Of the relative error.
    training : bool
        Whether to go forward as in training.
    seed : int
        Of the random input, probe and choices.

    Returns
    -------
    GradientReport
        Prints as a table.

    Raises
    ------
    ValueError
        If the weights of a built layer do not fit the input shape.
    GradientError
        An AssertionError with layer, array, index and both numbers, if a gradient is wrong.
    TypeError
        If `layer` is no layer.

    Examples
    --------
    >>> from numpycnn import Conv2D
    >>> check_gradients(Conv2D(3, kernel_size=(2, 3), stride=2), input_shape=(2, 5, 6)).passed
    True
    """
    report = measure_gradients(
        layer,
        input_shape,
        batch_size=batch_size,
        samples=samples,
        tolerance=tolerance,
        training=training,
        seed=seed,
    )
    wrong = [failure_text(row) for row in report.rows if not row.passed]
    if wrong:
        raise GradientError("\n".join(wrong))
    return report
