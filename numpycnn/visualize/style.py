"""How all figures look: colours that colour-blind people can tell apart, quiet axes, one way to save.

Figures are made without pyplot, so they need no screen, share no state, and can be drawn from any thread.

Source of the colours: M. Okabe and K. Ito, "Color universal design", 2008.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from numpycnn.serialization import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, GREY = "#222222", "#777777"
DPI = 150
HEAT = "cividis"  # colours of what is never negative: dark is nothing
LONGEST = 20  # characters of a name in a figure
NARROW = 13  # characters of a name above or beside one of many small pictures
LONGEST_TITLE = 32  # of the place, the kind and the name of a layer


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches that arranges its axes by itself."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)  # inches around each axes
    return Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")


def plain(text: str, most: int = LONGEST) -> str:
    r"""Return a text from outside, such as the name of a class, as a figure shows it: short, and with no formula in it.

    Matplotlib reads what stands between two dollar signs as mathematics, unless there is a backslash before them.

    Examples
    --------
    >>> print(plain("between $5 and $10"))
    between \$5 and \$10
    >>> plain("a name that has no end", 12)
    'a name that…'
    """
    line = " ".join(str(text).split())
    line = line if len(line) <= most else line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return line.replace("$", r"\$")


def signed_colours() -> "Colormap":
    """Return the colours of what has a sign: white is zero, blue is negative, red positive."""
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
