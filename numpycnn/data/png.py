"""The structure of a PNG file: its chunks, its header, and whether it holds all rows of pixels.

Decoders disagree on files that break the rules: with two headers, some use the first and some the last, and rows that
are missing become black.

Source: W3C, "Portable Network Graphics (PNG) Specification (Second Edition)", 2003.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from numpycnn.errors import DataFormatError

PNG = b"\x89PNG\r\n\x1a\n"  # how all files begin
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type: grey, RGB, palette, grey with alpha, RGB with alpha
# Column and row of the first pixel, and distances to the next one, of the seven passes of an interlaced picture.
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
PIECE = 1 << 16  # bytes, unpacked at a time: zlib makes at most 1,032 times as many of them


class Header(NamedTuple):
    """The fields of the chunk IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int


def chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Iterate over the kind of each whole chunk and where it begins and ends in the file."""
    place = len(PNG)
    while place + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length  # length, kind, content, checksum
        yield kind, place, end
        place = end


def read_header(content: bytes, name: str) -> Header:
    """Return the header of a PNG file; a DataFormatError if it is not the first chunk, or not the only header."""
    kinds = [kind for kind, _, _ in chunks(content)]
    headers = kinds.count(b"IHDR")
    if headers != 1 or kinds[0] != b"IHDR":
        raise DataFormatError(
            f"{name}: expected a PNG that begins with its one header, found a damaged one ({headers} headers)"
        )
    try:
        return Header(*struct.unpack_from(">IIBBBBB", content, len(PNG) + 8))
    except struct.error:
        raise DataFormatError(f"{name}: expected a PNG with a whole header, found a truncated one") from None


def check_rows(content: bytes, header: Header, name: str) -> None:
    """Raise a DataFormatError if the pixels of a PNG file end before its last row."""
    expected, unpacked = _size(header), 0
    stream = zlib.decompressobj()
    try:
        for kind, begin, end in chunks(content):
            for place in range(begin + 8, end - 4 if kind == b"IDAT" else 0, PIECE):
                if unpacked < expected:
                    unpacked += len(stream.decompress(content[place : min(place + PIECE, end - 4)]))
    except zlib.error:
        pass  # the rows so far count
    if unpacked < expected:
        raise DataFormatError(
            f"{name}: expected a whole PNG, found a damaged one ({unpacked:,} of {expected:,} bytes of pixels)"
        )


def _size(header: Header) -> int:
    """Return the bytes of all rows: of each the byte that names its filter, and its pixels in whole bytes."""
    bits = CHANNELS.get(header.colour, 0) * header.depth
    size = 0
    for x, y, across, down in ADAM7 if header.interlaced else ((0, 0, 1, 1),):
        columns, rows = -((x - header.width) // across), -((y - header.height) // down)
        size += rows * (1 + -(-columns * bits // 8)) if columns > 0 else 0
    return size
