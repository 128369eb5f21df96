"""Frames of one size, and the GIF made of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.animate.board import Block, Board, Grid, Text
from numpycnn.animate.film import COLOURS, Film, save_gif, with_few_colours
from numpycnn.visualize.style import BLUE, VERMILION


def frames(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)) for _ in range(count)]


def test_a_gif_has_frames_durations_and_loops(tmp_path: Path) -> None:
    save_gif(frames(3), tmp_path / "film.gif", 250)
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 3
        assert gif.size == (8, 6)
        assert gif.info["loop"] == 0
        times = []
        for number in range(3):
            gif.seek(number)
            times.append(gif.info["duration"])
    assert times == [250, 250, 1500]
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]  # nothing left beside it


def test_a_gif_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_gif(frames(2), tmp_path / "nowhere" / "film.gif", 250)
    assert list(tmp_path.iterdir()) == []


def test_one_palette_for_all_frames() -> None:
    small = with_few_colours(frames(3))
    assert {frame.mode for frame in small} == {"P"}
    assert len({tuple(frame.getpalette() or ()) for frame in small}) == 1
    assert max(np.asarray(frame).max() for frame in small) < COLOURS


def test_few_colours_are_exact() -> None:
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste(BLUE, (0, 0, 10, 10))
    picture.paste(VERMILION, (20, 5, 21, 6))  # a single pixel
    picture.paste("#123456", (30, 0, 40, 20))
    small = with_few_colours([picture])[0].convert("RGB")
    np.testing.assert_array_equal(np.asarray(small), np.asarray(picture))


def test_rare_colours_map_to_the_nearest() -> None:
    near = with_few_colours(frames(4))
    for one, other in zip(near, frames(4), strict=True):
        off = np.abs(np.asarray(one.convert("RGB")).astype(int) - np.asarray(other))
        assert 0 < off.mean() < 60


def draw_nothing(board: Board, number: int) -> None:
    """Leave the tables empty."""


FORMULAS = [[Block([[(Text("1"),)]])]]


def test_cells_fit_wide_numbers() -> None:
    def width(number: float) -> int:
        film = Film("test", None, 4, 30)
        film.fit_cells([number])
        return film.shoot([Grid("a", "", (2, 5))], "", FORMULAS, draw_nothing)[0].width

    assert width(1) == width(22) < width(-123456)


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(Film("test", None, 4, 30).shoot([Grid("a", "", (2, 5))], "", FORMULAS, draw_nothing)) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frames_per_second", "cell", "error", "text"),
    [
        (0, 40, ValueError, "test: expected frames_per_second to be at least 0.1 and at most 50, got 0"),
        (float("nan"), 40, ValueError, "expected frames_per_second to be finite, got nan"),
        ("4", 40, TypeError, "expected frames_per_second to be a number, got str"),
        (True, 40, TypeError, "expected frames_per_second to be a number, got bool"),
        (4, 23, ValueError, "expected cell from 24"),
        (4, 201, ValueError, "expected cell from 24 to 200, got 201"),
        (4, 40.0, TypeError, "expected cell to be an int"),
    ],
)
def test_bad_settings(frames_per_second: float, cell: int, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Film("test", None, frames_per_second, cell)
