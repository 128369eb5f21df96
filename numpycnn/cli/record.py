"""What is written down of a run, so that it can be repeated and its figures believed."""

import hashlib
import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import __version__
from numpycnn.cli.scoring import Score
from numpycnn.cli.settings import Settings
from numpycnn.data import Dataset
from numpycnn.training import Trainer

PACKAGES = ("numpy", "numba", "scipy", "scikit-image", "pillow")


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of the examples and labels, as they are kept and in their order."""
    found = hashlib.sha256()
    for array in (dataset.images, dataset.labels):
        found.update(f"{array.dtype.str} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return found.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of all that has a part in a training and is installed."""
    found = {"numpycnn": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the processor, how many of its cores may be used, and the system."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    name = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": name[1] if name else platform.processor() or platform.machine(),
        "cores": cores,
        "platform": platform.platform(),
    }


def record(
    trainer: Trainer,
    settings: Settings,
    train: Dataset,
    test: Dataset,
    score: Score,
    *,
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    """Return the result of a run with all that it came from, as JSON can hold it.

    The processor time is that of this process, all threads together: it grows less than the time on the clock where
    other programs want the same cores.
    """
    return {
        "test_accuracy": score.accuracy,
        "test_loss": score.loss,
        "test_images": len(test),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time(), 2),
        "training_seconds": round(sum(epoch["seconds"] for epoch in trainer.history), 2),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "settings": settings.to_json() | {"threads": threads},
        "augmentation": repr(settings.augmentation) if settings.augmentation else "none",
        "optimizer": repr(trainer.optimizer),
        "input_shape": list(trainer.model.input_shape or ()),  # of pictures from a folder the user chooses the size
        "parameters": trainer.model.summary().parameters,
        "history": trainer.history.records,
        "data_source": test.source,
        "data_note": test.note,
        "data_sha256": {"train": digest(train), "test": digest(test)},
        "versions": versions(),
        "machine": machine(),
    }
