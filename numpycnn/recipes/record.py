"""The record of a run, with everything needed to repeat it and to verify its results."""

import hashlib
import os
import platform
import re
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import __version__
from numpycnn.data import Dataset
from numpycnn.layers.network import Network
from numpycnn.recipes.errors import Setting, SettingError
from numpycnn.recipes.scoring import Score
from numpycnn.recipes.settings import Settings
from numpycnn.training import Trainer

DATA = "data_sha256"  # key of the digests in a record, and in the metadata of a checkpoint's model
PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "scikit-image", "pillow")


@dataclass(frozen=True)
class Start:
    """A training before its first step: the argument of ``on_start`` in `train`.

    Attributes
    ----------
    settings : Settings
        All settings, including those of the recipe.
    trainer : Trainer
        Before its first step, or where the training to be resumed was interrupted.
    train, test : Dataset
    folder : Path
        The output folder.
    threads : int
    """

    settings: Settings
    trainer: Trainer
    train: Dataset
    test: Dataset
    folder: Path
    threads: int


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of the examples and labels, as stored, in order."""
    found = hashlib.sha256()
    for array in (dataset.images, dataset.labels):
        found.update(f"{array.dtype.str} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return found.hexdigest()


def digests(train: Dataset, test: Dataset) -> dict[str, str]:
    """Return the SHA-256 of both sets, as in a record and in a checkpoint's metadata."""
    return {"train": digest(train), "test": digest(test)}


def expect_same_data(model: Network, train: Dataset, test: Dataset) -> None:
    """Check that the data are those with which the training of a checkpoint's model began, if it tells."""
    began = model.metadata.get(DATA)
    if began is None:  # by an earlier version
        return
    for name, found in digests(train, test).items():
        if not isinstance(began, dict) or began.get(name) != found:
            words = {"train": "training set", "test": "test set"}[name]
            raise SettingError(
                f"the training to be resumed began with another {words} than the one found in {train.source}: files "
                "were changed since; restore them, or train anew with ",
                Setting("force", True),
            )


def code_digest() -> str:
    """Return the SHA-256 of this package's source, which changes more often than its version."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root).as_posix()} ".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the installed packages that a training uses."""
    found = {"numpycnn": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the processor, how many of its cores may be used, and the system."""
    from llvmlite.binding import get_host_cpu_name

    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    name = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": name[1] if name else platform.processor() or platform.machine(),
        "compiled_for": get_host_cpu_name(),  # its generation, as LLVM names it
        "cores": cores,
        "platform": platform.platform(),
    }


def record(start: Start, score: Score, *, seconds: float, cpu_seconds: float, resumed: bool) -> dict[str, Any]:
    """Return the result of a run with its settings, data, versions and machine, as JSON types.

    `seconds` is the wall-clock time from the start of the run to its figures; `cpu_seconds` is the processor time of
    all threads, which other programs on the same cores affect less. For a resumed run, both are of its last part, and
    `training_seconds` is of all parts.
    """
    trainer, settings, train, test = start.trainer, start.settings, start.train, start.test
    return {
        "test_accuracy": score.accuracy,
        "test_loss": score.loss,
        "test_images": len(test),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "resumed": resumed,
        "training_seconds": round(sum(epoch["seconds"] for epoch in trainer.history), 2),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "settings": settings.to_json() | {"threads": start.threads},
        "augmentation": repr(settings.augmentation) if settings.augmentation else "none",
        "views": repr(settings.test_views) if settings.test_views else "none",
        "optimizer": repr(trainer.optimizer),
        "input_shape": list(trainer.model.input_shape or ()),  # for a folder of pictures the user chooses the size
        "parameters": trainer.model.summary().parameters,
        "history": trainer.history.records,
        "data_source": test.source,
        "data_note": test.note,
        DATA: digests(train, test),
        "versions": versions(),
        "code_sha256": code_digest(),
        "machine": machine(),
    }
