"""Arguments that several commands share."""

import argparse
from pathlib import Path

import pytest

from numpycnn.cli.arguments import dataset, newest_model, open_model, size
from numpycnn.cli.console import CommandError
from numpycnn.models import mlp


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


def test_a_folder_means_the_model_in_it(tmp_path: Path) -> None:
    mlp(classes=2).save(tmp_path / "model.safetensors")
    assert open_model(str(tmp_path)).output_shape == (2,)


def test_a_name_of_the_zoo_gets_the_requested_shape() -> None:
    model = open_model("lenet", (3, 30, 34))
    assert (model.input_shape, model.output_shape) == ((3, 30, 34), (10,))


def test_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=r"no trained model in runs: .*; train one with 'numpycnn train mnist'"):
        newest_model()
