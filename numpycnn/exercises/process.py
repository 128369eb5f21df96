"""Run the check in a separate process, so that an answer that never returns, or crashes Python, affects nothing else.

A thread cannot be stopped, and an alarm is not delivered inside NumPy, on every system, or to a loop that catches all
exceptions. The child process has a timer that is independent of the interpreter (`faulthandler`) and records the line
at the time limit.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpycnn.exercises.checking import Verdict

LIMIT = 10.0  # seconds per call of an answer, which takes milliseconds
VERDICT, UNDER_WAY = "verdicts.jsonl", "under-way.txt"


def check_files(files: Mapping[str, Path], limit: float = LIMIT) -> dict[str, Verdict]:
    """Check the answers in files, given by the name of the exercise, with a limit in seconds for each call.

    A RuntimeError means that the check itself failed.
    """
    verdicts: dict[str, Verdict] = {}
    while pending := {name: path for name, path in files.items() if name not in verdicts}:
        verdicts |= _run(pending, limit)
    return verdicts


def _run(files: Mapping[str, Path], limit: float) -> dict[str, Verdict]:
    """Check files in one process until it ends; return at least one verdict."""
    with tempfile.TemporaryDirectory() as folder:
        table = json.dumps({name: str(path.resolve()) for name, path in files.items()})
        command = [sys.executable, "-P", "-m", "numpycnn.exercises.worker", folder, str(limit), table]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        done = subprocess.run(command, env=environment, encoding="utf-8", errors="replace", **streams)
        found, under_way = Path(folder, VERDICT), Path(folder, UNDER_WAY)
        lines = found.read_text("utf-8").splitlines() if found.exists() else []
        verdicts = {name: Verdict(**fields) for name, fields in map(json.loads, lines)}
        if len(verdicts) == len(files):
            return verdicts
        left = under_way.read_text("utf-8", "replace") if under_way.exists() else ""
        if not left:  # the code of the learner was not running
            raise RuntimeError(f"the check of {', '.join(files)} failed:\n{done.stderr}")
        name = next(name for name in files if name not in verdicts)
        return verdicts | {name: _died(left, name, done.returncode, limit)}


def _died(left: str, name: str, status: int, limit: float) -> Verdict:
    """Return the verdict on an answer that ended the process, from its record."""
    first, _, trace = left.partition("\n")
    passed, about, shown = json.loads(first)
    place = re.search(rf"[\\/]{name}\.py\", line (\d+)", trace)
    where = f" in line {place[1]} of {name}.py" if place else f" in {name}.py"
    if trace.lstrip().startswith("Timeout"):
        text = f"stopped after {limit:g} seconds{where}: an infinite loop? check its condition"
    else:
        text = f"Python exited{where} (status {status})"
    return Verdict("wrong", tuple(passed), about, f"{text}\n\n{shown}".rstrip())
