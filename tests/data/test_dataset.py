import json

import numpy as np
import pandas
import pytest

from numpycnn.data import Dataset


def make(count: int = 7, channels: int = 2, **settings: object) -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, channels, 3, 5), dtype=np.uint8)
    return Dataset(images, np.arange(count) % 3, ("a", "b", "c"), **settings)


def test_attributes() -> None:
    data = make(name="toy", mean=[0.1, 0.2], std=0.5)
    assert len(data) == 7
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert data.class_names == ("a", "b", "c")
    assert data.mean.tolist() == [0.1, 0.2]
    assert data.std.tolist() == [0.5, 0.5]
    assert repr(data) == "Dataset('toy': 7 images of shape (2, 3, 5), 3 classes)"


@pytest.mark.parametrize(
    "index", [slice(1, 5), slice(None, None, -2), [4, 0, 0], np.array([True, False] * 3 + [True]), []]
)
def test_a_part_is_a_dataset_with_the_same_settings(index: object) -> None:
    data = make(mean=0.3, std=0.2, name="toy")
    part = data[index]
    chosen = np.arange(7)[index] if not isinstance(index, list) or index else np.arange(0)
    assert isinstance(part, Dataset)
    assert np.array_equal(part.images, data.images[chosen])
    assert np.array_equal(part.labels, data.labels[chosen])
    assert (part.name, part.class_names) == ("toy", data.class_names)
    assert np.array_equal(part.mean, data.mean)
    assert np.array_equal(part.std, data.std)


def test_a_single_index_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a single image is dataset.images\[i\]"):
        make()[3]


def test_split_contains_every_image_once_and_is_reproducible() -> None:
    images = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    data = Dataset(images, np.zeros(20, int), ["x"])
    first, second = data.split(0.25)
    assert (len(first), len(second)) == (5, 15)
    assert sorted(np.concatenate([first.images, second.images]).ravel().tolist()) == list(range(20))
    assert not np.array_equal(first.images.ravel(), np.arange(5))
    assert np.array_equal(first.images, data.split(5)[0].images)
    assert np.array_equal(first.images, data.split(np.float32(0.25))[0].images)
    assert not np.array_equal(first.images, data.split(5, seed=1)[0].images)


@pytest.mark.parametrize("size", [0.0, 1.0, -0.5, 1.5])
def test_split_refuses_a_fraction_out_of_range(size: float) -> None:
    with pytest.raises(ValueError, match="expected size as a count or a fraction between 0 and 1"):
        make().split(size)


@pytest.mark.parametrize("size", [0, 7, 8, -1, 0.01])
def test_split_refuses_empty_parts(size: float) -> None:
    with pytest.raises(ValueError, match="cannot split 7 images into"):
        make().split(size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("indices", [[3, 1, 1], slice(None, None, 2), np.array([6]), []])
def test_batch_normalizes_by_the_formula(dtype: type, indices: object) -> None:
    data = make(mean=[0.1, 0.4], std=[0.5, 0.25])
    x, labels = data.batch(indices, dtype)
    chosen = np.arange(7)[np.asarray(indices, int) if isinstance(indices, list) else indices]
    mean, std = (np.reshape(v, (2, 1, 1)) for v in ([0.1, 0.4], [0.5, 0.25]))
    np.testing.assert_allclose(x, (data.images[chosen] / 255 - mean) / std, rtol=0, atol=10 * np.finfo(dtype).eps)
    assert x.dtype == dtype
    assert x.flags.c_contiguous
    assert np.array_equal(labels, data.labels[chosen])


def test_batch_of_a_view_is_a_contiguous_copy() -> None:
    images = make().images.transpose(0, 1, 3, 2)
    images.flags.writeable = False
    data = Dataset(images, np.zeros(7, int), ["x"])
    before = images.copy()
    x, _ = data.batch(slice(0, 7, 3))
    assert x.flags.c_contiguous
    x[:] = 0
    assert np.array_equal(images, before)


def test_float_features_are_not_divided_by_255() -> None:
    features = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    data = Dataset(features, [0, 1], ["x", "y"], mean=[1.0, 2.0], std=2.0)
    assert data.batch([0, 1])[0].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert features.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_tokens_are_not_normalized() -> None:
    tokens = np.array([[3, 1, 0], [2, 2, 2]])
    data = Dataset(tokens, [0, 1], ["x", "y"], name="words")
    x, _ = data.batch([1, 0])
    assert x.dtype == np.int64
    assert x.tolist() == [[2, 2, 2], [3, 1, 0]]
    assert (data.mean.tolist(), data.std.tolist()) == ([], [])
    assert data.features is data.images
    everything = data.normalize(tokens)
    everything[:] = 9
    assert tokens[0, 0] == 3
    assert repr(data) == "Dataset('words': 2 examples of shape (3,), 2 classes)"
    with pytest.raises(TypeError, match="expected int64 tokens, got float64"):
        data.normalize(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="expected pixels or features for their statistics, got tokens"):
        data.statistics()


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_statistics_normalize_to_mean_0_and_deviation_1(kind: type) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 4, 5)).astype(kind)
    images[:, 1] = 7  # constant
    data = Dataset(images, np.zeros(50, int), ["x"])
    mean, std = data.statistics()
    scale = 255 if kind is np.uint8 else 1
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3), dtype=float) / scale, rtol=1e-12)
    np.testing.assert_allclose(std[[0, 2]], images.std(axis=(0, 2, 3), dtype=float)[[0, 2]] / scale, rtol=1e-9)
    assert std[1] == 1
    x, _ = data.replace(mean=mean, std=std).batch(slice(None), np.float64)
    np.testing.assert_allclose(x.mean(axis=(0, 2, 3)), 0, atol=1e-9)
    np.testing.assert_allclose(x.std(axis=(0, 2, 3)), [1, 0, 1], atol=1e-9)


def test_statistics_of_an_empty_data_set_are_refused() -> None:
    with pytest.raises(ValueError, match="expected pixels or features for their statistics, got nothing"):
        make()[:0].statistics()


class Halver:
    """A minimal reader."""

    noun = "number"

    def read(self, source: float) -> np.ndarray:
        return np.array([source / 2])

    def to_json(self) -> dict:
        return {"kind": "halver"}


def test_parts_and_changes_keep_everything_else() -> None:
    data = make(name="toy", mean=[0.1, 0.2], std=0.5, source="here", note="a copy", reader=Halver())
    for part in (data[2:4], data.split(3)[1], data.replace(labels=[0] * 7)):
        assert (part.name, part.source, part.note, part.class_names) == ("toy", "here", "a copy", ("a", "b", "c"))
        assert part.reader is data.reader
        assert part.mean.tolist() == [0.1, 0.2]


def test_a_description_can_be_written_as_json() -> None:
    data = make(name="toy", mean=[0.1, 0.2], std=0.5, reader=Halver())
    assert json.loads(json.dumps(data.describe())) == {
        "dataset": "toy",
        "class_names": ["a", "b", "c"],
        "mean": [0.1, 0.2],
        "std": [0.5, 0.5],
        "reader": {"kind": "halver"},
    }
    assert make().describe()["reader"] is None


def test_normalize_refuses_other_types_and_shapes() -> None:
    data = make()
    with pytest.raises(TypeError, match="expected uint8 pixels, got float64"):
        data.normalize(np.zeros((1, 2, 3, 5)))
    with pytest.raises(ValueError, match=r"expected images of shape \(N, 2, 3, 5\), got \(1, 2, 5, 3\)"):
        data.normalize(np.zeros((1, 2, 5, 3), np.uint8))
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got int64"):
        data.batch([0], np.int64)


IMAGES = np.zeros((2, 1, 3, 3), np.uint8)


@pytest.mark.parametrize(
    ("error", "text", "images", "labels", "settings"),
    [
        (TypeError, "images must be uint8 .* or int64 .*, got int16", IMAGES.astype(np.int16), [0, 1], {}),
        (
            TypeError,
            r"int64 are tokens .* \(N, L\), got \(2, 1, 3, 3\)",
            IMAGES.astype(int),
            [0, 1],
            {},
        ),
        (ValueError, r"expected images of shape \(N, C, ...\), got \(2,\)", IMAGES[:, 0, 0, 0], [0, 1], {}),
        (TypeError, "labels must be integers .* got float64", IMAGES, [0.0, 1.0], {}),
        (ValueError, r"expected one label per image, shape \(2,\), got labels of shape \(3,\)", IMAGES, [0, 1, 1], {}),
        (ValueError, r"expected one label per image, .* got labels of shape \(2, 1\)", IMAGES, [[0], [1]], {}),
        (ValueError, "labels must be in 0..1 .* from 0 to 2", IMAGES, [0, 2], {}),
        (ValueError, "labels must be in 0..1 .* from -1 to 0", IMAGES, [0, -1], {}),
        (ValueError, r"expected mean as one number or one per channel, shape \(1,\)", IMAGES, [0, 1], {"mean": [0, 1]}),
        (ValueError, "mean must be finite", IMAGES, [0, 1], {"mean": np.nan}),
        (ValueError, r"std must be positive, got \[0.0\]", IMAGES, [0, 1], {"std": 0}),
    ],
)
def test_bad_arguments(error: type, text: str, images: np.ndarray, labels: list, settings: dict) -> None:
    with pytest.raises(error, match=text):
        Dataset(images, labels, ("a", "b"), **settings)


def test_class_names_are_not_one_string() -> None:
    with pytest.raises(TypeError, match="class_names must be a sequence of names, got the string 'ab'"):
        Dataset(IMAGES, [0, 1], "ab")


def test_a_stratified_split_has_the_same_share_of_each_class() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    data = Dataset(np.arange(100.0).reshape(100, 1), labels, ("a", "b", "c"))
    first, second = data.split(0.3, stratified=True, seed=4)
    assert np.bincount(first.labels).tolist() == [15, 9, 6]
    assert sorted([*first.images[:, 0], *second.images[:, 0]]) == list(range(100))
    assert np.array_equal(first.images, data.split(0.3, stratified=True, seed=4)[0].images)
    with pytest.raises(TypeError, match="Dataset 'dataset': expected stratified to be True or False, got int 1"):
        data.split(0.3, stratified=1)  # type: ignore[arg-type]


def test_columns_of_a_table() -> None:
    """The lines of docs/datasets.md."""
    table = pandas.DataFrame({"width": [1, 2, 3], "height": [4.0, 5.0, 6.0], "label": ["dog", "cat", "dog"]})
    codes = table["label"].astype("category").cat
    data = Dataset(table[["width", "height"]].to_numpy(np.float32), codes.codes, codes.categories)
    assert data.class_names == ("cat", "dog")
    x, labels = data.batch([0, 1])
    assert (x.tolist(), labels.tolist()) == ([[1, 4], [2, 5]], [1, 0])


def test_arrays_with_a_mask_are_refused() -> None:
    """NumPy would use the masked elements."""
    data = make()
    masked = np.ma.masked_equal([0, 1], 1)
    pixels = np.ma.masked_greater(data.images, 9)
    for call in (
        lambda: Dataset(pixels, [0] * 7, ["x"]),
        lambda: Dataset(data.images[:2], masked, ["x", "y"]),
        lambda: make(mean=masked),
        lambda: make(std=masked),
        lambda: data[masked],
        lambda: data.take(masked),
        lambda: data.batch(masked),
        lambda: data.normalize(pixels),
    ):
        with pytest.raises(TypeError, match=r"^Dataset '.*': expected (images|labels|mean|std|indices) without a mask"):
            call()


@pytest.mark.parametrize("kind", ["mean", "std"])
@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, "expected {} as an array, got list with rows of different lengths"),
        (np.array([1 + 2j, 1]), TypeError, "expected {} as numbers within float64, got complex128"),
        (10**400, TypeError, "expected {} as numbers within float64, got object"),
        ("0.5", TypeError, "expected {} as numbers within float64, got <U3"),
        (True, TypeError, "expected {} as numbers within float64, got bool"),
        (np.longdouble("1e400"), ValueError, "{} must be finite, got inf"),
        (np.broadcast_to(1.0, (2**33,)), ValueError, r"expected {} as .*, shape \(2,\), got shape \(8589934592,\)"),
    ],
    ids=["ragged", "complex", "int", "text", "flag", "longdouble", "long"],
)
def test_mean_and_std_are_numbers(kind: str, value: object, error: type, text: str) -> None:
    with pytest.raises(error, match=f"^Dataset 'toy': {text.format(kind)}"):
        make(name="toy", **{kind: value})


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e200])
def test_statistics_of_features_that_are_not_finite_are_refused(wrong: float) -> None:
    """1e200 is finite, and its square is not."""
    features = np.ones((4, 3, 5))
    features[2, 1, 0] = wrong
    with pytest.raises(ValueError, match=r"expected features with a finite mean and std, got .* in channel 1$"):
        Dataset(features, [0] * 4, ["x"]).statistics()


@pytest.mark.parametrize("names", [("cat", "dog", "cat"), (1, "1", 2)])
def test_equal_class_names_are_refused(names: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=f"expected different class_names, got '{names[0]}' more than once"):
        Dataset(np.zeros((2, 1)), [0, 1], names)
