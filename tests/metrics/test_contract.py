"""What every metric must do, for each row of the table."""

import inspect
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from numpycnn import metrics
from numpycnn.metrics import Metric
from numpycnn.training.monitoring import DIRECTIONS
from tests.drawn import generators
from tests.helpers import assert_close
from tests.metrics.contract import ROWS, Row

row_of_each = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))


def cuts(rng: np.random.Generator, examples: int) -> list[slice]:
    """Batches of different sizes."""
    places = np.unique([0, *rng.integers(3, examples, 3), examples])
    return [slice(int(a), int(b)) for a, b in pairwise(places)]


def test_every_metric_has_a_row() -> None:
    made = {type(row.make()) for row in ROWS.values()}
    public = {kind for kind in vars(metrics).values() if inspect.isclass(kind) and issubclass(kind, Metric)}
    assert made == public - {Metric, metrics.LabelMetric, metrics.CountingMetric}


@row_of_each
def test_equals_scikit_learn_over_batches(row: Row, sklearn_metrics: Any) -> None:
    for rng in generators(60, count=50):
        y, target = row.draw(rng)
        metric = row.make()
        for part in cuts(rng, len(y)):
            metric.update(y[part], target[part])
        assert_close(metric.result(), row.theirs(sklearn_metrics, y, target))


@row_of_each
def test_an_interrupted_epoch_ends_with_the_same_bits(row: Row) -> None:
    for rng in generators(61, count=5):
        y, target = row.draw(rng)
        y = y.astype(np.float32)
        whole, metric = row.make(), row.make()
        for part in cuts(rng, len(y)):
            whole.update(y[part], target[part])
            metric.update(y[part], target[part])
            state = metric.state()
            assert all(isinstance(array, np.ndarray) for array in state.values())
            metric = type(metric)(**metric.config())
            metric.load_state(state)
        np.testing.assert_array_equal(metric.result(), whole.result())


@row_of_each
def test_reset_forgets_all(row: Row) -> None:
    rng = np.random.default_rng(0)
    metric, fresh = row.make(), row.make()
    metric.update(*row.draw(rng))
    metric.reset()
    assert metric.state() == {}
    with pytest.raises(RuntimeError, match=f"{type(metric).__name__}: expected an update before the result"):
        metric.result()
    y, target = row.draw(rng)
    metric.update(y, target)
    fresh.update(y, target)
    np.testing.assert_array_equal(metric.result(), fresh.result())


@row_of_each
def test_arguments_are_not_changed_and_lists_are_accepted(row: Row) -> None:
    y, target = row.draw(np.random.default_rng(0))
    kept = y.copy(), target.copy()
    metric, other = row.make(), row.make()
    metric.update(y, target)
    np.testing.assert_array_equal(y, kept[0])
    np.testing.assert_array_equal(target, kept[1])
    other.update(y.tolist(), target.tolist())
    np.testing.assert_array_equal(metric.result(), other.result())


@row_of_each
def test_the_direction_and_the_record(row: Row) -> None:
    y, target = row.draw(np.random.default_rng(0))
    metric = row.make()
    metric.update(y, target)
    assert DIRECTIONS["max" if metric.larger_is_better else "min"].fullmatch(metric.name)
    results = metric.results()
    assert all(type(value) is float for value in results.values())
    assert list(results) in ([metric.name], [f"{metric.name}_{i}" for i in range(len(results))])
    named = type(metric)(**metric.config() | {"name": "mine"})
    named.update(y, target)
    assert list(named.results()) == [name.replace(metric.name, "mine") for name in results]


@row_of_each
def test_bad_batches(row: Row) -> None:
    y, target = row.draw(np.random.default_rng(0))
    metric, owner = row.make(), type(row.make()).__name__
    with pytest.raises(ValueError, match=f"{owner}: expected as many targets as outputs"):
        metric.update(y, target[:-1])
    with pytest.raises(TypeError, match=f"{owner}: expected one output, got a tuple of 2"):
        metric.update((y, y), target)
    with pytest.raises(TypeError, match=f"{owner}: expected target to hold numbers"):
        metric.update(y, np.full(target.shape, "a"))
    with pytest.raises(ValueError, match=f"{owner}: expected"):
        metric.update(y, np.zeros((*target.shape, 2, 2), int))
    assert metric.state() == {}


@pytest.mark.parametrize("name", [1, ["a"]])
def test_bad_name(name: Any) -> None:
    with pytest.raises(TypeError, match="Accuracy: expected name to be a string"):
        metrics.Accuracy(name=name)
