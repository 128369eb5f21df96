"""Metrics of numbers: mean absolute error, R squared, and the peak signal-to-noise ratio of pictures.

For outputs (N, 1) the targets may be (N,). Sums are in float64.
"""

from typing import Any

import numpy as np

from numpycnn._checks import check_number, check_pair
from numpycnn._types import Array
from numpycnn.metrics.base import Metric


class _OfNumbers(Metric):
    def _pair(self, y: Array, target: Array) -> tuple[Array, Array]:
        return check_pair(y.astype(np.float64), target, type(self).__name__)


class MeanAbsoluteError(_OfNumbers):
    """Mean of ``|y - target|`` over all elements.

    Examples
    --------
    >>> metric = MeanAbsoluteError()
    >>> metric.update([1.0, 2.0], [3.0, 3.0])
    >>> metric.result()
    1.5
    """

    larger_is_better = False
    default_name = "mean_absolute_error"

    def _update(self, y: Array, target: Array) -> None:
        y, target = self._pair(y, target)
        self._add("error", np.abs(y - target).sum())
        self._add("elements", y.size)

    def result(self) -> float:
        """Return the mean."""
        self._check_updated()
        return float(self._sums["error"] / self._sums["elements"])


class RSquared(_OfNumbers):
    """Coefficient of determination: the share of the targets' variance that the outputs explain.

    ::

        1 - sum of (y - target)^2  /  sum of (target - mean of the targets)^2

    1 is perfect, 0 is that of the mean, and it may be negative. Of several outputs, the mean of their values. Where the
    targets are constant, it is 1 if the outputs are equal to them and 0 otherwise, as in scikit-learn.

    Examples
    --------
    >>> metric = RSquared()
    >>> metric.update([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    >>> metric.result()
    0.5
    """

    default_name = "r_squared"

    def _update(self, y: Array, target: Array) -> None:
        y, target = (array.reshape(len(array), -1) for array in self._pair(y, target))
        mean = target.mean(axis=0)
        spread = ((target - mean) ** 2).sum(axis=0)
        self._add("error", ((y - target) ** 2).sum(axis=0))
        if "mean" in self._sums:  # the spread of two sets is that of each, and that of their means
            before, step = self._sums["examples"], mean - self._sums["mean"]
            spread += step**2 * (before * len(y) / (before + len(y)))
            self._add("mean", step * (len(y) / (before + len(y))))
        else:
            self._add("mean", mean)
        self._add("spread", spread)
        self._add("examples", len(y))

    def result(self) -> float:
        """Return the coefficient."""
        self._check_updated()
        error, spread = self._sums["error"], self._sums["spread"]
        constant = np.where(error > 0, 0.0, 1.0)
        explained = 1 - np.divide(error, spread, out=np.zeros_like(error), where=spread > 0)
        return float(np.where(spread > 0, explained, constant).mean())


class PSNR(_OfNumbers):
    """Peak signal-to-noise ratio of pictures in decibels, ``10 log10(data_range^2 / mean of (y - target)^2)``.

    The mean is over all elements of all pictures. It is infinite if all are equal.

    Parameters
    ----------
    data_range : float
        Largest possible difference of two pixels: 1 for pixels from 0 to 1, 255 for bytes.
    name : str, optional
        The name in records.

    Raises
    ------
    TypeError, ValueError
        If `data_range` is not a positive number.

    Examples
    --------
    >>> metric = PSNR()
    >>> metric.update([[0.5, 0.5]], [[0.4, 0.6]])
    >>> round(metric.result(), 6)
    20.0
    """

    default_name = "psnr"

    def __init__(self, data_range: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.data_range = check_number(data_range, "data_range", "PSNR", minimum=0)
        if not self.data_range:
            raise ValueError("PSNR: expected data_range above 0, got 0")

    def _update(self, y: Array, target: Array) -> None:
        y, target = self._pair(y, target)
        self._add("error", ((y - target) ** 2).sum())
        self._add("elements", y.size)

    def result(self) -> float:
        """Return the ratio in decibels."""
        self._check_updated()
        mean = float(self._sums["error"] / self._sums["elements"])
        return 10 * float(np.log10(self.data_range**2 / mean)) if mean else float("inf")

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"data_range": self.data_range} | super().config()
