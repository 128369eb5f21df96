"""Markdown tables for the benchmarks, and their common arguments."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO


def arguments(doc: str) -> argparse.ArgumentParser:
    """Return a parser with the common arguments; `doc` is the benchmark's docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="threads of each library (default: one for each processor)")
    parser.add_argument("--quick", action="store_true", help="few and small cases, to see that it works: seconds")
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
    """Also write the printed text to a file."""
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
