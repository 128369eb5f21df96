"""Figures without a display, saved atomically."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from numpycnn.visualize.style import escape_text, new_figure, one_line, save

REPOSITORY = Path(__file__).resolve().parents[2]
HEBREW = "\u05e9\u05dc\u05d5\u05dd"


def test_a_figure_is_saved_in_its_size(tmp_path: Path) -> None:
    save(new_figure(2, 1), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (300, 150))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_without_a_path_nothing_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(new_figure(2, 1), None)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_text("old")
    figure = new_figure(2, 1)

    def fail(target: Path, **settings: str) -> None:
        target.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save(figure, path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_figures_from_several_threads(tmp_path: Path) -> None:
    threads = [threading.Thread(target=save, args=(new_figure(2, 1), tmp_path / f"{i}.png")) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / f"{i}.png").read_bytes() for i in range(4)}) == 1


def test_no_figure_needs_pyplot() -> None:
    code = (
        "import sys; from numpycnn import visualize as v; print('matplotlib' in sys.modules); "
        "v.learning_curves([{'loss': 1.0}]); v.confusion_matrix([0], [0], ['a']); "
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]


def test_directional_marks_are_removed() -> None:
    marks = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert one_line(f"har{marks}mless", 20) == "harmless"
    assert one_line("\u202egnp.exe", 20) == "gnp.exe"
    assert one_line("a\x00b\x1b[0m\udcff", 20) == "a\ufffdb\ufffd[0m\ufffd"  # as in an undecodable file name
    assert one_line("two\r\n\tlines\x1f", 20) == "two lines"


@pytest.mark.parametrize("name", [HEBREW, f"{HEBREW} 12", f"a {HEBREW}", "\u202egnp.exe", "a\udcff\x1b"])
def test_right_to_left_text_keeps_the_rest_in_place(name: str) -> None:
    """The percentage stays to the right of the name."""
    figure = new_figure(3, 1)
    figure.text(0, 0.5, f"{escape_text(name)}, \u2588")  # a full block marks the end of the line
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = (np.asarray(canvas.buffer_rgba())[..., 0] < 128).sum(axis=0)  # in each column
    assert np.flatnonzero(ink)[-3] >= np.flatnonzero(ink == ink.max())[0]
    assert ink[: np.flatnonzero(ink == ink.max())[0]].any()
