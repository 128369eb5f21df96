"""A loss for each output of a model, added up."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from numpycnn._checks import check_number
from numpycnn._types import Array
from numpycnn.layers.base import Parameter
from numpycnn.losses.base import Loss


class SumOfLosses(Loss):
    """The sum of one loss for each output of a `Model`; ``Trainer(loss=[...])`` makes one.

    Outputs and targets are tuples, an item for each loss. The penalties of all losses are added.

    Parameters
    ----------
    losses : sequence of Loss
    weights : sequence of float, optional
        A factor for each loss; 1 if not given.

    Raises
    ------
    TypeError, ValueError
        If `losses` is not a list of losses, or there is not one weight for each.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.losses import MeanAbsoluteError, MeanSquaredError
    >>> both = SumOfLosses([MeanSquaredError(), MeanAbsoluteError()], weights=[1.0, 0.5])
    >>> both.forward((np.array([[3.0]]), np.array([[4.0]])), (np.array([[0.0]]), np.array([[0.0]])))
    11.0
    >>> both.backward()
    (array([[6.]]), array([[0.5]]))
    """

    def __init__(self, losses: Sequence[Loss], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        if not isinstance(losses, Sequence) or not losses or not all(isinstance(loss, Loss) for loss in losses):
            raise TypeError(f"SumOfLosses: expected a list of losses, one for each output, got {losses!r}")
        given = [1.0] * len(losses) if weights is None else list(weights)
        if len(given) != len(losses):
            raise ValueError(f"SumOfLosses: expected {len(losses)} weights, one for each loss, got {len(given)}")
        self.losses = list(losses)
        self.expects_logits = any(loss.expects_logits for loss in losses)
        self.weights = [check_number(weight, "weights", "SumOfLosses", minimum=0) for weight in given]

    def value(self, y: Any, target: Any) -> float:
        """Return the sum of the mean losses of a batch."""
        return sum(w * loss.value(*pair) for w, loss, pair in self._parts(y, target))

    def _gradient(self, y: Any, target: Any) -> tuple[Array, ...]:
        return tuple(_scaled(loss._gradient(*pair), w) for w, loss, pair in self._parts(y, target))

    def _weighted_value(self, y: Any, target: Any, weights: Array) -> float:
        return sum(w * loss._weighted_value(*pair, weights) for w, loss, pair in self._parts(y, target))

    def _weighted_gradient(self, y: Any, target: Any, weights: Array) -> tuple[Array, ...]:
        return tuple(_scaled(loss._weighted_gradient(*pair, weights), w) for w, loss, pair in self._parts(y, target))

    def _total_weights(self, y: Any, target: Any, sample_weight: Any) -> list[float]:
        return [loss.total_weight(*pair, sample_weight) for _, loss, pair in self._parts(y, target)]

    def _sums(self, value: float, y: Any, target: Any, sample_weight: Any) -> list[tuple[float, float]]:
        weights = self._check_sample_weight(y, sample_weight)
        sums = []
        for factor, loss, pair in self._parts(y, target):
            part = loss.value(*pair) if weights is None else loss._weighted_value(*pair, weights)
            sums += loss._sums(factor * part, *pair, weights)
        return sums

    def _scaled(self, gradient: Any, factors: Sequence[float]) -> tuple[Array, ...]:
        return tuple(map(_scaled, gradient, factors))

    def _parts(self, y: Any, target: Any) -> list[tuple[float, Loss, tuple[Any, Any]]]:
        """Return weight, loss, and the pair of outputs and targets, of each output."""
        for name, given in (("outputs", y), ("targets", target)):
            if not isinstance(given, tuple | list) or len(given) != len(self.losses):
                count = f"{len(given)} items" if isinstance(given, tuple | list) else type(given).__name__
                raise ValueError(f"SumOfLosses: expected a tuple of {len(self.losses)} {name}, got {count}")
        return list(zip(self.weights, self.losses, zip(y, target, strict=True), strict=True))

    def penalty(self, parameters: Mapping[str, Parameter]) -> float:
        """Return the penalties of all losses on the weights."""
        return sum(loss.penalty(parameters) for loss in self.losses)

    def add_penalty_gradient(self, parameters: Mapping[str, Parameter]) -> None:
        """Add the gradient of the penalties of all losses to the weights' gradients."""
        for loss in self.losses:
            loss.add_penalty_gradient(parameters)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"losses": self.losses, "weights": self.weights}


def _scaled(gradient: Array, factor: float) -> Array:
    return gradient * gradient.dtype.type(factor)


def as_loss(loss: Loss | Sequence[Loss]) -> Loss:
    """Return the sum of a list of losses, one for each output, and anything else unchanged."""
    return SumOfLosses(loss) if isinstance(loss, tuple | list) else cast(Loss, loss)
