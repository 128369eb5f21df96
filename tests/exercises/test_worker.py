"""The child process: its verdicts, and its timer."""

import faulthandler
import json
import sys
from pathlib import Path

import pytest

from numpycnn.exercises.process import UNDER_WAY, VERDICT
from numpycnn.exercises.worker import main, time_limit


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the process state that a worker changes."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setattr(faulthandler, "enable", lambda file: None)


def test_verdicts_are_written(tmp_path: Path) -> None:
    answer = tmp_path / "answers" / "sgd.py"
    answer.parent.mkdir()
    answer.write_text("def sgd(value, grad, velocity, lr, momentum=0.9):\n    return value")
    main(str(tmp_path), "10", json.dumps({"sgd": str(answer), "adam": str(answer.with_name("adam.py"))}))
    lines = [json.loads(line) for line in (tmp_path / VERDICT).read_text().splitlines()]
    assert [(name, fields["state"]) for name, fields in lines] == [("sgd", "wrong"), ("adam", "not begun")]
    assert lines[0][1]["failed"] == "the first step, without momentum"
    assert lines[0][1]["text"].startswith("the function returns one array (3,), expected 2 results, value, velocity")
    assert (tmp_path / UNDER_WAY).read_text() == ""
    assert sys.path[-1] == str(answer.parent)


def test_what_is_under_way_is_written_down_and_wiped_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: list[object] = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda limit, **settings: clock.append(limit))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: clock.append("stopped"))
    path = tmp_path / "file"
    with path.open("w") as file:
        with time_limit(file, 3.0, ("a", "b"), "c", "x = 1"):
            assert json.loads(path.read_text()) == [["a", "b"], "c", "x = 1"]
            assert clock == [3.0]
        assert path.read_text() == ""
        assert clock == [3.0, "stopped"]
        with time_limit(file, 3.0, (), None, ""):
            assert path.read_text() == '[[], null, ""]\n'
