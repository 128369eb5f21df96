"""Frames of one size, with tables above and a formula below, and the GIF writer."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_number
from numpycnn.animate.board import (
    RUST,
    TINTS,
    Block,
    Board,
    Formula,
    Grid,
    Text,
    measure_formula,
    place_grids,
    small_size,
    value_text,
    width_of,
)
from numpycnn.io.serialization import replacing
from numpycnn.visualize._types import FilePath
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, TIMES, VERMILION

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = 32  # in a GIF: exact for fills and lines, approximate for antialiased text
FIGURE_COLOURS = (BLUE, GREEN, GREY, INK, ORANGE, RUST, VERMILION, *TINTS.values())


class Film:
    """Frames of one size, each with tables above and a formula below."""

    def __init__(self, operation: str, path: FilePath, frames_per_second: float, cell: int) -> None:
        rate = check_number(frames_per_second, "frames_per_second", operation, minimum=0.1, maximum=50)
        self._cell = check_int(cell, "cell", operation, minimum=24, maximum=200)
        self._letter = max(10, round(0.4 * cell))
        self._path, self._milliseconds = path, round(100 / rate) * 10

    def fit_cells(self, *numbers: npt.ArrayLike, corners: npt.ArrayLike = ()) -> None:
        """Enlarge the cells to fit the widest number, in the center or in a corner."""
        wide = [width_of((value_text(v, bold=True),), self._letter) for a in numbers for v in np.unique(a)]
        small = small_size(self._letter)
        wide += [width_of((Text(TIMES), value_text(v)), small) for v in np.unique(corners)]
        self._cell = max(self._cell, round(max(wide) + 0.6 * self._letter))

    def shoot(
        self,
        grids: Sequence[Grid],
        signs: str,
        formulas: Sequence[Sequence[Block]],
        draw: Callable[[Board, int], None],
    ) -> "list[Image]":
        """Return a frame for each formula, on which `draw` fills the tables; write a GIF if there is a path."""
        self._arrange(grids, signs, formulas)
        frames = []
        for number, formula in enumerate(formulas):
            board = self._board(formula)
            draw(board, number)
            frames.append(board.image)
        if self._path is not None:
            save_gif(frames, self._path, self._milliseconds)
        return frames

    def _arrange(self, grids: Sequence[Grid], signs: str, formulas: Sequence[Sequence[Block]]) -> None:
        """Compute the layout of a frame."""
        margin, gap = 1.1 * self._letter, 2.5 * self._letter
        width, height = place_grids(grids, self._cell, self._letter, margin, gap)
        self._formula: Formula = measure_formula(formulas, self._letter)
        wide, high = self._formula.size(formulas[0])
        self._grids, self._signs = grids, signs
        self._width = round(max(width, wide + 2 * margin))
        for grid in grids:
            grid.left += round((self._width - width) / 2)
        self._formula_at = ((self._width - wide) / 2, height + 0.9 * self._letter)
        self._height = round(height + 0.9 * self._letter + high + 0.6 * margin)

    def _board(self, formula: Sequence[Block]) -> Board:
        """Return a new frame with headings, signs and formula."""
        board = Board(self._width, self._height, self._letter)
        for grid in self._grids:
            board.frame(grid)
        for sign, one, other in zip(self._signs, self._grids[:-1], self._grids[1:], strict=True):
            _, top, right, bottom = one.box(*one.first, one.rows, one.columns)
            x = (right + other.box(*other.first)[0]) / 2
            board.text(x, (top + bottom) / 2, Text(sign, GREY), round(1.5 * self._letter))
        self._formula.draw(board, formula, *self._formula_at)
        return board


def save_gif(frames: "Sequence[Image]", path: str | os.PathLike[str], milliseconds: int) -> None:
    """Write frames atomically as a GIF that loops forever and pauses on the last one."""
    small = with_few_colours(frames)
    durations = [milliseconds] * (len(small) - 1) + [max(1500, milliseconds)]
    with replacing(Path(path)) as beside:
        small[0].save(beside, "GIF", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def with_few_colours(frames: "Sequence[Image]") -> "list[Image]":
    """Return frames that share one palette, so that no colour flickers.

    It contains the colours of the figures and the most frequent others; the rest map to the nearest of these.
    """
    from PIL import Image, ImageColor

    pixels = np.stack([np.asarray(frame) for frame in frames])  # (frames, H, W, 3)
    packed = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    channels = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)  # (colours, 3)
    given = np.array([ImageColor.getrgb(name) for name in FIGURE_COLOURS])
    palette = np.concatenate([given, channels[np.argsort(-counts, kind="stable")[: COLOURS - len(given)]]])
    distance = ((channels[:, None] - palette) ** 2).sum(axis=2)  # (colours, COLOURS)
    planes = distance.argmin(axis=1).astype(np.uint8)[where].reshape(packed.shape)
    small = []
    for plane in planes:
        frame = Image.fromarray(plane)  # (H, W), palette indices
        frame.putpalette(palette.astype(np.uint8).tobytes())
        small.append(frame)
    return small
