"""The quantity that a callback monitors: its direction, and whether a value is better than the best so far."""

import re
from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from numpycnn._checks import check_choice, check_number

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

#: Names of the library's own metrics; those of other quantities do not tell their direction: ``neg_log_loss``.
DIRECTIONS = {
    "max": re.compile(r"(val_)?((top_\d+_)?accuracy|precision|recall|f1|roc_auc|mean_iou|r_squared|psnr)"),
    "min": re.compile(r"(val_)?(loss|mean_(absolute|squared)_error)"),
}


def monitored(record: Mapping[str, float], name: str, owner: str) -> float:
    """Return a quantity of a record; a ValueError if it was not measured."""
    if name not in record:
        raise ValueError(
            f"{owner}: expected one of {', '.join(record)} to monitor, got {name!r}; "
            "names that begin with val_ need fit(..., validation=...)"
        )
    return record[name]


def restored_best(value: object, owner: str) -> float | None:
    """Return the best value of a checkpoint: None before the first one, and never NaN.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    if value is None:
        return None
    best = check_number(value, "the best value", owner, finite=False)
    if isnan(best):
        raise ValueError(f"{owner}: expected the best value to be a number or None, got NaN")
    return best


def restored_mode(state: Mapping[str, Any], mode: str, owner: str) -> str:
    """Return the mode of a checkpoint, or `mode` for a file of an earlier version, which has none.

    Raises
    ------
    ValueError
        If it is something else.
    """
    return check_choice(state.get("mode", mode), "mode", owner, ("min", "max", ""))


def check_mode(mode: str | None, name: str, owner: str) -> str:
    """Return "min" or "max" for a quantity of the record: `mode`, or its known direction, or "" to ask the trainer.

    Raises
    ------
    ValueError
        If `mode` is something else.
    TypeError
        If the name is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"{owner}: expected the name of a quantity, such as 'val_loss', got {name!r}")
    if mode is not None:
        return check_choice(mode, "mode", owner, ("min", "max"))
    for known, names in DIRECTIONS.items():
        if names.fullmatch(name):
            return known
    return ""


def known_mode(mode: str, name: str, trainer: "Trainer", owner: str) -> str:
    """Return `mode`, or the direction of a metric of the trainer.

    Raises
    ------
    ValueError
        If there is neither.
    """
    mode = mode or trainer.scores.direction(name)
    if not mode:
        raise ValueError(
            f"{owner}: expected mode='min' or mode='max' for {name!r}: its direction is unknown; write mode='max' if "
            f"larger is better, or one of {', '.join(trainer.scores.names())}, with val_ in front for the validation"
        )
    return mode


def is_better(value: float, best: float | None, mode: str, min_delta: float) -> bool:
    """Return whether `value` improves on `best`; NaN never does, so a best value is never NaN."""
    if best is None:
        return not isnan(value)
    return value > best + min_delta if mode == "max" else value < best - min_delta
