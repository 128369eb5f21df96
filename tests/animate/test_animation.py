"""The animations: one frame per step with the expected text, and small files."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from numpycnn import functional as F
from numpycnn.animate import animation, conv_transpose_animation, convolution_animation, pooling_animation
from numpycnn.animate.board import Board, Box, Text, format_number
from tests.drawn import draw_case, draw_pool, draw_transposed, generators

X = np.array([[3, 1, 0, 2, 1], [0, 2, 2, 0, 3], [1, 0, 1, 3, 2], [2, 1, 0, 2, 0], [1, 3, 2, 1, 1]])
W = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])


class Written:
    """The text drawn into cells, frame by frame: (box, number, small text in the corner)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames: list[list[tuple[Box, Text, Text | None]]] = []
        start, number = Board.__init__, Board.number

        def new_board(board: Board, *arguments: Any) -> None:
            self.frames.append([])
            start(board, *arguments)

        def write(board: Board, box: Box, text: Text, corner: Text | None = None) -> None:
            self.frames[-1].append((box, text, corner))
            number(board, box, text, corner)

        monkeypatch.setattr(Board, "__init__", new_board)
        monkeypatch.setattr(Board, "number", write)

    def output(self, frame: int, count: int) -> list[str]:
        """Return the last numbers drawn into a frame, which are those of the output."""
        return [text.words for _, text, _ in self.frames[frame][-count:]]

    def corners(self, frame: int) -> list[str]:
        return [corner.words for _, _, corner in self.frames[frame] if corner is not None]


def formatted(array: np.ndarray) -> list[str]:
    return [format_number(float(value)) for value in array.ravel()]


def test_convolution_frames_show_the_library_output(monkeypatch: pytest.MonkeyPatch) -> None:
    for rng in generators(60, count=12):
        case = draw_case(rng, 2)
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x, weight = rng.integers(-9, 10, case.size), rng.normal(size=case.kernel)
        y = F.conv2d(x[None, None].astype(float), weight[None, None], **around)[0, 0]
        with monkeypatch.context() as patch:
            written = Written(patch)
            frames = convolution_animation(x, weight, **around)
        assert len(frames) == y.size
        assert len({frame.size for frame in frames}) == 1
        for number in (0, y.size // 2, y.size - 1):
            assert written.output(number, number + 1) == formatted(y)[: number + 1]
            assert written.corners(number) == ["\N{MULTIPLICATION SIGN}" + word for word in formatted(weight)]


@pytest.mark.parametrize("kind", ["max", "avg", "lp"])
def test_pooling_frames_show_the_library_output(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = {"max": F.max_pool2d, "avg": F.avg_pool2d, "lp": F.lp_pool2d}[kind]
    for rng in generators(61, count=12):
        case = draw_pool(rng, 2, dilated=kind == "max")
        x = rng.integers(-9, 10, case.size)
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        y = pool(x[None, None].astype(float), case.settings["kernel_size"], **around)[0, 0]
        with monkeypatch.context() as patch:
            written = Written(patch)
            frames = pooling_animation(x, case.settings["kernel_size"], kind=kind, **around)
        assert len(frames) == y.size
        for number in (0, y.size // 2, y.size - 1):
            assert written.output(number, number + 1) == formatted(y)[: number + 1]


def test_transposed_frames_show_the_library_output(monkeypatch: pytest.MonkeyPatch) -> None:
    for rng in generators(62, count=12):
        case, extra = draw_transposed(rng, 2)
        around = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        around["output_padding"] = extra
        x, weight = rng.integers(-9, 10, case.size), rng.integers(-9, 10, case.kernel)
        y = F.conv_transpose2d(*(a[None, None].astype(float) for a in (x, weight)), **around)[0, 0]
        touched = F.conv_transpose2d(*(np.ones((1, 1, *a.shape)) for a in (x, weight)), **around)[0, 0] > 0
        with monkeypatch.context() as patch:
            written = Written(patch)
            frames = conv_transpose_animation(x, weight, **around)
        assert len(frames) == x.size
        drawn = [text.words for _, text, _ in written.frames[-1] if text.colour != "#777777"]
        kept = drawn[x.size + weight.size :]  # after the input and the kernel; cropped values are grey
        assert kept == formatted(y[touched])


def test_the_current_window_is_marked() -> None:
    """Consecutive frames differ: the window has moved, and one more output is drawn."""
    frames = [np.asarray(frame).astype(int) for frame in convolution_animation(X, W)]
    for one, other in pairwise(frames):
        assert (one != other).any(axis=2).sum() > 500


FILMS: list[tuple[str, Callable[[Path], Any]]] = [
    ("convolution", lambda path: convolution_animation(X, W, path=path)),
    ("half padding", lambda path: convolution_animation(X, W, padding="same", path=path)),
    ("strides", lambda path: convolution_animation(X, W, stride=2, padding=1, path=path)),
    ("dilation", lambda path: convolution_animation(X, W, padding=2, dilation=2, path=path)),
    ("maximum", lambda path: pooling_animation(X, 2, path=path, ceil_mode=True)),
    ("average", lambda path: pooling_animation(X, 3, kind="avg", stride=1, padding=1, path=path)),
    ("norm", lambda path: pooling_animation(X, 3, kind="lp", stride=1, path=path)),
    ("transposed", lambda path: conv_transpose_animation(X, W, stride=2, padding=1, path=path)),
]


@pytest.mark.parametrize(("name", "make"), FILMS)
def test_a_gif_of_a_5x5_input_is_small(name: str, make: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    frames = make(path)
    assert path.stat().st_size < 150 * 1024, name
    with Image.open(path) as gif:
        assert gif.n_frames == len(frames)
        assert gif.size == frames[0].size
        gif.seek(len(frames) - 1)
        off = np.abs(np.asarray(gif.convert("RGB")).astype(int) - np.asarray(frames[-1]))
    assert off.mean() < 1  # the colours of the file are those of the frames


def test_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    captions = []
    frame = Board.frame

    def note(board: Board, grid: Any) -> None:
        captions.append(grid.caption)
        frame(board, grid)

    monkeypatch.setattr(Board, "frame", note)
    times = "\N{MULTIPLICATION SIGN}"
    convolution_animation([[1, 2, 3]], [[1]], stride=(1, 2), padding=((0, 1), (2, 0)))
    assert captions[:3] == [f"1 {times} 3, padding 1 below, 2 left", f"1 {times} 1, stride 1 {times} 2", f"2 {times} 3"]
    captions.clear()
    pooling_animation(X, 2, dilation=2, padding=1, ceil_mode=True)
    window = f"window 2 {times} 2, stride 2, dilation 2, ceil mode"
    assert captions[0] == f"5 {times} 5, padding 1; {window}"
    captions.clear()
    conv_transpose_animation([[1, 2]], [[1, 1], [1, 1], [1, 1]], padding=(1, 0))
    assert captions[2] == f"1 {times} 3, padding 1 {times} 0 cut off"


def test_bad_calls_name_the_function() -> None:
    with pytest.raises(ValueError, match="convolution_animation: kernel 3 does not fit"):
        convolution_animation([[1]], W)
    with pytest.raises(ValueError, match="pooling_animation: expected kind"):
        pooling_animation(X, 2, kind="sum")
    with pytest.raises(ValueError, match="conv_transpose_animation: expected frames_per_second"):
        conv_transpose_animation(X, W, frames_per_second=0)
    with pytest.raises(ValueError, match=r"convolution_animation: expected x \(H, W\), got \(5,\)"):
        convolution_animation(X[0], W)


def test_pillow_is_loaded_only_when_drawing() -> None:
    assert not hasattr(animation, "Image")
