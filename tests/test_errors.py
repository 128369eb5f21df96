"""The one exception of our own."""

import pytest

import numpycnn
from numpycnn.errors import DataFormatError, escape_controls


def test_it_is_a_value_error_and_public() -> None:
    assert issubclass(DataFormatError, ValueError)
    assert numpycnn.DataFormatError is DataFormatError
    with pytest.raises(ValueError, match="damaged"):
        raise DataFormatError("damaged")


def test_control_characters_of_a_file_are_escaped() -> None:
    assert str(DataFormatError("unknown \x1b[2Jname\x7f")) == r"unknown \x1b[2Jname\x7f"
    assert escape_controls("a\rb\x1cc\x85d\u2028e\u202ef") == r"a\rb\x1cc\x85d\u2028e\u202ef"
    assert escape_controls("two\nlines, 5\xa0%, ü, 猫") == "two\nlines, 5\xa0%, ü, 猫"
