"""docs/results.md says what the records beside it say, and these tell nothing about whose machine it was."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from numpycnn import Dense, Sequential
from numpycnn.models import create
from numpycnn.recipes.settings import KEY
from numpycnn.recipes.tables import AUGMENTATIONS, RECIPES, VIEWS

DOCS = Path(__file__).parents[1] / "docs"
RECORDS = sorted((DOCS / "results").glob("*.json"))
SHAPES = {  # of an example
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "spoken_digits": (1, 40, 64),
    "sentence_polarity": (),
}
TRIED = sorted((DOCS / "results" / "tried").glob("*.json"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """docs/make_results.py, which writes into an empty folder here."""
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
def test_a_record_is_of_the_recipe(path: Path, script: ModuleType) -> None:
    """A figure of another recipe than the one in the table is none of this recipe."""
    record = read(path)
    settings = record["settings"]
    kind, dataset, seed = path.stem.split("-")
    assert settings["seed"] == int(seed)
    script.check(settings, kind, dataset, path)
    recipe = RECIPES[kind][dataset]
    assert len(record["history"]) == recipe.epochs
    # And its names mean what they meant.
    augment, views = AUGMENTATIONS[recipe.augment], VIEWS[recipe.views]
    assert record["augmentation"] == ("none" if augment is None else repr(augment))
    if "views" in record:  # runs of an earlier version have the name alone
        found = record["views"].replace("ViewAverage", "TestTimeAugmentation")  # renamed since
        assert found == ("none" if views is None else repr(views))
    if recipe.model != "text_cnn":  # whose parameters are mostly those of its words
        shape = tuple(record.get("input_shape", SHAPES[dataset]))
        assert record["parameters"] == create(recipe.model, shape, 10).summary().parameters


def test_each_recipe_has_three_seeds_with_the_same_data() -> None:
    kinds = [f"{kind}-{dataset}" for kind in RECIPES for dataset in SHAPES]
    assert [path.stem for path in RECORDS] == sorted(f"{kind}-{seed}" for kind in kinds for seed in range(3))
    for dataset in SHAPES:
        sums = {tuple(read(path)["data_sha256"].values()) for path in RECORDS if f"-{dataset}-" in path.name}
        assert len(sums) == 1


@pytest.mark.parametrize("path", [*RECORDS, *TRIED], ids=lambda path: path.stem)
def test_a_record_names_no_folder(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "data_source" not in text
    assert not re.search(r'(?<![\w"])/\w+/', text)
    assert len(text) < 20_000


def finished(folder: Path, accuracy: float, settings: dict[str, Any], **others: Any) -> None:
    folder.mkdir(parents=True)
    epochs = [{"epoch": n, "loss": 1 / 3, "accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.9} for n in (1, 2)]
    record = {
        "test_accuracy": accuracy,
        "seconds": 90.0,
        "cpu_seconds": 150.0,
        "settings": settings | {"threads": 2},
        "parameters": 1234,
        "machine": {"processor": "Some(R) Core(TM) Processor"},
        "history": epochs,
        "data_source": "/home/somebody",
    }
    (folder / "result.json").write_text(json.dumps(record | others))


def collect(script: ModuleType, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_results.py", "--collect", "--runs", str(runs)])
    script.main()


def test_runs_become_a_table(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = script.expected("best", "mnist")
    finished(tmp_path / "runs" / "best-mnist-0", 0.99, settings)
    finished(tmp_path / "runs" / "best-mnist-1", 0.98, settings)
    finished(tmp_path / "runs" / "best-mnist-2", 0.97, settings, resumed=True, seconds=1.0, cpu_seconds=1.0)
    script.PAGE.write_text(
        "before\n<!-- quick -->\nold\n<!-- end -->\nbetween\n<!-- best -->\nold\n<!-- end -->\nafter\n"
    )
    collect(script, tmp_path / "runs", monkeypatch)
    head, quick, best = re.split(r"<!-- \w+ -->\n(?=\|)", script.PAGE.read_text(encoding="utf-8"))
    assert head == "before\n"
    assert quick.splitlines()[2:] == ["<!-- end -->", "between"]
    lines = best.splitlines()
    assert lines[3:] == ["<!-- end -->", "after"]
    assert lines[2].startswith(
        "| [`mnist`](results/best-mnist-0.json) | `vgg7`, 1,234 | **98.00 ± 1.00** | 99.00, 98.00, 97.00 (0, 1, 2) "
        "| 90.00 | 1.5 (2), 1.5 (2) | 2.5 | Some Core | 99.65 in 20 min | LeNet-5 99.05"
    )
    assert lines[2].count("|") == lines[0].count("|") == quick.splitlines()[0].count("|") + 1
    kept = read(script.KEPT / "best-mnist-0.json")
    assert "data_source" not in kept
    assert kept["history"][0] == {"epoch": 1, "loss": 0.33333, "accuracy": 0.5, "val_loss": 0.25, "val_accuracy": 0.9}
    assert (script.FIGURES / "mnist.png").is_file()


@pytest.mark.parametrize(("name", "value"), [("epochs", 99), ("found", "mnist-5k")])
def test_a_run_of_something_else_is_not_kept(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    finished(tmp_path / "best-mnist-0", 0.99, script.expected("best", "mnist") | {name: value})
    with pytest.raises(SystemExit, match=f"best-mnist-0: a run with another {name} than best for mnist; remove it"):
        collect(script, tmp_path, monkeypatch)
    assert not script.KEPT.exists()


def test_a_name_that_is_none(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["make_results.py", "minst"])
    with pytest.raises(SystemExit):
        script.main()
    assert "expected names of mnist, fashion_mnist, cifar10, " in capsys.readouterr().err


def test_what_is_finished_is_not_repeated_and_what_is_not_is_resumed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    monkeypatch.setattr(script.subprocess, "run", lambda command, check: commands.append(command[2:]))
    settings = script.expected("best", "mnist")
    finished(tmp_path / "mnist-0", 0.99, settings)
    for seed, epochs in ((1, settings["epochs"]), (3, 99)):
        model = Sequential([Dense(10)], input_shape=(2,))
        model.metadata = {KEY: settings | {"epochs": epochs, "seed": seed, "images": 60_000}}
        (tmp_path / f"mnist-{seed}").mkdir()
        model.save(tmp_path / f"mnist-{seed}" / "checkpoint.safetensors")
    for seed in range(3):
        script.run("best", "mnist", seed, tmp_path / f"mnist-{seed}", 2)
    plain = ["numpycnn", "train", "mnist", "--recipe", "best", "--seed"]
    assert commands == [
        [*plain, "1", "--out", str(tmp_path / "mnist-1"), "--threads", "2", "--resume"],
        [*plain, "2", "--out", str(tmp_path / "mnist-2"), "--threads", "2"],
    ]
    with pytest.raises(SystemExit, match="mnist-3: a run with another epochs than best for mnist; remove it"):
        script.run("best", "mnist", 3, tmp_path / "mnist-3", None)
