"""A step moves the parameters against the gradient of loss and penalties, or changes nothing at all."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adam,
    BatchNorm,
    BinaryCrossEntropy,
    Concat,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Input,
    Layer,
    LogSoftmax,
    Loss,
    LpPool2D,
    MaxPool2D,
    MeanSquaredError,
    Model,
    NegativeLogLikelihood,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Trainer,
    Upsample,
    ZeroPad,
)
from numpycnn.training import find_learning_rate
from numpycnn.training.step import REMEDIES, NonFiniteError, all_finite, take_step
from tests.training import small


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 4), (2, 0, 3)])
def test_all_finite(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    for dtype in (np.float32, np.float64):
        array = rng.normal(size=shape).astype(dtype)
        assert all_finite(array)
        assert all_finite(array.T)
        assert all_finite(array + dtype(1e30))  # though the sum of squares of float32 is not finite
        for wrong in (np.nan, np.inf, -np.inf):
            if array.size:
                spoilt = array.copy()
                spoilt[(-1,) * array.ndim] = wrong
                assert not all_finite(spoilt)
    assert all_finite(np.arange(4))


def test_a_step_returns_outputs_and_loss_before_it_and_moves_the_weights() -> None:
    (x, labels), model, loss = small.points(), small.dense(), CrossEntropy(l2=0.1)
    before = {name: parameter.value.copy() for name, parameter in model.parameters().items()}
    expected = model.forward(x)
    y, value = take_step(model, loss, SGD(0.5), x, labels)
    np.testing.assert_array_equal(y, expected)
    assert value == pytest.approx(loss.value(y, labels) + 0.05 * np.sum(before["0.weight"] ** 2), rel=1e-5)
    for name, parameter in model.parameters().items():
        assert parameter.grad.any()
        np.testing.assert_allclose(parameter.value, before[name] - 0.5 * parameter.grad, rtol=1e-6)


@pytest.mark.parametrize("target", ["loss", "gradient"])
def test_a_step_that_is_not_finite_changes_nothing(target: str) -> None:
    model, (x, labels) = small.network(), small.pictures()
    x = np.full_like(x, np.nan) if target == "loss" else x
    if target == "gradient":
        model.backward_parameters = lambda dy: model.parameters()["0.weight"].grad.fill(np.inf)  # type: ignore[method-assign]
    before = small.bits({name: parameter.value for name, parameter in model.parameters().items()})
    states = [str(generator.bit_generator.state) for generator in model.random_generators().values()]
    text = "^the loss is nan$" if target == "loss" else "^a gradient is not finite$"
    with pytest.raises(NonFiniteError, match=text), np.errstate(all="ignore"):
        take_step(model, CrossEntropy(), SGD(0.5), x, labels)
    assert small.bits({name: parameter.value for name, parameter in model.parameters().items()}) == before
    assert [str(generator.bit_generator.state) for generator in model.random_generators().values()] == states


def with_batch_norm(*, size: int = 1) -> Sequential:
    layers = [Conv2D(3, 1), Residual(Sequential([BatchNorm()])), Flatten(), Dense(2)]
    return Sequential(layers, input_shape=(1, size, size), seed=0)


@pytest.mark.parametrize(("examples", "batch_size"), [(33, 32), (9, 4), (1, 32), (3, 1)])
def test_a_last_batch_of_one_example_is_refused_where_batch_norm_has_one_value(examples: int, batch_size: int) -> None:
    data = np.ones((examples, 1, 1, 1), np.float32), np.zeros(examples, int)
    parts = {"loss": CrossEntropy(), "optimizer": SGD(0.1)}
    got = rf"the last batch of {examples} examples in batches of {batch_size} has one; choose another batch_size"
    got = "there is one example; add others" if examples == 1 else got
    got = "batch_size is 1; choose a larger one" if batch_size == 1 else got
    text = rf"BatchNorm \(layer 1.main.0\) needs more than one example in each batch, and {got}"
    hint = " or drop_last=True" if min(examples, batch_size) > 1 else ""
    model = with_batch_norm()
    before = model.state()["0.weight"].copy()
    with pytest.raises(ValueError, match=f"fit: {text}{hint}$"):
        Trainer(model, **parts).fit(data, epochs=1, batch_size=batch_size, progress=False)
    np.testing.assert_array_equal(model.state()["0.weight"], before)  # before the first step
    with pytest.raises(ValueError, match=f"find_learning_rate: {text}$"):
        find_learning_rate(model, data, **parts, batch_size=batch_size)


def test_a_frozen_batch_norm_takes_a_last_batch_of_one_example() -> None:
    data = np.ones((9, 1, 1, 1), np.float32), np.arange(9) % 2
    model = with_batch_norm()
    model[1].trainable = False
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))
    trainer.fit(data, epochs=1, batch_size=4, progress=False)
    assert trainer.optimizer.step_count == 3


def test_a_training_of_a_frozen_model_warns() -> None:
    model = Sequential([Dense(2)], input_shape=(3,), seed=0)
    model.trainable = False
    data = np.ones((4, 3), np.float32), np.array([0, 1, 0, 1])

    class Own(Trainer):
        def train_step(self, x: Any, target: Any) -> dict[str, float]:
            return {"loss": 0.0}

    before = model.state()["0.weight"].copy()
    with pytest.warns(UserWarning, match="fit: nothing to train: all parameters of the model are frozen"):
        Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1)).fit(data, epochs=1, progress=False)
    assert np.array_equal(model.state()["0.weight"], before)
    Own(model, loss=CrossEntropy(), optimizer=SGD(0.1)).fit(data, epochs=1, progress=False)  # may train another model


def test_a_stale_gradient_of_a_frozen_layer_does_not_stop_the_step() -> None:
    (x, labels), model = small.points(), small.network_for_points()
    model[0].trainable = False  # the backward pass ends above it
    frozen = model[0].weight
    frozen.grad[...] = np.inf
    value = take_step(model, CrossEntropy(l1=0.5, l2=0.5), SGD(0.1), x, labels)[1]
    others = {name: p for name, p in model.parameters().items() if p.trainable}
    model, loss = small.network_for_points(), CrossEntropy(l1=0.5, l2=0.5)
    others = {name: model.parameters()[name] for name in others}
    assert value == pytest.approx(loss.value(model.predict(x), labels) + loss.penalty(others), rel=1e-6)
    assert np.isinf(frozen.grad).all()  # no penalty has been added, and nothing else


def test_a_last_batch_that_is_not_reached_is_not_refused() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(33, 1, 1, 1)).astype(np.float32), rng.integers(0, 2, 33)
    parts: dict[str, Any] = {"loss": CrossEntropy(), "optimizer": SGD(0.1)}
    Trainer(with_batch_norm(), **parts).fit(data, epochs=1, drop_last=True, progress=False)
    for steps, refused in ((4, False), (5, True)):
        with pytest.raises(ValueError, match="last batch of 33" if refused else "try a (low|high)er"):
            find_learning_rate(with_batch_norm(), data, **parts, batch_size=8, steps=steps, low=1e-9, high=1e-8)


@pytest.mark.parametrize(("examples", "batch_size", "size"), [(34, 32, 1), (33, 11, 1), (33, 32, 2), (1, 1, 2)])
def test_a_last_batch_with_more_values_is_trained_with(examples: int, batch_size: int, size: int) -> None:
    data = np.ones((examples, 1, size, size), np.float32), np.zeros(examples, int)
    trainer = Trainer(with_batch_norm(size=size), loss=CrossEntropy(), optimizer=SGD(0.1))
    trainer.fit(data, epochs=1, batch_size=batch_size, progress=False)
    assert trainer.optimizer.step_count == -(-examples // batch_size)


@pytest.mark.parametrize("loss", [CrossEntropy(), CrossEntropy(label_smoothing=0.1), BinaryCrossEntropy()])
@pytest.mark.parametrize("ending", [Softmax, LogSoftmax, Sigmoid])
@pytest.mark.parametrize(
    ("nest", "place"),
    [
        (lambda last: [last], "1"),
        (lambda last: [Sequential([Sequential([last])])], "1.0.0"),
        (lambda last: [last, Flatten()], "1"),
        (lambda last: [last, Sequential([])], "1"),
        (lambda last: [last, Dropout(0.5)], "1"),
        (lambda last: [Residual(last)], "1.main"),
        (lambda last: [Residual(Dropout(0.5), Sequential([last]))], "1.shortcut.0"),
        (lambda last: [Concat([Sequential([]), last]), Flatten()], "1.1"),
    ],
)
def test_an_activation_that_the_loss_contains_is_refused(
    nest: Callable[[Layer], list[Layer]], place: str, ending: type[Layer], loss: Loss
) -> None:
    model = Sequential([Dense(3), *nest(ending())], input_shape=(2,))
    if ending is LogSoftmax and isinstance(loss, CrossEntropy):  # the softmax of its outputs is that of its inputs
        Trainer(model, loss=loss, optimizer=SGD(0.1))
        return
    text = rf"expected a model that outputs logits .*ends with {ending.__name__} \(layer {place}\); leave"
    text += rf".*, or keep it, with the loss {re.escape(REMEDIES[ending])}$"
    with pytest.raises(ValueError, match=f"Trainer: {text}"):
        Trainer(model, loss=loss, optimizer=SGD(0.1))
    with pytest.raises(ValueError, match=f"find_learning_rate: {text}"):
        find_learning_rate(model, small.points(), loss=loss, optimizer=SGD(0.1))


@pytest.mark.parametrize(
    "after", [GlobalAvgPool(), MaxPool2D(2), Upsample(2), ZeroPad(1), Sequential([LpPool2D(2), Flatten()])], ids=repr
)
def test_an_activation_before_layers_without_parameters_is_refused(after: Layer) -> None:
    model = Sequential([Conv2D(3, 3), Softmax(axis=1), after], input_shape=(1, 6, 6))
    with pytest.raises(ValueError, match=r"ends with Softmax \(layer 1\)"):
        Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))


def test_one_class_is_refused() -> None:
    model = Sequential([Dense(1)], input_shape=(2,))
    with pytest.raises(ValueError, match="Trainer: expected two outputs or more for CrossEntropy"):
        Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))
    Trainer(model, loss=BinaryCrossEntropy(), optimizer=SGD(0.1))


def test_an_activation_added_before_fit_is_refused() -> None:
    trainer = small.plain()
    trainer.model.add(Softmax())
    with pytest.raises(ValueError, match=r"fit: expected a model that outputs logits .*Softmax \(layer 1\)"):
        trainer.fit(small.points(), epochs=1, progress=False)


def test_a_training_of_an_earlier_version_with_such_a_model_is_resumed_with_a_warning(tmp_path: Path) -> None:
    trainer = small.plain()
    trainer.fit(small.points(), epochs=1, progress=False)
    trainer.model.add(Softmax())
    trainer.save(tmp_path / "training")
    for epochs in (2, 3):
        with pytest.warns(UserWarning, match=r"training: expected a model that outputs logits .*Softmax \(layer 1\)"):
            resumed = Trainer.resume(tmp_path / "training")
        resumed.fit(small.points(), epochs=epochs, progress=False)
        assert len(resumed.history) == epochs
        resumed.save(tmp_path / "training")


def test_such_a_training_with_several_losses_is_resumed_with_a_warning(tmp_path: Path) -> None:
    losses = [CrossEntropy(from_logits=False), MeanSquaredError()]
    trainer = Trainer(two_outputs(Softmax()), loss=losses, optimizer=SGD(0.1))
    losses[0].from_logits = True
    trainer.save(tmp_path / "training")
    with pytest.warns(UserWarning, match=r"training: expected a model that outputs logits .*Softmax"):
        assert repr(Trainer.resume(tmp_path / "training").loss) == repr(trainer.loss)


class Logarithm(Layer):
    """A layer of one's own."""

    def _build(self, input_shape: Any, rng: Any) -> Any:
        return input_shape


def test_an_activation_within_the_model_or_before_another_loss_is_accepted() -> None:
    for layers, loss in (
        ([Softmax(), Dense(3)], CrossEntropy()),
        ([Residual(Softmax()), Dense(3)], CrossEntropy()),
        ([Softmax(), Logarithm()], CrossEntropy()),  # of a layer of one's own nothing is known
        ([ReLU()], BinaryCrossEntropy()),
        ([Sigmoid()], MeanSquaredError()),
        ([], CrossEntropy()),
    ):
        Trainer(Sequential([Dense(3), *layers], input_shape=(2,)), loss=loss, optimizer=SGD(0.1))


@pytest.mark.parametrize(
    ("ending", "loss"),
    [
        (Softmax, CrossEntropy(from_logits=False)),
        (LogSoftmax, NegativeLogLikelihood()),
        (Sigmoid, BinaryCrossEntropy(from_logits=False)),
    ],
)
def test_the_remedy_gives_the_gradients_of_the_loss_on_logits(ending: type[Layer], loss: Loss) -> None:
    """A model that keeps its activation function learns as one without it."""
    assert repr(loss) == REMEDIES[ending]
    x = np.random.default_rng(0).normal(size=(6, 2))
    target: Any = np.eye(3)[[0, 1, 2, 0, 1, 2]] if ending is Sigmoid else np.array([0, 1, 2, 0, 1, 2])
    logits = Sequential([Dense(3)], input_shape=(2,), dtype=np.float64, seed=0)
    model = Sequential([Dense(3), ending()], input_shape=(2,), dtype=np.float64, seed=0)
    on_logits = BinaryCrossEntropy() if ending is Sigmoid else CrossEntropy()
    for _ in range(3):
        _, expected = take_step(logits, on_logits, SGD(0.5), x, target)
        _, value = take_step(model, loss, SGD(0.5), x, target)
        assert value == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(model.state()["0.weight"], logits.state()["0.weight"], rtol=1e-10)


def two_outputs(ending: Layer | None = None) -> Model:
    image = Input((2,))
    h = ReLU()(Dense(4)(image))
    first = Dense(3)(h)
    return Model(image, [first if ending is None else ending(first), Dense(1)(h)], seed=0)


def test_a_list_of_losses_is_one_for_each_output(tmp_path: Path) -> None:
    x, labels = small.points(60)
    x = x[:, :2]
    data = x, (labels % 3, x.sum(axis=1, keepdims=True))
    losses = [CrossEntropy(0.1), MeanSquaredError(l2=0.01)]
    trainer = Trainer(two_outputs(), loss=losses, optimizer=Adam(0.01))
    history = trainer.fit(data, epochs=3, batch_size=16, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    y = trainer.model.forward(x)
    found = trainer.evaluate(data)
    assert found.keys() == {"loss"}
    assert found["loss"] == pytest.approx(
        losses[0].value(y[0], data[1][0]) + losses[1].value(y[1], data[1][1]), rel=1e-6
    )
    trainer.save(tmp_path / "file")
    again = Trainer.resume(tmp_path / "file")
    assert repr(again.loss) == repr(trainer.loss)
    for one in (trainer, again):
        one.fit(data, epochs=4, batch_size=16, progress=False)
    for name, array in trainer.model.state().items():
        np.testing.assert_array_equal(again.model.state()[name], array)


HUGE = 2**33


@pytest.mark.parametrize("value", [0, 0.0])
@pytest.mark.parametrize("loss", [MeanSquaredError(), CrossEntropy(), BinaryCrossEntropy()], ids=repr)
@pytest.mark.parametrize(("shape", "size"), [((8,), ()), ((8, 2**20), ()), ((8,), (3, 4)), ((8,), (6, 5))])
def test_targets_that_broadcast_to_a_huge_size_are_refused_uncopied(
    value: Any, loss: Loss, shape: Any, size: Any
) -> None:
    target = np.broadcast_to(value, (*shape, HUGE))
    layers = [Conv2D(2, 1)] if size else [Dense(2)]
    model = Sequential(layers, input_shape=(3, 3, 4) if size else (3,))  # pictures of another size are accepted too
    x = np.ones((8, 3, *size), np.float32)
    trainer = Trainer(model, loss=loss, optimizer=SGD(0.1))
    text = rf"(entropy|error): expected (target|labels) .*, got \(\d, ({2**20}, )?{HUGE}\)$"
    with pytest.raises(ValueError, match=text):
        trainer.evaluate((x, target))
    for validation in (None, 0.25, (x, target)):
        with pytest.raises(ValueError, match=text):
            trainer.fit((x, target), epochs=1, validation=validation, progress=False)
    with pytest.raises(ValueError, match=text):
        find_learning_rate(model, (x, target), loss=loss, optimizer=SGD(0.1))


def test_inputs_that_broadcast_to_a_huge_size_are_refused_uncopied() -> None:
    trainer = Trainer(Sequential([Dense(2)], input_shape=(3,)), loss=CrossEntropy(), optimizer=SGD(0.1))
    data = np.broadcast_to(np.float32(0), (8, HUGE)), np.zeros(8, int)
    for call in (trainer.evaluate, lambda data: trainer.fit(data, epochs=1, progress=False)):
        with pytest.raises(ValueError, match=rf"Dense \(layer 0\): expected \(N, 3\), got \(8, {HUGE}\)"):
            call(data)


def test_losses_that_do_not_fit_the_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="Trainer: expected one loss for each of the 2 outputs, got 1 losses"):
        Trainer(two_outputs(), loss=[CrossEntropy()], optimizer=SGD(0.1))
    text = (
        r"one loss for each of the 2 outputs, as in loss=\[...\] or SumOfLosses\(\[...\]\), got MeanSquaredError alone"
    )
    with pytest.raises(ValueError, match=text):
        Trainer(two_outputs(), loss=MeanSquaredError(), optimizer=SGD(0.1))

    text = r"got {'a': CrossEntropy\(\)}; write loss=\[CrossEntropy\(\), ...\], one for each of the 2 outputs, in their"
    with pytest.raises(TypeError, match=text):
        Trainer(two_outputs(), loss={"a": CrossEntropy()}, optimizer=SGD(0.1))  # type: ignore[arg-type]

    class OfBoth(MeanSquaredError):
        def value(self, y: Any, target: Any) -> float:
            return sum(super(OfBoth, self).value(*pair) for pair in zip(y, target, strict=True))

    x, target = np.ones((4, 3), np.float32), (np.ones((4, 1)), np.ones((4, 3)))
    model = Model(node := Input((3,)), [Dense(1)(node), Dense(3)(node)])
    expected = OfBoth().value(model.predict(x), target)
    assert Trainer(model, loss=OfBoth(), optimizer=SGD(0.1)).evaluate((x, target)) == {"loss": pytest.approx(expected)}
    with pytest.raises(TypeError, match="expected a list of losses, one for each output, got"):
        Trainer(two_outputs(), loss=[CrossEntropy(), None], optimizer=SGD(0.1))  # type: ignore[list-item]
    text = r"logits for CrossEntropy .*ends with Softmax .* keep it, with the loss CrossEntropy\(from_logits=False\)"
    with pytest.raises(ValueError, match=text):
        Trainer(two_outputs(Softmax()), loss=[CrossEntropy(), MeanSquaredError()], optimizer=SGD(0.1))
    Trainer(two_outputs(Softmax()), loss=[CrossEntropy(from_logits=False), MeanSquaredError()], optimizer=SGD(0.1))
