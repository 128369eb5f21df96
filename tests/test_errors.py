"""The one exception of our own."""

import pytest

import numpycnn
from numpycnn.errors import DataFormatError


def test_it_is_a_value_error_and_public() -> None:
    assert issubclass(DataFormatError, ValueError)
    assert numpycnn.DataFormatError is DataFormatError
    with pytest.raises(ValueError, match="damaged"):
        raise DataFormatError("damaged")
