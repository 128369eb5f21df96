"""Losses and accuracies of an epoch, an evaluation and an accumulated step are those of all their examples at once."""

from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    Conv2D,
    CrossEntropy,
    Dense,
    Input,
    MeanSquaredError,
    Model,
    NegativeLogLikelihood,
    Sequential,
    Tanh,
    Trainer,
)
from numpycnn.layers.network import Network
from numpycnn.losses import SumOfLosses
from numpycnn.metrics import Accuracy

EXAMPLES, IGNORED = 41, -1
WEIGHTED = {"class_weight": [1.0, 10.0, 0.1], "ignore_index": IGNORED}
KINDS = ("labels", "pixels", "several", "log-probabilities")


def case(kind: str, *, sample_weight: bool) -> tuple[Network, Any, tuple[Any, ...]]:
    """Return a model, a loss, and data of which some batches have many ignored labels."""
    rng = np.random.default_rng(3)
    size = (2, 3) if kind == "pixels" else ()
    labels = rng.integers(0, 3, (EXAMPLES, *size))
    labels[:15][rng.random((15, *size)) < 0.8] = IGNORED
    x: Any = rng.normal(size=(EXAMPLES, 2, *size))
    target: Any = labels
    loss: Any = CrossEntropy(**WEIGHTED, l2=0.01)  # type: ignore[arg-type]
    if kind == "several":
        target = labels, rng.normal(size=(EXAMPLES, 1)), labels[::-1].copy()
        loss = SumOfLosses([loss, MeanSquaredError(l1=0.01), CrossEntropy(ignore_index=IGNORED)], [0.5, 2.0, 1.0])
        node = Input((2,))
        body = Tanh()(Dense(4)(node))
        model: Network = Model(node, [Dense(3)(body), Dense(1)(body), Dense(3)(body)], seed=0, dtype=np.float64)
    elif kind == "pixels":
        model = Sequential([Conv2D(4, 1), Tanh(), Conv2D(3, 1)], input_shape=(2, *size), seed=0, dtype=np.float64)
    else:
        model = Sequential([Dense(4), Tanh(), Dense(3)], input_shape=(2,), seed=0, dtype=np.float64)
    if kind == "log-probabilities":
        loss = NegativeLogLikelihood(**WEIGHTED)  # type: ignore[arg-type]
    weight = (rng.integers(0, 3, EXAMPLES),) if sample_weight else ()
    return model, loss, (x, target, *weight)


@pytest.mark.parametrize("sample_weight", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_does_not_depend_on_the_batch_size(kind: str, sample_weight: bool) -> None:
    model, loss, data = case(kind, sample_weight=sample_weight)
    trainer = Trainer(model, loss=loss, optimizer=SGD(0.1))
    expected = trainer.loss.forward(model.predict(data[0]), *data[1:])
    for batch_size in (1, 4, 17, EXAMPLES):
        assert trainer.evaluate(data, batch_size=batch_size)["loss"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("sample_weight", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_an_epoch_is_that_of_all_examples(kind: str, sample_weight: bool) -> None:
    model, loss, data = case(kind, sample_weight=sample_weight)
    trainer = Trainer(model, loss=loss, optimizer=SGD(0.0))  # which never moves
    expected = trainer.loss.forward(model.predict(data[0]), *data[1:]) + trainer.loss.penalty(model.parameters())
    for batch_size in (1, 4, 17, EXAMPLES):
        trainer.fit(data, epochs=len(trainer.history) + 1, batch_size=batch_size, progress=False)
    assert trainer.history["loss"] == pytest.approx([expected] * 4, rel=1e-12)


@pytest.mark.parametrize("sample_weight", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_accumulated_step_is_that_of_the_whole_batch(kind: str, sample_weight: bool) -> None:
    results = []
    for settings in ({"batch_size": 4, "accumulate": 4}, {"batch_size": 16}, {"batch_size": 1, "accumulate": 16}):
        model, loss, data = case(kind, sample_weight=sample_weight)
        trainer = Trainer(model, loss=loss, optimizer=Adam(0.05, clip_norm=0.2))
        trainer.fit(data, epochs=3, progress=False, **settings)
        results.append((model.state(), trainer.history["loss"]))
    for state, history in results[::2]:
        np.testing.assert_allclose(history, results[1][1], rtol=1e-9)
        for name, array in results[1][0].items():
            np.testing.assert_allclose(state[name], array, rtol=1e-7, atol=1e-10)


def test_a_step_without_a_label_that_counts_moves_nothing() -> None:
    model, loss, (x, labels) = case("labels", sample_weight=False)
    before = {name: array.copy() for name, array in model.state().items()}
    loss.l2 = 0.0
    trainer = Trainer(model, loss=loss, optimizer=SGD(0.1))
    record = trainer.fit((x, np.full_like(labels, IGNORED)), epochs=1, batch_size=4, accumulate=3, progress=False)
    assert (record["loss"], record["accuracy"]) == ([0.0], [0.0])
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("kind", ["labels", "pixels", "log-probabilities"])
def test_ignored_labels_have_no_part_in_the_accuracy(kind: str) -> None:
    model, loss, (x, labels) = case(kind, sample_weight=False)
    trainer = Trainer(model, loss=loss, optimizer=SGD(0.0), metrics=[Accuracy(ignore_index=IGNORED, name="metric")])
    counted = labels != IGNORED
    expected = float((model.predict(x).argmax(axis=1) == labels)[counted].mean())
    for batch_size in (1, 4, 17, EXAMPLES):
        assert trainer.evaluate((x, labels), batch_size=batch_size)["accuracy"] == expected
        trainer.fit((x, labels), epochs=len(trainer.history) + 1, batch_size=batch_size, progress=False)
    assert trainer.history["accuracy"] == trainer.history["metric"] == [expected] * 4


def test_one_output_has_no_accuracy() -> None:
    x = np.random.default_rng(0).normal(size=(7, 2))
    model = Sequential([Dense(1)], input_shape=(2,), seed=0, dtype=np.float64)
    trainer = Trainer(model, loss=BinaryCrossEntropy(), optimizer=SGD(0.1))
    assert set(trainer.evaluate((x, np.array([0, 1, 1, 0, 1, 1, 1])))) == {"loss"}
