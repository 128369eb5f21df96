"""What every loss must do, for each row of the table."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import SGD, Dense, Loss, Sequential, Trainer, check_gradients, losses
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits, numerical_gradient
from tests.losses.contract import ROWS, Row

row_of_each = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))


def test_every_loss_has_a_row() -> None:
    made = {type(row.make(np.random.default_rng(0), 3)) for row in ROWS.values()}
    public = {kind for kind in vars(losses).values() if inspect.isclass(kind) and issubclass(kind, Loss)}
    assert made == public - {Loss, losses.SumOfLosses}
    assert made <= {getattr(numpycnn, name) for name in numpycnn.__all__}


@row_of_each
def test_equals_pytorch(row: Row, torch: Any) -> None:
    for rng in generators(43, count=50):
        loss, y, target = row.draw(rng)
        tensor = torch.tensor(y, requires_grad=True)
        value = row.theirs(torch, loss)(tensor, None if target is None else torch.tensor(target))
        value.backward()
        assert_close(loss.forward(y, target), value.detach())
        assert_close(loss.backward(), tensor.grad)


@row_of_each
def test_the_gradient_is_that_of_the_value(row: Row) -> None:
    for rng in generators(44, count=10):
        loss, y, target = row.draw(rng)
        weights = rng.integers(0, 3, len(y)) if rng.random() < 0.5 else None
        kept = y.copy()
        value = loss.forward(y, target, weights)
        gradient = loss.backward()
        assert type(value) is float
        assert_same_bits(y, kept)
        assert value == loss.value(y, target) or weights is not None
        measured = numerical_gradient(lambda moved, loss=loss, t=target, w=weights: loss.forward(moved, t, w), y, 1e-6)
        assert_close(gradient, measured, 1e-6)


@row_of_each
def test_an_example_of_weight_two_counts_as_two_examples(row: Row) -> None:
    for rng in generators(45, count=20):
        loss, y, target = row.draw(rng)
        weights = rng.integers(0, 4, len(y))
        weights[0] = 1
        repeated = np.repeat(np.arange(len(y)), weights)
        several = None if target is None else np.asarray(target)[repeated]
        assert_close(loss.forward(y, target, weights), loss.value(y[repeated], several))
        if not row.weighted_by_classes:
            losses_of_one = [loss.value(y[[n]], None if target is None else target[[n]]) for n in range(len(y))]
            assert_close(loss.forward(y, target, weights), np.average(losses_of_one, weights=weights))


@row_of_each
def test_the_mean_of_batches_weighted_by_their_total_weights_is_that_of_all(row: Row) -> None:
    for rng in generators(49, count=20):
        loss, y, target = row.draw(rng)
        weights = rng.integers(0, 4, len(y)) if rng.random() < 0.5 else None
        sums, gradients, total = [], [], loss.total_weight(y, target, weights)
        cuts = np.sort(rng.integers(0, len(y) + 1, 2))
        for part in filter(len, np.split(np.arange(len(y)), cuts)):
            batch = y[part], None if target is None else target[part], None if weights is None else weights[part]
            sums.append(loss.forward(*batch) * loss.total_weight(*batch))
            gradients.append(loss.backward() * loss.total_weight(*batch))
        assert_close(sum(sums), loss.forward(y, target, weights) * total)
        assert_close(np.concatenate(gradients), loss.backward() * total)


@row_of_each
def test_weights_of_zero_give_zero(row: Row) -> None:
    loss, y, target = row.draw(np.random.default_rng(0))
    assert loss.forward(y, target, np.zeros(len(y))) == 0
    assert not loss.backward().any()


@row_of_each
def test_bad_weights(row: Row) -> None:
    loss, y, target = row.draw(np.random.default_rng(0))
    name = type(loss).__name__
    with pytest.raises(ValueError, match=rf"{name}: expected sample_weight \({len(y)},\), got \({len(y) + 1},\)"):
        loss.forward(y, target, np.ones(len(y) + 1))
    with pytest.raises(ValueError, match=f"{name}: expected sample_weight to be finite and at least 0, got -1"):
        loss.forward(y, target, [-1.0] * len(y))
    with pytest.raises(TypeError, match=f"{name}: expected sample_weight to hold numbers"):
        loss.forward(y, target, ["a"] * len(y))
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        loss.backward()


@row_of_each
def test_several_outputs_are_refused(row: Row) -> None:
    loss, y, target = row.draw(np.random.default_rng(0))
    text = r": expected one output, got a tuple of 2; give a loss for each, as in SumOfLosses\(\[...\]\)"
    with pytest.raises(TypeError, match=text):
        loss.value((y, y), target)


@row_of_each
def test_float32_stays_float32(row: Row) -> None:
    for rng in generators(46, count=10):
        loss, y, target = row.draw(rng)
        value, gradient = loss.forward(y, target), loss.backward()
        small = y.astype(np.float32)
        assert loss.forward(small, target) == pytest.approx(value, rel=1e-4, abs=1e-5)
        rounded = loss.backward()
        assert rounded.dtype == np.float32
        assert rounded.shape == y.shape
        np.testing.assert_allclose(rounded, gradient, rtol=2e-3, atol=1e-4)
        loss.forward(small, target, np.ones(len(y)))
        assert loss.backward().dtype == np.float32


@row_of_each
def test_check_gradients_takes_a_loss(row: Row) -> None:
    for rng in generators(47, count=5):
        loss, y, _ = row.draw(rng)
        report = check_gradients(loss, y.shape[1:], batch_size=len(y))
        assert report.passed
        assert [report_row.layer for report_row in report.rows] == [type(loss).__name__]


@row_of_each
def test_settings_are_restored_from_a_checkpoint(row: Row, tmp_path: Path) -> None:
    loss = row.make(np.random.default_rng(0), 3)
    Trainer(Sequential([Dense(3)], input_shape=(2,)), loss=loss, optimizer=SGD(0.1)).save(tmp_path / "file")
    again = Trainer.resume(tmp_path / "file").loss
    assert (type(again), again.config(), repr(again)) == (type(loss), loss.config(), repr(loss))
