"""Lines that any stream can show, warnings as notes, and valid arguments."""

import argparse
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numpycnn.cli import console
from numpycnn.cli.console import (
    CommandError,
    as_option,
    can_show,
    item,
    number,
    one_line,
    refusing,
    report,
    say,
    shape,
    terminal_width,
    whole,
)
from numpycnn.recipes.errors import Setting, SettingError
from numpycnn.recipes.settings import RANGES


def test_a_line_with_characters_that_the_stream_cannot_encode() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("50 % ██ é \udcff", stream)
    assert stream.buffer.getvalue() == b"50 % \\u2588\\u2588 \\xe9 \\udcff\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("encoding", "can"), [("utf-8", True), ("cp437", True), ("ascii", False), ("latin-1", False)])
def test_characters_that_the_output_can_show(monkeypatch: pytest.MonkeyPatch, encoding: str, can: bool) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert can_show("█") is can


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_item_is_wrapped_in_a_terminal_and_one_line_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    for stream, text in (
        (Terminal(), "data      twelve images to\n          train with, from\n          /some/long/folder/of/mine\n"),
        (io.StringIO(), "data      twelve images to train with, from /some/long/folder/of/mine\n"),
    ):
        monkeypatch.setattr(sys, "stdout", stream)
        item("data", "twelve images to train with, from /some/long/folder/of/mine")
        assert stream.getvalue() == text


def test_long_lines_are_wrapped_in_a_terminal_except_for_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    for stream, text in (
        (Terminal(), "  two words, and more of\n  them\nshort\n"),
        (io.StringIO(), "  two words, and more of them\nshort\n"),
    ):
        say("  two words, and more of them\nshort", stream)
        assert stream.getvalue() == text
    command = Terminal()
    say("to resume it: numpycnn train mnist --resume", command, wrap=False)
    assert command.getvalue() == "to resume it: numpycnn train mnist --resume\n"


def test_control_characters_are_escaped() -> None:
    stream = io.StringIO()
    say("a\x1b[2Jb\r\nc", stream)
    assert stream.getvalue() == "a\\x1b[2Jb\\r\nc\n"


@pytest.mark.parametrize(("columns", "in_a_terminal", "in_a_file"), [("60", 60, 60), ("120", 120, 80), ("1", 20, 20)])
def test_the_width_of_tables(columns: str, in_a_terminal: int, in_a_file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert terminal_width() == in_a_terminal
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert terminal_width() == in_a_file


def test_one_line() -> None:
    assert one_line("a\n  b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (Setting("batch_size", 3), "--batch-size 3"),
        (Setting("size", (48, 64)), "--size 48,64"),
        (Setting("out", Path("a\nb")), r"--out 'a\nb'"),
        (Setting("force", True), "--force"),
        (Setting("data"), "--data"),
        (Setting("dataset", "mnist"), "mnist"),
    ],
)
def test_settings_are_options(setting: Setting, text: str) -> None:
    assert as_option(setting) == text


def test_an_error_about_a_setting_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    report(SettingError(Setting("label_smoothing", 2.0), ": too much"))
    assert capsys.readouterr().err == "numpycnn: error: --label-smoothing 2.0: too much\n"


def test_warnings_for_the_user_become_notes(capsys: pytest.CaptureFixture[str]) -> None:
    with console.notes_to():
        warnings.warn("the full set\nis not at hand", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "note: the full set is not at hand\n"


def test_other_warnings_stay_warnings() -> None:
    with pytest.warns(ResourceWarning, match="unclosed"), console.notes_to():
        warnings.warn("unclosed", ResourceWarning, stacklevel=1)


def test_refusing_lets_other_errors_through() -> None:
    with (
        pytest.raises(CommandError, match=r"^x: bad value; mend it$"),
        refusing(ValueError, prefix="x: ", advice="; mend it"),
    ):
        raise ValueError("bad\nvalue")
    with pytest.raises(KeyError), refusing(ValueError):
        raise KeyError("k")


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole(1), "12", 12),
        (whole(0), "0", 0),
        (number(*RANGES["lr"]), "1e-3", 0.001),
        (shape, "3, 32,40", (3, 32, 40)),
        (shape, "5", (5,)),
    ],
)
def test_arguments_that_are_parsed(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *[(whole(1), text) for text in ("0", "-1", "1.0", "", "x", "1_0", "²", "٣", "2147483648", "1" * 9999)],
        *[(number(*RANGES["lr"]), text) for text in ("0", "-1", "inf", "nan", "", "x")],
        *[(shape, text) for text in ("", "1,", "0,1", "1,-2", "1;2")],
    ],
)
def test_arguments_that_are_refused(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        read(text)
