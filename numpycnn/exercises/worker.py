"""The child process of `numpycnn.exercises.process`: checks files and records its progress."""

import faulthandler
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from numpycnn.exercises import EXERCISES
from numpycnn.exercises.checking import Watch, check_file
from numpycnn.exercises.process import UNDER_WAY, VERDICT


class TimeLimit(Watch):
    """Ends this process if the code of the learner takes too long; records the case and the line."""

    def __init__(self, file: TextIO, limit: float) -> None:
        self.file, self.limit = file, limit
        faulthandler.enable(file)

    def begin(self, passed: tuple[str, ...], about: str | None, shown: str) -> None:
        """Record the case, and start the timer."""
        self.file.write(json.dumps([passed, about, shown]) + "\n")
        self.file.flush()
        faulthandler.dump_traceback_later(self.limit, exit=True, file=self.file)

    def end(self) -> None:
        """Stop the timer, and clear the record."""
        faulthandler.cancel_dump_traceback_later()
        self.file.seek(0)
        self.file.truncate()


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
        watch = TimeLimit(under_way, float(limit))
        for name, path in files.items():
            verdict = check_file(EXERCISES[name], path, watch)
            verdicts.write(json.dumps([name, asdict(verdict)]) + "\n")
            verdicts.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
