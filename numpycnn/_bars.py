"""A progress bar in a terminal, drawn by rich and erased when it is done."""

import time
from contextlib import AbstractContextManager
from typing import Any, TextIO

PAUSE = 0.1  # seconds between two redraws
ROOMY = 76  # columns needed to show everything; narrower terminals omit speed and time left


class Bar(AbstractContextManager["Bar"]):
    """Shows progress, speed and the time left, of `done` units before it was opened; bytes are shown as megabytes."""

    def __init__(self, stream: TextIO, label: str, total: int | None, *, done: int = 0, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self.unit, self.done, self.begin = unit, done, done
        self.start = self.drawn = time.perf_counter()
        console = Console(file=stream, force_jupyter=False, highlight=False)
        columns: list[Any] = [
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn("{task.percentage:3.0f} %", ""),
        ]
        if console.width >= ROOMY:
            columns += [TextColumn("{task.fields[rate]}"), TimeRemainingColumn(compact=True), TextColumn("left")]
        self.progress = Progress(
            *columns,
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            expand=True,
            auto_refresh=False,  # a drawing thread would take the GIL from the training
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.task = self.progress.add_task(label, total=total, completed=done, rate="", note="")
        self.progress.start()
        self.progress.refresh()

    def __exit__(self, *error: object) -> None:
        self.close()

    def advance(self, count: int, note: str = "") -> None:
        """Advance by `count`, and redraw the bar unless it was just drawn."""
        self.done += count
        now = time.perf_counter()
        rate = (self.done - self.begin) / max(now - self.start, 1e-9)
        text = f"{rate / 1e6:.1f} MB/s" if self.unit == "bytes" else f"{rate:,.0f} {self.unit}/s"
        self.progress.update(self.task, completed=self.done, rate=text, note=note)
        if now - self.drawn >= PAUSE:
            self.drawn = now
            self.progress.refresh()

    def close(self) -> None:
        """Erase the bar."""
        self.progress.stop()
