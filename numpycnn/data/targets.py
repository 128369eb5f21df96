"""The targets of a data set: a class, several classes, a class for each pixel, or numbers to predict."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn._checks import check_unmasked
from numpycnn.data.rows import Rows, as_native


def check_targets(labels: ArrayLike | Rows, examples: int, class_names: Sequence[str], owner: str) -> Any:
    """Return the targets of `examples` examples, which class names and dtype tell apart.

    With class names, integers (N,) are classes, an array (N, K) of 0 and 1 says yes or no to each of K classes, and
    integers of more axes are masks, with a class for each pixel. Floats without class names are numbers to predict.
    Masks are not searched for labels out of range: they may be mapped from a file, and the loss checks each batch.
    """
    on_disk = isinstance(labels, Rows) and len(labels.shape) > 2
    targets: Any = labels if on_disk else as_native(check_unmasked(labels, "labels", owner))
    targets = targets if targets.ndim > 2 else np.asarray(targets)
    if isinstance(class_names, str):
        raise TypeError(f"{owner}: class_names must be a sequence of names, got the string {class_names!r}")
    if equal := [name for name, count in Counter(map(str, class_names)).items() if count > 1]:
        raise ValueError(f"{owner}: expected different class_names, got {equal[0]!r} more than once")
    classes = len(class_names)
    numbers = targets.dtype.kind == "f" and not classes
    if targets.size and not numbers:
        integers = "iu" if targets.ndim == 1 else "biu"
        if targets.dtype.kind not in integers and not _is_multi_hot(targets, classes):
            hint = "; leave class_names out for numbers to predict" if targets.dtype.kind == "f" else ""
            raise TypeError(f"{owner}: labels must be integers (class numbers), got {targets.dtype}{hint}")
        if not classes:
            raise TypeError(
                f"{owner}: integer labels are classes and need class_names, got none; numbers to predict are floats"
            )
    columns = targets.ndim != 2 or numbers or targets.shape[1] == classes  # one for each class
    if targets.shape[:1] != (examples,) or not columns:
        one, several = "one target" if numbers else "one label", ""
        if targets.ndim == 2 and not numbers:
            several = f", or 0 or 1 for each class, shape ({examples}, {classes})"
        raise ValueError(
            f"{owner}: expected {one} per image, shape ({examples},){several}, got labels of shape {targets.shape}"
        )
    if numbers:
        return targets
    if targets.ndim == 2:
        if targets.size and not ((targets == 0) | (targets == 1)).all():
            raise ValueError(
                f"{owner}: labels of shape {targets.shape} must be 0 or 1 for each class, got labels from "
                f"{targets.min()} to {targets.max()}"
            )
        return targets.astype(np.uint8, copy=False)
    if targets.ndim == 1:
        if targets.size and not (targets.min() >= 0 and targets.max() < classes):
            raise ValueError(
                f"{owner}: labels must be in 0..{classes - 1} ({classes} class names), "
                f"got labels from {targets.min()} to {targets.max()}"
            )
        return targets.astype(np.int64, copy=False)
    return targets  # masks keep their type: a byte for each pixel is an eighth of an int64


def _is_multi_hot(targets: np.ndarray, classes: int) -> bool:
    return targets.dtype.kind == "f" and targets.ndim == 2 and targets.shape[1] == classes
