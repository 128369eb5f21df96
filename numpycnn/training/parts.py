"""Optimizers, schedules, losses and metrics as JSON: the name of the class, and the arguments of its constructor."""

from collections.abc import Mapping
from typing import Any, TypeVar

from numpycnn import losses, optim
from numpycnn import metrics as all_metrics
from numpycnn._checks import to_python
from numpycnn.losses import Loss
from numpycnn.metrics import Metric
from numpycnn.optim import Optimizer, Schedule

Part = TypeVar("Part")

#: Every optimizer, schedule and loss that a file may name.
PARTS: dict[str, type] = {
    kind.__name__: kind
    for module in (optim, losses)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Optimizer | Schedule | Loss)
}
#: Every metric that a file may name; a loss has the name of one.
METRICS: dict[str, type] = {
    kind.__name__: kind for kind in vars(all_metrics).values() if isinstance(kind, type) and issubclass(kind, Metric)
}


def encode(part: object) -> Any:
    """Return the description of a part, a function, or a dict, tuple or list of them; anything else unchanged."""
    if isinstance(part, Optimizer | Schedule | Loss | Metric):
        return {"part": type(part).__name__, "config": {key: encode(value) for key, value in part.config().items()}}
    if isinstance(part, Mapping):  # the parameter groups of an optimizer
        return {"mapping": {key: encode(value) for key, value in part.items()}}
    if callable(part):
        name = getattr(part, "__name__", "")
        if not name.isidentifier():
            raise TypeError(f"expected a function with a name of its own to save, got {part!r}; define it with def")
        return {"function": name}
    if isinstance(part, tuple):
        return {"tuple": list(map(encode, part))}
    return list(map(encode, part)) if isinstance(part, list) else to_python(part)


def decode(value: object, table: Mapping[str, Any]) -> Any:
    """Return what `encode` described; `table` has the classes and functions that may be named."""
    if isinstance(value, list):
        return [decode(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    if "mapping" in value:
        return {key: decode(item, table) for key, item in value["mapping"].items()}
    if "tuple" in value:
        return tuple(decode(value["tuple"], table))
    if "function" in value:
        return _look_up(value["function"], table, "function")
    kind = _look_up(value.get("part"), table, "class")
    return kind(**{key: decode(item, table) for key, item in value["config"].items()})


def _look_up(name: object, table: Mapping[str, Any], kind: str) -> Any:
    found = table.get(name) if isinstance(name, str) else None
    if found is None or isinstance(found, type) != (kind == "class"):
        raise ValueError(f"unknown part {name!r}; pass a {kind} of your own as resume(..., parts=[{name}])")
    return found


def decode_kind(value: object, table: Mapping[str, Any], kind: type[Part]) -> Part:
    """Return the part that `encode` described, an instance of `kind`."""
    part = decode(value, table)
    if not isinstance(part, kind):
        raise ValueError(f"expected an instance of {kind.__name__}, got {type(part).__name__}")
    return part
