"""docs/results.md says what the records beside it say, and these tell nothing about whose machine it was."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from numpycnn.cli.recipes import OPTIMIZERS, RECIPES

DOCS = Path(__file__).parents[1] / "docs"
RECORDS = sorted((DOCS / "results").glob("*.json"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """docs/make_results.py, which writes into an empty folder here."""
    pytest.importorskip("PIL")
    monkeypatch.syspath_prepend(str(DOCS))
    spec = importlib.util.spec_from_file_location("make_results", DOCS / "make_results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, path in (("PAGE", "results.md"), ("KEPT", "results"), ("FIGURES", "figures")):
        monkeypatch.setattr(module, name, tmp_path / path)
    yield module
    sys.modules.pop("recipe_figures", None)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("recipe", ["quick", "best"])
def test_the_table_is_that_of_the_records(recipe: str, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "KEPT", DOCS / "results")
    page = (DOCS / "results.md").read_text(encoding="utf-8")
    shown = page.split(f"<!-- {recipe} -->\n")[1].split("<!-- end -->")[0]
    assert shown == script.table(recipe)
    count = sum(len(script.kept(recipe, dataset)) for dataset in script.PUBLISHED)
    assert count == sum(path.name.startswith(recipe) for path in RECORDS) > 0


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_of_the_recipe(path: Path) -> None:
    """A figure of another recipe than the one in the table is none of this recipe."""
    record = read(path)
    settings = record["settings"]
    kind, dataset, seed = path.stem.split("-")
    assert (settings["dataset"], settings["found"], settings["seed"]) == (dataset, dataset, int(seed))
    recipe = RECIPES[kind][dataset]
    expected = vars(recipe) | {"recipe": kind, "lr": recipe.lr or OPTIMIZERS[recipe.optimizer][1]}
    assert {name: settings[name] for name in expected} == expected
    assert len(record["history"]) == recipe.epochs


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_names_no_folder(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "data_source" not in text
    assert not re.search(r'(?<![\w"])/\w+/', text)
    assert len(text) < 20_000


def finished(folder: Path, accuracy: float, seed: int) -> None:
    folder.mkdir(parents=True)
    epochs = [{"epoch": n, "loss": 1 / 3, "accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.9} for n in (1, 2)]
    record = {
        "test_accuracy": accuracy,
        "training_seconds": 90.0,
        "cpu_seconds": 150.0,
        "settings": {"model": "vgg5", "threads": 2, "seed": seed},
        "parameters": 1234,
        "machine": {"processor": "Some(R) Core(TM) Processor"},
        "history": epochs,
        "data_source": "/home/somebody",
    }
    (folder / "result.json").write_text(json.dumps(record))


def test_runs_become_a_table(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(tmp_path / "runs" / "best-mnist-0", 0.99, 0)
    finished(tmp_path / "runs" / "best-mnist-1", 0.98, 1)
    script.PAGE.write_text(
        "before\n<!-- quick -->\nold\n<!-- end -->\nbetween\n<!-- best -->\nold\n<!-- end -->\nafter\n"
    )
    monkeypatch.setattr(sys, "argv", ["make_results.py", "--collect", "--runs", str(tmp_path / "runs")])
    script.main()
    head, quick, best = re.split(r"<!-- \w+ -->\n(?=\|)", script.PAGE.read_text(encoding="utf-8"))
    assert head == "before\n"
    assert quick.splitlines()[2:] == ["<!-- end -->", "between"]
    lines = best.splitlines()
    assert lines[3:] == ["<!-- end -->", "after"]
    assert lines[2].startswith(
        "| [`mnist`](results/best-mnist-0.json) | `vgg5`, 1,234 | **98.50 ± 0.71** | 99.00, 98.00 (0, 1) | 90.00 "
        "| 1.5 (2), 1.5 (2) | 2.5 | Some Core | LeNet-5 99.05"
    )
    kept = read(script.KEPT / "best-mnist-0.json")
    assert "data_source" not in kept
    assert kept["history"][0] == {"epoch": 1, "loss": 0.33333, "accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.9}
    assert (script.FIGURES / "mnist.png").is_file()


def test_what_is_finished_is_not_repeated_and_what_is_not_is_resumed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    monkeypatch.setattr(script.subprocess, "run", lambda command, check: commands.append(command[2:]))
    finished(tmp_path / "mnist-0", 0.99, 0)
    (tmp_path / "mnist-1").mkdir()
    (tmp_path / "mnist-1" / "checkpoint.safetensors").touch()
    for seed in range(3):
        script.run("best", "mnist", seed, tmp_path / f"mnist-{seed}", 2)
    plain = ["numpycnn", "train", "mnist", "--recipe", "best", "--seed"]
    assert commands == [
        [*plain, "1", "--out", str(tmp_path / "mnist-1"), "--threads", "2", "--resume"],
        [*plain, "2", "--out", str(tmp_path / "mnist-2"), "--threads", "2"],
    ]
