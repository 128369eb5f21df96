"""Tables of calls that a layer must refuse: making it, or building it for a shape."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from numpycnn import Layer


class Bad(NamedTuple):
    make: Callable[[], Layer]
    error: type[Exception]
    text: str  # what the message begins with, or a part of it
    input_shape: tuple[Any, ...] | None = None  # where building is what must fail


def refuse(bad: Bad) -> None:
    if bad.input_shape is None:
        with pytest.raises(bad.error, match=re.escape(bad.text)):
            bad.make()
    else:
        layer = bad.make()
        with pytest.raises(bad.error, match=re.escape(bad.text)):
            layer.build(bad.input_shape)
        assert layer.output_shape is None  # nothing half built
        with pytest.raises(RuntimeError, match="is not built yet"):
            layer.forward([[0.0]])


def bad_sizes(make: Callable[..., Layer], kind: str, setting: str, least: int = 1) -> list[Bad]:
    """Numbers that no size can have."""
    return [
        Bad(lambda value=value: make(**{setting: value}), error, f"{kind}: expected {setting} {text}")
        for value, error, text in (
            (least - 1, ValueError, f"from {least} to 2147483647, got {least - 1}"),
            (-7, ValueError, f"from {least} to 2147483647, got -7"),
            (2**31, ValueError, f"from {least} to 2147483647, got 2147483648"),
            (2**63 - 1, ValueError, f"from {least} to 2147483647, got 9223372036854775807"),
            (1.5, TypeError, "to be an int, got float 1.5"),
            (b"3", TypeError, "to be an int, got bytes b'3'"),
            (True, TypeError, "to be an int, got bool True"),
            (None, TypeError, "to be an int, got NoneType None"),
        )
    ]
