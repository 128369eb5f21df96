"""The output folder of a training, and the folder from which it is resumed."""

import os
from pathlib import Path

import pytest

from numpycnn.recipes import SettingError
from numpycnn.recipes.results import CHECKPOINT, FILES, MODEL_FILE, check_folder, find_checkpoint, make_folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_folders_are_numbered() -> None:
    assert [make_folder("mnist", None) for _ in range(3)] == [Path(f"runs/mnist{n}") for n in ("", "-2", "-3")]
    assert make_folder("other", None) == Path("runs/other")
    Path("runs/mnist-4").write_text("a file, not a folder")
    assert make_folder("mnist", None) == Path("runs/mnist-5")


def test_a_named_folder_is_made() -> None:
    assert make_folder("mnist", Path("a/b")) == Path("a/b")
    assert list(Path("a/b").iterdir()) == []


def test_old_results_are_removed_and_other_files_kept() -> None:
    Path("a").mkdir()
    for name in (*FILES, CHECKPOINT, "notes.txt"):
        (Path("a") / name).write_text("old")
    make_folder("mnist", Path("a"))
    assert [path.name for path in Path("a").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("name", "text"), [(MODEL_FILE, "a finished training"), (CHECKPOINT, "an unfinished training")]
)
def test_a_training_is_protected(name: str, text: str) -> None:
    check_folder(None, force=False)
    check_folder(Path("a"), force=False)
    Path("a").mkdir()
    check_folder(Path("a"), force=False)
    (Path("a") / name).write_text("old")
    check_folder(Path("a"), force=True)
    with pytest.raises(SettingError, match=f"^a: holds {text} \\({name}\\)"):
        check_folder(Path("a"), force=False)


def test_the_newest_checkpoint_of_the_data_set_is_found() -> None:
    for age, name in enumerate(["mnist", "mnist-12", "mnist-2", "mnist-old", "mnist5", "other"]):
        path = Path("runs") / name / CHECKPOINT
        path.parent.mkdir(parents=True)
        path.write_text("")
        os.utime(path, (1000 + age, 1000 + age))
    assert find_checkpoint("mnist", None) == Path("runs/mnist-2") / CHECKPOINT
    assert find_checkpoint("mnist", Path("runs/other")) == Path("runs/other") / CHECKPOINT


def test_no_checkpoint() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"^expected runs/mnist/checkpoint\.safetensors or a numbered one to resume"
    ):
        find_checkpoint("mnist", None)
    with pytest.raises(FileNotFoundError, match=r"^a: expected checkpoint\.safetensors to resume from, found none$"):
        find_checkpoint("mnist", Path("a"))
