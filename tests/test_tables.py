"""Tables as text: aligned, no wider than asked, without colours."""

import pytest

from numpycnn._tables import format_table
from numpycnn.inspection.summary import Summary
from numpycnn.models import resnet18

HEAD = ("name", "multiply-adds", "share")
ROWS = [("first", "1,234", "10 %"), ("  second of all", "5", "[red]7 %")]
ALIGN = ("left", "right", "left")


@pytest.fixture(scope="module")
def summary() -> Summary:
    return resnet18(seed=None).summary()


def test_a_table() -> None:
    assert format_table(HEAD, ROWS, align=ALIGN, total=("total", "1,239", ""), notes=["a note"]).splitlines() == [
        "name             multiply-adds  share",
        "----------------------------------------",
        "first                    1,234  10 %",
        "  second of all              5  [red]7 %",
        "----------------------------------------",
        "total                    1,239",
        "a note",
    ]


def test_notes_stand_below_a_rule() -> None:
    lines = format_table(HEAD, ROWS, align=ALIGN, notes=["a note"]).splitlines()
    assert lines[1] == lines[-2] == "-" * 40
    assert lines[-1] == "a note"


def test_a_table_without_titles() -> None:
    assert format_table(None, ROWS, align=ALIGN).splitlines() == [
        "first            1,234  10 %",
        "  second of all      5  [red]7 %",
    ]


def test_words_wrap_before_numbers_and_keep_their_indentation() -> None:
    assert format_table(HEAD, ROWS, align=ALIGN, width=30).splitlines() == [
        "            multiply-",
        "name             adds share",
        "------------------------------",
        "first           1,234 10 %",
        "  second of         5 [red]7 %",
        "  all",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_no_line_is_wider_than_the_page(summary: Summary, width: int) -> None:
    lines = summary.to_text(width).splitlines()
    assert max(map(len, lines)) <= width
    if width >= 60:
        assert sum("11,689,512" in line for line in lines) == 1  # numbers stay whole


def test_a_table_does_not_depend_on_the_terminal(summary: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    before = str(summary)
    for name, value in (("COLUMNS", "40"), ("FORCE_COLOR", "1"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    assert str(summary) == before == summary.to_text(80)
    assert before.isascii()
    assert "\x1b" not in before


def test_wide_characters_count_twice() -> None:
    lines = format_table(("word", "n"), [("\u732b", "1"), ("cat", "2")], align=("left", "left")).splitlines()
    assert lines[2:] == ["\u732b    1", "cat   2"]
