"""The base class of metrics: sums over batches, and a result.

A metric of one's own implements two methods:

    def _update(self, y, target):        # call self._add(name, number or array) for each sum
    def result(self):                    # return the metric, from self._sums

and sets `larger_is_better` and `default_name`. The sums are all its state: a checkpoint holds them, so an interrupted
epoch ends with the same bits.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn._checks import check_unmasked, format_shape
from numpycnn._types import Array


class Metric:
    """Base class of the metrics: each accumulates over batches.

    Parameters
    ----------
    name : str, optional
        The name in records; without it, that of the metric in snake case.

    Attributes
    ----------
    larger_is_better : bool
        The direction, for `EarlyStopping` and ``ModelCheckpoint(best=...)``.
    cheap : bool
        Whether a progress bar shows the result after each batch.

    Raises
    ------
    TypeError
        If `name` is not a string.
    """

    larger_is_better = True
    cheap = True
    default_name = ""

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: expected name to be a string, got {name!r}")
        self._name = name
        self._sums: dict[str, Array] = {}

    @property
    def name(self) -> str:
        """The name in records."""
        return self._name or self.default_name or type(self).__name__.lower()

    # ----------------------------------------------------------------------------------- methods for subclasses

    def _update(self, y: Array, target: Array) -> None:
        raise NotImplementedError(f"{type(self).__name__} accumulates nothing: implement _update")

    def result(self) -> Any:
        """Return the metric over all batches since `reset`.

        Returns
        -------
        float, or ndarray of shape (K,) with a value for each class

        Raises
        ------
        RuntimeError
            If there was no batch.
        """
        raise NotImplementedError(f"{type(self).__name__} has no result: implement result")

    def _add(self, name: str, value: Any) -> None:
        """Add to a sum, which begins with 0."""
        value = np.asarray(value)
        if name in self._sums and self._sums[name].shape != value.shape:
            raise ValueError(
                f"{type(self).__name__}: expected outputs of the same shape in each batch, got "
                f"{format_shape(self._sums[name].shape)} and {format_shape(value.shape)} values of {name}"
            )
        self._sums[name] = np.asarray(self._sums[name] + value if name in self._sums else value)

    def _check_updated(self) -> None:
        if not self._sums:
            raise RuntimeError(f"{type(self).__name__}: expected an update before the result")

    # ------------------------------------------------------------------------------------------------- accumulating

    def update(self, y: ArrayLike, target: ArrayLike) -> None:
        """Accumulate a batch.

        Parameters
        ----------
        y : ndarray of shape (N, ...)
            The model's outputs.
        target : array_like
            The expected outputs.

        Raises
        ------
        ValueError, TypeError
            If `y` and `target` do not fit each other, or the metric.
        """
        owner = type(self).__name__
        if isinstance(y, tuple):
            raise TypeError(f"{owner}: expected one output, got a tuple of {len(y)}")
        outputs, expected = check_unmasked(y, "y", owner), check_unmasked(target, "target", owner)
        for name, array in (("y", outputs), ("target", expected)):
            if array.dtype.kind not in "biuf":
                raise TypeError(f"{owner}: expected {name} to hold numbers, got {array.dtype}")
        if not outputs.ndim or not expected.ndim or len(outputs) != len(expected):
            raise ValueError(
                f"{owner}: expected as many targets as outputs, got outputs {format_shape(outputs.shape)} "
                f"and targets {format_shape(expected.shape)}"
            )
        self._update(outputs, expected)

    def results(self) -> dict[str, float]:
        """Return the entries of a record: the result, or one for each class, numbered.

        Returns
        -------
        dict of str to float
        """
        result = np.asarray(self.result(), np.float64)
        if not result.ndim:
            return {self.name: float(result)}
        return {f"{self.name}_{i}": float(value) for i, value in enumerate(result)}

    def reset(self) -> None:
        """Forget all batches."""
        self._sums = {}

    def state(self) -> dict[str, Array]:
        """Return the sums over the batches so far, for a checkpoint."""
        return {name: array.copy() for name, array in self._sums.items()}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Continue from a `state`.

        Parameters
        ----------
        state : dict of str to ndarray
        """
        self._sums = {name: np.array(array) for name, array in state.items()}

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self._name}

    def __repr__(self) -> str:
        settings = [f"{name}={value!r}" for name, value in self.config().items() if value not in (None, 0.0)]
        return f"{type(self).__name__}({', '.join(settings)})"
