"""Save models: the arrays as safetensors, and the architecture as JSON in its metadata.

Also the file access that saving and loading share; `numpycnn.io.loading` restores the layers.
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

from numpycnn._checks import format_shape, to_python
from numpycnn.errors import DataFormatError
from numpycnn.layers.base import Layer
from numpycnn.layers.model import Model

FORMAT = "numpycnn-1"
MAX_LAYERS, MAX_DEPTH = 25_000, 32  # of a model in a file; ResNet-152 has 515 layers, 5 deep
#: Endings of other formats, by which programs choose the reader. `.bin` and `.ckpt` are not those of one format.
FOREIGN = frozenset(
    {".csv", ".gguf", ".gz", ".h5", ".hdf5", ".jpeg", ".jpg", ".joblib", ".json", ".keras", ".mat", ".msgpack", ".npy"}
    | {".npz", ".onnx", ".pb", ".pickle", ".pkl", ".png", ".pt", ".pth", ".tar", ".tflite", ".toml", ".txt", ".yaml"}
    | {".yml", ".zip"}
)
ABANDONED = 3600  # seconds without a write, after which an incomplete file is considered abandoned

# ------------------------------------------------------------------------------------------------- files of arrays


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of all names and arrays, to detect damaged files."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def check_ending(path: str | Path, owner: str) -> Path:
    """Return a path to write safetensors to.

    Raises
    ------
    ValueError
        If the path has the ending of another format.
    """
    path = Path(path)
    if path.suffix.lower() in FOREIGN:
        raise ValueError(
            f"{owner}: {path.name} would hold safetensors, not {path.suffix[1:].upper()}; "
            f"write to {path.with_suffix('.safetensors').name}"
        )
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file, which is then flushed to the disk and renamed to `path`.

    If anything fails, `path` is unchanged and the temporary file is removed. Temporary files of killed processes are
    removed when the same file is written again, after an hour.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If `path` is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write to, got a folder")
    if not path.parent.exists():
        raise FileNotFoundError(
            f"{path}: expected a folder to write to, but {path.parent} does not exist; create it first"
        )
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):  # another process removed it
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None:  # of the system, such as a full disk, which does not name the file
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; return False if another process, or another opening, has it.

    Such a lock leaves no file, and ends with the process that holds it. Where the system or the file system has no
    such locks, nothing is locked.
    """
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # Windows; a network file system without locks
        pass
    return True


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, object]) -> None:
    """Write arrays and JSON metadata to one safetensors file, atomically.

    Equal contents make equal files.

    Raises
    ------
    ValueError
        If the path has the ending of another format.
    """
    from safetensors.numpy import save

    path = check_ending(path, "save")
    content = save(
        {name: np.asarray(array, order="C") for name, array in arrays.items()},
        {"format": FORMAT, "sha256": _digest(arrays)}
        | {key: json.dumps(_to_json(value)) for key, value in metadata.items()},
    )
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.writelines(_with_sorted_header(content))


def _to_json(value: Any) -> Any:
    """Return a value in which NumPy's numbers and arrays are those of Python, keys included."""
    if isinstance(value, dict):
        return {to_python(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list) or np.ndim(value):
        return [_to_json(item) for item in value]
    return to_python(value[()] if isinstance(value, np.ndarray) else value)


def _with_sorted_header(content: bytes) -> tuple[bytes, bytes, memoryview]:
    """Return the parts of a safetensors file with the entries of its header sorted, which the library leaves unordered.

    The first 8 bytes are the length of the header, which is JSON padded to a multiple of 8 bytes; the rest is data.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little"), header, memoryview(content)[8 + length :]


class ArrayFile:
    """An open safetensors file: metadata and shapes are in memory, arrays are read one by one."""

    def __init__(self, path: Path, handle: Any) -> None:
        self.path = path
        self._handle = handle
        raw = handle.metadata() or {}
        if raw.get("format") != FORMAT:
            raise DataFormatError(f"{path}: expected a file of format {FORMAT}, got {raw.get('format', 'none')!r}")
        try:
            self.metadata = {key: json.loads(value) for key, value in raw.items() if key not in ("format", "sha256")}
        except (ValueError, RecursionError) as error:
            raise DataFormatError(f"{path}: its metadata is not valid JSON ({error})") from None

    def get(self, key: str, kind: type) -> Any:
        """Return a metadata entry of the type `kind`."""
        value = self.metadata.get(key)
        if not isinstance(value, kind):
            raise DataFormatError(f"{self.path}: expected {key} in its metadata, got {value!r}")
        return value

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the arrays that start with `prefix`, without the prefix."""
        return [name[len(prefix) :] for name in self._handle.keys() if name.startswith(prefix)]  # noqa: SIM118

    def tensor(self, name: str) -> np.ndarray:
        """Return one array, without checks."""
        return np.asarray(self._handle.get_tensor(name))

    def read(self, prefix: str, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arrays that start with `prefix`, which must have the names, shapes and dtypes of `like`."""
        names = self.names(prefix)
        missing, unknown = sorted(like.keys() - set(names)), sorted(set(names) - like.keys())
        if missing or unknown:
            parts = [f"missing {', '.join(missing[:3])}"] * bool(missing)
            parts += [f"unknown {', '.join(unknown[:3])}"] * bool(unknown)
            raise DataFormatError(f"{self.path}: its arrays do not match its architecture: {'; '.join(parts)}")
        for name, array in like.items():
            entry = self._handle.get_slice(prefix + name)
            kind = {"F32": "float32", "F64": "float64"}.get(entry.get_dtype(), entry.get_dtype())
            shape = tuple(entry.get_shape())
            if shape != array.shape or kind != str(array.dtype):
                raise DataFormatError(
                    f"{self.path}: expected {name} {format_shape(array.shape)} of {array.dtype}, "
                    f"got {format_shape(shape)} of {kind}"
                )
        return {name: self._handle.get_tensor(prefix + name) for name in like}


@contextmanager
def open_safetensors(path: Path, hint: str = "") -> Iterator[Any]:
    """Open a safetensors file; an error for another file, or a damaged one, ends with the hint.

    Raises
    ------
    DataFormatError
        If it is another file, or is damaged.
    FileNotFoundError
        If it does not exist.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise DataFormatError(f"{path}: expected a safetensors file, got a folder")
    try:
        with safe_open(str(path), framework="np") as handle:
            yield handle
    except SafetensorError as error:
        raise DataFormatError(f"{path}: not a safetensors file, or a damaged one ({error}){hint}") from None


@contextmanager
def open_arrays(path: str | Path) -> Iterator[ArrayFile]:
    """Open a file written by `write_arrays`, as `open_safetensors` does, and check its content."""
    with open_safetensors(Path(path)) as handle:
        file = ArrayFile(Path(path), handle)
        wanted = handle.metadata().get("sha256")
        if wanted is not None and wanted != _digest({name: file.tensor(name) for name in file.names()}):
            raise DataFormatError(f"{path}: its checksum does not match its arrays: the file is damaged")
        yield file


# -------------------------------------------------------------------------------------------------- architectures


def encode(value: object) -> Any:
    """Convert a layer, or a value of its config, to JSON values."""
    if isinstance(value, Layer):
        config = {
            key: encode(setting)
            for key, setting in value.config().items()
            if not (key.endswith("initializer") and callable(setting))  # files hold no code, but the weights it made
        }
        entry: dict[str, Any] = {"layer": type(value).__name__, "config": config}
        if not value.trainable:
            entry["trainable"] = False
        if exceptions := value._parameter_exceptions():
            entry["exceptions"] = exceptions
        return entry
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    value = to_python(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"cannot save {value!r}: a layer's arguments must be numbers, strings, None, layers or lists of them"
    )


def check_size(layers: int, depth: int, calls: int) -> None:
    """Check that a file may hold this number of layers, nested this deep, and of calls of layers in graphs.

    Loading takes time and memory for each.

    Raises
    ------
    ValueError
        If there are too many.
    """
    if layers > MAX_LAYERS or depth > MAX_DEPTH:
        raise ValueError(
            f"expected at most {MAX_LAYERS:,} layers, nested at most {MAX_DEPTH} deep, got {layers:,}, {depth} deep"
        )
    if calls > MAX_LAYERS:
        raise ValueError(f"expected at most {MAX_LAYERS:,} calls of layers, got {calls:,}")


def _extent(model: Layer) -> tuple[int, int, int]:
    """Return the number of layers, how deeply they are nested, and the calls of graphs, as `check_size` takes them."""
    layers, deepest, calls = 0, 0, 0
    pending = [(model, 1)]
    while pending:
        layer, depth = pending.pop()
        layers, deepest = layers + 1, max(deepest, depth)
        calls += sum(1 for _ in layer.uses()) if isinstance(layer, Model) else 0
        pending += [(child, depth + 1) for child in layer.children().values()]
    return layers, deepest, calls


def describe(model: Layer, metadata: Mapping[str, object]) -> dict[str, Any]:
    """Return the description of a built model, without its arrays."""
    if model.input_shape is None or model.dtype is None:
        raise RuntimeError(f"{model.label} is not built yet: give it an input_shape before saving it")
    try:
        check_size(*_extent(model))
    except ValueError as error:
        raise ValueError(f"{model.label}: {error}, which cannot be saved") from None
    return {
        "architecture": encode(model),
        "input_shape": list(model.input_shape),
        "dtype": str(model.dtype),
        "metadata": metadata,
    }


def save_model(model: Layer, metadata: Mapping[str, object], path: str | Path) -> None:
    """Write a model and its metadata to a file; see `Sequential.save`."""
    write_arrays(path, model.state(), {"model": describe(model, metadata)})
