"""The child process of `numpycnn.exercises.process`: checks files and records its progress."""

import faulthandler
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

from numpycnn.exercises import EXERCISES
from numpycnn.exercises.checking import check_file
from numpycnn.exercises.process import UNDER_WAY, VERDICT


@contextmanager
def time_limit(file: TextIO, limit: float, passed: tuple[str, ...], about: str | None, shown: str) -> Iterator[None]:
    """End this process if the code of the learner takes too long; record the case and the line until then."""
    file.write(json.dumps([passed, about, shown]) + "\n")
    file.flush()
    faulthandler.dump_traceback_later(limit, exit=True, file=file)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        file.seek(0)
        file.truncate()


def main(folder: str, limit: str, table: str) -> None:
    """Check the files of a table of exercises and paths, and write each verdict into a folder."""
    sys.dont_write_bytecode = True  # in the folder of the learner
    files = {name: Path(path) for name, path in json.loads(table).items()}
    for path in files.values():
        if str(path.parent) not in sys.path:
            sys.path.append(str(path.parent))  # last, so that their files cannot shadow a library
    with (
        Path(folder, UNDER_WAY).open("w", encoding="utf-8") as under_way,
        Path(folder, VERDICT).open("w", encoding="utf-8") as verdicts,
    ):
        faulthandler.enable(under_way)
        watch = partial(time_limit, under_way, float(limit))
        for name, path in files.items():
            verdict = check_file(EXERCISES[name], path, watch)
            verdicts.write(json.dumps([name, asdict(verdict)]) + "\n")
            verdicts.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
