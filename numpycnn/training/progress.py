"""The progress display of a training: a bar in a terminal, plain lines anywhere else."""

import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from numpycnn.training.state import RESERVED

if TYPE_CHECKING:
    from numpycnn._bars import Bar


KEPT = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """Format 0.9912 as ``99.12 %``."""
    return f"{100 * share:.2f} %"


def describe(name: str, value: float) -> str:
    """Format an entry of a record: a loss or a metric, of the training or of the validation."""
    words = name.replace("val_", "validation ", 1) if name.startswith("val_") else name
    return f"{words.replace('_', ' ')} {percent(value) if name.endswith('accuracy') else f'{value:.4f}'}"


def describe_record(record: dict[str, float], epochs: int, noun: str = "example") -> str:
    """Format an epoch's record as one line; `noun` is the word for an example."""
    parts = [f"epoch {int(record['epoch']):{len(str(epochs))}d}/{epochs}"]
    parts += [describe(name, value) for name, value in record.items() if name not in RESERVED]
    parts += [f"{record['images_per_second']:,.0f} {noun}s/s", f"{record['seconds']:.1f} s"]
    return "  ".join(parts)


class Display:
    """Shows the progress of one training; silent if `stream` is None. `noun` is the word for an example."""

    def __init__(self, stream: TextIO | None, noun: str = "example") -> None:
        self.stream = stream
        self.noun = noun
        self._bar: Bar | None = None

    def begin_epoch(self, epoch: int, epochs: int, done: int, total: int) -> None:
        """Open the bar of an epoch with `done` of `total` examples completed; 0 if their number is unknown."""
        if self.stream is not None and self.stream.isatty():
            from numpycnn._bars import Bar

            self._bar = Bar(self.stream, f"epoch {epoch}/{epochs}", total or None, done=done, unit=f"{self.noun}s")

    def advance(self, examples: int, running: Callable[[], dict[str, float]]) -> None:
        """Advance by a batch; `running` returns losses and metrics of the epoch so far."""
        if self._bar is not None:
            self._bar.advance(examples, "  ".join(describe(name, value) for name, value in running().items()))

    def end_epoch(self, record: dict[str, float] | None, epochs: int) -> None:
        """Close the bar, and print a line about the epoch if it was finished."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if record is not None:
            self.say(describe_record(record, epochs, self.noun))

    def say(self, text: str) -> None:
        """Print a line; in a terminal, a longer one is wrapped between its parts, or its words if it has no parts."""
        if self.stream is None:
            return
        if self.stream.isatty():
            from rich.console import Console

            width = Console(file=self.stream, force_jupyter=False).width
            parts = text.replace(" ", KEPT).replace(KEPT + KEPT, "  ") if "  " in text else text
            lines = textwrap.wrap(parts, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            text = "\n".join(lines).replace(KEPT, " ")
        print(text, file=self.stream, flush=True)


def stream_for(progress: bool | TextIO) -> TextIO | None:
    """Return where to show the progress; a TypeError if it is neither a bool nor a file."""
    if isinstance(progress, bool):
        return sys.stderr if progress else None
    if not hasattr(progress, "write") or not hasattr(progress, "isatty"):
        raise TypeError(f"fit: expected progress to be a bool or an open text file, got {progress!r}")
    return progress
