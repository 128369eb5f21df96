"""The backend and the number of threads: where they come from, and what a backend loads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import numpycnn
from numpycnn import _settings, fast, functional, plain

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def settings_of_this_test() -> Iterator[None]:
    before = _settings._operations, _settings._num_threads
    yield
    _settings._operations, _settings._num_threads = before


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with `code` in a fresh process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMPYCNN_")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=300
    )


# ---------------------------------------------------------------------------------------------------------- the backend


def test_the_default_is_fast() -> None:
    done = run("import numpycnn; print(numpycnn.get_backend())")
    assert (done.stdout, done.stderr) == ("fast\n", "")


def test_the_environment_chooses() -> None:
    done = run("import numpycnn; print(numpycnn.get_backend())", NUMPYCNN_BACKEND="plain")
    assert (done.stdout, done.stderr) == ("plain\n", "")


def test_an_unknown_backend_in_the_environment() -> None:
    done = run("import numpycnn, numpy as np; numpycnn.functional.relu(np.ones(1))", NUMPYCNN_BACKEND="quick")
    assert done.stderr.endswith(
        "ValueError: NUMPYCNN_BACKEND: expected one of the backends 'plain', 'fast', got 'quick'\n"
    )


def test_set_backend() -> None:
    for name, module in (("plain", plain), ("fast", fast), ("plain", plain)):
        numpycnn.set_backend(name)
        assert numpycnn.get_backend() == name
        assert _settings.operations() is module


def test_a_backend_for_a_block_of_code() -> None:
    numpycnn.set_backend("fast")
    with numpycnn.backend("plain"):
        assert numpycnn.get_backend() == "plain"
        with numpycnn.backend("fast"):
            assert numpycnn.get_backend() == "fast"
        assert numpycnn.get_backend() == "plain"
    assert numpycnn.get_backend() == "fast"
    with pytest.raises(KeyError), numpycnn.backend("plain"):
        raise KeyError
    assert numpycnn.get_backend() == "fast"


def test_an_unknown_backend_is_refused_and_changes_nothing() -> None:
    numpycnn.set_backend("plain")
    text = "expected one of the backends 'plain', 'fast', got "
    with pytest.raises(ValueError, match=f"^set_backend: {text}'numpy'$"):
        numpycnn.set_backend("numpy")
    with pytest.raises(ValueError, match=f"^backend: {text}None$"), numpycnn.backend(None):  # type: ignore[arg-type]
        pass
    assert numpycnn.get_backend() == "plain"


def test_functions_and_layers_use_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(plain, "relu", lambda x: called.append("plain") or x)
    monkeypatch.setattr(fast, "relu", lambda x: called.append("fast") or x)
    layer = numpycnn.ReLU()
    layer.build((2,))
    for name in ("plain", "fast"):
        with numpycnn.backend(name):
            functional.relu(np.ones(1))
            layer.forward(np.ones((1, 2), np.float32))
    assert called == ["plain", "plain", "fast", "fast"]


TRAINING = """
import sys
import numpy as np
import numpycnn
from numpycnn.layers.sequential import Sequential
from tests.layers.contract import ROWS

rng = np.random.default_rng(0)
for row in ROWS:
    layer = row.make()
    model = Sequential([layer], input_shape=row.input_shape)
    x = layer.draw_input((3, *row.input_shape), rng)
    optimizers = [numpycnn.SGD(0.01, momentum=0.9), numpycnn.Adam(), numpycnn.RMSProp()]
    for optimizer in optimizers:
        y = model.forward(x, training=True)
        loss = numpycnn.MeanSquaredError()
        loss.forward(y, np.zeros_like(y))
        model.backward(loss.backward())
        optimizer.step(model.parameters())
    model.predict(x)
logits = rng.normal(size=(4, 3)).astype(np.float32)
for loss, target in ((numpycnn.CrossEntropy(), np.arange(4) % 3), (numpycnn.BinaryCrossEntropy(), np.ones((4, 3)))):
    loss.forward(logits, target)
    loss.backward()
print(sorted({name.split(".")[0] for name in sys.modules} & {"numba", "llvmlite"}))
print(sorted(name for name in sys.modules if name.startswith(("numpycnn.fast", "numpycnn.kernels"))))
"""


def test_training_each_layer_on_the_textbook_backend_loads_no_compiler() -> None:
    done = run(TRAINING, NUMPYCNN_BACKEND="plain")
    assert (done.stdout, done.stderr) == ("[]\n[]\n", "")


def test_both_backends_train_to_the_same_weights() -> None:
    weights = {}
    x = np.random.default_rng(1).normal(size=(8, 2, 8, 7))
    labels = np.arange(8) % 3
    for name in ("plain", "fast"):
        with numpycnn.backend(name):
            model = numpycnn.Sequential(
                [
                    numpycnn.Conv2D(4, 3),
                    numpycnn.BatchNorm(),
                    numpycnn.ReLU(),
                    numpycnn.MaxPool2D(2),
                    numpycnn.Dropout(0.2),
                    numpycnn.Flatten(),
                    numpycnn.Dense(3),
                ],
                input_shape=(2, 8, 7),
                dtype=np.float64,
            )
            loss, optimizer = numpycnn.CrossEntropy(), numpycnn.Adam(0.01)
            for _ in range(5):
                loss.forward(model.forward(x, training=True), labels)
                model.backward(loss.backward())
                optimizer.step(model.parameters())
            weights[name] = model.state()
    for key, array in weights["plain"].items():
        np.testing.assert_allclose(weights["fast"][key], array, rtol=0, atol=1e-8, err_msg=key)


# ---------------------------------------------------------------------------------------------- the number of threads


def test_the_number_of_threads() -> None:
    numpycnn.set_num_threads(3)
    assert numpycnn.get_num_threads() == 3
    for n, error, text in (
        (0, ValueError, "set_num_threads: expected n from 1 to 1024, got 0"),
        (1025, ValueError, "set_num_threads: expected n from 1 to 1024, got 1025"),
        (1.5, TypeError, "set_num_threads: expected n to be an int, got float 1.5"),
        (True, TypeError, "set_num_threads: expected n to be an int, got bool True"),
    ):
        with pytest.raises(error, match=f"^{text}$"):
            numpycnn.set_num_threads(n)  # type: ignore[arg-type]
    assert numpycnn.get_num_threads() == 3
    numpycnn.set_num_threads(np.int64(2))  # type: ignore[arg-type]
    assert numpycnn.get_num_threads() == 2


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2", 2),
        (" 7 ", 7),
        ("many", "NUMPYCNN_NUM_THREADS: expected a whole number, got 'many'"),
        ("0", "NUMPYCNN_NUM_THREADS: expected the number of threads from 1 to 1024, got 0"),
    ],
)
def test_the_number_of_threads_from_the_environment(
    text: str, result: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_settings, "_num_threads", None)
    monkeypatch.setenv("NUMPYCNN_NUM_THREADS", text)
    if isinstance(result, int):
        assert numpycnn.get_num_threads() == result
    else:
        with pytest.raises(ValueError, match=f"^{result}$"):
            numpycnn.get_num_threads()
