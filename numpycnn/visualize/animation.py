"""The sliding window with its numbers, step by step, as an animated picture.

Each frame shows one place of the window: what it sees, each product, the sum, and the output as far as it has come.
`numpycnn.visualize.steps` works out what happens, `numpycnn.visualize.board` draws it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.functional.checks import whole_number
from numpycnn.visualize.board import (
    FAINT,
    LINE,
    TINTS,
    WHITE,
    Block,
    Board,
    Formula,
    Grid,
    Phrase,
    Text,
    is_exact,
    measure_formula,
    place_grids,
    spell_number,
    width_of,
)
from numpycnn.visualize.steps import (
    Step,
    TransposedStep,
    convolution_steps,
    picture,
    pooling_steps,
    transposed_steps,
)
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, VERMILION

if TYPE_CHECKING:
    from PIL.Image import Image

    from numpycnn.functional.windows import Windows

Path_ = str | os.PathLike[str] | None
TIMES, DOT, ROOT, ELLIPSIS = "\N{MULTIPLICATION SIGN}", "\N{MIDDLE DOT}", "\N{SQUARE ROOT}", "\N{HORIZONTAL ELLIPSIS}"
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# ------------------------------------------------------------------------------------------------------- three films


def convolution_animation(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    path: Path_ = None,
    frames_per_second: float = 4,
    cell: int = 40,
) -> "list[Image]":
    """Draw a kernel on its way over a picture, with the numbers of each product and their sum.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A picture of one channel, small enough to read.
    weight : array_like of shape (KH, KW)
    stride, padding, dilation
        As for `numpycnn.functional.conv2d`, which does the computing.
    path : path_like, optional
        Where to save a GIF that repeats for ever.
    frames_per_second : float
        From 0.1 to 50.
    cell : int
        Side of a cell in pixels, at least 24.

    Returns
    -------
    list of PIL.Image.Image
        One frame for each element of the output, row by row.

    Raises
    ------
    ValueError
        If a setting is out of range, the window does not fit, or there are more than 1000 steps.
    TypeError
        If the arrays hold no numbers.

    Examples
    --------
    >>> frames = convolution_animation([[1, 2, 3], [4, 5, 6]], [[1, 0], [0, -1]])
    >>> len(frames)
    2
    """
    weight = picture(weight, "weight", "convolution_animation")
    windows, steps = convolution_steps(x, weight, stride=stride, padding=padding, dilation=dilation)
    film = _Film("convolution_animation", path, frames_per_second, _roomy(cell, x, weight, [s.result for s in steps]))
    kernel = Grid("kernel", _settings(windows), *weight.shape)
    look, output = _input_grid(windows, steps), Grid("output", _size(windows.output), *windows.output)
    formulas = [_sum_of_products(step, weight) for step in steps]
    film.lay_out([look, kernel, output], f"{TIMES}=", formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_input(board, look, np.asarray(x), windows, step, corners=weight)
        _draw_kernel(board, kernel, weight)
        _draw_output(board, output, steps, number)
        film.add(board)
    return film.save()


def pooling_animation(
    x: npt.ArrayLike,
    kernel_size: Any,
    *,
    kind: str = "max",
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    p: float = 2,
    path: Path_ = None,
    frames_per_second: float = 4,
    cell: int = 40,
) -> "list[Image]":
    """Draw a pooling window on its way over a picture, with the numbers that it makes one of.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A picture of one channel, small enough to read.
    kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, p
        As for `numpycnn.functional.max_pool2d`, `avg_pool2d` and `lp_pool2d`, which do the computing.
    kind : {"max", "avg", "lp"}
    path, frames_per_second, cell
        As for `convolution_animation`.

    Returns
    -------
    list of PIL.Image.Image
        One frame for each element of the output, row by row.

    Raises
    ------
    ValueError, TypeError
        As `convolution_animation`.

    Examples
    --------
    >>> frames = pooling_animation([[1, 2, 3, 4], [5, 6, 7, 8]], 2, kind="avg")
    >>> len(frames)
    2
    """
    windows, steps = pooling_steps(
        x,
        kernel_size,
        kind=kind,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        p=p,
    )
    film = _Film("pooling_animation", path, frames_per_second, _roomy(cell, x, [s.result for s in steps]))
    name = {"max": "maximum", "avg": "average", "lp": f"L{_short(p)} norm"}[kind]
    look, output = _input_grid(windows, steps), Grid("output", _size(windows.output), *windows.output)
    look.caption = f"{look.caption}; window {_size(windows.kernel)}, {_settings(windows)}"
    formulas = [{"max": _maximum, "avg": _average}[kind](step) if kind != "lp" else _norm(step, p) for step in steps]
    look.heading = f"{name} of each window"
    film.lay_out([look, output], "=", formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_input(board, look, np.asarray(x), windows, step, winner=kind == "max")
        _draw_output(board, output, steps, number)
        film.add(board)
    return film.save()


def conv_transpose_animation(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    path: Path_ = None,
    frames_per_second: float = 3,
    cell: int = 40,
) -> "list[Image]":
    """Draw how each element of a picture lays a copy of the kernel into the output, where the copies add up.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A picture of one channel, small enough to read.
    weight : array_like of shape (KH, KW)
    stride, padding, output_padding, dilation
        As for `numpycnn.functional.conv_transpose2d`, which does the computing. What the padding cuts off is dashed.
    path, frames_per_second, cell
        As for `convolution_animation`.

    Returns
    -------
    list of PIL.Image.Image
        One frame for each element of `x`, row by row.

    Raises
    ------
    ValueError, TypeError
        As `convolution_animation`.

    Examples
    --------
    >>> frames = conv_transpose_animation([[1, 2], [3, 4]], [[1, 0], [0, -1]], stride=2)
    >>> len(frames)
    4
    """
    x, weight = (picture(a, name, "conv_transpose_animation") for a, name in ((x, "x"), (weight, "weight")))
    windows, steps = transposed_steps(
        x, weight, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    numbers = [x, weight, *(step.after for step in steps)]
    film = _Film("conv_transpose_animation", path, frames_per_second, _roomy(cell, *numbers))
    given = Grid("input", _size(x.shape), *x.shape)
    kernel = Grid("kernel", _settings(windows), *weight.shape)
    (above, below), (left, right) = windows.padding
    cut = f", padding {_sides(windows)} cut off" if above + below + left + right else ""
    output = Grid("output", _size(windows.size) + cut, *windows.padded, first=(-above, -left))
    formulas = [_laid(step) for step in steps]
    film.lay_out([given, kernel, output], f"{TIMES}=", formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_given(board, given, x, step)
        _draw_kernel(board, kernel, weight)
        _draw_laid(board, output, windows, step)
        film.add(board)
    return film.save()


# ------------------------------------------------------------------------------------------------------------- words


def _size(shape: Sequence[int]) -> str:
    return f" {TIMES} ".join(map(str, shape))


def _short(number: float) -> str:
    return spell_number(float(number))


def _same(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else _size(values)


def _sides(windows: "Windows") -> str:
    """Write the padding: one number if it is the same on all sides, else for above, below, left and right."""
    sides = [side for pair in windows.padding for side in pair]
    return str(sides[0]) if len(set(sides)) == 1 else "{}+{} {} {}+{}".format(*sides[:2], TIMES, *sides[2:])


def _settings(windows: "Windows") -> str:
    """Name the settings that a reader cannot see in the kernel itself."""
    said = [f"stride {_same(windows.stride)}"]
    if max(windows.dilation) > 1:
        said.append(f"dilation {_same(windows.dilation)}")
    return ", ".join(said)


def _factor(value: float, colour: str) -> Phrase:
    """Write a factor, a negative one in brackets."""
    return (Text("(", GREY), Text(spell_number(value), colour), Text(")", GREY)) if value < 0 else (_value(value, colour),)


def _value(value: float, colour: str = INK, bold: bool = False) -> Text:
    return Text(spell_number(value), colour, bold)


def _equals(value: float, exact: bool = True) -> Block:
    """Write the result, with a wavy sign where it had to be rounded."""
    sign = "=" if exact and is_exact(value) else "\N{ALMOST EQUAL TO}"
    return Block([[(Text(f"{sign}  ", GREY), _value(value, GREEN, bold=True))]])


def _constant(words: str) -> Block:
    return Block([[(Text(words, GREY),)]])


# ---------------------------------------------------------------------------------------------------------- formulas


def _sum_of_products(step: Step, weight: np.ndarray) -> list[Block]:
    """Write ``x w + x w + ... = product + product + ... = result``, one line for each row of the kernel."""
    factors = [
        [
            (_value(x, BLUE if inside else GREY), Text(f" {DOT} ", GREY), *_factor(w, VERMILION))
            for x, w, inside in zip(*row, strict=True)
        ]
        for row in zip(step.seen, weight, step.inside, strict=True)
    ]
    products = [[_factor(term, INK) for term in row] for row in step.terms]
    exact = all(is_exact(term) for term in step.terms.flat)
    return [Block(factors, "+"), _constant("="), Block(products, "+"), _equals(step.result, exact)]


def _maximum(step: Step) -> list[Block]:
    """Write ``max of`` what the window sees; padding does not take part."""
    first = _winner(step)
    numbers = [
        [
            (_value(step.seen[at], INK if at == first else BLUE, at == first),) if step.inside[at] else (Text("–", FAINT),)
            for at in ((row, column) for column in range(step.seen.shape[1]))
        ]
        for row in range(step.seen.shape[0])
    ]
    return [_constant("max of"), Block(numbers, ","), _equals(step.result)]


def _winner(step: Step) -> tuple[int, int] | None:
    """Return the first tap that sees the result."""
    places = np.argwhere(step.inside & (step.seen == step.result))
    return (int(places[0][0]), int(places[0][1])) if len(places) else None


def _average(step: Step) -> list[Block]:
    """Write the sum, and the count that it is divided by."""
    numbers = [
        [
            _factor(x, BLUE if inside else GREY) if counted else (Text("–", FAINT),)
            for x, inside, counted in zip(*row, strict=True)
        ]
        for row in zip(step.seen, step.inside, step.counted, strict=True)
    ]
    exact = all(is_exact(x) for x in step.seen.flat)
    return [Block(numbers, "+"), _constant(f"/ {step.counted.sum()}"), _equals(step.result, exact)]


def _norm(step: Step, p: float) -> list[Block]:
    """Write the powers of the magnitudes, their sum, and its root."""
    power = {1.0: ""}.get(float(p), _short(p).translate(SUPERSCRIPTS) if float(p).is_integer() else f"^{_short(p)}")
    powers = [
        [
            (Text("|", GREY), _value(x, BLUE), Text(f"|{power}", GREY)) if inside else (Text("–", FAINT),)
            for x, inside in zip(*row, strict=True)
        ]
        for row in zip(step.seen, step.inside, strict=True)
    ]
    total = float(step.terms.sum())
    exact = is_exact(total) and all(is_exact(x) for x in step.seen.flat)
    blocks = [Block(powers, "+")]
    if p != 1:
        sign = "=" if exact else "\N{ALMOST EQUAL TO}"
        under = ROOT if p == 2 else ""
        root = "" if p == 2 else f"^(1/{_short(p)})"
        blocks += [
            Block([[(Text(f"{sign}  ", GREY), _value(total))]]),
            Block([[(Text(f"and  {under}", GREY), _value(total), Text(root, GREY))]]),
        ]
    return [*blocks, _equals(step.result, exact)]


def _laid(step: TransposedStep) -> list[Block]:
    """Write ``before + value * weight = after`` for each output that a copy of the kernel touches."""
    rows = []
    for i, row in enumerate(step.rows):
        phrases: list[Phrase] = []
        for j, column in enumerate(step.columns):
            term, before, after = step.terms[i, j], step.before[row, column], step.after[row, column]
            sign = "=" if all(map(is_exact, (term, before, after))) else "\N{ALMOST EQUAL TO}"
            phrases.append((
                _value(before, GREY),
                Text(" + ", GREY),
                *_factor(term, VERMILION),
                Text(f" {sign} ", GREY),
                _value(after, GREEN, bold=True),
            ))
        rows.append(phrases)
    return [Block(rows, " ")]


# ------------------------------------------------------------------------------------------------------------- tables


def _input_grid(windows: "Windows", steps: Sequence[Step]) -> Grid:
    """Return a table of the input, with its padding and with what the windows hang over beyond that."""
    (above, _), (left, _) = windows.padding
    rows = max(windows.padded[0], above + 1 + max(int(step.rows[-1]) for step in steps))
    columns = max(windows.padded[1], left + 1 + max(int(step.columns[-1]) for step in steps))
    padding = f", padding {_sides(windows)}" if windows.padded != windows.size else ""
    return Grid("input", _size(windows.size) + padding, rows, columns, first=(-above, -left))


def _draw_input(
    board: Board,
    grid: Grid,
    x: np.ndarray,
    windows: "Windows",
    step: Step,
    *,
    corners: np.ndarray | None = None,
    winner: bool = False,
) -> None:
    """Draw the input and the window on it; in the corners stands what each number is multiplied by."""
    height, width = windows.size
    taps = {(int(r), int(c)): (i, j) for i, r in enumerate(step.rows) for j, c in enumerate(step.columns)}
    first = _winner(step) if winner else None
    for row, column in _cells(grid):
        box, tap = grid.box(row, column), taps.get((row, column))
        inside = 0 <= row < height and 0 <= column < width
        if inside:
            fill = TINTS[BLUE] if tap is None else ORANGE if tap == first else TINTS[VERMILION]
            board.surface(box, fill, LINE)
        elif tap is not None:
            board.surface(box, TINTS[VERMILION], TINTS[VERMILION])
    for row, column in _cells(grid):
        if not (0 <= row < height and 0 <= column < width):
            board.dashed(grid.box(row, column))
    for row, column in _cells(grid):
        tap = taps.get((row, column))
        inside = 0 <= row < height and 0 <= column < width
        corner = None if corners is None or tap is None else _value(corners[tap], VERMILION)
        if corner is not None:
            corner = Text(f"{TIMES}{corner.words}", VERMILION)
        if inside:
            bold = tap is not None and (not winner or tap == first)
            board.number(grid.box(row, column), _value(float(x[row, column]), bold=bold), corner)
        elif corners is not None or (tap is not None and step.counted[tap]):
            board.number(grid.box(row, column), Text("0", GREY), corner)
    top, left = int(step.rows[0]), int(step.columns[0])
    if max(windows.dilation) > 1:
        for row, column in taps:
            board.surface(grid.box(row, column), None, VERMILION, 2)
    board.surface(
        grid.box(top, left, int(step.rows[-1]) - top + 1, int(step.columns[-1]) - left + 1),
        None,
        VERMILION,
        3 if max(windows.dilation) == 1 else 1,
    )


def _draw_kernel(board: Board, grid: Grid, weight: np.ndarray) -> None:
    for row, column in _cells(grid):
        board.surface(grid.box(row, column), TINTS[VERMILION], LINE)
        board.number(grid.box(row, column), _value(weight[row, column]))
    board.surface(grid.box(0, 0, grid.rows, grid.columns), None, VERMILION, 3)


def _draw_output(board: Board, grid: Grid, steps: Sequence[Step], number: int) -> None:
    """Draw the output as far as it has come."""
    for row, column in _cells(grid):
        done = row * grid.columns + column <= number
        board.surface(grid.box(row, column), TINTS[GREEN] if done else WHITE, LINE)
    for step in steps[: number + 1]:
        board.number(grid.box(*step.output), _value(step.result, bold=step is steps[number]))
    board.surface(grid.box(*steps[number].output), None, GREEN, 3)


def _draw_given(board: Board, grid: Grid, x: np.ndarray, step: TransposedStep) -> None:
    """Draw the input of a transposed convolution and mark the element whose turn it is."""
    for row, column in _cells(grid):
        board.surface(grid.box(row, column), TINTS[BLUE], LINE)
        board.number(grid.box(row, column), _value(x[row, column], bold=(row, column) == step.input))
    board.surface(grid.box(*step.input), None, BLUE, 3)


def _draw_laid(board: Board, grid: Grid, windows: "Windows", step: TransposedStep) -> None:
    """Draw what has added up, with what was just added in the corners; what is cut off at the end is dashed."""
    (above, _), (left, _) = windows.padding
    height, width = windows.size
    taps = {(int(r) - above, int(c) - left): (i, j) for i, r in enumerate(step.rows) for j, c in enumerate(step.columns)}
    kept = {(row, column) for row, column in _cells(grid) if 0 <= row < height and 0 <= column < width}
    for row, column in _cells(grid):
        at, touched = (row, column), bool(step.touched[row + above, column + left])
        fill = TINTS[VERMILION] if at in taps else TINTS[GREEN] if touched and at in kept else WHITE
        board.surface(grid.box(*at), fill, LINE if at in kept else fill)
    for at in _cells(grid):
        if at not in kept:
            board.dashed(grid.box(*at))
    for at in _cells(grid):
        row, column = at
        if step.touched[row + above, column + left]:
            after = step.after[row + above, column + left]
            colour = INK if at in kept else GREY
            corner = None
            if at in taps:
                term = float(step.terms[taps[at]])
                corner = Text(spell_number(term) if term < 0 else f"+{spell_number(term)}", VERMILION)
            board.number(grid.box(*at), _value(after, colour, bold=at in taps), corner)
    board.surface(grid.box(0, 0, height, width), None, GREEN, 2)
    if max(windows.dilation) > 1:
        for at in taps:
            board.surface(grid.box(*at), None, VERMILION, 2)
    (top, first), (bottom, last) = min(taps), max(taps)
    thick = 3 if max(windows.dilation) == 1 else 1
    board.surface(grid.box(top, first, bottom - top + 1, last - first + 1), None, VERMILION, thick)


def _cells(grid: Grid) -> list[tuple[int, int]]:
    row, column = grid.first
    return [(row + i, column + j) for i in range(grid.rows) for j in range(grid.columns)]


def _roomy(cell: int, *arrays: npt.ArrayLike) -> int:
    """Return `cell`, or more where the widest number needs it."""
    from numpycnn.visualize.board import letter_sizes

    cell = whole_number(cell, "cell", "animation", minimum=24)
    letter, _ = letter_sizes(cell)
    widest = max(width_of((_value(float(v), bold=True),), letter) for a in arrays for v in np.asarray(a).flat)
    return max(cell, round(widest + 0.25 * cell))


# --------------------------------------------------------------------------------------------------------------- film


class _Film:
    """Frames of one size, each with tables above and a formula below."""

    def __init__(self, operation: str, path: Path_, frames_per_second: float, cell: int) -> None:
        if isinstance(frames_per_second, bool) or not isinstance(frames_per_second, int | float):
            raise TypeError(
                f"{operation}: expected frames_per_second to be a number, got {type(frames_per_second).__name__}"
            )
        if not 0.1 <= frames_per_second <= 50:
            raise ValueError(f"{operation}: expected frames_per_second from 0.1 to 50, got {frames_per_second}")
        self._path, self._milliseconds, self._cell = path, round(100 / frames_per_second) * 10, cell
        self._frames: list[Image] = []

    def lay_out(self, grids: Sequence[Grid], signs: str, formulas: Sequence[Sequence[Block]]) -> None:
        """Find the place of everything."""
        margin, gap = 0.45 * self._cell, 1.0 * self._cell
        width, height = place_grids(grids, self._cell, margin, gap)
        self._formula: Formula = measure_formula(formulas, self._cell)
        wide, high = self._formula.size(formulas[0])
        self._grids, self._signs = grids, signs
        self._width = round(max(width, wide + 2 * margin))
        for grid in grids:
            grid.left += round((self._width - width) / 2)
        self._formula_at = ((self._width - wide) / 2, height + 0.35 * self._cell)
        self._height = round(height + 0.35 * self._cell + high + 0.6 * margin)

    def board(self, formula: Sequence[Block]) -> Board:
        """Return a new frame with headings, signs and formula."""
        board = Board(self._width, self._height, self._cell)
        for grid in self._grids:
            board.frame(grid)
        for sign, one, other in zip(self._signs, self._grids[:-1], self._grids[1:], strict=True):
            _, top, right, bottom = one.box(*one.first, one.rows, one.columns)
            x = (right + other.box(*other.first)[0]) / 2
            board.text(x, (top + bottom) / 2, Text(sign, GREY), round(0.6 * self._cell))
        self._formula.draw(board, formula, *self._formula_at)
        return board

    def add(self, board: Board) -> None:
        """Append a finished frame."""
        self._frames.append(board.picture)

    def save(self) -> "list[Image]":
        """Write a GIF, all or nothing, if there is a path; return the frames."""
        if self._path is not None:
            save_gif(self._frames, self._path, self._milliseconds)
        return self._frames


def save_gif(frames: "Sequence[Image]", path: str | os.PathLike[str], milliseconds: int) -> None:
    """Write frames as a GIF that repeats for ever and stays longer on the last one, all or nothing."""
    from PIL import Image

    # One palette for all frames, so that no colour flickers.
    sample = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, 6).astype(int))]
    sheet = Image.new("RGB", (sample[0].width, sample[0].height * len(sample)))
    for number, frame in enumerate(sample):
        sheet.paste(frame, (0, number * frame.height))
    palette = sheet.quantize(64, Image.Quantize.MAXCOVERAGE)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [milliseconds] * (len(small) - 1) + [max(1500, milliseconds)]
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        small[0].save(
            beside, "GIF", save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True
        )
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
