"""The tables that a benchmark prints, in Markdown, and the arguments that all of them take."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO


def arguments(doc: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark understands; `doc` is its docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="for all libraries alike (default: one for each processor)")
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it works: seconds")
    parser.add_argument("--out", type=Path, help="write the tables to this file as well")
    return parser


class _Both:
    def __init__(self, *streams: TextIO) -> None:
        self.streams = streams

    def write(self, text: str) -> None:
        for stream in self.streams:
            stream.write(text)
            stream.flush()

    def flush(self) -> None:
        pass


@contextmanager
def written_to(path: Path | None) -> Iterator[None]:
    """Write what is printed to a file as well."""
    if path is None:
        yield
        return
    with path.open("w", encoding="utf-8") as file, redirect_stdout(_Both(sys.stdout, file)):  # type: ignore[type-var]
        yield


def heading(text: str) -> None:
    print(f"\n### {text}\n", flush=True)


def head(*cells: str) -> None:
    """Begin a table."""
    row(*cells)
    print("|" + "---|" * len(cells), flush=True)


def row(*cells: object) -> None:
    """Print one line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
