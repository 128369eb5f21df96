"""A picture is judged by its pixels: of its metadata, only the orientation is read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from numpycnn.data.picture_metadata import split_metadata
from numpycnn.data.pictures import decode_picture
from tests.data.small import chunk, insert_png_chunk, insert_segment, picture_bytes
from tests.mutations import COUNT, mutate_bytes

PIXELS = np.uint8(np.arange(6)[:, None] // 3 * 120 + np.arange(9) // 3 * 40)  # (6, 9)
PNG, JPEG = picture_bytes(PIXELS), picture_bytes(PIXELS, "JPEG")
ASCII, SHORT, LONG, RATIONAL, DOUBLE = 2, 3, 4, 5, 12
FAR = 1 << 30


def exif(*entries: tuple[int, int, int, int], order: str = "<", orientation: int | None = 6) -> bytes:
    """EXIF metadata of entries (tag, type, count, value)."""
    body = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    if orientation is not None:
        body += struct.pack(f"{order}HHIHH", 0x0112, SHORT, 1, orientation, 0)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(body) // 12)
    return head + body + bytes(4)


def tagged(kind: str, metadata: bytes) -> bytes:
    """The picture with EXIF metadata."""
    if kind == "png":
        return insert_png_chunk(PNG, b"eXIf", metadata)
    return insert_segment(JPEG, 0xE1, b"Exif\0\0" + metadata)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_as_pillow_has_it(kind: str, order: str, orientation: int) -> None:
    from PIL import ImageOps

    content = tagged(kind, exif(order=order, orientation=orientation))
    with Image.open(io.BytesIO(content)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(decode_picture(content, "a"), expected)
    assert split_metadata(content) == (PNG if kind == "png" else JPEG, orientation if 1 <= orientation <= 8 else 1)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize(
    "entry",
    [
        (0x010E, RATIONAL, 1, 40),  # a description as a fraction
        (0x010E, ASCII, 2**32 - 1, FAR),
        (0x010E, 99, 1, 0),
        (0x0110, RATIONAL, 1, FAR),
        (0x011A, ASCII, 3, 0x616263),  # a resolution as text
        (0x0132, DOUBLE, 1, 8),
        (0x8769, LONG, 1, 8),  # a directory inside that is this one
        (0x8825, LONG, 1, FAR),
    ],
)
def test_odd_entries_do_not_hide_the_orientation(kind: str, entry: tuple[int, int, int, int]) -> None:
    assert decode_picture(tagged(kind, exif(entry)), "a").shape == (9, 6)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize(
    "metadata",
    [b"", b"II*", b"rubbish", b"II*\0\xff\xff\xff\xff", exif()[:12], b"MM\0*" + exif()[4:], exif(orientation=77)],
)
def test_damaged_metadata_is_as_none(kind: str, metadata: bytes) -> None:
    assert np.array_equal(decode_picture(tagged(kind, metadata), "a"), decode_picture(tagged(kind, b""), "a"))


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_mutated_exif_leaves_the_pixels(kind: str, order: str) -> None:
    """Whatever the metadata says: one of the eight orientations of the same pixels."""
    rng = np.random.default_rng(0)
    metadata = exif((0x010E, ASCII, 4, 0x616263), (0x8769, LONG, 1, 8), order=order)
    upright = decode_picture(tagged(kind, b""), "a")
    turned = [np.rot90(picture, k) for picture in (upright, upright[:, ::-1]) for k in range(4)]
    orientations = set()
    for _ in range(COUNT):
        found = decode_picture(tagged(kind, mutate_bytes(metadata, rng)), "a")
        (orientation,) = (i for i, picture in enumerate(turned) if np.array_equal(found, picture))
        orientations.add(orientation)
    assert len(orientations) > 1


def test_mutated_ancillary_chunks_leave_the_pixels() -> None:
    rng = np.random.default_rng(0)
    names = [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"bKGD", b"tIME", b"eXIf", b"acTL"]
    for _ in range(COUNT):
        name, content = names[rng.integers(len(names))], rng.bytes(rng.integers(60))
        content = mutate_bytes(b"key\0\0" + zlib.compress(content), rng) if rng.random() < 0.5 else content
        assert np.array_equal(decode_picture(insert_png_chunk(PNG, name, content), "a.png"), PIXELS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"zTXt", b"key\0\0" + zlib.compress(b"x" * 2_000_000)),
        (b"iTXt", b"key\0\1\0\0\0" + zlib.compress(b"x" * 2_000_000)),
        (b"iCCP", b"key\0\0" + zlib.compress(b"x" * 2_000_000)),
        (b"tEXt", b"key\0" + b"x" * 2_000_000),
        (b"iCCP", b"key\0\1other"),
        (b"iCCP", b""),
        (b"zTXt", b"key\0\1other"),
        (b"pHYs", b""),
        (b"gAMA", b""),
        (b"cHRM", b""),
        (b"sRGB", b""),
        (b"acTL", b""),
        (b"fcTL", b""),
    ],
)
def test_chunks_beside_the_pixels_of_a_png_are_ignored(name: bytes, content: bytes) -> None:
    assert np.array_equal(decode_picture(insert_png_chunk(PNG, name, content), "a.png"), PIXELS)
    damaged = PNG[:33] + chunk(name, content)[:-1] + b"?" + PNG[33:]  # a wrong checksum
    assert np.array_equal(decode_picture(damaged, "a.png"), PIXELS)


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE0, b"JFIF"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"MPF\0II*\0\xff\xff\0\0"),
        (0xED, b"Photoshop 3.0\x008BIM"),
        (0xEE, b"Adobe"),
        (0xFE, b""),
    ],
)
def test_segments_beside_the_pixels_of_a_jpeg_are_ignored(marker: int, content: bytes) -> None:
    found = decode_picture(insert_segment(JPEG, marker, content), "a.jpg")
    assert np.array_equal(found, decode_picture(JPEG, "a.jpg"))


def test_the_colour_space_of_a_jpeg_is_kept() -> None:
    """Programs that write CMYK invert it, which only the segment of Adobe tells."""
    file = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 200, 0, 0)).save(file, "JPEG")
    with Image.open(io.BytesIO(file.getvalue())) as picture:
        expected = np.asarray(picture.convert("RGB"))
    assert np.array_equal(decode_picture(file.getvalue(), "a.jpg"), expected)


@pytest.mark.parametrize("content", [b"", b"GIF89a", PNG[:8], PNG[:20], JPEG[:3], JPEG[:30], b"\xff\xd8\xff\xff\xff"])
def test_the_rest_is_left_to_the_decoder(content: bytes) -> None:
    assert split_metadata(content) == (content, 1)
