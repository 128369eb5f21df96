"""The check in a process of its own, so that an answer that never ends, or ends Python, ends nothing else.

A thread or an alarm in this process would not do: a thread cannot be stopped, and an alarm is not heard while NumPy
works, nor on every system, nor by a loop that catches everything. The other process has a watch that is independent of
the interpreter (`faulthandler`), and that writes down in which line it was when time was up.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from numpycnn.exercises.checking import Verdict

LIMIT = 10.0  # seconds for one call of the reader's function, which needs a few thousandths of one
VERDICT, UNDER_WAY = "verdicts.jsonl", "under-way.txt"


def check_files(files: Mapping[str, Path], limit: float = LIMIT) -> dict[str, Verdict]:
    """Check the answers in some files, each by the name of its exercise.

    Parameters
    ----------
    files : dict of str to Path
    limit : float
        Seconds for each call of an answer.

    Returns
    -------
    dict of str to Verdict

    Raises
    ------
    RuntimeError
        If the check itself fails.
    """
    verdicts: dict[str, Verdict] = {}
    while pending := {name: path for name, path in files.items() if name not in verdicts}:
        verdicts |= _run(pending, limit)
    return verdicts


def _run(files: Mapping[str, Path], limit: float) -> dict[str, Verdict]:
    """Check as many of the files as one process lives to see, at least one."""
    with tempfile.TemporaryDirectory() as folder:
        table = json.dumps({name: str(path.resolve()) for name, path in files.items()})
        command = [sys.executable, "-P", "-m", "numpycnn.exercises.worker", folder, str(limit), table]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        found, under_way = Path(folder, VERDICT), Path(folder, UNDER_WAY)
        lines = found.read_text("utf-8").splitlines() if found.exists() else []
        verdicts = {name: Verdict(**fields) for name, fields in map(json.loads, lines)}
        if len(verdicts) == len(files):
            return verdicts
        left = under_way.read_text("utf-8", "replace") if under_way.exists() else ""
        if not left:  # the reader's code was not running
            raise RuntimeError(f"the check of {', '.join(files)} failed:\n{done.stderr}")
        name = next(name for name in files if name not in verdicts)
        return verdicts | {name: _died(left, name, done.returncode, limit)}


def _died(left: str, name: str, status: int, limit: float) -> Verdict:
    """Return the verdict on an answer with which the process died, from what was under way."""
    first, _, trace = left.partition("\n")
    passed, about, shown = json.loads(first)
    place = re.search(rf"[\\/]{name}\.py\", line (\d+)", trace)
    where = f" in line {place[1]} of {name}.py" if place else f" in {name}.py"
    if trace.lstrip().startswith("Timeout"):
        text = f"stopped after {limit:g} seconds{where}: a loop that never ends? check what should end it"
    else:
        text = f"Python itself came to an end{where} (status {status})"
    return Verdict("wrong", tuple(passed), about, f"{text}\n\n{shown}".rstrip())
