import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from numpycnn import Trainer
from numpycnn.training import Callback, ModelCheckpoint
from numpycnn.training.interrupt import deferred_interrupt
from tests.training import small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def python_handler() -> Iterator[None]:
    """Python's own handler for SIGINT, whatever the parent process has set."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # each test leaves it as it found it
    signal.signal(signal.SIGINT, before)


def press(trainer: object = None) -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_first_signal_waits_and_a_second_does_not() -> None:
    with deferred_interrupt() as interrupt:
        assert not interrupt.requested
        press()
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            press()


def test_the_handler_is_restored_after_an_error() -> None:
    def fail(trainer: Trainer) -> None:
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        raise OSError("planted")

    with pytest.raises(OSError, match="planted"):
        small.plain([small.At(1, fail)]).fit(small.points(), epochs=1, progress=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_is_kept() -> None:
    received = []
    before = signal.signal(signal.SIGINT, lambda signum, frame: received.append(signum))
    try:
        with deferred_interrupt() as interrupt:
            press()
        assert (received, interrupt.requested) == ([signal.SIGINT], False)
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_step_is_finished_and_saved_and_the_training_resumes_to_the_same_bits(tmp_path: Path) -> None:
    (tmp_path / "unbroken").mkdir()
    (tmp_path / "broken").mkdir()
    expected = small.fingerprint(small.fit(small.new_trainer(tmp_path / "unbroken", "adam")))
    recorder = small.Recorder(order=150)
    trainer = small.new_trainer(tmp_path / "broken", "adam", more=[small.At(9, press), recorder])
    with pytest.raises(KeyboardInterrupt):
        small.fit(trainer)
    assert recorder.calls[-2:] == ["batch 3", "interrupt"]
    assert trainer.optimizer.step_count == 9
    resumed = small.go_on(tmp_path / "broken", "adam")
    assert small.fingerprint(resumed) == small.fingerprint(trainer)
    assert small.fingerprint(small.fit(resumed)) == expected
    small.fit(trainer)  # and so it does without a file
    assert small.fingerprint(trainer) == expected


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    recorder = small.Recorder(order=60)
    trainer = small.plain([small.At(2, press), small.At(2, press), recorder, ModelCheckpoint(tmp_path / "file")])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(small.points(), epochs=1, progress=False)
    assert recorder.calls == ["train begin", "batch 1"]
    assert not (tmp_path / "file").exists()


class PressAtEnd(Callback):
    """Presses Ctrl-C when an epoch has been validated."""

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        press()


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_signal_during_validation_is_not_lost(epochs: int, tmp_path: Path) -> None:
    trainer = small.plain([PressAtEnd(), ModelCheckpoint(tmp_path / "file")])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(small.points(), epochs=epochs, validation=small.points(), progress=False)
    resumed = Trainer.resume(tmp_path / "file")
    assert (resumed.progress.epoch, resumed.progress.batch, len(resumed.history)) == (1, 0, 1)
    resumed.fit(small.points(), epochs=3, validation=small.points(), progress=False)
    unbroken = small.plain()
    unbroken.fit(small.points(), epochs=3, validation=small.points(), progress=False)
    assert small.fingerprint(resumed) == small.fingerprint(unbroken)


def test_nothing_is_installed_in_another_thread() -> None:
    handlers, failures = [], []

    def train() -> None:
        try:
            look = small.At(1, lambda trainer: handlers.append(signal.getsignal(signal.SIGINT)))
            small.plain([look]).fit(small.points(), epochs=1, progress=False)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join(60)
    assert failures == []
    assert handlers == [signal.default_int_handler]


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_ctrl_c_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "unbroken").mkdir()
    (tmp_path / "broken").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.training.worker", "interrupt", str(tmp_path / "broken")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(11)]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert lines[-1] == "11\n", err
    assert process.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    steps = json.loads((out.splitlines() or lines)[-1])
    resumed = small.go_on(tmp_path / "broken", "sgd")
    assert resumed.optimizer.step_count == steps < small.BATCHES * small.EPOCHS
    unbroken = small.fit(small.new_trainer(tmp_path / "unbroken", "sgd"))
    assert small.fingerprint(small.fit(resumed)) == small.fingerprint(unbroken)
