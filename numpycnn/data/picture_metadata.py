"""Separate the pixels of a PNG or JPEG file from its metadata, of which only the orientation matters.

Cameras and editors write metadata that decoders refuse: EXIF entries of the wrong type, long texts, odd colour
profiles. The pixels are whole nevertheless, so everything else is removed before the file is decoded. What looks
damaged is left for the decoder to judge.
"""

import struct

from numpycnn.data.png import PNG, chunks

JPEG = b"\xff\xd8\xff"  # how all files begin
EXIF = b"Exif\0\0"
ORIENTATION = 0x0112  # EXIF tag
INTEGERS = {1: "B", 3: "H", 4: "I"}  # EXIF types, as formats of struct
APP0, APP1, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE  # JPEG markers
SHORTEST = 12  # bytes of a segment that decoders use: JFIF in APP0 and Adobe in APP14 tell the colour space


def split_metadata(content: bytes) -> tuple[bytes, int]:
    """Return a PNG or JPEG file without its metadata, and its orientation as in EXIF, from 1 (upright) to 8.

    A file of another format is returned unchanged.
    """
    if content.startswith(PNG):
        parts, exif = _split_png(content)
    elif content.startswith(JPEG):
        parts, exif = _split_jpeg(content)
    else:
        return content, 1
    return b"".join(parts), _read_orientation(exif)


def _split_png(content: bytes) -> tuple[list[bytes], bytes]:
    """Return the chunks that PNG calls critical, with the transparency, and the content of the chunk eXIf."""
    parts, exif, end = [content[:8]], b"", 8
    for kind, begin, end in chunks(content):
        if kind == b"eXIf":
            exif = exif or content[begin + 8 : end - 4]
        elif kind == b"tRNS" or not kind[0] & 0x20:  # critical: a capital letter
            parts.append(content[begin:end])
    return [*parts, content[end:]], exif


def _split_jpeg(content: bytes) -> tuple[list[bytes], bytes]:
    """Return the segments without those of applications and comments, and the content of the EXIF segment."""
    parts, exif, place = [content[:2]], b"", 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker, length = struct.unpack_from(">BH", content, place + 1)
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        if not 0xC0 <= marker <= COMMENT or marker == 0xDA:  # the pixels follow
            break
        body = content[place + 4 : place + 2 + length]
        if marker == APP1 and body.startswith(EXIF):
            exif = exif or body
        if not (APP0 <= marker <= APP15 or marker == COMMENT) or (marker in (APP0, APP14) and len(body) >= SHORTEST):
            parts.append(content[place : place + 2 + length])
        place += 2 + length
    return [*parts, content[place:]], exif


def _read_orientation(exif: bytes) -> int:
    """Return the orientation of EXIF metadata, 1 if there is none; other entries are not read."""
    while exif.startswith(EXIF):
        exif = exif[len(EXIF) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, place)
        for entry in range(place + 2, place + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", exif, entry)
            if tag == ORIENTATION and kind in INTEGERS:
                (orientation,) = struct.unpack_from(order + INTEGERS[kind], exif, entry + 8)
                return orientation if 1 <= orientation <= 8 else 1
    except struct.error:  # truncated
        pass
    return 1
