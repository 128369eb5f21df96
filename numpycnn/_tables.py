"""Plain-text tables, formatted by rich: aligned columns that wrap when the page is too narrow."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.table import Table

WIDTH = 80  # columns of a page of unknown width: a file, a notebook, a small terminal
MEASURED = 10_000  # wider than any table
Align: TypeAlias = Literal["left", "right"]


def format_table(
    head: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    *,
    align: Sequence[Align],
    total: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    width: int = WIDTH,
) -> str:
    """Return a table as lines of at most `width` columns, without colors.

    Right-aligned cells are numbers; left-aligned cells wrap first when space is short. `total` is a last row below a
    rule, and the `notes` are lines below the table, and below a rule.
    """
    from rich.console import Console
    from rich.text import Text

    page = io.StringIO()
    console = Console(file=page, width=width, color_system=None, force_terminal=False, force_jupyter=False)
    table = _table(head, rows, align, total, gap=2)
    if console.measure(table, options=console.options.update(max_width=MEASURED)).maximum > width:
        head = None if head is None else [title.replace("-", "-\n") for title in head]
        table = _table(head, rows, align, total, gap=2 if head is None else 1)
    console.print(table)
    if notes and head is not None and total is None:
        console.print(next(line for line in page.getvalue().split("\n") if set(line) == {"-"}))
    for note in notes:
        console.print(Text(note))
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip("\n").split("\n"))


def _table(
    head: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    align: Sequence[Align],
    total: Sequence[str] | None,
    *,
    gap: int,
) -> "Table":
    from rich.box import Box
    from rich.table import Table
    from rich.text import Text

    rule = "    \n    \n -- \n    \n    \n -- \n    \n    \n"  # below the titles, and above the total
    table = Table(box=Box(rule, ascii=True), show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
    table.show_header, table.show_footer = head is not None, total is not None
    for i, (title, side) in enumerate(zip(head or [""] * len(align), align, strict=True)):
        footer = "" if total is None else Text(total[i])
        table.add_column(Text(title), footer, justify=side, overflow="fold", no_wrap=side == "right", vertical="top")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(text: str) -> "Padding":
    """Return a cell that keeps its indentation where it wraps."""
    from rich.padding import Padding
    from rich.text import Text

    words = text.lstrip(" ")
    return Padding(Text(words), (0, 0, 0, len(text) - len(words)))
