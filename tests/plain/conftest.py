"""These tests call `numpycnn.functional` on the textbook backend, with settings as a user writes them."""

from collections.abc import Iterator

import pytest

import numpycnn


@pytest.fixture(autouse=True)
def plain_backend() -> Iterator[None]:
    with numpycnn.backend("plain"):
        yield
