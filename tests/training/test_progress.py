import io
import re
import sys
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, MeanSquaredError, Trainer
from numpycnn.data import Dataset, SpectrogramReader
from numpycnn.training import Callback
from numpycnn.training.progress import Display, describe_record, percent, stream_for
from tests.training import small

RECORD = {"epoch": 3, "loss": 0.12345, "lr": 0.1, "seconds": 12.345, "images_per_second": 12345.6}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class StopAfterTwo(Callback):
    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        if record["epoch"] == 2:
            trainer.stop("two are enough")


def test_percent() -> None:
    assert [percent(share) for share in (0, 0.9912, 1)] == ["0.00 %", "99.12 %", "100.00 %"]


def test_a_record_as_a_line() -> None:
    assert describe_record(RECORD, 12) == "epoch  3/12  loss 0.1235  12,346 examples/s  12.3 s"
    more = RECORD | {"accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.75}
    assert describe_record(more, 5, "image") == (
        "epoch 3/5  loss 0.1235  accuracy 50.00 %  validation loss 0.2500  validation accuracy 75.00 %  "
        "12,346 images/s  12.3 s"
    )


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    history = small.plain([StopAfterTwo()]).fit(
        small.points(), epochs=9, validation=small.points(50, seed=1), progress=out
    )
    *lines, last = out.getvalue().splitlines()
    for line, record in zip(lines, history, strict=True):
        times = r"[\d,]+ examples/s  \d+\.\d s"
        expected = (
            f"epoch {record['epoch']}/9  loss {record['loss']:.4f}  accuracy {100 * record['accuracy']:.2f} %  "
            f"validation loss {record['val_loss']:.4f}  validation accuracy {100 * record['val_accuracy']:.2f} %  "
        )
        assert re.fullmatch(re.escape(expected) + times, line)
    assert last == "stopped after epoch 2: two are enough"


def test_lines_fit_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """They break between two quantities, not within one."""
    monkeypatch.setenv("COLUMNS", "60")
    display = Display(Terminal(), "image")
    more = RECORD | {"accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.75}
    display.end_epoch(more, 5)
    display.say("stopped after epoch 5: val_loss has not improved on 0.1234 for 3 epochs")
    assert display.stream.getvalue().splitlines() == [  # type: ignore[union-attr]
        "epoch 3/5  loss 0.1235  accuracy 50.00 %",
        "  validation loss 0.2500  validation accuracy 75.00 %",
        "  12,346 images/s  12.3 s",
        "stopped after epoch 5: val_loss has not improved on 0.1234",
        "  for 3 epochs",
    ]


def test_lines_without_labels_and_validation() -> None:
    out = io.StringIO()
    x, _ = small.points()
    Trainer(small.dense(), loss=MeanSquaredError(), optimizer=SGD(0.1)).fit((x, x), epochs=1, progress=out)
    assert re.fullmatch(r"epoch 1/1  loss \d\.\d{4}  [\d,]+ examples/s  \d+\.\d s\n", out.getvalue())


@pytest.mark.parametrize(
    ("kind", "reader", "word"),
    [
        (np.uint8, None, "images"),
        (np.float32, SpectrogramReader(), "recordings"),
        (np.float32, None, "examples"),
    ],
)
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_noun_of_the_examples_is_shown(kind: Any, reader: Any, word: str, stream: Any) -> None:
    x, labels = small.points()
    out = stream()
    train = Dataset(x.astype(kind), labels, [str(label) for label in range(10)], reader=reader)
    small.plain().fit(train, epochs=1, progress=out)
    assert re.search(rf"[\d,]+ {word}/s  \d+\.\d s\n", out.getvalue())
    assert set(re.findall(r"(\w+)/s\b", out.getvalue())) == {word}


def test_nothing_left_to_train_is_reported_once() -> None:
    trainer, out = small.plain(), io.StringIO()
    trainer.fit(small.points(), epochs=2, progress=False)
    with pytest.warns(UserWarning, match="nothing left to train: epoch 1 of 1 is completed"):
        trainer.fit(small.points(), epochs=1, progress=out)
    trainer.stop("enough")
    with pytest.warns(UserWarning, match=r"nothing left to train: stopped after epoch 2 \(enough\); to continue, set"):
        trainer.fit(small.points(), epochs=3, progress=out)
    assert out.getvalue() == ""


def test_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numpycnn._bars.PAUSE", 0)  # every step is drawn
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    small.plain().fit(small.points(), epochs=2, batch_size=80, progress=out)
    shown = re.sub(r"\x1b\[[?\d;]*\w", "", out.getvalue())
    for epoch in (1, 2):
        bar = rf"epoch {epoch}/2 \S+ +40 % +[\d,]+ examples/s +\S+ left +loss \d\.\d{{4}}  accuracy \d+\.\d\d %"
        assert re.search(bar, shown)
        assert re.search(rf"epoch {epoch}/2 \S+ +100 % ", shown)
    lines = [line for line in re.split(r"[\r\n]+", shown) if "examples/s" in line and "left" not in line]
    assert [line[:9] for line in lines] == ["epoch 1/2", "epoch 2/2"]  # what remains when the bars are erased
    assert "accuracy" in lines[0]


def test_a_resumed_epoch_begins_where_it_was() -> None:
    def fail(trainer: Trainer) -> None:
        raise RuntimeError("planted")

    trainer, out = small.plain([small.At(3, fail)]), Terminal()
    with pytest.raises(RuntimeError, match="planted"):
        trainer.fit(small.points(), epochs=1, batch_size=50, progress=False)
    trainer.fit(small.points(), epochs=1, batch_size=50, progress=out)
    assert re.search(r"epoch 1/1 \S+ +75 %", re.sub(r"\x1b\[[?\d;]*\w", "", out.getvalue()))


def test_the_bar_is_erased_when_a_step_fails() -> None:
    out = Terminal()
    x, labels = small.points()
    x[7] = np.nan
    with pytest.raises(FloatingPointError):
        small.plain().fit((x, labels), epochs=1, progress=out)
    assert out.getvalue().endswith("\x1b[1A\x1b[2K")  # one line up, and erased
    assert "loss nan" not in out.getvalue()


def test_silence(capfd: pytest.CaptureFixture[str]) -> None:
    small.plain().fit(small.points(), epochs=2, validation=small.points(), progress=False)
    assert capfd.readouterr() == ("", "")


def test_the_standard_error_stream_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    small.plain().fit(small.points(), epochs=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("epoch 1/1  loss ")


def test_the_stream_of_the_display() -> None:
    file = io.StringIO()
    assert stream_for(file) is file
    assert stream_for(False) is None
    assert stream_for(True) is sys.stderr


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_anything_else_is_refused_as_a_stream(wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"fit: expected progress to be a bool or an open text file, got {wrong!r}"):
        small.plain().fit(small.points(), epochs=1, progress=wrong)
