"""The views are those described, and their probabilities are averaged."""

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Add,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    LogSoftmax,
    MeanSquaredError,
    Model,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Trainer,
)
from numpycnn.functional import sigmoid, softmax
from numpycnn.training import TestTimeAugmentation
from tests.helpers import as_graph, assert_same_bits
from tests.training import small

X = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype(np.float32)


def network() -> Sequential:
    return Sequential([Conv2D(3, 3), ReLU(), Flatten(), Dense(4)], input_shape=(2, 4, 5), seed=0)


def by_hand(name: str) -> np.ndarray:
    """One view, pixel by pixel: rows and columns beyond the edge repeat the last one."""
    down, right = {"up": (1, 0), "down": (-1, 0), "left": (0, 1), "right": (0, -1)}[name]
    view = np.empty_like(X)
    for row in range(4):
        for column in range(5):
            view[..., row, column] = X[..., min(max(row + down, 0), 3), min(max(column + right, 0), 4)]
    return view


def test_the_views() -> None:
    itself, mirrored = TestTimeAugmentation(flip=True).views(X)
    np.testing.assert_array_equal(itself, X)
    np.testing.assert_array_equal(mirrored, X[:, :, :, ::-1])
    moved = list(TestTimeAugmentation(shift=1).views(X))
    assert len(moved) == 5
    expected = [X, *map(by_hand, ("up", "down", "left", "right"))]
    for view in expected:
        assert sum(np.array_equal(view, other) for other in moved) == 1
    both = list(TestTimeAugmentation(flip=True, shift=1).views(X))
    assert len(both) == 10
    for view in moved:
        assert sum(np.array_equal(view[..., ::-1], other) for other in both) == 1


@pytest.mark.parametrize(
    "views",
    [TestTimeAugmentation(flip=True), TestTimeAugmentation(shift=2), TestTimeAugmentation(flip=True, shift=1)],
    ids=repr,
)
def test_probabilities_are_averaged(views: TestTimeAugmentation) -> None:
    model = network()
    expected = np.mean([softmax(model.forward(view)) for view in views.views(X)], axis=0)
    y = views(model, X)
    assert (y.shape, y.dtype) == ((3, 4), np.float32)
    np.testing.assert_allclose(softmax(y), expected, rtol=1e-5)
    assert not np.allclose(expected, softmax(model.forward(X)), rtol=1e-3)


@pytest.mark.parametrize("ending", [[Softmax()], [LogSoftmax()], [Softmax(), Dropout(0.5)], [Sigmoid()]], ids=repr)
def test_a_model_with_its_own_activation_gets_no_second_one(ending: list[Layer]) -> None:
    """The result has the form of the model's outputs, so that its loss takes it."""
    model = Sequential([*network().layers, *ending], input_shape=(2, 4, 5))
    views = TestTimeAugmentation(flip=True)
    log = isinstance(ending[0], LogSoftmax)
    outputs = [np.exp(y) if log else y for y in (model.forward(view) for view in views.views(X))]
    y = views(model, X)
    np.testing.assert_allclose(np.exp(y) if log else y, np.mean(outputs, axis=0), rtol=1e-5)
    trainer = Trainer(model, loss=MeanSquaredError(), optimizer=SGD(0.1))
    target = np.eye(4, dtype=np.float32)[:3]
    assert trainer.evaluate((X, target), views=views)["loss"] == pytest.approx(np.mean((y - target) ** 2), rel=1e-5)


def test_a_single_output_is_the_score_of_a_sigmoid() -> None:
    model = Sequential([Flatten(), Dense(1)], input_shape=(2, 4, 5), seed=0)
    views = TestTimeAugmentation(flip=True)
    expected = np.mean([sigmoid(model.forward(view)) for view in views.views(X)], axis=0)
    np.testing.assert_allclose(sigmoid(views(model, X)), expected, rtol=1e-5)


def test_a_class_that_is_ruled_out_stays_finite() -> None:
    model = Sequential([Flatten(), Dense(2)], input_shape=(1, 2, 3))
    model.load_state({"1.weight": np.zeros((2, 6), np.float32), "1.bias": np.array([0, -1000], np.float32)})
    y = TestTimeAugmentation(flip=True)(model, np.ones((1, 1, 2, 3), np.float32))
    assert np.isfinite(y).all()
    np.testing.assert_allclose(softmax(y), [[1, 0]], atol=1e-30)


def test_inputs_are_not_changed() -> None:
    x = X.copy()
    x.flags.writeable = False
    TestTimeAugmentation(flip=True, shift=1)(network(), x)


def test_an_evaluation_with_views() -> None:
    model, views, labels = network(), TestTimeAugmentation(flip=True), np.array([0, 1, 2])
    trainer = small.plain(model=model)
    found = trainer.evaluate((X, labels), views=views, batch_size=2)
    y = views(model, X)
    assert found["accuracy"] == (y.argmax(axis=1) == labels).mean()
    np.testing.assert_allclose(found["loss"], CrossEntropy().value(y, labels), rtol=1e-5)
    assert found["loss"] != trainer.evaluate((X, labels))["loss"]


def test_repr() -> None:
    assert repr(TestTimeAugmentation(flip=True)) == "TestTimeAugmentation(flip=True)"
    assert repr(TestTimeAugmentation(flip=True, shift=2)) == "TestTimeAugmentation(flip=True, shift=2)"


def test_invalid_arguments() -> None:
    with pytest.raises(ValueError, match="expected flip=True or a shift above 0, got neither"):
        TestTimeAugmentation()
    with pytest.raises(ValueError, match=r"expected images \(N, C, H, W\), got \(3, 2\)"):
        TestTimeAugmentation(flip=True)(small.dense(), np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"\(N, C, H, W\) of more than 4 pixels a side, got \(3, 2, 4, 5\)"):
        TestTimeAugmentation(shift=4)(network(), X)
    with pytest.raises(TypeError, match=r"^TestTimeAugmentation: expected images without a mask, got a masked array"):
        TestTimeAugmentation(shift=1)(network(), np.ma.array(X))
    with pytest.raises(ValueError, match=r"outputs are of shape \(N, K\), got one with \(1, 2, 3\)"):
        TestTimeAugmentation(flip=True)(Sequential([Conv2D(1, 3)], input_shape=(2, 4, 5)), X)


def test_a_graph_of_one_input() -> None:
    average = TestTimeAugmentation(flip=True, shift=1)
    assert_same_bits(average(as_graph(network()), X), average(network(), X))
    a, b = Input((2,)), Input((2,))
    with pytest.raises(
        ValueError, match="TestTimeAugmentation: expected a model that takes one input, got one that takes 2"
    ):
        average(Model([a, b], Add()([a, b])), X)
