"""Arguments that several commands share."""

import argparse
from pathlib import Path

import pytest

from numpycnn.cli.arguments import dataset, size


def test_data_sets(tmp_path: Path) -> None:
    assert dataset("mnist") == "mnist"
    assert dataset(str(tmp_path)) == str(tmp_path)
    with pytest.raises(argparse.ArgumentTypeError, match=r"invalid choice: 'cifar' \(choose from 'mnist', .*, or name"):
        dataset("cifar")


@pytest.mark.parametrize("text", ["64", "64,64,3", "0,5", "x"])
def test_invalid_sizes(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        size(text)
    assert size("48,64") == (48, 64)
