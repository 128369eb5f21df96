"""A name of the zoo, a file or a folder is resolved to a model."""

from pathlib import Path

import pytest

from numpycnn.cli.console import CommandError
from numpycnn.cli.networks import newest_model, open_model
from numpycnn.models import mlp


def test_a_folder_means_the_model_in_it(tmp_path: Path) -> None:
    mlp(classes=2).save(tmp_path / "model.safetensors")
    assert open_model(str(tmp_path)).output_shape == (2,)


def test_a_name_of_the_zoo_gets_the_requested_shape_and_classes() -> None:
    model = open_model("lenet", (3, 30, 34), 4)
    assert (model.input_shape, model.output_shape) == ((3, 30, 34), (4,))


def test_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=r"no trained model in runs: .*; train one with 'numpycnn train mnist'"):
        newest_model()
