"""Number formats, cell positions and formula layout."""

import numpy as np
import pytest

from numpycnn.animate.board import (
    DOT,
    MINUS,
    WHITE,
    Block,
    Board,
    Grid,
    Text,
    font,
    format_number,
    is_exact,
    measure_formula,
    place_grids,
    value_text,
    width_of,
)
from numpycnn.visualize.style import TIMES, VERMILION


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (7, "7"),
        (-12, MINUS + "12"),
        (123456, "123456"),
        (1e6, "1e+06"),
        (0.125, "0.125"),
        (0.1249, "0.125"),
        (-2.5, MINUS + "2.5"),
        (1e-9, "1e" + MINUS + "09"),
        (-np.inf, MINUS + "\N{INFINITY}"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


def test_is_exact() -> None:
    assert all(is_exact(value) for value in (0, 3, -0.25, 0.1 + 0.2, 0.005, 999999, -np.inf))
    assert not any(is_exact(value) for value in (1 / 3, 0.1249, -1234.5, 1234567))


def test_the_boxes_of_a_grid() -> None:
    grid = Grid("input", "", (3, 4), first=(-1, -2))
    grid.left, grid.top, grid.cell = 10, 20, 30
    assert grid.box(-1, -2) == (10, 20, 40, 50)
    assert grid.box(0, 0, 2, 1) == (70, 50, 100, 110)
    assert grid.cells[0] == (-1, -2)
    assert grid.cells[-1] == (1, 1)
    assert len(grid.cells) == 12


def test_grids_are_side_by_side() -> None:
    grids = [Grid("a heading that is wider than its grid", "", (2, 1)), Grid("b", "", (4, 3))]
    width, height = place_grids(grids, cell=30, letter=12, margin=10, gap=25)
    boxes = [grid.box(0, 0, grid.rows, grid.columns) for grid in grids]
    assert boxes[0][2] + 25 < boxes[1][0]
    assert boxes[1][2] + 10 <= width
    assert boxes[1][3] < height
    assert (boxes[0][1] + boxes[0][3]) == (boxes[1][1] + boxes[1][3])  # the same center


def test_layout_fits_the_widest_terms() -> None:
    formulas = [[Block([[(Text(words),), (Text("1"),)]], "+")] for words in ("5", "123456")]
    layout = measure_formula(formulas, 12)
    assert layout.widths == [[width_of((Text("123456"),), 12), width_of((Text("1"),), 12)]]
    width, height = layout.size(formulas[0])
    assert width > sum(layout.widths[0])
    assert height == layout.line


def test_the_joints_of_a_block() -> None:
    rows = [[(Text("1"),), (Text("2"),)], [(Text("3"),), (Text("4"),)]]
    assert [Block(rows, "+").joint(i, j) for i in range(2) for j in range(2)] == ["", "+", "+", "+"]
    signed = Block(rows, [["+", MINUS], ["+", MINUS]])
    assert [signed.joint(i, j) for i in range(2) for j in range(2)] == ["", MINUS, "+", MINUS]


def test_drawing_changes_the_expected_pixels() -> None:
    board = Board(60, 40, 12)
    board.surface((10, 10, 30, 30), VERMILION, VERMILION)
    pixels = np.asarray(board.image)
    assert board.image.size == (60, 40)
    coloured = np.argwhere((pixels == (0xD5, 0x5E, 0x00)).all(axis=2))
    assert coloured.min(axis=0).tolist() == [10, 10]
    assert coloured.max(axis=0).tolist() == [30, 30]
    before = pixels.copy()
    board.number((35, 10, 55, 30), value_text(8), value_text(1))
    changed = np.argwhere((np.asarray(board.image) != before).any(axis=2))
    assert len(changed) > 10
    assert changed.min(axis=0)[1] > 35
    assert changed.max(axis=0)[1] < 55


def test_dashes_have_gaps() -> None:
    board = Board(50, 50, 12)
    board.dashed((5, 5, 45, 45))
    top = np.asarray(board.image.convert("L"))[5, 5:46]
    assert set(top.tolist()) == {255, int(top.min())}
    assert 0.4 < (top == 255).mean() < 0.6
    assert WHITE == "#FFFFFF"


def test_the_font_has_all_signs() -> None:
    """All glyphs missing from a font are drawn as the same box."""
    missing = bytes(font(20).getmask("\ue123"))
    for sign in (MINUS, TIMES, DOT, *"\u2217\u2192\u2248\u2013\u00b2\u00b3\u221a\u221b\u221e"):
        letter = font(20).getmask(sign)
        assert letter.getbbox() is not None
        assert bytes(letter) != missing, sign
