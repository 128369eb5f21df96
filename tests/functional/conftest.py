"""What `numpycnn.functional` promises holds on both backends."""

from collections.abc import Iterator

import pytest

import numpycnn


@pytest.fixture(autouse=True, params=["plain", "fast"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with numpycnn.backend(request.param):
        yield request.param
