"""Folders and zips of pictures, valid and damaged."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.data.archives import members
from numpycnn.data.image_folder import ImageFolder, load_image_folder, name_of
from numpycnn.errors import DataFormatError
from tests.data.small import pack, picture_bytes, png_of

Make = Callable[..., Path]
NOISE = picture_bytes(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))


def tree(classes: str = "cat dog", count: int = 3, above: str = "") -> dict[str, bytes]:
    """Uniform pictures: red encodes the class, green the number of the picture."""
    return {
        f"{above}{name}/{i}.png": picture_bytes(np.full((6, 9, 3), (50 * c, 50 * i, 7), np.uint8))
        for c, name in enumerate(classes.split())
        for i in range(count)
    }


@pytest.fixture(params=["folder", "zip"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Pack files into a folder or a zip."""

    def made(files: dict[str, bytes], name: str = "pets") -> Path:
        return pack(tmp_path / (name if request.param == "folder" else f"{name}.zip"), request.param, files)

    return made


def test_a_folder_of_pictures(make: Make) -> None:
    root = make(
        tree() | {"notes.txt": b"x", "cat/Thumbs.db": b"x", "cat/.hidden.png": b"x", "__MACOSX/cat/0.png": b"x"}
    )
    data = ImageFolder(str(root), (4, 5))
    assert data.images.shape == (6, 3, 4, 5)
    assert data.images.dtype == np.uint8
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.names == ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/2.png")
    assert (data.name, data.source, data.skipped) == ("pets", str(root), ())
    for image, name, label in zip(data.images, data.names, data.labels, strict=True):
        colour = (50 * label, 50 * int(name[4]), 7)
        assert (image == np.reshape(colour, (3, 1, 1))).all()
    assert repr(data) == "Dataset('pets': 6 images of shape (3, 4, 5), 2 classes)"
    assert len(data[:2]) == 2
    assert [len(part) for part in data.split(2)] == [2, 4]


def test_images_equal_those_of_the_reader(make: Make, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    data = ImageFolder(make({"a/1.png": picture_bytes(pixels), "b/1.jpeg": picture_bytes(pixels, "JPEG")}), (8, 7))
    (tmp_path / "one.png").write_bytes(picture_bytes(pixels))
    assert data.reader is not None
    assert np.array_equal(data.reader.read(tmp_path / "one.png"), data.images[0])


def test_grey(make: Make) -> None:
    assert ImageFolder(make(tree()), (6, 9), channels=1).images.shape == (6, 1, 6, 9)


@pytest.mark.parametrize("above", ["wrapper/", "a/b/c/"])
def test_folders_that_contain_everything_are_skipped(make: Make, above: str) -> None:
    data = ImageFolder(make(tree(above=above)))
    assert data.class_names == ("cat", "dog")
    assert data.names[0] == f"{above}cat/0.png"


def test_subfolders_belong_to_their_class(make: Make) -> None:
    data = ImageFolder(make(tree() | tree("young old", 1, above="cat/")))
    assert np.bincount(data.labels).tolist() == [5, 3]


def test_names_are_text_of_any_script(make: Make) -> None:
    assert ImageFolder(make(tree("猫 chien-à-poil"))).class_names == ("chien-à-poil", "猫")


def test_a_part(make: Make) -> None:
    root = make(tree(above="train/") | tree(count=1, above="test/"))
    assert [len(ImageFolder(root, part=part)) for part in ("train", "test")] == [6, 2]
    assert ImageFolder(root, part="test").source == str(root / "test")
    with pytest.raises(DataFormatError, match=r"none: expected a folder of PNG or JPEG .*, found no pictures"):
        ImageFolder(root, part="none")


def test_the_name_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.pets").mkdir()
    (tmp_path / "pets.zip").touch()
    monkeypatch.chdir(tmp_path / "my.pets")
    assert [name_of(path) for path in (".", tmp_path / "my.pets", "../pets.zip")] == ["my.pets", "my.pets", "pets"]


# ------------------------------------------------------------------------------------------------- training and testing


def test_train_and_test_folders(make: Make) -> None:
    train, test = load_image_folder(make(tree(count=4, above="train/") | tree(count=1, above="test/")), (6, 9))
    assert (len(train), len(test)) == (8, 2)
    assert train.labels.tolist() != sorted(train.labels)  # shuffled
    mean, std = train.statistics()
    assert np.array_equal(train.mean, mean)
    assert np.array_equal(test.mean, mean)
    assert np.array_equal(test.std, std)
    assert test.note == ""


@pytest.mark.parametrize(
    ("folders", "sizes", "note"),
    [
        ("train val", (8, 2), "the pictures in 'val' are the test set"),
        ("Train Test", (8, 2), ""),
        ("train validation", (8, 2), "the pictures in 'validation' are the test set"),
        ("train test val", (8, 2), "not used: val"),
        ("train val extra", (8, 2), "the pictures in 'val' are the test set; not used: extra"),
    ],
)
def test_other_names_of_the_two_sets(make: Make, folders: str, sizes: tuple[int, int], note: str) -> None:
    """Folders with these names are not classes."""
    first, second, *rest = folders.split()
    files = tree(count=4, above=f"{first}/") | tree(count=1, above=f"{second}/")
    for other in rest:
        files |= tree(count=2, above=f"{other}/")
    train, test = load_image_folder(make(files), (6, 9))
    assert (len(train), len(test)) == sizes
    assert train.class_names == ("cat", "dog")
    assert train.note == test.note == note


@pytest.mark.parametrize(
    "folders",
    [
        "Training Testing",
        "TRAIN TEST",
        "training_set test_set",
        "training-set test-set",
        "TrainingSet TestSet",
        "trainset testset",
        "train_images test_images",
        "seg_train seg_test",
        "train1 test1",
        "01_train 02_test",
        "My Training Data/Training My Test Data/Testing",
        "training_set/training_set test_set/test_set",
        "pets/archive/train/train pets/archive/test/test",
    ],
)
def test_every_spelling_of_the_two_sets(make: Make, folders: str) -> None:
    first, second = folders.replace("My ", "My-").replace(" Data", "-Data").split()
    train, test = load_image_folder(make(tree(count=4, above=f"{first}/") | tree(count=1, above=f"{second}/")), (6, 9))
    assert (len(train), len(test)) == (8, 2)
    assert train.class_names == ("cat", "dog")
    assert train.note == ""


@pytest.mark.parametrize(
    ("folders", "text"),
    [
        ("test val", "expected folders of classes, or a training and a test set .*, found val, test; rename"),
        ("Testing Validation", "found Testing, Validation; rename Testing and Validation"),
        ("train unlabelled/all", "found train, unlabelled; rename train if these are classes, or name one set"),
    ],
)
def test_a_set_is_never_read_as_a_class(make: Make, folders: str, text: str) -> None:
    files: dict[str, bytes] = {}
    for folder in folders.split():
        files |= {f"{folder}/1.png": NOISE} if folder.endswith("all") else tree(above=f"{folder}/")
    root = make(files)
    for load in (load_image_folder, ImageFolder):
        with pytest.raises(DataFormatError, match=text):
            load(root, (6, 9))


def test_sets_inside_of_each_class_are_refused(make: Make) -> None:
    root = make(tree("train test", above="cat/") | tree("train test", above="dog/"))
    with pytest.raises(DataFormatError, match="class inside, found such sets inside of cat, dog"):
        load_image_folder(root, (6, 9))


def test_a_single_set_is_not_made_of_two(make: Make) -> None:
    root = make(tree(count=4, above="Training/") | tree(count=1, above="Testing/"))
    with pytest.raises(
        DataFormatError,
        match="expected a folder for each class, found the sets Testing, Training; load them with load_image_folder, "
        "or one with part='Training'",
    ):
        ImageFolder(root, (6, 9))
    assert len(ImageFolder(root, (6, 9), part="Training")) == 8


@pytest.mark.parametrize("classes", ["bullet_train test_tube bus", "valid invalid", "test_pass test_fail", "dev ops"])
def test_classes_with_a_word_of_the_sets(make: Make, classes: str) -> None:
    assert ImageFolder(make(tree(classes)), (6, 9)).class_names == tuple(sorted(classes.split()))


def test_classes_may_have_folders_inside(make: Make) -> None:
    files = tree("day night", above="cat/") | tree("day noon", above="dog/")
    assert ImageFolder(make(files), (6, 9)).class_names == ("cat", "dog")


@pytest.mark.parametrize("inside", ["", "test/"])
def test_a_test_folder_without_classes_is_named(tmp_path: Path, inside: str) -> None:
    """As competitions publish them."""
    files = tree(above="pets/train/") | {f"pets/test/{inside}{i}.png": NOISE for i in range(2)}
    root = pack(tmp_path / "data", "folder", files)
    with pytest.raises(DataFormatError) as caught:
        load_image_folder(root, (6, 9))
    assert str(caught.value) == (
        f"{root}: expected a folder for each class in test, found pets/test/{inside}0.png without a class; "
        f"name {root / 'pets' / 'train'} instead, and a fifth of its pictures is the test set"
    )
    train, test = load_image_folder(root / "pets" / "train", (6, 9))
    assert (len(train), len(test)) == (4, 2)
    with pytest.raises(DataFormatError, match=r"unpack it and name .*data\.zip/pets/train instead"):
        load_image_folder(pack(tmp_path / "data.zip", "zip", files), (6, 9))


def test_the_validation_set_replaces_a_test_set_without_classes(make: Make) -> None:
    files = tree(count=4, above="train/") | tree(count=1, above="val/") | {"test/1.png": NOISE}
    train, test = load_image_folder(make(files), (6, 9))
    assert (len(train), len(test)) == (8, 2)
    assert test.note == "the pictures in 'val' are the test set; not used: test"


def test_a_class_may_be_called_train(make: Make) -> None:
    train, _ = load_image_folder(make(tree("bus plane train")), (6, 9))
    assert train.class_names == ("bus", "plane", "train")


def test_a_fifth_is_the_test_set_by_default(make: Make) -> None:
    root = make(tree(count=5))
    train, test = load_image_folder(root, (6, 9))
    assert (len(train), len(test)) == (8, 2)
    assert test.note == "no folder 'test': 2 of 10 pictures, drawn by seed 0, are the test set"
    both = np.concatenate([train.images, test.images]).reshape(10, -1)
    assert len(np.unique(both, axis=0)) == 10
    again, _ = load_image_folder(root, (6, 9))
    assert np.array_equal(again.images, train.images)
    other, _ = load_image_folder(root, (6, 9), seed=1)
    assert not np.array_equal(other.images, train.images)


@pytest.mark.parametrize(("counts", "expected"), [((5, 5), (1, 1)), ((2, 9), (1, 2)), ((1, 3), (0, 1))])
def test_each_class_is_in_both_sets_if_possible(make: Make, counts: tuple[int, int], expected: tuple) -> None:
    root = make(tree("cat", counts[0]) | tree("dog", counts[1]))
    train, test = load_image_folder(root, (6, 9))
    assert tuple(np.bincount(test.labels, minlength=2)) == expected
    assert tuple(np.bincount(train.labels, minlength=2)) == tuple(np.subtract(counts, expected))


def test_one_picture_of_each_class_cannot_be_split(make: Make) -> None:
    with pytest.raises(
        DataFormatError, match="expected a class with at least two pictures, one of them for the test set"
    ):
        load_image_folder(make(tree(count=1)))


def test_different_classes_in_train_and_test(make: Make) -> None:
    root = make(tree(above="train/") | tree("cat horse", above="test/"))
    with pytest.raises(DataFormatError, match="the same classes in train and test, found cat, dog and cat, horse"):
        load_image_folder(root)


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"notes.txt": b"x"}, "pets.*: expected a folder of PNG or JPEG pictures for each class, found no pictures"),
        (tree("cat"), "at least two classes; found only cat"),
        (tree() | {"loose.png": b"x"}, "found loose.png outside of these folders"),
        (tree() | {"cat/bad.png": b"no picture"}, r"bad\.png: expected a PNG or JPEG picture, found another kind"),
        (
            tree() | {"cat/bad.png": NOISE[:100]},
            r"bad\.png: expected a whole PNG, found a damaged one",
        ),
        (tree() | {"cat/bad.png": b""}, r"bad\.png: expected a PNG or JPEG picture"),
        (tree() | {"cat/bad.png": png_of(0, 9)}, r"bad\.png: expected .* found a damaged one or one without pixels"),
        (tree() | {"cat/bad.png": png_of(40_000, 40_000)}, r"bad\.png: expected at most 40,000,000 pixels"),
        (tree() | {"cat/bad.png": png_of(40_000, 9)}, r"bad\.png: expected at most .* 20,000 a side"),
    ],
)
def test_errors_name_the_file(make: Make, files: dict[str, bytes], text: str) -> None:
    with pytest.raises(DataFormatError, match=text):
        ImageFolder(make(files))


def test_a_gif_is_not_read_under_another_name(make: Make) -> None:
    file = io.BytesIO()
    Image.new("RGB", (5, 5)).save(file, "GIF")
    with pytest.raises(DataFormatError, match=r"bad\.png: expected a PNG or JPEG picture, found another kind of file"):
        ImageFolder(make(tree() | {"dog/bad.png": file.getvalue()}))


def test_a_class_without_pictures_is_named_with_its_endings(make: Make) -> None:
    files = tree() | {"fox/1.xyz": b"x", "fox/2.XYZ": b"x", "fox/deep/notes": b"x"}
    text = "expected a folder of PNG or JPEG pictures for each class, found none in fox but files with .xyz, no ending"
    with pytest.raises(DataFormatError, match=f"{text}; convert them, or leave the folder out with skip_broken"):
        ImageFolder(make(files))
    with pytest.warns(UserWarning, match=f"{text}; it is left out"):
        assert ImageFolder(make(files, "others"), skip_broken=True).class_names == ("cat", "dog")
    with pytest.raises(DataFormatError, match=r"found no pictures but files with \.a, \.b, \.c, \.d, \.e, \.\.\.$"):
        ImageFolder(make({f"cat/1.{ending}": b"" for ending in "fedcba"}, "none"))
    with pytest.raises(DataFormatError, match=r"test: .* found no pictures but files with \.xyz"):
        load_image_folder(make(tree(above="train/") | {"test/cat/1.xyz": b"", "test/dog/1.xyz": b""}, "half"))


@pytest.mark.parametrize("suffix", ["ppm", "webp", "GIF", "bmp", "tiff"])
def test_other_image_formats_are_not_skipped_silently(make: Make, suffix: str) -> None:
    files = tree() | {f"fox/{i}.{suffix}": b"RIFF" for i in range(2)}
    with pytest.raises(DataFormatError, match=rf"fox/0\.{suffix}: expected a PNG or JPEG picture, found another kind"):
        ImageFolder(make(files))
    with pytest.raises(DataFormatError, match="no picture of fox could be read"):
        ImageFolder(make(files), skip_broken=True)
    with pytest.warns(UserWarning, match=rf"1 of 7 pictures were skipped: .*cat/9\.{suffix}: expected"):
        assert len(ImageFolder(make(tree() | {f"cat/9.{suffix}": b"RIFF"}, "others"), skip_broken=True)) == 6


def test_damaged_pictures_are_skipped_if_requested(make: Make) -> None:
    root = make(tree() | {"cat/1.png": b"no picture", "dog/9.png": png_of(0, 9)})
    with pytest.warns(UserWarning, match=r"2 of 7 pictures were skipped: .*1\.png: expected .*; .*9\.png: expected"):
        data = ImageFolder(root, (6, 9), skip_broken=True)
    assert data.names == ("cat/0.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/2.png")
    assert data.images[:, 1, 0, 0].tolist() == [0, 100, 0, 50, 100]
    assert len(data.skipped) == 2


def test_a_class_without_a_valid_picture_is_an_error(make: Make) -> None:
    files = tree() | {f"horse/{i}.png": b"no picture" for i in range(2)}
    with pytest.raises(DataFormatError, match="no picture of horse could be read"):
        ImageFolder(make(files), skip_broken=True)


def test_a_damaged_member_of_a_zip_is_named(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets.zip", "zip", tree())
    content = bytearray(root.read_bytes())
    content[content.index(b"dog/1.png") + 20] ^= 0xFF
    root.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"pets\.zip: dog/1\.png: expected a whole archive"):
        ImageFolder(root)
    with pytest.warns(UserWarning, match="1 of 6 pictures were skipped"):
        assert len(ImageFolder(root, skip_broken=True)) == 5


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a folder, a zip or a tar archive, found nothing"):
        ImageFolder(tmp_path / "missing")


def test_a_file_that_is_too_large_is_not_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numpycnn.data.image_folder.MAX_BYTES", 50)
    with pytest.raises(DataFormatError, match=r"0\.png: expected at most 50 bytes, found"):
        ImageFolder(make(tree()))


def test_a_link_cycle_ends(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree())
    (root / "cat" / "again").symlink_to(root)
    assert len(ImageFolder(root)) == 6


def test_a_picture_removed_while_reading_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = pack(tmp_path / "pets", "folder", tree())
    listed = list(members(root))
    monkeypatch.setattr("numpycnn.data.image_folder.members", lambda root: listed[:4])
    with pytest.raises(DataFormatError, match=r"dog/1\.png was removed while the folder was read"):
        ImageFolder(root)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_an_error(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree())
    (root / "dog").chmod(0)
    try:
        with pytest.raises(PermissionError):
            ImageFolder(root)
    finally:
        (root / "dog").chmod(0o700)


def test_real_cifar_pictures(data_folder: Path) -> None:
    root = data_folder / "cifar10-jpeg.zip"
    if not root.is_file():
        pytest.skip("NUMPYCNN_DATA does not contain cifar10-jpeg.zip")
    data = ImageFolder(root, (32, 32), part="test")
    assert data.images.shape == (10_000, 3, 32, 32)
    assert np.bincount(data.labels).tolist() == [1000] * 10
    assert data.class_names[0] == "airplane"
