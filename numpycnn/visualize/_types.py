"""Types of the figures; matplotlib is loaded when a figure is drawn."""

import os
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

Axes: TypeAlias = "matplotlib.axes.Axes"
Figure: TypeAlias = "matplotlib.figure.Figure"
FilePath = str | os.PathLike[str] | None
