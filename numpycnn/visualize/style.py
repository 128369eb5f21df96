"""Common style of all figures: a palette safe for colour blindness, axes, labels and saving.

Figures are made without pyplot, so they do not need a display, do not share state, and can be drawn from any thread.

Source of the palette: M. Okabe and K. Ito, "Color universal design", 2008.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from numpycnn.io.serialization import replacing
from numpycnn.visualize._types import Axes, Figure, FilePath

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, GREY = "#222222", "#777777"
LINE_STYLES = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (ORANGE, "D"), ("#CC79A7", "v"), (INK, "P"))
TIMES = "\N{MULTIPLICATION SIGN}"
DPI = 150
HEAT = "cividis"  # colour map of nonnegative values: dark is zero
LONGEST = 20  # characters of a name in a figure
NARROW = 13  # characters of a name above or beside a small image
LONGEST_TITLE = 32  # characters of the title of a layer
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LEFT_TO_RIGHT = "\u200e"  # zero-width mark


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, sized in inches, with constrained layout."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)  # inches around each axes
    return Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")


def one_line(text: object, most: int) -> str:
    r"""Return untrusted text, such as the name of a class or a file, as one line in its logical order.

    Directional marks are removed, so that characters are shown in the order in which they are stored. Characters that
    cannot be shown, such as an undecodable byte of a file name, become replacement characters.

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


def format_size(shape: Iterable[int]) -> str:
    """Format a shape for readers, with multiplication signs."""
    return f" {TIMES} ".join(map(str, shape))


def escape_text(text: object, most: int = LONGEST) -> str:
    r"""Return `one_line` escaped for a figure: without math text, and isolated from the text around it.

    Matplotlib renders text between two dollar signs as math unless they are escaped by a backslash. Right-to-left text
    reorders neighbours such as ", 98 %" unless directional marks enclose it.

    Examples
    --------
    >>> print(escape_text("between $5 and $10"))
    between \$5 and \$10
    """
    line = one_line(text, most).replace("$", r"\$")
    from_right = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in line)
    return f"{LEFT_TO_RIGHT}{line}{LEFT_TO_RIGHT}" if from_right else line


def signed_colours() -> "Colormap":
    """Return the colour map of signed values: white is zero, blue is negative, orange positive."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", ["#003553", BLUE, "#FFFFFF", VERMILION, "#6B2C00"])


def glowing_colours() -> "Colormap":
    """Return the colour map of overlays on an image."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("glowing", [VERMILION, ORANGE, "#FFD24D"])


def quiet(axes: "Axes", title: str = "", x: str = "", y: str = "") -> None:
    """Keep only the left and bottom spines, draw a light grid, and write the title and the labels of the axes."""
    if title:
        axes.set_title(title, color=INK, fontsize=10.5, fontweight="bold", loc="left")
    axes.set_xlabel(x or axes.get_xlabel(), color=INK)
    axes.set_ylabel(y or axes.get_ylabel(), color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK)
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)


def save(figure: "Figure", path: FilePath) -> "Figure":
    """Write the figure to a PNG file atomically, if `path` is not None, and return it."""
    if path is not None:
        with replacing(Path(path)) as beside:
            figure.savefig(beside, format="png")
    return figure
