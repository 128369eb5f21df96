"""Recurrent layers: steps, directions, initial weights, PyTorch's modules and files, a task that needs memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import GRU, LSTM, RNN, Adam, CrossEntropy, Dense, Dropout, Embedding, Layer, Sequential, Trainer
from numpycnn import functional as F
from numpycnn.explain.contents import Example, contents
from numpycnn.functional._recurrent import GATES
from numpycnn.layers.recurrent import WEIGHTS, Recurrent
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits
from tests.layers.bad_calls import Bad, bad_sizes, refuse

KINDS: list[type[Recurrent]] = [RNN, LSTM, GRU]


def built(kind: type[Recurrent], shape: tuple[int, int] = (5, 3), **settings: Any) -> Any:
    layer = kind(4, **settings)
    layer.build(shape, dtype=np.float64)
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_is_the_function(kind: type[Recurrent], rng: np.random.Generator) -> None:
    layer = built(kind, return_sequences=True)
    weights = [getattr(layer, name).value for name in WEIGHTS]
    x, dy = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 4))
    assert_same_bits(layer.forward(x, training=True), F.recurrent(x, *weights, cell=kind.cell))
    dx, *gradients = F.recurrent_backward(dy, x, *weights, cell=kind.cell)
    assert_same_bits(layer.backward(dy), dx)
    for name, gradient in zip(WEIGHTS, gradients, strict=True):
        assert_same_bits(getattr(layer, name).grad, gradient)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_output_is_that_of_the_last_step(
    kind: type[Recurrent], bidirectional: bool, rng: np.random.Generator
) -> None:
    steps = built(kind, return_sequences=True, bidirectional=bidirectional)
    last = built(kind, bidirectional=bidirectional)
    last.load_state(steps.state())
    x, dy = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 8 if bidirectional else 4))
    y = steps.forward(x, training=True)
    assert_same_bits(last.forward(x, training=True), np.concatenate([y[:, -1, :4], y[:, 0, 4:]], axis=1))
    wide = np.zeros(y.shape)
    wide[:, -1, :4], wide[:, 0, 4:] = dy[:, :4], dy[:, 4:]
    assert_same_bits(last.backward(dy), steps.backward(wide))
    for name, parameter in last.parameters().items():
        assert_same_bits(parameter.grad, steps.parameters()[name].grad)


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights(kind: type[Recurrent]) -> None:
    layer = kind(60)
    layer.build((5, 40), rng=0, dtype=np.float64)
    assert list(layer.parameters()) == list(WEIGHTS)
    assert [layer.parameters()[name].penalised for name in WEIGHTS] == [True, True, False, False]
    for block in np.split(layer.weight_ih.value, GATES[kind.cell]):
        assert block.var() == pytest.approx(2 / 100, rel=0.1)
    for block in np.split(layer.weight_hh.value, GATES[kind.cell]):
        np.testing.assert_allclose(block @ block.T, np.eye(60), atol=1e-12)
    assert not layer.bias_hh.value.any()
    biases = [float(block[0]) for block in np.split(layer.bias_ih.value, GATES[kind.cell])]
    assert biases == {"rnn": [0], "lstm": [0, 1, 0, 0], "gru": [0, 0, 0]}[kind.cell]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_equals_pytorch_with_its_weights_by_name(
    kind: type[Recurrent], bidirectional: bool, torch: Any, tmp_path: Path
) -> None:
    """Forward and all gradients over 50 drawn settings; the weights go through files, both ways."""
    from safetensors.torch import load_file, save_file

    for rng in generators(63, count=50):
        n, length, channels, hidden = (int(size) for size in rng.integers(1, 7, 4))
        sequences = bool(rng.random() < 0.5)
        layer = kind(hidden, return_sequences=sequences, bidirectional=bidirectional, name="body")
        model = Sequential([layer], input_shape=(length, channels), dtype=np.float64)
        module = getattr(torch.nn, kind.__name__)(channels, hidden, batch_first=True, bidirectional=bidirectional)
        wrapped = torch.nn.ModuleDict({"body": module.double()})
        save_file(wrapped.state_dict(), str(tmp_path / "theirs"))
        model.load_torch(tmp_path / "theirs")
        x = rng.normal(size=(n, length, channels))
        tensor = torch.tensor(x, requires_grad=True)
        y, state = module(tensor)
        if not sequences:
            y = torch.cat(list(state[0] if kind is LSTM else state), dim=1)
        dy = rng.normal(size=tuple(y.shape))
        y.backward(torch.tensor(dy))
        assert_close(model.forward(x, training=True), y.detach())
        assert_close(model.backward(dy), tensor.grad)
        theirs = dict(module.named_parameters())
        assert [name.replace("_l0", "") for name in theirs] == list(layer.parameters())
        for name, parameter in theirs.items():
            assert_close(getattr(layer, name.replace("_l0", "")).grad, parameter.grad)
        model.save_torch(tmp_path / "ours")
        found = load_file(str(tmp_path / "ours"))
        assert set(found) == set(wrapped.state_dict())
        assert all(torch.equal(found[name], value) for name, value in wrapped.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_of_the_same_name_are_a_stack_of_pytorch(
    kind: type[Recurrent], bidirectional: bool, torch: Any, tmp_path: Path
) -> None:
    """Two and three layers, with a dropout between, as PyTorch's `num_layers`; the weights go through files."""
    from safetensors.torch import load_file, save_file

    for rng in generators(64, count=10):
        n, length, channels, hidden = (int(size) for size in rng.integers(1, 7, 4))
        count = int(rng.integers(2, 4))
        settings = {"bidirectional": bidirectional, "name": "body"}
        layers: list[Layer] = []
        for number in range(count):
            layers += [kind(hidden, return_sequences=number < count - 1, **settings), Dropout(0.5)]
        model = Sequential(layers[:-1], input_shape=(length, channels), dtype=np.float64)
        module = torch.nn.ModuleDict(
            {
                "body": getattr(torch.nn, kind.__name__)(
                    channels, hidden, count, batch_first=True, bidirectional=bidirectional
                )
            }
        ).double()
        save_file(module.state_dict(), str(tmp_path / "theirs.safetensors"))
        model.load_torch(tmp_path / "theirs.safetensors")
        x = rng.normal(size=(n, length, channels))
        _, last = module["body"](torch.tensor(x))
        last = last[0] if kind is LSTM else last  # (layers * directions, N, H)
        assert_close(model.predict(x), torch.cat(list(last[-1 - bidirectional :]), dim=1).detach())
        model.save_torch(tmp_path / "ours.safetensors")
        found = load_file(str(tmp_path / "ours.safetensors"))
        assert set(found) == set(module.state_dict())
        assert all(torch.equal(found[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
def test_initializers(kind: type[Recurrent], tmp_path: Path) -> None:
    """Each block is drawn by itself; a function is left out of a file, its weights are not."""
    shapes: list[tuple[int, ...]] = []

    def counted(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        shapes.append(shape)
        return np.full(shape, float(len(shapes)))

    layer = kind(3, initializer=counted, recurrent_initializer="zeros", bidirectional=True)
    model = Sequential([layer], input_shape=(5, 2), seed=0)
    blocks = GATES[kind.cell]
    assert shapes == [(3, 2)] * 2 * blocks
    expected = np.repeat(np.arange(1.0, 2 * blocks + 1), 3)[:, np.newaxis] * np.ones(2)
    np.testing.assert_array_equal(layer.weight_ih.value, expected[: 3 * blocks])
    np.testing.assert_array_equal(layer.weight_ih_reverse.value, expected[3 * blocks :])
    assert not layer.weight_hh.value.any()
    model.save(tmp_path / "model.safetensors")
    loaded = numpycnn.load_model(tmp_path / "model.safetensors")[0]
    assert isinstance(loaded, kind)
    assert (loaded.initializer, loaded.recurrent_initializer) == ("glorot_uniform", "zeros")
    np.testing.assert_array_equal(loaded.weight_ih.value, layer.weight_ih.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_hidden_states(
    kind: type[Recurrent], bidirectional: bool, return_sequences: bool, rng: np.random.Generator
) -> None:
    settings = {"bidirectional": bidirectional, "return_sequences": return_sequences}
    layer, all_steps = built(kind, **settings), built(kind, bidirectional=bidirectional, return_sequences=True)
    x = rng.normal(size=(2, 5, 3))
    assert_same_bits(layer.hidden_states(x), all_steps.forward(x))
    assert layer.return_sequences is return_sequences
    with pytest.raises(ValueError, match=rf"{kind.__name__}: expected \(N, L, 3\), got \(2, 5, 4\)"):
        layer.hidden_states(np.zeros((2, 5, 4)))
    with pytest.raises(RuntimeError, match="build"):
        kind(4).hidden_states(x)


@pytest.mark.parametrize("kind", KINDS)
def test_other_lengths_and_no_length(kind: type[Recurrent], rng: np.random.Generator) -> None:
    layer = built(kind)
    assert layer.forward(rng.normal(size=(2, 9, 3))).shape == (2, 4)
    with pytest.raises(ValueError, match=r": expected sequences of at least one element, got \(2, 0, 3\)"):
        layer.forward(np.empty((2, 0, 3)))


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_the_first_element_is_remembered(kind: type[Recurrent], rng: np.random.Generator) -> None:
    """Seven others follow; without the state, no better than one in four is possible."""
    x = rng.integers(0, 4, (600, 8))
    model = Sequential([Embedding(4, 8), kind(16), Dense(4)], input_shape=(8,), seed=0)
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=Adam(lr=1e-2), seed=0)
    trainer.fit((x[:500], x[:500, 0]), epochs=20, batch_size=20, progress=False)
    assert (model.predict(x[500:]).argmax(axis=1) == x[500:, 0]).mean() > 0.95


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_summary(bidirectional: bool) -> None:
    layers = [LSTM(6, return_sequences=True, bidirectional=bidirectional), GRU(5, bidirectional=bidirectional)]
    rows = Sequential(layers, input_shape=(7, 3)).summary().rows
    ways = 1 + bidirectional
    assert [row.output_shape for row in rows] == [(7, 6 * ways), (5 * ways,)]
    assert rows[0].parameters == ways * (4 * 6 * (3 + 6) + 2 * 4 * 6)
    assert rows[0].multiply_adds == ways * 7 * 4 * 6 * (3 + 6)
    assert rows[1].multiply_adds == ways * 7 * 3 * 5 * (6 * ways + 5)
    assert [row.receptive_field for row in rows] == [None, None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_and_figures_accept_it(kind: type[Recurrent], rng: np.random.Generator) -> None:
    from numpycnn import visualize

    layers = [Embedding(9, 3), kind(4, return_sequences=True, bidirectional=True), kind(5), Dense(2)]
    model = Sequential(layers, input_shape=(6,), seed=0)
    tokens = rng.integers(0, 9, (8, 6))
    steps = contents(model, Example(tokens[0]))["steps"]
    assert [step["formula"]["type"] for step in steps] == ["embedding", "recurrent", "chain", "dense"]
    assert all(step["y"] is not None for step in steps)
    visualize.activation_histograms(model, tokens)
    visualize.layer_costs(model)
    with numpycnn.backend("plain"):
        assert_close(model.predict(tokens), model.predict(tokens), 1e-12)


BAD = [
    *bad_sizes(lambda hidden_size: LSTM(hidden_size), "LSTM", "hidden_size"),
    Bad(lambda: RNN(4, return_sequences=1), TypeError, "RNN: expected return_sequences to be True or False, got int 1"),
    Bad(lambda: GRU(4, bidirectional="yes"), TypeError, "GRU: expected bidirectional to be True or False, got str"),
    Bad(
        lambda: LSTM(28, 64),  # type: ignore[misc]
        TypeError,
        "LSTM: expected LSTM(hidden_size), got 2 arguments; the size of the input is inferred, and all settings",
    ),
    Bad(lambda: GRU(4, initializer="he"), ValueError, "GRU: expected initializer he_normal, he_uniform, "),
    Bad(
        lambda: GRU(4, recurrent_initializer=None),
        ValueError,
        "GRU: expected recurrent_initializer he_normal, he_uniform",
    ),
    Bad(lambda: LSTM(4), ValueError, "LSTM: expected inputs (L, C), got (5,)", (5,)),
    Bad(lambda: LSTM(4), ValueError, "LSTM: expected inputs (L, C), got (3, 4, 5)", (3, 4, 5)),
    Bad(lambda: LSTM(2**31 - 1), ValueError, "LSTM: expected at most 1073741824 weights, got (2147483647, 3)", (4, 3)),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
