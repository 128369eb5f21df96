"""How all figures look: colours that colour-blind people can tell apart, quiet axes, one way to save.

Figures are made without pyplot, so they need no screen, share no state, and can be drawn from any thread.

Source of the colours: M. Okabe and K. Ito, "Color universal design", 2008.
"""

import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from numpycnn.serialization import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, GREY = "#222222", "#777777"
TIMES = "\N{MULTIPLICATION SIGN}"
DPI = 150
HEAT = "cividis"  # colours of what is never negative: dark is nothing
LONGEST = 20  # characters of a name in a figure
NARROW = 13  # characters of a name above or beside one of many small pictures
LONGEST_TITLE = 32  # of the place, the kind and the name of a layer
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LEFT_TO_RIGHT = "\u200e"  # a mark without width


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches that arranges its axes by itself."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)  # inches around each axes
    return Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")


def one_line(text: object, most: int) -> str:
    r"""Return a text from outside, such as the name of a class or a file, as one line that reorders nothing.

    Marks that turn the direction of writing are left out, so that the line shows the order in which its characters
    are; what cannot be shown, as a byte of a file name that is no text, becomes a replacement character.

    Examples
    --------
    >>> one_line("two\nlines", 20), one_line("a name that has no end", 12)
    ('two lines', 'a name that…')
    >>> one_line("harmless\u202egnp.exe", 20)
    'harmlessgnp.exe'
    """
    line = " ".join("".join(_shown(character) for character in str(text)).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _shown(character: str) -> str:
    if character in DIRECTIONS:
        return ""
    unseen = unicodedata.category(character) in ("Cc", "Cs") and not character.isspace()
    return "\N{REPLACEMENT CHARACTER}" if unseen else character


def plain(text: object, most: int = LONGEST) -> str:
    r"""Return `one_line` as a figure shows it: with no formula in it, and leaving what stands beside it in its place.

    Matplotlib reads what stands between two dollar signs as mathematics, unless there is a backslash before them. What
    is written from right to left takes along neighbours like ", 98 %", unless there are marks around it.

    Examples
    --------
    >>> print(plain("between $5 and $10"))
    between \$5 and \$10
    """
    line = one_line(text, most).replace("$", r"\$")
    from_right = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in line)
    return f"{LEFT_TO_RIGHT}{line}{LEFT_TO_RIGHT}" if from_right else line


def signed_colours() -> "Colormap":
    """Return the colours of what has a sign: white is zero, blue is negative, orange positive."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", ["#003553", BLUE, "#FFFFFF", VERMILION, "#6B2C00"])


def glowing_colours() -> "Colormap":
    """Return the colours of what is laid over a picture."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("glowing", [VERMILION, ORANGE, "#FFD24D"])


def quiet(axes: "Axes") -> None:
    """Leave of the frame what is needed to read off values, and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK)
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)


def save(figure: "Figure", path: str | os.PathLike[str] | None) -> None:
    """Write the figure to a PNG file, all or nothing, if there is a path."""
    if path is None:
        return
    with replacing(Path(path)) as beside:
        figure.savefig(beside, format="png")
