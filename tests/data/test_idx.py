import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data.idx import read_idx, read_idx_pair
from numpycnn.errors import DataFormatError
from tests.mutations import bounded_memory, mutate_bytes

ARRAY = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
HEADER = bytes((0, 0, 8, 3)) + struct.pack(">3I", 3, 4, 5)
CONTENT = HEADER + ARRAY.tobytes()


@pytest.fixture(params=["plain", "gz"])
def save(request: pytest.FixtureRequest, tmp_path: Path):
    """Save bytes plain or compressed and return the path."""

    def saved(content: bytes) -> Path:
        path = tmp_path / "file.idx"
        path.write_bytes(gzip.compress(content) if request.param == "gz" else content)
        return path

    return saved


def test_reads_what_was_written(save) -> None:
    array = read_idx(save(CONTENT), 3, sha256=hashlib.sha256(CONTENT).hexdigest())
    assert array.dtype == np.uint8
    assert np.array_equal(array, ARRAY)


def test_reads_more_than_one_chunk(tmp_path: Path, write_idx) -> None:
    big = np.random.default_rng(0).integers(0, 3, (3 << 20) + 7, dtype=np.uint8)
    write_idx(tmp_path / "big.gz", big)
    assert np.array_equal(read_idx(tmp_path / "big.gz", 1), big)


def test_reads_an_empty_array(save) -> None:
    assert read_idx(save(bytes((0, 0, 8, 3)) + struct.pack(">3I", 0, 28, 28)), 3).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "expected the IDX magic number 0x00000803 .* found an empty file"),
        (b"\0\0", "found 0x0000"),
        (b"\0\0\x08\x01" + CONTENT[4:], "expected the IDX magic number 0x00000803 .* found 0x00000801"),
        (b"\0\0\x0d\x03" + CONTENT[4:], "3-dimensional unsigned bytes.* found 0x00000d03"),
        (CONTENT[:9], "expected a header of 16 bytes, found 9"),
        (CONTENT[:-1], r"expected 76 bytes \(the header says \(3, 4, 5\)\), found 75"),
        (CONTENT + b"\0", r"expected 76 bytes \(the header says \(3, 4, 5\)\), found (77|more after them)"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 2**31) + b"x", f"expected {2**93 + 16} bytes"),
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 28, 28) + b"x" * 99,
            r"the header says \(4294967295, 28, 28\)",
        ),
    ],
)
def test_files_that_do_not_match_their_header_are_refused(save, content: bytes, text: str) -> None:
    path = save(content)
    with pytest.raises(DataFormatError, match=text) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("sizes", [(2**32 - 1, 0, 2**32 - 1), (0, 2**32 - 1, 2**32 - 1)])
def test_sizes_that_overflow_beside_a_zero_are_refused(save, sizes: tuple[int, ...]) -> None:
    with pytest.raises(DataFormatError, match="expected sizes of an array that fits into memory, found"):
        read_idx(save(b"\0\0\x08\x03" + struct.pack(">3I", *sizes)), 3)


def test_a_truncated_body_inside_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.gz"
    path.write_bytes(gzip.compress(bytes((0, 0, 8, 1)) + struct.pack(">I", 10_000) + b"x" * 100))
    with pytest.raises(DataFormatError, match=r"expected 10008 bytes .* found 108: the file is truncated"):
        read_idx(path, 1)


def test_a_bomb_is_not_unpacked_past_the_announced_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes((0, 0, 8, 1)) + struct.pack(">I", 10) + bytes(50_000_000)))
    asked = []
    read, readinto = gzip.GzipFile.read, gzip.GzipFile.readinto
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: asked.append(size) or read(self, size))
    monkeypatch.setattr(gzip.GzipFile, "readinto", lambda self, to: asked.append(len(to)) or readinto(self, to))
    with pytest.raises(DataFormatError, match=r"expected 18 bytes .* found more after them"):
        read_idx(path, 1)
    assert set(asked) == {4, 10 + 1}  # the magic number, the size, and the content with one byte more


@pytest.mark.parametrize("cut", [5, 12, 20, 40, -9, -8, -1])
def test_a_truncated_gzip_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(CONTENT)[:cut])
    with pytest.raises(DataFormatError, match="expected a whole gzip file, found a truncated or damaged one"):
        read_idx(path, 3)


def test_every_changed_byte_of_a_gzip_body_is_detected(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT, mtime=0)
    path = tmp_path / "damaged.gz"
    for place in range(10, len(packed)):
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 0x55]) + packed[place + 1 :])
        with pytest.raises(DataFormatError):
            read_idx(path, 3)


def test_a_wrong_checksum_is_refused(save) -> None:
    with pytest.raises(DataFormatError, match=f"expected unpacked content with SHA-256 {'0' * 64}, found"):
        read_idx(save(CONTENT), 3, sha256="0" * 64)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none", 3)


def test_pair(tmp_path: Path, write_idx) -> None:
    write_idx(tmp_path / "images", ARRAY)
    write_idx(tmp_path / "labels.gz", np.array([2, 0, 1], np.uint8))
    images, labels = read_idx_pair(tmp_path / "images", tmp_path / "labels.gz", 3)
    assert images.shape == (3, 1, 4, 5)
    assert np.array_equal(images[:, 0], ARRAY)
    assert (labels.dtype, labels.tolist()) == (np.int64, [2, 0, 1])
    with pytest.raises(DataFormatError, match="expected labels from 0 to 1, found 2 at index 0"):
        read_idx_pair(tmp_path / "images", tmp_path / "labels.gz", 2)


def test_pair_of_unequal_length(tmp_path: Path, write_idx) -> None:
    write_idx(tmp_path / "images", ARRAY)
    write_idx(tmp_path / "labels", np.zeros(4, np.uint8))
    with pytest.raises(DataFormatError, match=r"expected 3 labels, one per image of .*images, found 4"):
        read_idx_pair(tmp_path / "images", tmp_path / "labels", 3)


@pytest.mark.parametrize("packed", [False, True])
def test_mutated_files_give_an_array_or_a_format_error(tmp_path: Path, packed: bool) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "file.idx"
    content = gzip.compress(CONTENT, mtime=0) if packed else CONTENT
    refused = 0
    with bounded_memory(200):
        for _ in range(2000):
            path.write_bytes(mutate_bytes(content, rng, 30))
            try:
                assert read_idx(path, 3).size <= len(content) * 1032
            except DataFormatError as error:
                refused += str(path) in str(error)
    assert refused > 1000
