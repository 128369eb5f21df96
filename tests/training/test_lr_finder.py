"""The search tries the documented rates, takes the steps of a training, and changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from numpycnn import SGD, Adam, Add, CrossEntropy, Dense, Input, Model, Sequential, Trainer, load_model
from numpycnn.training import LearningRates, find_learning_rate
from numpycnn.training.batches import epoch_order
from numpycnn.training.lr_finder import SMOOTHING, TOO_MUCH
from tests.helpers import as_graph
from tests.training import small


def search(model: Sequential | None = None, **settings: object) -> LearningRates:
    settings = {"loss": CrossEntropy(), "optimizer": SGD(0.1), "high": 1000.0, "low": 1e-3} | settings
    return find_learning_rate(model or small.dense(), small.points(), **settings)  # type: ignore[arg-type]


def test_rates_grow_by_the_same_factor() -> None:
    found = search(steps=50)
    assert found.rates[0] == 1e-3
    factors = np.array(found.rates[1:]) / found.rates[:-1]
    np.testing.assert_allclose(factors, 1e6 ** (1 / 49))
    assert len(found.rates) == len(found.losses)


def test_losses_equal_those_of_a_training() -> None:
    """The same steps, taken one by one, and the running mean of their losses without its bias."""
    found = search(steps=30, batch_size=80, seed=3)
    model, loss, optimizer = small.dense(), CrossEntropy(), SGD(0.1)
    x, labels = small.points()
    values, expected = [], []
    for step, rate in enumerate(found.rates):
        epoch, batch = divmod(step, 3)
        part = epoch_order(200, 3, epoch, True)[80 * batch : 80 * batch + 80]
        values.append(loss.forward(model.forward(x[part], training=True), labels[part]))
        model.backward(loss.backward())
        optimizer.lr = rate
        optimizer.step(model.parameters())
        weights = SMOOTHING ** np.arange(step, -1, -1)
        expected.append(np.average(values, weights=weights))
    np.testing.assert_allclose(found.losses, expected, rtol=1e-5)


def test_the_suggestion_is_a_tenth_of_the_rate_of_the_smallest_loss() -> None:
    found = search(steps=100)
    best = found.rates[int(np.argmin(found.losses))]
    assert found.suggestion == best / 10
    assert 0.1 < best < 1000


def test_it_ends_when_the_loss_diverges() -> None:
    found = search(small.network_for_points(), steps=200, high=1e6, optimizer=SGD(0.1, momentum=0.9))
    assert len(found.rates) < 200
    for step, loss in enumerate(found.losses[1:], start=1):
        assert loss <= TOO_MUCH * min(found.losses[:step])


def test_it_ends_when_the_loss_is_not_finite() -> None:
    found = search(small.network_for_points(), steps=20, low=1e-3, high=1e30, seed=1)
    assert np.isfinite(found.losses).all()
    assert len(found.rates) < 20


def test_nothing_is_changed() -> None:
    model, optimizer = small.network(), Adam(0.1)
    generators = model.random_generators()
    before = small.bits(model.state()), [str(g.bit_generator.state) for g in generators.values()]
    for _ in range(2):
        find_learning_rate(model, small.pictures(), loss=CrossEntropy(), optimizer=optimizer, augment=small.AUGMENT)
        assert (small.bits(model.state()), [str(g.bit_generator.state) for g in generators.values()]) == before
    assert (optimizer.step_count, optimizer.lr, optimizer.state()) == (0, 0.1, {})


def test_the_masks_of_a_loaded_model_are_left_to_its_training(tmp_path: Path) -> None:
    small.network().save(tmp_path / "model")
    searched, other = load_model(tmp_path / "model"), load_model(tmp_path / "model")
    find_learning_rate(searched, small.pictures(), loss=CrossEntropy(), optimizer=Adam(0.1), seed=3)
    states = []
    for model in (searched, other):
        Trainer(model, loss=CrossEntropy(), optimizer=Adam(0.1), seed=1)
        states.append([str(g.bit_generator.state) for g in model.random_generators().values()])
    assert states[0] == states[1]


def test_the_same_seed_finds_the_same() -> None:
    assert search(seed=1) == search(seed=1) != search(seed=2)


@pytest.mark.parametrize("limits", [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)])
def test_invalid_limits(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected low above 0 and below high"):
        search(low=limits[0], high=limits[1])


@pytest.mark.parametrize(("low", "high", "end"), [(1e3, 1e8, "1000"), (1e-6, 10.0, "10")])
def test_no_rate_is_suggested_where_none_helped(low: float, high: float, end: str) -> None:
    """Too high from the first step, or too few steps for the loss to fall."""
    model = small.network_for_points()
    with pytest.raises(ValueError, match=rf"it did not with rates from {low:g} to {end}; try a lower low"):
        search(model, low=low, high=high, steps=200 if low > 1 else 2)


def test_no_rate_is_suggested_where_the_loss_was_still_falling() -> None:
    with pytest.raises(ValueError, match=r"it was still falling at 0\.1; try a higher high"):
        search(steps=50, high=0.1)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"optimizer": SGD}, r"expected optimizer to be an Optimizer, .*; write SGD\(\.\.\.\)"),
        ({"loss": "cross_entropy"}, "expected loss to be a Loss"),
        ({"seed": "one"}, "expected seed to be an int"),
    ],
)
def test_arguments_of_another_kind(settings: dict[str, object], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        search(**settings)


def test_a_model_with_a_non_finite_first_loss() -> None:
    model = small.dense()
    model.parameters()["0.weight"].value[:] = np.nan
    with pytest.raises(ValueError, match="expected a finite loss of the untrained model, got none"):
        search(model)


def test_graphs_of_one_input_and_of_several() -> None:
    assert search(as_graph(small.dense()), steps=40) == search(small.dense(), steps=40)
    x, labels = small.points()
    a, b = Input(x.shape[1:]), Input(x.shape[1:])
    model = Model([a, b], Add()([Dense(int(labels.max()) + 1)(a), Dense(int(labels.max()) + 1)(b)]))
    found = find_learning_rate(model, ((x, -x), labels), loss=CrossEntropy(), optimizer=SGD(0.1), low=1e-3, high=1e4)
    assert min(found.losses) < found.losses[0]
