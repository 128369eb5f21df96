"""The canvas of the animations: tables of numbers and coloured formulas, drawn with Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, VERMILION

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WHITE, LINE, FAINT = "#FFFFFF", "#9AA5AD", "#B8BEC3"
RUST = "#943B00"  # vermilion, darkened for small text on its own tint
TINTS = {BLUE: "#DDEBF5", VERMILION: "#FADCC5", GREEN: "#D3EEE4"}  # the same hues, for fills
MINUS, DOT = "\N{MINUS SIGN}", "\N{MIDDLE DOT}"
Box = tuple[float, float, float, float]


class Text(NamedTuple):
    """Text in one colour."""

    words: str
    colour: str = INK
    bold: bool = False


Phrase = tuple[Text, ...]


@dataclass(frozen=True)
class Block:
    """Phrases in rows and columns, such as the terms of a sum, with a joint such as ``+`` between them."""

    rows: Sequence[Sequence[Phrase]]
    joints: str | Sequence[Sequence[str]] = ""

    def joint(self, row: int, column: int) -> str:
        """Return the joint before a phrase."""
        if row == column == 0:
            return ""
        return self.joints if isinstance(self.joints, str) else self.joints[row][column]


@dataclass
class Grid:
    """A table of square cells with a heading and a caption; `first` is the row and column of its first cell."""

    heading: str
    caption: str
    shape: tuple[int, ...]
    first: tuple[int, int] = (0, 0)
    left: float = field(default=0, init=False)
    top: float = field(default=0, init=False)
    cell: float = field(default=0, init=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.shape[1]

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Row and column of each cell, row by row."""
        row, column = self.first
        return [(row + i, column + j) for i in range(self.rows) for j in range(self.columns)]

    def box(self, row: float, column: float, height: float = 1, width: float = 1) -> Box:
        """Return left, top, right and bottom of a range of cells in pixels."""
        left = self.left + (column - self.first[1]) * self.cell
        top = self.top + (row - self.first[0]) * self.cell
        return left, top, left + width * self.cell, top + height * self.cell


def format_number(value: float) -> str:
    """Format a number to three significant digits; integers of up to six digits are exact."""
    text = f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return "0" if text == "-0" else text.replace("-", MINUS).replace("inf", "\N{INFINITY}")


def is_exact(value: float) -> bool:
    """Whether `format_number` is exact up to rounding errors of the float."""
    text = format_number(value).replace(MINUS, "-").replace("\N{INFINITY}", "inf")
    return isclose(float(text), value, rel_tol=1e-12)


def value_text(value: float, colour: str = INK, bold: bool = False) -> Text:
    """Return a formatted number in a colour."""
    return Text(format_number(value), colour, bold)


@lru_cache(maxsize=32)
def font(size: int, bold: bool = False) -> "FreeTypeFont":
    """Return DejaVu Sans, which matplotlib ships, in a size in pixels."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def width_of(phrase: Phrase, size: int) -> float:
    """Return the width of a phrase in pixels."""
    return sum(font(size, text.bold).getlength(text.words) for text in phrase)


class Board:
    """A white image to draw on, with its sizes in pixels; that of small text is derived from `letter`."""

    def __init__(self, width: int, height: int, letter: int) -> None:
        from PIL import Image, ImageDraw

        self.image: Image.Image = Image.new("RGB", (width, height), WHITE)
        self._draw: Any = ImageDraw.Draw(self.image)
        self.letter, self.small = letter, small_size(letter)

    def text(self, x: float, y: float, text: Text, size: int | None = None, anchor: str = "mm") -> None:
        """Draw text at a point; `anchor` is that of Pillow: "mm" is the center, "ls" the left end of the baseline."""
        self._draw.text((x, y), text.words, text.colour, font(size or self.letter, text.bold), anchor)

    def phrase(self, x: float, base: float, phrase: Phrase) -> None:
        """Draw a phrase on a baseline, starting at `x`."""
        for text in phrase:
            self.text(x, base, text, anchor="ls")
            x += font(self.letter, text.bold).getlength(text.words)

    def surface(self, box: Box, fill: str | None, edge: str, width: int = 1) -> None:
        """Draw a rectangle; a wide edge is centered on its outline."""
        left, top, right, bottom = (round(n) for n in box)
        if fill is not None:
            self._draw.rectangle((left, top, right, bottom), fill)
        for inset in range(-(width // 2), width - width // 2):
            self._draw.rectangle((left + inset, top + inset, right - inset, bottom - inset), outline=edge)

    def dashed(self, box: Box, edge: str = FAINT, dash: int = 4) -> None:
        """Draw the dashed outline of a rectangle."""
        left, top, right, bottom = (round(n) for n in box)
        for start in range(left, right, 2 * dash):
            end = min(start + dash - 1, right)
            self._draw.line((start, top, end, top), edge)
            self._draw.line((start, bottom, end, bottom), edge)
        for start in range(top, bottom, 2 * dash):
            end = min(start + dash - 1, bottom)
            self._draw.line((left, start, left, end), edge)
            self._draw.line((right, start, right, end), edge)

    def number(self, box: Box, text: Text, corner: Text | None = None) -> None:
        """Draw text in a cell, and small text in its lower right corner."""
        left, top, right, bottom = box
        raised = 0 if corner is None else 0.12 * (bottom - top)
        self.text((left + right) / 2, (top + bottom) / 2 - raised, text)
        if corner is not None:
            self.text(right - 4, bottom - 4, corner, self.small, "rs")

    def frame(self, grid: Grid) -> None:
        """Draw the heading and caption of a grid."""
        left, top, right, bottom = grid.box(*grid.first, grid.rows, grid.columns)
        self.text((left + right) / 2, top - 0.7 * self.letter, Text(grid.heading, bold=True), anchor="ms")
        self.text((left + right) / 2, bottom + 0.6 * self.letter, Text(grid.caption, GREY), self.small, anchor="mt")


def small_size(letter: int) -> int:
    """Return the size of small text for a font size."""
    return max(10, round(0.77 * letter))


def place_grids(grids: Sequence[Grid], cell: int, letter: int, margin: float, gap: float) -> tuple[float, float]:
    """Arrange grids side by side, vertically centered, and return the total width and height."""
    above, below = 1.9 * letter, 1.0 * letter + small_size(letter)
    tallest = max(grid.rows for grid in grids) * cell
    x = margin
    for grid in grids:
        heading = width_of((Text(grid.heading, bold=True),), letter)
        caption = width_of((Text(grid.caption),), small_size(letter))
        width = max(grid.columns * cell, heading, caption)
        grid.cell = cell
        grid.left = round(x + (width - grid.columns * cell) / 2)
        grid.top = round(margin + above + (tallest - grid.rows * cell) / 2)
        x += width + gap
    return x - gap + margin, margin + above + tallest + below


@dataclass(frozen=True)
class Formula:
    """The layout of the blocks of a formula, shared by all frames of an animation."""

    letter: int
    widths: list[list[float]]  # of the columns of each block
    lines: int

    @property
    def line(self) -> float:
        """Height of a line."""
        return 1.6 * self.letter

    def _space(self, block: Block) -> float:
        """Return the width of the joints before a column of a block."""
        widest = block.joints if isinstance(block.joints, str) else "+"
        return font(self.letter).getlength(widest) + 0.8 * self.letter

    def _width(self, block: Block, widths: list[float]) -> float:
        """Return the width of a block, with the space after it."""
        return sum(widths) + len(widths) * self._space(block) + 0.4 * self.letter

    def size(self, blocks: Sequence[Block]) -> tuple[float, float]:
        """Return width and height in pixels."""
        return sum(map(self._width, blocks, self.widths)), self.line * self.lines

    def draw(self, board: Board, blocks: Sequence[Block], left: float, top: float) -> None:
        """Draw the blocks side by side, vertically centered."""
        for block, widths in zip(blocks, self.widths, strict=True):
            space = self._space(block)
            base = top + (self.lines - len(block.rows)) * self.line / 2 + 0.72 * self.line
            for i, row in enumerate(block.rows):
                x = left
                for j, (phrase, width) in enumerate(zip(row, widths, strict=True)):
                    board.text(x + space / 2, base, Text(block.joint(i, j), GREY), anchor="ms")
                    x += space + width
                    board.phrase(x - width_of(phrase, self.letter), base, phrase)
                base += self.line
            left += self._width(block, widths)


def measure_formula(formulas: Sequence[Sequence[Block]], letter: int) -> Formula:
    """Return a layout that fits each of several formulas of the same form."""
    widths: list[list[float]] = []
    for blocks in zip(*formulas, strict=True):
        columns = range(len(blocks[0].rows[0]))
        widths.append([max(width_of(row[c], letter) for block in blocks for row in block.rows) for c in columns])
    return Formula(letter, widths, max(len(block.rows) for block in formulas[0]))
