from itertools import pairwise

import numpy as np
import pytest

from numpycnn import Adam, CrossEntropy, Sequential, Trainer, check_gradients, load_model, models
from numpycnn.data import Dataset


def size(model: Sequential) -> int:
    return sum(parameter.value.size for parameter in model.parameters().values())


def test_the_papers_sizes() -> None:
    model = models.text_cnn(seed=None)
    assert size(model) == 18_765 * 300 + 100 * (3 + 4 + 5) * 300 + 300 + 2 * 301 == 5_990_402
    assert "5,990,402 parameters, 5,629,500" in " ".join((models.text_cnn.__doc__ or "").split())
    assert model.output_shape == (2,)


def test_custom_settings() -> None:
    model = models.text_cnn((9,), 3, vocabulary=50, embedding_dim=8, filters=6, widths=[2, 3], seed=1)
    assert size(model) == 50 * 8 + 6 * (2 * 8 + 1) + 6 * (3 * 8 + 1) + 3 * 13
    assert models.create("text_cnn", (9,), 3, vocabulary=50).output_shape == (3,)
    with pytest.raises(ValueError, match=r"Conv1D \(layer 2\.2\.0\): .*kernel"):
        models.text_cnn((4,), 2, vocabulary=50)


def test_word_vectors_have_the_papers_initial_spread() -> None:
    words = models.text_cnn(vocabulary=2000, embedding_dim=50).state()["0.weight"]
    assert words.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.01)  # uniform from -0.25 to 0.25


def small() -> Sequential:
    return models.text_cnn((9,), 3, vocabulary=20, embedding_dim=5, filters=4)


def test_it_equals_the_papers_formula(rng: np.random.Generator) -> None:
    """Features of concatenated word vectors, maximum over time, with weights in PyTorch's layout."""
    model = small()
    state = model.state()
    tokens = rng.integers(0, 20, (3, 9))
    for sentence, y in zip(tokens, model.predict(tokens), strict=True):
        words = state["0.weight"][sentence].astype(np.float64)  # (L, D)
        features = []
        for branch, width in enumerate((3, 4, 5)):
            weight, bias = state[f"2.{branch}.0.weight"], state[f"2.{branch}.0.bias"]
            for w, b in zip(weight, bias, strict=True):  # w is (D, width)
                windows = [words[t : t + width] for t in range(9 - width + 1)]
                features.append(max(max(0.0, (w.T * window).sum() + b) for window in windows))
        np.testing.assert_allclose(y, state["4.weight"] @ features + state["4.bias"], atol=1e-5)


def test_gradients() -> None:
    assert check_gradients(small(), (9,), samples=10, batch_size=2).passed


def test_the_output_does_not_depend_on_the_position_of_a_phrase() -> None:
    model = models.text_cnn((16,), 3, vocabulary=20, embedding_dim=5, filters=4)
    early, late = np.zeros((1, 16), np.int64), np.zeros((1, 16), np.int64)
    early[0, 5:7], late[0, 9:11] = [7, 8], [7, 8]
    np.testing.assert_allclose(model.predict(early), model.predict(late), atol=1e-6)


def test_it_learns_a_phrase_and_is_saved(rng: np.random.Generator, tmp_path: object) -> None:
    tokens = rng.integers(2, 20, (300, 9))
    labels = np.array([any(a == 5 and b == 6 for a, b in pairwise(s)) for s in tokens]).astype(np.int64)
    for sentence in tokens[:150]:
        at = rng.integers(8)
        sentence[at : at + 2] = [5, 6]
    labels[:150] = 1
    data = Dataset(tokens, labels, ("without", "with"), name="phrases")
    model = models.text_cnn((9,), 2, vocabulary=20, embedding_dim=12, filters=8)
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=Adam(0.01))
    trainer.fit(data, epochs=12, progress=False)
    assert trainer.evaluate(data)["accuracy"] > 0.95
    model.save(f"{tmp_path}/model")
    assert np.array_equal(load_model(f"{tmp_path}/model").predict(tokens), model.predict(tokens))
