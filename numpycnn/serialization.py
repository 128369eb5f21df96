"""Models as files: the arrays in safetensors, and the architecture as JSON in its metadata.

This is the writing half, and what both halves share; `numpycnn.loading` makes layers out of such a file again.
"""

import glob
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn.errors import DataFormatError
from numpycnn.functional.checks import spell
from numpycnn.layers.base import Layer

FORMAT = "numpycnn-1"
ABANDONED = 3600  # seconds without a write, after which the half of a file has no process that would finish it

# ------------------------------------------------------------------------------------------------- files of arrays


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of all names and numbers, by which a damaged file is known."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; what was written there is flushed to the disk and renamed over `path`.

    If anything fails, `path` stays as it was and nothing is left beside it. What a process has left that was killed
    while it wrote is taken away an hour later, when the same file is written again.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    IsADirectoryError
        If `path` is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write to, got a folder")
    if not path.parent.exists():
        raise FileNotFoundError(f"{path}: expected a folder to write to, found no {path.parent}; make it first")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):  # somebody else was quicker
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if error.filename is not None:
            error.filename, error.filename2 = str(path), None  # the name that the caller knows
        raise
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write arrays and JSON metadata to one safetensors file, all or nothing.

    The file is written beside `path`, flushed to the disk, and then renamed over it. Equal contents make equal files.
    """
    from safetensors.numpy import save

    content = save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        {"format": FORMAT, "sha256": _digest(arrays)} | {key: json.dumps(value) for key, value in metadata.items()},
    )
    with replacing(Path(path)) as beside, open(beside, "wb") as file:
        file.writelines(_with_sorted_header(content))


def _with_sorted_header(content: bytes) -> tuple[bytes, bytes, memoryview]:
    """Return the parts of a safetensors file, with the entries of its header in order, which its library shuffles.

    The first 8 bytes are the length of the header, which is JSON and padded to a multiple of 8 bytes; the rest is
    numbers.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little"), header, memoryview(content)[8 + length :]


class ArrayFile:
    """An open safetensors file: metadata and shapes are known, arrays are read one by one."""

    def __init__(self, path: Path, handle: Any) -> None:
        self.path = path
        self._handle = handle
        raw = handle.metadata() or {}
        if raw.get("format") != FORMAT:
            raise DataFormatError(f"{path}: expected a file of format {FORMAT}, got {raw.get('format', 'none')!r}")
        try:
            self.metadata = {key: json.loads(value) for key, value in raw.items() if key not in ("format", "sha256")}
        except (ValueError, RecursionError) as error:
            raise DataFormatError(f"{path}: its metadata is no valid JSON ({error})") from None

    def get(self, key: str, kind: type) -> Any:
        """Return a metadata entry of a type."""
        value = self.metadata.get(key)
        if not isinstance(value, kind):
            raise DataFormatError(f"{self.path}: expected {key} in its metadata, got {value!r}")
        return value

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the arrays that begin with `prefix`, without it."""
        return [name[len(prefix) :] for name in self._handle.keys() if name.startswith(prefix)]  # noqa: SIM118

    def tensor(self, name: str) -> np.ndarray:
        """Return one array as it is."""
        return np.asarray(self._handle.get_tensor(name))

    def read(self, prefix: str, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arrays that begin with `prefix`, which must have the names, shapes and types of `like`."""
        names = self.names(prefix)
        missing, unknown = sorted(like.keys() - set(names)), sorted(set(names) - like.keys())
        if missing or unknown:
            parts = [f"missing {', '.join(missing[:3])}"] * bool(missing)
            parts += [f"unknown {', '.join(unknown[:3])}"] * bool(unknown)
            raise DataFormatError(f"{self.path}: its arrays do not belong to its architecture: {'; '.join(parts)}")
        for name, array in like.items():
            entry = self._handle.get_slice(prefix + name)
            kind = {"F32": "float32", "F64": "float64"}.get(entry.get_dtype(), entry.get_dtype())
            shape = tuple(entry.get_shape())
            if shape != array.shape or kind != str(array.dtype):
                raise DataFormatError(
                    f"{self.path}: expected {name} {spell(array.shape)} of {array.dtype}, got {spell(shape)} of {kind}"
                )
        return {name: self._handle.get_tensor(prefix + name) for name in like}


@contextmanager
def open_arrays(path: str | Path) -> Iterator[ArrayFile]:
    """Open a file written by `write_arrays`.

    Raises
    ------
    DataFormatError
        If it is no such file, or is damaged.
    FileNotFoundError
        If there is none.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise DataFormatError(f"{path}: expected a safetensors file, got a folder")
    try:
        with safe_open(str(path), framework="np") as handle:
            file = ArrayFile(path, handle)
            wanted = handle.metadata().get("sha256")
            if wanted is not None and wanted != _digest({name: file.tensor(name) for name in file.names()}):
                raise DataFormatError(f"{path}: its numbers are not those that were written: the file is damaged")
            yield file
    except SafetensorError as error:
        raise DataFormatError(f"{path}: no safetensors file, or a damaged one ({error})") from None


# -------------------------------------------------------------------------------------------------- architectures


def encode(value: Any) -> Any:
    """Turn a layer, or what its config holds, into what JSON can hold."""
    if isinstance(value, Layer):
        return {"layer": type(value).__name__, "config": {key: encode(v) for key, v in value.config().items()}}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"cannot save {value!r}: a layer's arguments must be numbers, strings, None, layers or lists of them"
    )


def describe(model: Layer, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything about a built model but its arrays."""
    if model.input_shape is None or model.dtype is None:
        raise RuntimeError(f"{model.label} is not built yet: give it an input_shape before saving it")
    return {
        "architecture": encode(model),
        "input_shape": list(model.input_shape),
        "dtype": str(model.dtype),
        "metadata": metadata,
    }


def save_model(model: Layer, metadata: Mapping[str, Any], path: str | Path) -> None:
    """Write a model and what should be known about it to a file; see `Sequential.save`."""
    write_arrays(path, model.state(), {"model": describe(model, metadata)})
