"""Animated sliding windows, with the arithmetic of each step.

Each frame shows one position of the window: its input values, each product, the sum, and the output so far.
`numpycnn.animate.steps` computes the steps, `numpycnn.animate.board` draws them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.animate import formulas as write
from numpycnn.animate.board import LINE, RUST, TINTS, WHITE, Board, Grid, Text, format_number, value_text
from numpycnn.animate.film import Film
from numpycnn.animate.steps import Step, TransposedStep, check_image, convolution_steps, pooling_steps, transposed_steps
from numpycnn.visualize._types import FilePath
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, TIMES, VERMILION

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
    weight = check_image(weight, "weight", "convolution_animation")
    windows, steps = convolution_steps(x, weight, stride=stride, padding=padding, dilation=dilation)
    film = Film("convolution_animation", path, frames_per_second, cell)
    film.fit_cells(x, [s.result for s in steps], corners=weight)
    kernel = Grid("kernel", f"{_size(weight.shape)}, {_settings(windows)}", weight.shape)
    input_grid, output = _input_grid(windows, steps), Grid("output", _size(windows.output), windows.output)
    formulas = [write.sum_of_products(step, weight) for step in steps]
    film.arrange([input_grid, kernel, output], f"{SLIDES}=", formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_input(board, input_grid, np.asarray(x), windows, step, corners=weight)
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
    path: FilePath = None,
    frames_per_second: float = 4,
    cell: int = 36,
) -> "list[Image]":
    """Draw a pooling window sliding over an image, with the values that it reduces.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A small image of one channel.
    kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, p
        As for `numpycnn.functional.max_pool2d`, `avg_pool2d` and `lp_pool2d`, which compute the output.
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
    around: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    windows, steps = pooling_steps(x, kernel_size, kind=kind, count_include_pad=count_include_pad, p=p, **around)
    film = Film("pooling_animation", path, frames_per_second, cell)
    film.fit_cells(x, [s.result for s in steps])
    name = {"max": "maximum", "avg": "average", "lp": f"L{format_number(p)} norm"}[kind]
    input_grid, output = _input_grid(windows, steps), Grid("output", _size(windows.output), windows.output)
    input_grid.heading = f"{name} of each window"
    input_grid.caption += f"; window {_size(windows.kernel)}, {_settings(windows)}" + ceil_mode * ", ceil mode"
    formulas = [write.pooled(step, kind, p) for step in steps]
    zeros = kind == "avg" and count_include_pad
    film.arrange([input_grid, output], BECOMES, formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_input(board, input_grid, np.asarray(x), windows, step, winner=kind == "max", zeros=zeros)
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
    path: FilePath = None,
    frames_per_second: float = 3,
    cell: int = 36,
) -> "list[Image]":
    """Draw how each element of an image adds a scaled copy of the kernel to the output.

    Parameters
    ----------
    x : array_like of shape (H, W)
        A small image of one channel.
    weight : array_like of shape (KH, KW)
    stride, padding, output_padding, dilation
        As for `numpycnn.functional.conv_transpose2d`, which computes the output. The cropped padding is dashed.
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
    x, weight = (check_image(a, name, "conv_transpose_animation") for a, name in ((x, "x"), (weight, "weight")))
    windows, steps = transposed_steps(
        x, weight, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    film = Film("conv_transpose_animation", path, frames_per_second, cell)
    film.fit_cells(x, weight, *(step.after for step in steps), corners=np.stack([step.terms for step in steps]))
    given = Grid("input", _size(x.shape), x.shape)
    kernel = Grid("kernel", f"{_size(weight.shape)}, {_settings(windows)}", weight.shape)
    (above, below), (left, right) = windows.padding
    cut = f", {_sides(windows)} cut off" if above + below + left + right else ""
    output = Grid("output", _size(windows.size) + cut, windows.padded, first=(-above, -left))
    formulas = [write.transposed(step) for step in steps]
    film.arrange([given, kernel, output], f"{TIMES}=", formulas)
    for number, step in enumerate(steps):
        board = film.board(formulas[number])
        _draw_transposed_input(board, given, x, step)
        _draw_kernel(board, kernel, weight)
        _draw_transposed_output(board, output, windows, step)
        film.add(board)
    return film.save()


def _size(shape: Sequence[int]) -> str:
    return f" {TIMES} ".join(map(str, shape))


def _same(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else _size(values)


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
    return Grid("input", _size(windows.size) + padding, (rows, columns), first=(-above, -left))


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
    height, width = windows.size
    taps = {(int(r), int(c)): (i, j) for i, r in enumerate(step.rows) for j, c in enumerate(step.columns)}
    first = write.winner(step) if winner else None
    for row, column in grid.cells:
        box, tap = grid.box(row, column), taps.get((row, column))
        inside = 0 <= row < height and 0 <= column < width
        if inside:
            fill = TINTS[BLUE] if tap is None else ORANGE if tap == first else TINTS[VERMILION]
            board.surface(box, fill, LINE)
        elif tap is not None:
            board.surface(box, TINTS[VERMILION], TINTS[VERMILION])
    for row, column in grid.cells:
        if not (0 <= row < height and 0 <= column < width):
            board.dashed(grid.box(row, column))
    for row, column in grid.cells:
        tap = taps.get((row, column))
        inside = 0 <= row < height and 0 <= column < width
        corner = None
        if corners is not None and tap is not None:
            corner = Text(TIMES + format_number(corners[tap]), RUST)
        if inside:
            bold = tap is not None and (not winner or tap == first)
            board.number(grid.box(row, column), value_text(float(x[row, column]), bold=bold), corner)
        elif zeros and row < height + windows.padding[0][1] and column < width + windows.padding[1][1]:
            board.number(grid.box(row, column), Text("0", GREY), corner)
    top, left = int(step.rows[0]), int(step.columns[0])
    if max(windows.dilation) > 1:
        for row, column in taps:
            board.surface(grid.box(row, column), None, VERMILION, 2)
    box = grid.box(top, left, int(step.rows[-1]) - top + 1, int(step.columns[-1]) - left + 1)
    board.surface(box, None, VERMILION, 3 if max(windows.dilation) == 1 else 1)


def _draw_kernel(board: Board, grid: Grid, weight: np.ndarray) -> None:
    for row, column in grid.cells:
        board.surface(grid.box(row, column), TINTS[VERMILION], LINE)
        board.number(grid.box(row, column), value_text(weight[row, column]))
    board.surface(grid.box(0, 0, grid.rows, grid.columns), None, VERMILION, 3)


def _draw_output(board: Board, grid: Grid, steps: Sequence[Step], number: int) -> None:
    """Draw the output up to the current step."""
    for row, column in grid.cells:
        done = row * grid.columns + column <= number
        board.surface(grid.box(row, column), TINTS[GREEN] if done else WHITE, LINE)
    for step in steps[: number + 1]:
        board.number(grid.box(*step.output), value_text(step.result, bold=step is steps[number]))
    board.surface(grid.box(*steps[number].output), None, GREEN, 3)


def _draw_transposed_input(board: Board, grid: Grid, x: np.ndarray, step: TransposedStep) -> None:
    """Draw the input of a transposed convolution and mark the current element."""
    for row, column in grid.cells:
        board.surface(grid.box(row, column), TINTS[BLUE], LINE)
        board.number(grid.box(row, column), value_text(x[row, column], bold=(row, column) == step.input))
    board.surface(grid.box(*step.input), None, BLUE, 3)


def _draw_transposed_output(board: Board, grid: Grid, windows: "Windows", step: TransposedStep) -> None:
    """Draw the accumulated output, with the new terms in the corners; the cropped padding is dashed."""
    (above, _), (left, _) = windows.padding
    height, width = windows.size
    taps = {
        (int(r) - above, int(c) - left): (i, j) for i, r in enumerate(step.rows) for j, c in enumerate(step.columns)
    }
    kept = {(row, column) for row, column in grid.cells if 0 <= row < height and 0 <= column < width}
    for row, column in grid.cells:
        at, touched = (row, column), bool(step.touched[row + above, column + left])
        fill = TINTS[VERMILION] if at in taps else TINTS[GREEN] if touched and at in kept else WHITE
        board.surface(grid.box(*at), fill, LINE if at in kept else fill)
    for at in grid.cells:
        if at not in kept:
            board.dashed(grid.box(*at))
    for at in grid.cells:
        row, column = at
        if step.touched[row + above, column + left]:
            after = step.after[row + above, column + left]
            colour = INK if at in kept else GREY
            corner = None
            if at in taps:
                term = float(step.terms[taps[at]])
                corner = Text(format_number(term) if term < 0 else f"+{format_number(term)}", RUST)
            board.number(grid.box(*at), value_text(after, colour, bold=at in taps), corner)
    board.surface(grid.box(0, 0, height, width), None, GREEN, 2)
    if max(windows.dilation) > 1:
        for at in taps:
            board.surface(grid.box(*at), None, VERMILION, 2)
    (top, first), (bottom, last) = min(taps), max(taps)
    thick = 3 if max(windows.dilation) == 1 else 1
    board.surface(grid.box(top, first, bottom - top + 1, last - first + 1), None, VERMILION, thick)
