"""Names for the types of arguments."""

from collections.abc import Sequence

Shape = tuple[int, ...]

#: One int for all spatial axes, or one for each.
Size = int | Sequence[int]

#: An int, one int for each axis, one (before, after) pair for each axis, or "valid", "same" or "full".
Padding = int | Sequence[int] | Sequence[tuple[int, int]] | str
