"""The output folder of a training, and the folder from which it is resumed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from numpycnn.recipes import SettingError
from numpycnn.recipes.results import (
    CHECKPOINT,
    FILES,
    MODEL_FILE,
    check_folder,
    clear_folder,
    find_checkpoint,
    lock_folder,
    make_folder,
)


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
    clear_folder(make_folder("mnist", Path("a")))
    assert [path.name for path in Path("a").iterdir()] == ["notes.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of folders")
def test_a_folder_is_locked_until_the_training_ends_or_its_process_is_killed() -> None:
    Path("a").mkdir()
    with lock_folder(Path("a")):
        with pytest.raises(SettingError, match=r"^a: another training writes to this folder; .* or name another out=$"):
            lock_folder(Path("a")).__enter__()
        with lock_folder(make_folder("mnist", Path("b"))):
            pass
    code = "from pathlib import Path; from numpycnn.recipes.results import *\n"
    code += "with lock_folder(Path('a')): print('held', flush=True); input()"
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(SettingError, match="another training"):
            lock_folder(Path("a")).__enter__()
        other.kill()
    with lock_folder(Path("a")):
        assert list(Path("a").iterdir()) == []


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
    finished = Path("runs/mnist-2")
    finished.mkdir(parents=True)
    (finished / "result.json").touch()
    for out in (None, finished):
        with pytest.raises(FileNotFoundError, match="to resume from, found none; a finished training has nothing left"):
            find_checkpoint("mnist", out)
