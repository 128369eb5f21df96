"""Build small files for the tests of the data package."""

import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import wavfile


def pack(path: Path, kind: str, files: dict[str, bytes]) -> Path:
    """Write files to a folder or an archive."""
    if kind == "folder":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def wav_bytes(samples: np.ndarray, rate: int = 8000) -> bytes:
    """A WAV file of samples (T,) or (T, channels)."""
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def tone(hertz: float, seconds: float = 0.5, rate: int = 8000) -> np.ndarray:
    """A pure tone as 16-bit samples, (T,)."""
    return np.int16(12000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate))


def png_of(width: int, height: int) -> bytes:
    """A PNG with a size in its header and no pixels."""
    return raw_png(width, height, 8, 0, b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, *between: bytes) -> bytes:
    """A PNG of rows, each after a zero byte, with the chunks before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + pixels


def insert_png_chunk(content: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with a further chunk after its header."""
    return content[:33] + chunk(kind, body) + content[33:]


def insert_segment(content: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with a further segment at its beginning."""
    return content[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + content[2:]


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG with a size in its header and a few pixels."""
    found = bytearray(picture_bytes(np.zeros((2, 2), np.uint8), "JPEG"))
    place = found.index(b"\xff\xc0") + 5  # the frame header: marker, length, precision, then height and width
    found[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(found)


def picture_bytes(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """A PNG or JPEG file of pixels (H, W) or (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def fix_png_checksums(content: bytes) -> bytes:
    """Recompute the checksums of all chunks of a damaged PNG."""
    found, place = bytearray(content), 8
    while place + 12 <= len(found):
        end = place + 8 + int.from_bytes(found[place : place + 4], "big")
        if end + 4 > len(found):
            break
        found[end : end + 4] = struct.pack(">I", zlib.crc32(found[place + 4 : end]))
        place = end + 4
    return bytes(found)
