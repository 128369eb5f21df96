"""The data of the page: the values of the library, in the structure of the network."""

import base64
import json
from typing import Any

import numpy as np
import pytest

import numpycnn as nn
from numpycnn import functional as F
from numpycnn.explain.contents import Example, contents
from tests.graphs import captioned, draw, heads, nested, twins


def branching() -> nn.Sequential:
    """Return a network with every kind of container."""
    return nn.Sequential(
        [
            nn.Conv2D(4, 3, padding=1, name="first"),
            nn.Residual(nn.Sequential([nn.Conv2D(4, 3, padding=1), nn.ReLU()])),
            nn.Residual(nn.Conv2D(6, 1, stride=2), nn.Conv2D(6, 1, stride=2)),
            nn.Concat([nn.Conv2D(2, 1), nn.Sequential([nn.Conv2D(3, 1), nn.Tanh()])]),
            nn.GlobalAvgPool(),
            nn.Dense(3),
        ],
        input_shape=(2, 6, 8),
        seed=3,
        name="a tree",
    )


def numbers(data: dict[str, Any], index: int) -> np.ndarray:
    entry = data["arrays"][index]
    assert entry["channels"] is None
    return np.frombuffer(base64.b64decode(entry["data"]), "<f4").reshape(entry["shape"])


def test_the_steps_are_the_layers_and_their_values(rng: np.random.Generator) -> None:
    model = branching()
    x = rng.normal(size=(2, 6, 8)).astype(np.float32)
    data = contents(model, Example(x, title="noise", notes=["a note"]))
    assert json.dumps(data, allow_nan=False)
    assert (data["title"], data["model"], data["notes"]) == ("noise", "a tree", ["a note"])
    assert numbers(data, data["inputs"][0]["y"]).tolist() == x.tolist()
    assert data["parameters"] == sum(p.value.size for p in model.parameters().values())
    assert data["multiplyAdds"] == model.multiply_adds()
    y = x[np.newaxis]
    for position, (layer, step) in enumerate(zip(model, data["steps"], strict=True)):
        assert (step["key"], step["kind"]) == (str(position), type(layer).__name__)
        assert np.array_equal(numbers(data, step["x"]), y[0])
        y = layer(y)
        assert np.array_equal(numbers(data, step["y"]), y[0])
    first, block, fitted, concat, *_ = data["steps"]
    assert (first["name"], first["settings"]) == ("first", "Conv2D(4, 3, padding=1, name='first')")
    assert first["sees"] == (3, 3)
    assert first["parameters"] == 4 * 2 * 9 + 4
    assert (block["branches"], fitted["branches"]) == (["main"], ["main", "shortcut"])
    assert concat["branches"] == ["branch 0", "branch 1"]
    assert [inner["key"] for inner in concat["inside"]] == ["3.0", "3.1"]
    assert [inner["key"] for inner in concat["inside"][1]["inside"]] == ["3.1.0", "3.1.1"]
    assert concat["formula"] == {"type": "concat", "channels": [2, 3]}


def test_a_missing_softmax_is_added(rng: np.random.Generator) -> None:
    model = branching()
    x = rng.normal(size=(2, 6, 8)).astype(np.float32)
    data = contents(model, Example(x, class_names=["a", "b", "c"]))
    scores = model(x[np.newaxis])
    assert data["answers"][0]["names"] == ["a", "b", "c"]
    assert np.array_equal(numbers(data, data["answers"][0]["probabilities"]), F.softmax(scores)[0])
    last = data["steps"][-1]
    assert (last["kind"], last["formula"]["added"]) == ("Softmax", True)
    assert np.array_equal(numbers(data, last["x"]), scores[0])


@pytest.mark.parametrize("last", [nn.Softmax(), nn.LogSoftmax(), nn.Sigmoid()])
def test_a_final_softmax_is_not_repeated(last: nn.Layer) -> None:
    model = nn.Sequential([nn.Dense(3), last], input_shape=(4,))
    x = np.arange(4, dtype=np.float32)
    data = contents(model, Example(x, class_names=["a", "b", "c"]))
    assert [step["key"] for step in data["steps"]] == ["0", "1"]
    y = model(x[np.newaxis])[0]
    expected = np.exp(y) if isinstance(last, nn.LogSoftmax) else y
    assert np.allclose(numbers(data, data["answers"][0]["probabilities"]), expected, rtol=1e-6)


def test_without_class_names_there_are_no_probabilities() -> None:
    model = nn.Sequential([nn.Dense(3)], input_shape=(4,))
    data = contents(model, Example(np.ones(4, np.float32)))
    assert data["answers"] == []
    assert len(data["steps"]) == 1


def test_images_are_stored_unchanged() -> None:
    model = nn.Sequential([nn.Flatten(), nn.Dense(2)], input_shape=(1, 2, 3))
    photo = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    data = contents(model, Example((image / 255).astype(np.float32), picture=photo, image=image))
    shown = data["arrays"][data["inputs"][0]["picture"]]
    assert shown["shape"] == [3, 2, 5]
    assert base64.b64decode(shown["data"]) == np.moveaxis(photo, 2, 0).tobytes()
    assert data["arrays"][data["inputs"][0]["image"]]["shape"] == [1, 2, 3]
    grey = contents(model, Example(np.zeros((1, 2, 3), np.float32), picture=photo[:, :, 0]))
    assert grey["arrays"][grey["inputs"][0]["picture"]]["shape"] == [1, 2, 5]


def test_a_custom_container_has_inputs_and_outputs() -> None:
    class Twice(nn.Layer):
        def __init__(self, inner: nn.Layer, spare: nn.Layer) -> None:
            super().__init__()
            self.inner, self.spare = inner, spare

        def _build(self, input_shape: tuple[int, ...], rng: Any) -> tuple[int, ...]:
            self.spare.build(input_shape, rng=rng, dtype=self.dtype)
            return self.inner.build(input_shape, rng=rng, dtype=self.dtype)

        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
            return 2 * self.inner.forward(x, **mode), ()

    model = nn.Sequential([Twice(nn.ReLU(), nn.Tanh())], input_shape=(2, 3))
    (step,) = contents(model, Example(np.ones((2, 3), np.float32)))["steps"]
    assert step["formula"] == {"type": "unknown"}
    assert step["branches"] is None
    inner, spare = step["inside"]
    assert inner["y"] is not None
    assert (spare["kind"], spare["x"], spare["y"]) == ("Tanh", None, None)


def test_a_scalar_output_is_a_vector_of_one() -> None:
    class Total(nn.Layer):
        def _build(self, input_shape: tuple[int, ...], rng: Any) -> tuple[int, ...]:
            return ()

        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
            return x.sum(axis=1), ()

    model = nn.Sequential([Total()], input_shape=(3,))
    data = contents(model, Example(np.ones(3, np.float32)))
    assert numbers(data, data["steps"][0]["y"]).tolist() == [3.0]


def test_tokens_and_doubles(rng: np.random.Generator) -> None:
    words = nn.Sequential([nn.Embedding(9, 4), nn.Conv1D(2, 2)], input_shape=(5,))
    assert numbers(contents(words, Example(np.arange(5))), 0).tolist() == [0, 1, 2, 3, 4]
    doubles = nn.Sequential([nn.Dense(2)], input_shape=(5,), dtype=np.float64)
    x = rng.normal(size=5)
    assert np.allclose(numbers(contents(doubles, Example(x)), 1), doubles(x[np.newaxis])[0], rtol=1e-6)


def test_untrusted_text_is_cleaned() -> None:
    model = nn.Sequential([nn.Dense(1, name="a\u202eb")], input_shape=(3,), name="c\u2066d")
    found = contents(model, Example(np.ones(3, np.float32), title="gnp.\u202e\udcff\x1b[0m", class_names=["\u200fe"]))
    assert found["title"] == "gnp.\ufffd\ufffd[0m"  # a mark, half a character, and an escape
    assert (found["model"], found["steps"][0]["name"], found["answers"][0]["names"]) == ("cd", "ab", ["e"])


def test_tokens_with_words() -> None:
    model = nn.Sequential([nn.Embedding(9, 4)], input_shape=(3,))
    assert contents(model, Example(np.arange(3), words=["a", "b", "c" * 400]))["inputs"][0]["words"][:2] == ["a", "b"]
    assert contents(model, Example(np.arange(3)))["inputs"][0]["words"] is None


def test_long_text_is_truncated_to_one_line() -> None:
    model = nn.Sequential([nn.ReLU(name="n" * 999)], input_shape=(2,), name="m\nm")
    data = contents(model, Example(np.ones(2, np.float32), title="t" * 999, notes=["a\n b"]))
    assert len(data["title"]) == len(data["steps"][0]["name"]) == 300
    assert (data["model"], data["notes"]) == ("m m", ["a b"])


def test_the_model_is_not_modified(rng: np.random.Generator) -> None:
    model = nn.Sequential([nn.Conv2D(8, 3), nn.BatchNorm(), nn.Flatten(), nn.Dense(2)], input_shape=(4, 5, 6))
    before = {name: array.copy() for name, array in model.state().items()}
    contents(model, Example(rng.normal(size=(4, 5, 6)).astype(np.float32)), most_bytes=500)
    assert all(np.array_equal(array, before[name]) for name, array in model.state().items())
    with pytest.raises(RuntimeError, match="backward needs a forward pass before it"):
        model.backward(np.zeros((1, 2), np.float32))


def test_wrong_arguments() -> None:
    model = nn.Sequential([nn.Dense(3)], input_shape=(4,))
    with pytest.raises(ValueError, match=r"one example of shape \(4,\), without a batch axis, got \(1, 4\)"):
        contents(model, Example(np.ones((1, 4), np.float32)))
    with pytest.raises(ValueError, match=r"a model with 2 outputs, one per class name, .* shape \(3,\)"):
        contents(model, Example(np.ones(4, np.float32), class_names=["a", "b"]))
    with pytest.raises(TypeError, match="expected a Sequential or a Model, got Dense"):
        contents(nn.Dense(3), Example(np.ones(4, np.float32)))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="not built yet"):
        contents(nn.Sequential([nn.Dense(3)]), Example(np.ones(4, np.float32)))
    with pytest.raises(TypeError, match="expected float32, got float64"):
        contents(model, Example(np.ones(4)))


def test_the_steps_of_a_graph_say_what_they_take(rng: np.random.Generator) -> None:
    x = nn.Input((2, 6, 5), name="image")
    conv = nn.Conv2D(2, 3, padding=1, activation="relu", name="conv")
    first = conv(x)
    joined = nn.Concatenate()([nn.Add()([conv(first), x]), first])
    model = nn.Model(x, nn.Dense(3)(nn.GlobalAvgPool()(joined)), seed=0)
    example = rng.normal(size=(2, 6, 5)).astype(np.float32)
    data = contents(model, Example(example, class_names=["a", "b", "c"]))
    steps = data["steps"]
    assert [(step["key"], step.get("from")) for step in steps] == [
        ("conv", [(-1, 0)]),
        ("conv#2", [(0, 0)]),
        ("1", [(1, 0), (-1, 0)]),
        ("2", [(2, 0), (0, 0)]),
        ("3", [(3, 0)]),
        ("4", [(4, 0)]),
        ("", [(5, 0)]),  # the softmax of the loss
    ]
    assert {step["column"] for step in steps} == {None}
    assert [step["shared"] for step in steps[:3]] == [None, "conv", None]
    assert data["parameters"] == 2 * 2 * 9 + 2 + 4 * 3 + 3
    assert data["multiplyAdds"] == 2 * 30 * 2 * 2 * 9 + 4 * 3
    operation, activation = steps[1]["inside"]
    assert (operation["key"], operation["kind"], operation["formula"]["type"]) == ("conv#2", "Conv2D", "convolution")
    assert (activation["key"], activation["kind"]) == ("conv.activation#2", "ReLU")
    assert numbers(data, operation["y"]).min() < 0
    assert np.array_equal(np.maximum(numbers(data, operation["y"]), 0), numbers(data, steps[1]["y"]))
    assert np.array_equal(numbers(data, steps[2]["y"]), numbers(data, steps[1]["y"]) + example)
    assert np.array_equal(numbers(data, data["answers"][0]["probabilities"]), F.softmax(model(example[np.newaxis]))[0])


def test_each_input_has_a_column_and_its_own_description(rng: np.random.Generator) -> None:
    model = captioned()
    x = tuple(batch[0] for batch in draw(model, 1))
    image = rng.integers(0, 256, (1, 8, 7), dtype=np.uint8)
    words = ["a", "b", "c", "d", "e", "f"]
    data = contents(model, Example(x, image=(image, None), words=(None, words), class_names=["p", "q", "r"]))
    assert [entry["name"] for entry in data["inputs"]] == ["picture", "words"]
    assert [numbers(data, entry["y"]).tolist() for entry in data["inputs"]] == [array.tolist() for array in x]
    assert [entry["words"] for entry in data["inputs"]] == [None, words]
    assert [entry["image"] is None for entry in data["inputs"]] == [False, True]
    columns = {step["key"]: step["column"] for step in data["steps"]}
    assert columns == {
        **dict.fromkeys(("look", "1", "2"), ("input", 0)),
        **dict.fromkeys(("table", "read", "5"), ("input", 1)),
        **dict.fromkeys(("6", "scores", ""), None),
    }
    for wrong in (x[0], (*x, x[0])):
        with pytest.raises(ValueError, match="explain: expected x as a tuple of 2 items, one for each input"):
            contents(model, Example(wrong))
    with pytest.raises(ValueError, match="explain: expected words as a tuple of 2 items, one for each input"):
        contents(model, Example(x, words=words))
    with pytest.raises(
        ValueError, match=r"of shape \(1, 8, 7\) and \(6,\), without a batch axis, got \(1, 8, 7\) and \(5,\)"
    ):
        contents(model, Example((x[0], x[1][:5])))


def test_uses_of_a_shared_layer_are_in_the_columns_of_their_inputs() -> None:
    model = twins()
    x = tuple(batch[0] for batch in draw(model, 1))
    data = contents(model, Example(x, class_names=["alike"]))
    assert {step["key"]: step["column"] for step in data["steps"]} == {
        "encoder": ("input", 0),
        "encoder#2": ("input", 1),
        "1": None,
        "alike": None,
        "": None,
    }
    assert [step["key"] for step in data["steps"][1]["inside"]] == [f"encoder.{i}#2" for i in range(6)]
    last = data["steps"][-1]
    assert (last["kind"], last["formula"]["type"], last["formula"]["added"]) == ("Sigmoid", "activation", True)
    score = model.forward(tuple(array[np.newaxis] for array in x))[0]
    assert np.allclose(numbers(data, data["answers"][0]["probabilities"]), F.sigmoid(score), rtol=1e-6)


def test_each_output_has_a_column_and_its_own_classes() -> None:
    model = heads()
    x = draw(model, 1)
    names = {"shape": ["disc", "ring", "cross"], "colour": ["red", "blue"]}
    data = contents(model, Example(x[0], class_names=names))
    columns = {step["key"]: step["column"] for step in data["steps"]}
    assert columns == {
        "stem": None,
        **dict.fromkeys(("deep", "2", "shape", ""), ("output", 0)),
        **dict.fromkeys(("4", "mix", "colour"), ("output", 1)),
    }
    shape, colour = model.forward(x)
    for answer, expected, end in zip(data["answers"], (F.softmax(shape), colour), ("", "colour"), strict=True):
        assert np.allclose(numbers(data, answer["probabilities"]), expected[0], rtol=1e-6)
        assert data["steps"][answer["step"]]["key"] == end
    assert [(answer["output"], answer["names"]) for answer in data["answers"]] == list(names.items())
    only = contents(model, Example(x[0], class_names={"colour": ["red", "blue"]}))
    assert [answer["output"] for answer in only["answers"]] == ["colour"]
    with pytest.raises(ValueError, match="expected a model with 2 outputs 'shape', one per class name"):
        contents(model, Example(x[0], class_names={"shape": ["red", "blue"]}))
    with pytest.raises(ValueError, match="explain: expected class_names as a dict by output, 'shape' and 'colour'"):
        contents(model, Example(x[0], class_names=["red", "blue"]))


def test_a_layer_takes_one_of_the_outputs_of_a_model_inside() -> None:
    model = nested()
    data = contents(model, Example(draw(model, 1)[0]))
    assert [(step["key"], step["from"]) for step in data["steps"]] == [
        ("body", [(-1, 0)]),
        ("body#2", [(0, 0)]),
        ("scores", [(1, 1)]),
    ]
    body = data["steps"][0]
    assert (body["outputs"], body["y"]) == (2, None)
    assert body["formula"] == {"type": "graph", "outputs": [(1, 0), (2, 0)]}
