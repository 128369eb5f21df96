"""IDX, the file format of MNIST: a magic number, the sizes as big-endian 32-bit integers, then the bytes of the array.

The sizes in a header are checked against the length of the file before memory is allocated, and a compressed file is
unpacked no further than its header announces plus one byte.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from numpycnn.errors import DataFormatError

UNSIGNED_BYTE = 0x08  # the type code in the third byte of the magic number
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_RATIO = 1032  # DEFLATE spends at least 2 bits on 258 bytes


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
            return _read(raw, path, ndim, sha256, size)
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(unpacked, path, ndim, sha256, MAX_GZIP_RATIO * size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataFormatError(
                f"{path}: expected a whole gzip file, found a truncated or damaged one ({error}); fetch it again"
            ) from error


def _read(file: io.BufferedIOBase, path: Path, ndim: int, sha256: str | None, max_bytes: int) -> np.ndarray:
    """Read header and array from `file`, which has at most `max_bytes`."""
    magic = file.read(4)
    expected = bytes((0, 0, UNSIGNED_BYTE, ndim))
    if magic != expected:
        raise DataFormatError(
            f"{path}: expected the IDX magic number 0x{expected.hex()} ({ndim}-dimensional unsigned bytes), "
            f"found {'0x' + magic.hex() if magic else 'an empty file'}"
        )
    sizes = file.read(4 * ndim)
    header = len(magic) + len(sizes)
    if len(sizes) < 4 * ndim:
        raise DataFormatError(f"{path}: expected a header of {4 + 4 * ndim} bytes, found {header}")
    shape = struct.unpack(f">{ndim}I", sizes)
    count = math.prod(shape)
    announced = f"{path}: expected {header + count} bytes (the header says {shape}), found"
    if header + count > max_bytes:
        raise DataFormatError(f"{announced} {max_bytes} at most")
    content = np.empty(count + 1, np.uint8)  # past the end, where gzip verifies its own checksum
    found = file.readinto(content.data)
    if found > count:
        raise DataFormatError(f"{announced} more after them")
    if found < count:
        raise DataFormatError(f"{announced} {header + found}: the file is truncated")
    digest = hashlib.sha256(magic + sizes)
    digest.update(content[:count].data)
    if sha256 is not None and digest.hexdigest() != sha256:
        raise DataFormatError(
            f"{path}: expected unpacked content with SHA-256 {sha256}, found {digest.hexdigest()}; "
            "this is another file or a damaged one: replace it or remove it"
        )
    try:
        return content[:count].reshape(shape)
    except ValueError:  # an empty array whose other sizes overflow
        raise DataFormatError(f"{path}: expected sizes of an array that fits into memory, found {shape}") from None


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
