"""A metric of one's own is two methods."""

from typing import Any

import numpy as np
import pytest

from numpycnn.metrics import Metric


class WorstError(Metric):
    """Largest absolute error of each output."""

    larger_is_better = False
    default_name = "worst_error"

    def _update(self, y: np.ndarray, target: np.ndarray) -> None:
        self._add("batches", 1)
        self._sums["worst"] = np.maximum(self._sums.get("worst", 0), np.abs(y - target).max(axis=0))

    def result(self) -> Any:
        self._check_updated()
        return self._sums["worst"]


def test_it_accumulates_and_names_what_it_returns() -> None:
    metric = WorstError()
    for y in ([[1.0, 2.0]], [[0.5, -4.0]]):
        metric.update(y, [[0.0, 0.0]])
    assert metric.results() == {"worst_error_0": 1.0, "worst_error_1": 4.0}
    assert repr(metric) == "WorstError()"
    assert repr(WorstError(name="error")) == "WorstError(name='error')"
    again = WorstError()
    again.load_state(metric.state())
    again.update([[3.0, 0.0]], [[0.0, 0.0]])
    assert again.result().tolist() == [3, 4]
    assert metric.result().tolist() == [1, 4]


def test_sums_of_other_shapes_are_refused() -> None:
    metric = Metric()
    metric._add("hits", [1, 2])
    with pytest.raises(ValueError, match=r"Metric: expected outputs of the same shape in each batch, got \(2,\) and"):
        metric._add("hits", [1, 2, 3])


def test_the_base_class_computes_nothing() -> None:
    with pytest.raises(NotImplementedError, match="Metric accumulates nothing: implement _update"):
        Metric().update([1.0], [1.0])
    with pytest.raises(NotImplementedError, match="Metric has no result: implement result"):
        Metric().result()
