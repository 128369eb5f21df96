"""Loss, accuracy and probabilities of one pass, for a model with known outputs."""

import numpy as np
import pytest

from numpycnn import Dense, Dropout, Flatten, Layer, LogSoftmax, Sequential, Softmax
from numpycnn.data import Dataset
from numpycnn.recipes import SettingError, scoring
from numpycnn.recipes.scoring import expect_classifier, score, views_for
from numpycnn.recipes.tables import VIEWS
from numpycnn.training import TestTimeAugmentation


@pytest.fixture
def dataset(rng: np.random.Generator) -> Dataset:
    """Two pixels for each image; the brighter one is the class, except in the last image."""
    images = rng.permutation(np.array([[0, 255], [255, 0]] * 10, np.uint8)).reshape(20, 1, 1, 2)
    labels = images.reshape(20, 2).argmax(axis=1)
    labels[-1] = 1 - labels[-1]
    return Dataset(images, labels, ("left", "right"))


@pytest.fixture
def model() -> Sequential:
    """Its logits are the pixels."""
    model = Sequential([Flatten(), Dense(2)], input_shape=(1, 1, 2))
    model.load_state({"1.weight": np.eye(2, dtype=np.float32), "1.bias": np.zeros(2, np.float32)})
    return model


@pytest.mark.parametrize("batch", [1, 7, 20, 256])
def test_a_score(model: Sequential, dataset: Dataset, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BATCH", batch)
    found = score(model, dataset)
    sure = np.e / (1 + np.e)
    assert found.accuracy == 19 / 20
    assert found.loss == pytest.approx(-(19 * np.log(sure) + np.log(1 - sure)) / 20, rel=1e-6)
    np.testing.assert_array_equal(found.predictions, dataset.images.reshape(20, 2).argmax(axis=1))
    np.testing.assert_allclose(found.probabilities.max(axis=1), sure, rtol=1e-6)


@pytest.mark.parametrize("views", [None, TestTimeAugmentation(shift=0, flip=True)], ids=repr)
@pytest.mark.parametrize("ending", [[Softmax()], [LogSoftmax()], [Sequential([Softmax()]), Dropout(0.5)]], ids=repr)
def test_a_softmax_in_the_model_is_not_repeated(
    model: Sequential, dataset: Dataset, ending: list[Layer], views: TestTimeAugmentation | None
) -> None:
    logits = score(model, dataset, views)
    found = score(Sequential([*model.layers, *ending], input_shape=(1, 1, 2)), dataset, views)
    assert (found.loss, found.accuracy) == pytest.approx((logits.loss, logits.accuracy), rel=1e-6)
    np.testing.assert_allclose(found.probabilities, logits.probabilities, rtol=1e-6)


def test_a_model_that_does_not_fit(model: Sequential, dataset: Dataset) -> None:
    expect_classifier(model, dataset, "m")
    other = Dataset(np.zeros((1, 1, 2, 1), np.uint8), [0], ("left", "right"), name="tall")
    with pytest.raises(
        SettingError, match=r"^m: expected a model for inputs of shape \(1, 2, 1\), those of tall, got "
    ):
        expect_classifier(model, other, "m")
    three = Dataset(np.zeros((1, 1, 1, 2), np.uint8), [0], ("a", "b", "c"))
    with pytest.raises(SettingError, match=r"^m: expected a model with 3 outputs, one per class of dataset, got one "):
        expect_classifier(model, three, "m")


def test_a_score_of_several_views(model: Sequential, dataset: Dataset) -> None:
    """In the mirror the other pixel is the brighter one, so the two views cancel out."""
    found = score(model, dataset, TestTimeAugmentation(flip=True))
    np.testing.assert_allclose(found.probabilities, 0.5, rtol=1e-6)
    assert found.loss == pytest.approx(np.log(2), rel=1e-6)


def test_views_are_those_asked_for_or_those_of_the_test(model: Sequential) -> None:
    assert views_for(model, None) is None
    assert views_for(model, "flip") is VIEWS["flip"]
    model.metadata = {"training": {"views": "shift"}}
    assert views_for(model, None) is VIEWS["shift"]
    assert views_for(model, "none") is None
    for views in ("unknown", 3, None):
        model.metadata = {"training": {"views": views}}
        assert views_for(model, None) is None
