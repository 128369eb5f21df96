"""A progress bar that fits its terminal, and is erased."""

import io
import re

import pytest

from numpycnn import _bars
from numpycnn._bars import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(_bars, "PAUSE", 0)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def pictures(terminal: Terminal) -> list[str]:
    text = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", terminal.getvalue())
    return [picture for picture in re.split(r"[\r\n]+", text) if picture]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_bar_fits_its_terminal(terminal: Terminal, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with Bar(terminal, "epoch 1/2", 1000, done=100, unit="images") as bar:
        bar.advance(300, "loss 0.4500  accuracy 85.92 %")
    shown = pictures(terminal)
    assert max(map(len, shown)) <= columns
    assert " 10 %" in shown[0]
    assert re.search(r"^epoch 1/2 \S+ +40 % .*loss 0\.4500  accuracy 85\.92 %$", shown[-1].rstrip())
    assert ("images/s" in shown[-1]) == (columns >= _bars.ROOMY)
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


def test_a_bar_without_a_total_has_no_share(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with Bar(terminal, "file.gz", None, unit="bytes") as bar:
        bar.advance(1_000_000)
    assert "%" not in "".join(pictures(terminal))
    assert " MB/s" in pictures(terminal)[-1]


def test_a_bar_is_drawn_no_more_often_than_it_can_be_seen(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bars, "PAUSE", 3600)
    with Bar(terminal, "epoch 1/2", 1000, unit="images") as bar:
        before = terminal.getvalue()
        for _ in range(10):
            bar.advance(1)
        assert terminal.getvalue() == before
