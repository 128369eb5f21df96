"""Headers and rows of PNG files, valid and not."""

import struct
import zlib

import numpy as np
import pytest

from numpycnn.data.pictures import decode_picture
from numpycnn.data.png import PNG, check_rows, chunks, read_header
from numpycnn.errors import DataFormatError
from tests.data.small import chunk, insert_png_chunk, picture_bytes, raw_png

# Adam7's passes of 5x5 pixels, from the table in the specification: 1x1, 1x1, 2x1, 1x2, 3x1, 2x3, 5x2.
PASSES = ((1, 1), (1, 1), (2, 1), (1, 2), (3, 1), (2, 3), (5, 2))


def header_of(*fields: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def interlaced(rows: bytes) -> bytes:
    return PNG + header_of(5, 5, 8, 0, 0, 0, 1) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_the_header_and_the_chunks() -> None:
    content = picture_bytes(np.zeros((3, 4, 3), np.uint8))
    assert read_header(content, "a.png") == (4, 3, 8, 2, 0, 0, 0)
    assert [(kind, content[end - 4 : end]) for kind, _, end in chunks(content)][-1] == (b"IEND", b"\xae\x42\x60\x82")


@pytest.mark.parametrize(
    ("begin", "found"),
    [
        (chunk(b"tEXt", b"a\0b") + header_of(2, 2, 8, 0, 0, 0, 0), r"\(1 headers\)"),
        (header_of(2, 2, 8, 0, 0, 0, 0) * 2, r"\(2 headers\)"),
        (b"", r"\(0 headers\)"),
    ],
    ids=["another chunk before it", "two", "none"],
)
def test_the_header_is_the_first_chunk_and_the_only_header(begin: bytes, found: str) -> None:
    content = PNG + begin + chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b"")
    with pytest.raises(DataFormatError, match=rf"^a\.png: expected a PNG that begins with its one header, .*{found}"):
        read_header(content, "a.png")
    with pytest.raises(DataFormatError, match=r"^a\.png: expected a PNG .*, found a damaged one"):
        decode_picture(content, "a.png")


def test_a_header_that_ends_early() -> None:
    with pytest.raises(DataFormatError, match=r"^a\.png: expected a PNG with a whole header, found a truncated one"):
        read_header(PNG + chunk(b"IHDR", b"")[:-1] + bytes(5), "a.png")


@pytest.mark.parametrize(
    ("depth", "colour", "row"),
    [
        (1, 0, 2),
        (2, 0, 3),
        (8, 0, 9),
        (16, 0, 17),
        (8, 2, 25),
        (16, 2, 49),
        (4, 3, 5),
        (8, 4, 17),
        (8, 6, 33),
        (16, 6, 65),
    ],
)
def test_rows_that_are_missing_are_refused(depth: int, colour: int, row: int) -> None:
    """`row` is the bytes of a row of eight pixels, the one for the filter included."""
    width = 8
    palette = [chunk(b"PLTE", bytes(range(48)))] if colour == 3 else []
    whole = raw_png(width, 8, depth, colour, bytes(8 * row), *palette)
    assert decode_picture(whole, "a.png").shape[:2] == (8, 8)
    for rows in (bytes(8 * row - 1), bytes(4 * row), b""):
        content = raw_png(width, 8, depth, colour, rows, *palette)
        text = rf"^a\.png: expected a whole PNG, found a damaged one \({len(rows)} of {8 * row} bytes of pixels\)"
        with pytest.raises(DataFormatError, match=text):
            check_rows(content, read_header(content, "a.png"), "a.png")
        with pytest.raises(DataFormatError, match=text):
            decode_picture(content, "a.png")


def test_a_row_ends_with_a_whole_byte() -> None:
    assert decode_picture(raw_png(9, 2, 1, 0, bytes(2 * 3)), "a.png").shape == (2, 9)
    with pytest.raises(DataFormatError, match="5 of 6 bytes of pixels"):
        decode_picture(raw_png(9, 2, 1, 0, bytes(5)), "a.png")


def test_rows_of_an_interlaced_picture() -> None:
    pixels = np.arange(25, dtype=np.uint8).reshape(5, 5)
    rows = b""
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        part = pixels[y::down, x::across]
        assert part.shape[::-1] in PASSES
        rows += b"".join(b"\0" + row.tobytes() for row in part)
    assert len(rows) == sum(height * (1 + width) for width, height in PASSES)
    assert np.array_equal(decode_picture(interlaced(rows), "a.png"), pixels)
    with pytest.raises(DataFormatError, match=f"{len(rows) - 1} of {len(rows)} bytes of pixels"):
        decode_picture(interlaced(rows[:-1]), "a.png")
    thin = PNG + header_of(1, 3, 8, 0, 0, 0, 1) + chunk(b"IDAT", zlib.compress(b"\0a\0b\0c")) + chunk(b"IEND", b"")
    assert decode_picture(thin, "a.png").tolist() == [[97], [99], [98]]  # four of seven passes are empty: no rows


def test_pixels_in_several_chunks_and_after_the_last_row() -> None:
    packed = zlib.compress(bytes(200_000) + b"more than the rows")
    parts = b"".join(chunk(b"IDAT", packed[i : i + 10]) for i in range(0, len(packed), 10))
    content = PNG + header_of(399, 500, 8, 0, 0, 0, 0) + parts + chunk(b"IEND", b"")
    assert decode_picture(content, "a.png").shape == (500, 399)


def test_other_chunks_do_not_count() -> None:
    content = insert_png_chunk(raw_png(4, 4, 8, 0, b""), b"zTXt", b"a\0\0" + zlib.compress(bytes(100)))
    with pytest.raises(DataFormatError, match="0 of 20 bytes of pixels"):
        decode_picture(content, "a.png")
