"""IDX, the file format of MNIST: a magic number, the sizes as big-endian 32-bit integers, then the bytes of the array.

The sizes in a header are checked against the length of the file before memory is allocated, and a compressed file is
unpacked no further than its header announces plus one byte.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from numpycnn.errors import DataFormatError

UNSIGNED_BYTE = 0x08  # the type code in the third byte of the magic number
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_RATIO = 1032  # DEFLATE spends at least 2 bits on 258 bytes
CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], ndim: int, *, sha256: str | None = None) -> np.ndarray:
    """Read an IDX file of unsigned bytes with `ndim` axes, plain or compressed with gzip, which its content shows.

    Raises a DataFormatError if the file does not match its header or the `sha256` of its unpacked content.
    """
    path = Path(path)
    with path.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        compressed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        if not compressed:
            return _read(raw, path, ndim, sha256, size=size)
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(unpacked, path, ndim, sha256, max_bytes=MAX_GZIP_RATIO * size)  # type: ignore[arg-type]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataFormatError(
                f"{path}: expected a whole gzip file, found a truncated or damaged one ({error}); fetch it again"
            ) from error


def _read(
    file: BinaryIO, path: Path, ndim: int, sha256: str | None, *, size: int | None = None, max_bytes: int | None = None
) -> np.ndarray:
    """Read header and array from `file`, of `size` bytes, or of at most `max_bytes` if the size is unknown."""
    magic = file.read(4)
    expected = bytes((0, 0, UNSIGNED_BYTE, ndim))
    if magic != expected:
        raise DataFormatError(
            f"{path}: expected the IDX magic number 0x{expected.hex()} ({ndim}-dimensional unsigned bytes), "
            f"found {'0x' + magic.hex() if magic else 'an empty file'}"
        )
    sizes = file.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise DataFormatError(f"{path}: expected a header of {4 + 4 * ndim} bytes, found {4 + len(sizes)}")
    shape = struct.unpack(f">{ndim}I", sizes)
    header = len(magic) + len(sizes)
    announced = header + math.prod(shape)
    if size is not None and announced != size:
        raise DataFormatError(f"{path}: expected {announced} bytes (the header says {shape}), found {size}")
    if max_bytes is not None and announced > max_bytes:
        raise DataFormatError(
            f"{path}: expected {announced} bytes (the header says {shape}), "
            f"found a gzip file of at most {max_bytes} uncompressed bytes"
        )

    try:
        array = np.empty(shape, np.uint8)
    except ValueError:  # an empty array whose other sizes overflow
        raise DataFormatError(f"{path}: expected sizes of an array that fits into memory, found {shape}") from None
    target = array.reshape(-1)  # a view
    digest = hashlib.sha256(magic + sizes)
    done = 0
    while done < len(target):
        chunk = file.read(min(CHUNK, len(target) - done))
        if not chunk:
            raise DataFormatError(
                f"{path}: expected {announced} bytes (the header says {shape}), "
                f"found {header + done}: the file is truncated"
            )
        target[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        digest.update(chunk)
        done += len(chunk)
    if file.read(1):  # reading past the end also makes gzip verify its own checksum
        raise DataFormatError(f"{path}: expected {announced} bytes (the header says {shape}), found more after them")
    if sha256 is not None and digest.hexdigest() != sha256:
        raise DataFormatError(
            f"{path}: expected unpacked content with SHA-256 {sha256}, found {digest.hexdigest()}; "
            "this is another file or a damaged one: replace it or remove it"
        )
    return array


def read_idx_pair(
    images_path: str | os.PathLike[str],
    labels_path: str | os.PathLike[str],
    num_classes: int,
    *,
    images_sha256: str | None = None,
    labels_sha256: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Read grey images (N, 1, H, W) and their labels (N,) from a pair of IDX files, with the checksums of `read_idx`.

    Raises a DataFormatError if either file is damaged, they differ in length, or a label is not below `num_classes`.
    """
    images = read_idx(images_path, 3, sha256=images_sha256)  # (N, H, W)
    labels = read_idx(labels_path, 1, sha256=labels_sha256)  # (N,)
    if len(images) != len(labels):
        raise DataFormatError(
            f"{labels_path}: expected {len(images)} labels, one per image of {images_path}, found {len(labels)}"
        )
    if labels.size and labels.max() >= num_classes:
        place = int(labels.argmax())
        raise DataFormatError(
            f"{labels_path}: expected labels from 0 to {num_classes - 1}, found {labels[place]} at index {place}"
        )
    return images[:, np.newaxis], labels.astype(np.int64)  # (N, 1, H, W), (N,)
