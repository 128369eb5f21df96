"""Animated sliding windows, with the arithmetic of each step.

Each frame shows one position of the window: its input values, each product, the sum, and the output so far.
`numpycnn.animate.steps` computes the steps, `numpycnn.animate.board` draws them.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.animate import formulas as write
from numpycnn.animate.board import LINE, RUST, TINTS, WHITE, Board, Grid, Text, format_number, value_text
from numpycnn.animate.film import Film
from numpycnn.animate.steps import Step, TransposedStep, convolution_steps, pooling_steps, transposed_steps
from numpycnn.visualize._types import FilePath
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, TIMES, VERMILION, format_size

if TYPE_CHECKING:
    from PIL.Image import Image

    from numpycnn._windows import Windows

SLIDES, BECOMES = "\N{ASTERISK OPERATOR}", "\N{RIGHTWARDS ARROW}"


def convolution_animation(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    path: FilePath = None,
    frames_per_second: float = 4,
    cell: int = 36,
) -> "list[Image]":
    """Draw a kernel sliding over an image, with each product and their sum.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A small image of one channel.
    weight : array_like of shape (KH, KW)
    stride, padding, dilation
        As for `numpycnn.functional.conv2d`, which computes the output.
    path : path_like, optional
        Where to save a GIF that loops forever.
    frames_per_second : float
        From 0.1 to 50.
    cell : int
        Side of a cell in pixels, from 24 to 200; larger if the numbers need it.

    Returns
    -------
    list of PIL.Image.Image
        One frame for each element of the output, row by row.

    Raises
    ------
    ValueError
        If a setting is out of range, the window does not fit, or there are more than 1000 steps.
    TypeError
        If the arrays are not numeric.

    Examples
    --------
    >>> frames = convolution_animation([[1, 2, 3], [4, 5, 6]], [[1, 0], [0, -1]])
    >>> len(frames)
    2
    """
    windows, steps = convolution_steps(x, weight, stride=stride, padding=padding, dilation=dilation)
    x, weight = np.asarray(x), np.asarray(weight)
    film = Film("convolution_animation", path, frames_per_second, cell)
    film.fit_cells(x, [s.result for s in steps], corners=weight)
    kernel = Grid("kernel", f"{format_size(weight.shape)}, {_settings(windows)}", weight.shape)
    input_grid, output = _input_grid(windows, steps), Grid("output", format_size(windows.output), windows.output)

    def draw(board: Board, number: int) -> None:
        _draw_input(board, input_grid, x, windows, steps[number], corners=weight)
        _draw_table(board, kernel, weight, VERMILION)
        _draw_output(board, output, steps, number)

    formulas = [write.sum_of_products(step, weight) for step in steps]
    return film.shoot([input_grid, kernel, output], f"{SLIDES}=", formulas, draw)


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
    path: FilePath = None,
    frames_per_second: float = 4,
    cell: int = 36,
) -> "list[Image]":
    """Draw a pooling window sliding over an image, with the values that it reduces.

    Other arguments, result and errors as for `convolution_animation`.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, p
        As for `numpycnn.functional.max_pool2d`, `avg_pool2d` and `lp_pool2d`, which compute the output.
    kind : {"max", "avg", "lp"}

    Examples
    --------
    >>> frames = pooling_animation([[1, 2, 3, 4], [5, 6, 7, 8]], 2, kind="avg")
    >>> len(frames)
    2
    """
    around: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    windows, steps = pooling_steps(x, kernel_size, kind=kind, count_include_pad=count_include_pad, p=p, **around)
    film = Film("pooling_animation", path, frames_per_second, cell)
    film.fit_cells(x, [s.result for s in steps])
    name = {"max": "maximum", "avg": "average", "lp": f"L{format_number(p)} norm"}[kind]
    input_grid, output = _input_grid(windows, steps), Grid("output", format_size(windows.output), windows.output)
    input_grid.heading = f"{name} of each window"
    input_grid.caption += f"; window {format_size(windows.kernel)}, {_settings(windows)}" + ceil_mode * ", ceil mode"
    zeros = kind == "avg" and count_include_pad

    def draw(board: Board, number: int) -> None:
        _draw_input(board, input_grid, np.asarray(x), windows, steps[number], winner=kind == "max", zeros=zeros)
        _draw_output(board, output, steps, number)

    return film.shoot([input_grid, output], BECOMES, [write.pooled(step, kind, p) for step in steps], draw)


def conv_transpose_animation(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    path: FilePath = None,
    frames_per_second: float = 3,
    cell: int = 36,
) -> "list[Image]":
    """Draw how each element of an image adds a scaled copy of the kernel to the output.

    Other arguments and errors as for `convolution_animation`.

    Parameters
    ----------
    stride, padding, output_padding, dilation
        As for `numpycnn.functional.conv_transpose2d`, which computes the output. The cropped padding is dashed.

    Returns
    -------
    list of PIL.Image.Image
        One frame for each element of `x`, row by row.

    Examples
    --------
    >>> frames = conv_transpose_animation([[1, 2], [3, 4]], [[1, 0], [0, -1]], stride=2)
    >>> len(frames)
    4
    """
    windows, steps = transposed_steps(
        x, weight, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    x, weight = np.asarray(x), np.asarray(weight)
    film = Film("conv_transpose_animation", path, frames_per_second, cell)
    film.fit_cells(x, weight, *(step.after for step in steps), corners=np.stack([step.terms for step in steps]))
    given = Grid("input", format_size(x.shape), x.shape)
    kernel = Grid("kernel", f"{format_size(weight.shape)}, {_settings(windows)}", weight.shape)
    (above, below), (left, right) = windows.padding
    cut = f", {_sides(windows)} cut off" if above + below + left + right else ""
    output = Grid("output", format_size(windows.size) + cut, windows.padded, first=(-above, -left))

    def draw(board: Board, number: int) -> None:
        _draw_table(board, given, x, BLUE, steps[number].input)
        _draw_table(board, kernel, weight, VERMILION)
        _draw_transposed_output(board, output, windows, steps[number])

    return film.shoot([given, kernel, output], f"{TIMES}=", [write.transposed(step) for step in steps], draw)


def _same(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else format_size(values)


def _sides(windows: "Windows") -> str:
    """Format the padding in its shortest form."""
    (above, below), (left, right) = windows.padding
    if above == below and left == right:
        return f"padding {_same((above, left))}"
    sides = {"above": above, "below": below, "left": left, "right": right}
    return "padding " + ", ".join(f"{size} {side}" for side, size in sides.items() if size)


def _settings(windows: "Windows") -> str:
    """Format the settings that the drawn kernel does not show."""
    said = [f"stride {_same(windows.stride)}"]
    if max(windows.dilation) > 1:
        said.append(f"dilation {_same(windows.dilation)}")
    return ", ".join(said)


def _input_grid(windows: "Windows", steps: Sequence[Step]) -> Grid:
    """Return the table of the input, with its padding and any overhang of the last windows (`ceil_mode`)."""
    (above, _), (left, _) = windows.padding
    rows = max(windows.padded[0], above + 1 + max(int(step.rows[-1]) for step in steps))
    columns = max(windows.padded[1], left + 1 + max(int(step.columns[-1]) for step in steps))
    padding = f", {_sides(windows)}" if windows.padded != windows.size else ""
    return Grid("input", format_size(windows.size) + padding, (rows, columns), first=(-above, -left))


def _draw_input(
    board: Board,
    grid: Grid,
    x: np.ndarray,
    windows: "Windows",
    step: Step,
    *,
    corners: np.ndarray | None = None,
    winner: bool = False,
    zeros: bool = True,
) -> None:
    """Draw the input and the window on it, with the weights in the corners of the cells."""
    taps, inside = _cells(step.rows, step.columns), _inside(grid, windows)
    first = write.winner(step) if winner else None
    for place in grid.cells:
        if place in inside:
            fill = TINTS[BLUE] if place not in taps else ORANGE if taps[place] == first else TINTS[VERMILION]
            board.surface(grid.box(*place), fill, LINE)
        elif place in taps:
            board.surface(grid.box(*place), TINTS[VERMILION], TINTS[VERMILION])
    _draw_dashes(board, grid, inside)
    after = [size + pair[1] for size, pair in zip(windows.size, windows.padding, strict=True)]
    for place in grid.cells:
        tap, corner = taps.get(place), None
        if corners is not None and tap is not None:
            corner = Text(TIMES + format_number(corners[tap]), RUST)
        if place in inside:
            bold = tap is not None and (not winner or tap == first)
            board.number(grid.box(*place), value_text(float(x[place]), bold=bold), corner)
        elif zeros and place[0] < after[0] and place[1] < after[1]:
            board.number(grid.box(*place), Text("0", GREY), corner)
    _draw_window(board, grid, windows, taps)


def _cells(rows: np.ndarray, columns: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the tap of the window on each cell."""
    return {(int(r), int(c)): (i, j) for i, r in enumerate(rows) for j, c in enumerate(columns)}


def _inside(grid: Grid, windows: "Windows") -> set[tuple[int, int]]:
    """Return the cells that are not padding."""
    height, width = windows.size
    return {(row, column) for row, column in grid.cells if 0 <= row < height and 0 <= column < width}


def _draw_dashes(board: Board, grid: Grid, inside: set[tuple[int, int]]) -> None:
    """Draw the padding."""
    for place in grid.cells:
        if place not in inside:
            board.dashed(grid.box(*place))


def _draw_window(board: Board, grid: Grid, windows: "Windows", taps: Collection[tuple[int, int]]) -> None:
    """Draw the outline of the window, and that of each of its taps if they have gaps between them."""
    dilated = max(windows.dilation) > 1
    for place in taps if dilated else ():
        board.surface(grid.box(*place), None, VERMILION, 2)
    (top, left), (bottom, right) = min(taps), max(taps)
    box = grid.box(top, left, bottom - top + 1, right - left + 1)
    board.surface(box, None, VERMILION, 1 if dilated else 3)


def _draw_table(board: Board, grid: Grid, values: np.ndarray, colour: str, at: tuple[int, int] | None = None) -> None:
    """Draw a table of numbers, and mark one of them or the whole table."""
    for place in grid.cells:
        board.surface(grid.box(*place), TINTS[colour], LINE)
        board.number(grid.box(*place), value_text(float(values[place]), bold=place == at))
    board.surface(grid.box(*at) if at else grid.box(0, 0, grid.rows, grid.columns), None, colour, 3)


def _draw_output(board: Board, grid: Grid, steps: Sequence[Step], number: int) -> None:
    """Draw the output up to the current step."""
    for row, column in grid.cells:
        done = row * grid.columns + column <= number
        board.surface(grid.box(row, column), TINTS[GREEN] if done else WHITE, LINE)
    for step in steps[: number + 1]:
        board.number(grid.box(*step.output), value_text(step.result, bold=step is steps[number]))
    board.surface(grid.box(*steps[number].output), None, GREEN, 3)


def _draw_transposed_output(board: Board, grid: Grid, windows: "Windows", step: TransposedStep) -> None:
    """Draw the accumulated output, with the new terms in the corners; the cropped padding is dashed."""
    (above, _), (left, _) = windows.padding
    taps, kept = _cells(step.rows - above, step.columns - left), _inside(grid, windows)
    touched = {(row, column) for row, column in grid.cells if step.touched[row + above, column + left]}
    for at in grid.cells:
        fill = TINTS[VERMILION] if at in taps else TINTS[GREEN] if at in touched and at in kept else WHITE
        board.surface(grid.box(*at), fill, LINE if at in kept else fill)
    _draw_dashes(board, grid, kept)
    for at in sorted(touched):
        after, corner = step.after[at[0] + above, at[1] + left], None
        if at in taps:
            term = float(step.terms[taps[at]])
            corner = Text(format_number(term) if term < 0 else f"+{format_number(term)}", RUST)
        board.number(grid.box(*at), value_text(after, INK if at in kept else GREY, bold=at in taps), corner)
    board.surface(grid.box(0, 0, *windows.size), None, GREEN, 2)
    _draw_window(board, grid, windows, taps)
