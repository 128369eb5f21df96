"""Every kernel that threads call has a plain version with the same signature."""

import inspect
from pathlib import Path

import pytest

from tests.kernels.pairs import called_in_chunks, modules, pairs, plain

PAIRS = {name: (kernel, reference) for name, kernel, reference in pairs()}


@pytest.mark.parametrize("name", PAIRS)
def test_the_signatures_are_equal(name: str) -> None:
    kernel, reference = PAIRS[name]
    assert inspect.signature(plain(kernel)).parameters.keys() == inspect.signature(reference).parameters.keys()


def test_all_kernels_that_run_in_chunks_have_a_plain_version() -> None:
    found = [
        f"{module.__name__.rpartition('.')[2]}.{name}" for module in modules() for name in called_in_chunks(module)
    ]
    assert len(found) >= 10
    assert set(found) - set(PAIRS) == set()


def test_every_pair_is_compared_in_the_test_of_its_module() -> None:
    for name in PAIRS:
        module, _, kernel = name.partition(".")
        text = (Path(__file__).parent / f"test_{module}.py").read_text(encoding="utf-8")
        assert f"kernels.{kernel}_reference" in text, name
