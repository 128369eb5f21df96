"""Arrays on disk: only the rows that are asked for are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data import Dataset
from numpycnn.data.rows import CHUNK, Rows, is_mapped, select_rows
from tests.helpers import assert_same_bits

VALUES = np.arange(40, dtype=np.float32).reshape(10, 4)


def counted() -> tuple[Rows, list[list[int]]]:
    """Rows that note which of them are read."""
    calls: list[list[int]] = []

    def read(rows: np.ndarray) -> np.ndarray:
        calls.append(rows.tolist())
        return VALUES[rows]

    return Rows(read, np.arange(10), (4,), np.float32), calls


@pytest.mark.parametrize(
    "index",
    [3, -1, slice(2, 5), slice(None, None, -3), [4, 0, 4], np.array([True, False] * 5), (2, 1), (slice(1, 3), 2)],
    ids=str,
)
def test_rows_are_indexed_like_an_array(index: Any) -> None:
    rows, calls = counted()
    assert (rows.shape, rows.dtype, rows.ndim, rows.size, len(rows)) == ((10, 4), np.float32, 2, 40, 10)
    assert np.array_equal(rows[index], VALUES[index])
    first = index[0] if isinstance(index, tuple) else index
    assert calls == [np.atleast_1d(np.arange(10)[first]).tolist()]


def test_a_part_is_read_when_it_is_indexed() -> None:
    rows, calls = counted()
    part = rows.select([7, 2, 5]).select(slice(1, None))
    assert calls == []
    assert np.array_equal(part[:], VALUES[[2, 5]])
    assert np.array_equal(np.asarray(part, np.float64), VALUES[[2, 5]])
    assert calls == [[2, 5], [2, 5]]
    with pytest.raises(IndexError):
        part[2]
    with pytest.raises(ValueError, match="without a copy"):
        part.__array__(copy=False)


@pytest.fixture(params=[np.uint8, np.float32])
def mapped(request: pytest.FixtureRequest, tmp_path: Path) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (CHUNK + 9, 2, 3, 4)).astype(request.param)
    np.save(tmp_path / "images.npy", images)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def test_parts_of_a_mapped_data_set_stay_on_disk(mapped: np.ndarray) -> None:
    assert is_mapped(mapped)
    assert is_mapped(np.asarray(mapped)[3:])
    assert not is_mapped(np.array(mapped))
    assert not is_mapped(mapped.astype(np.float64))  # a np.memmap without a file
    labels = np.arange(len(mapped)) % 3
    data, same = Dataset(mapped, labels, ("a", "b", "c")), Dataset(np.array(mapped), labels, ("a", "b", "c"))
    for part, expected in zip(
        [*data.split(0.75), data[5:90], data[[3, 1]], data[labels == 1][::2]],
        [*same.split(0.75), same[5:90], same[[3, 1]], same[labels == 1][::2]],
        strict=True,
    ):
        assert is_mapped(part.images) or isinstance(part.images, Rows)
        assert np.array_equal(part.images[:], expected.images)
        assert np.array_equal(part.labels, expected.labels)
        for ours, theirs in zip(part.batch([1, 0]), expected.batch([1, 0]), strict=True):
            assert np.array_equal(ours, theirs)


def test_statistics_of_mapped_images(mapped: np.ndarray) -> None:
    labels = np.zeros(len(mapped), int)
    found = Dataset(mapped, labels, ["x"]).statistics()
    expected = Dataset(np.array(mapped), labels, ["x"]).statistics()
    np.testing.assert_allclose(found, expected, rtol=0 if mapped.dtype == np.uint8 else 1e-12)


def test_mapped_masks_stay_on_disk(mapped: np.ndarray) -> None:
    masks = mapped[:, 0] if mapped.dtype == np.uint8 else mapped[:, 0].astype(np.uint8)
    data = Dataset(np.asarray(mapped), masks, ("a", "b"))[[4, 2, 0]]
    assert np.array_equal(data.batch([1])[1], masks[[2]])
    assert isinstance(select_rows(mapped, [0, 1]), Rows)
    assert isinstance(data.labels, Rows) == (mapped.dtype == np.uint8)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_examples_in_another_byte_order(kind: Any, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 99, (10, 4)).astype(kind)
    expected = Dataset(values, [0, 1] * 5, ("a", "b"))
    np.save(tmp_path / "values.npy", values.astype(values.dtype.newbyteorder()))
    mapped = np.load(tmp_path / "values.npy", mmap_mode="r")
    there, here = (Dataset(array, [0, 1] * 5, ("a", "b")) for array in (mapped, np.array(mapped)))
    assert isinstance(there.images, Rows)  # still on disk
    for data in (there, here):
        assert data.images.dtype == values.dtype
        assert_same_bits(data.batch([3, 1])[0], expected.batch([3, 1])[0])
        assert_same_bits(data.take([3, 1])[0], values[[3, 1]])
        assert_same_bits(data.normalize(mapped[:2]), expected.normalize(values[:2]))
    with pytest.raises(TypeError, match="Dataset 'dataset': expected images without a mask, got a masked array"):
        Dataset(np.ma.array(values), [0, 1] * 5, ("a", "b"))
    with pytest.raises(TypeError, match="Dataset 'dataset': expected images without a mask, got a masked array"):
        expected.normalize(np.ma.array(values))
