"""Names for the types of arguments and results."""

from collections.abc import Sequence

import numpy as np

Array = np.ndarray
Shape = tuple[int, ...]

#: One int for all spatial axes, or one for each.
Size = int | Sequence[int]

#: One (before, after) pair for each spatial axis.
Pairs = tuple[tuple[int, int], ...]

#: An int, one int for each axis, or one (before, after) pair for each axis.
Pads = int | Sequence[int] | Sequence[tuple[int, int]]

#: The same, or "valid", "same" or "full".
Padding = Pads | str

#: Of a layer's input, weight and bias.
Gradients = tuple[Array, Array, Array]
