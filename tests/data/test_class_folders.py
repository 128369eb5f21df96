"""Trees of folders that are classes, sets or neither."""

import shutil
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data.image_folder import ImageFolder, load_image_folder
from numpycnn.errors import DataFormatError
from tests.data.small import pack, picture_bytes

PICTURE = picture_bytes(np.zeros((2, 3, 3), np.uint8))
SIZE = (4, 4)


def tree(folders: str, count: int = 2) -> dict[str, bytes]:
    """Pictures in some folders, as in "a/cat b/{cat,dog}"."""
    found = {}
    for folder in folders.split():
        above, _, names = folder.rstrip("}").partition("{")
        found |= {f"{above}{name}/{i}.png": PICTURE for name in names.split(",") for i in range(count)}
    return found


SPLITS = """train other | train unseen | train query | trainval test | train_labeled train_unlabeled | training holdout
trn tst | tr te | xtrain xtest | subtrain subtest | imagesTr imagesTs | learn holdout | fold1 fold2 | gallery probe
support query | source target | entrenamiento prueba | x1 x2 x3"""


@pytest.mark.parametrize("folders", SPLITS.replace("\n", " | ").split(" | "))
def test_folders_with_the_same_classes_inside_are_not_classes(tmp_path: Path, folders: str) -> None:
    root = pack(tmp_path / "pets", "folder", tree(" ".join(f"{folder}/{{cat,dog}}" for folder in folders.split())))
    for load in (ImageFolder, load_image_folder):
        with pytest.raises(
            DataFormatError, match=r"name one set$|if these are sets, name them train and test, or load"
        ):
            load(root, SIZE)
    part = folders.split()[0]
    assert ImageFolder(root, SIZE, part=part).class_names == ("cat", "dog")  # one of them


def test_the_message_names_the_folders_and_the_ways_out(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree("x/{cat,dog,fox} y/{Cat,dog} z"))
    with pytest.raises(DataFormatError) as caught:
        ImageFolder(root, SIZE)
    assert str(caught.value) == (
        f"{root}: expected a folder of PNG or JPEG pictures for each class, found the same folders cat, dog in x, y; "
        "if these are sets, name them train and test, or load one of them; if they are classes, take the pictures out "
        "of the folders inside"
    )


@pytest.mark.parametrize(
    "folders", ["cat/{young,old} dog/{young,puppy}", "cat/{a,b} dog/{c,d}", "cat/{a,b} dog", "a/x b/x"]
)
def test_classes_with_other_folders_inside(tmp_path: Path, folders: str) -> None:
    root = pack(tmp_path / "pets", "folder", tree(folders))
    assert ImageFolder(root, SIZE).class_names == tuple(sorted(folder.split("/")[0] for folder in folders.split()))


def test_a_set_with_classes_of_its_own_beside_others_is_refused(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree("train/{cat,dog} more/{fox,owl}"))
    with pytest.raises(DataFormatError, match="found more, train; rename train if these are classes, or name one set"):
        ImageFolder(root, SIZE)


@pytest.mark.parametrize("name", ["train test", "Train Test"])
def test_full_width_letters_name_the_two_sets(tmp_path: Path, name: str) -> None:
    wide = [folder.translate({ord(letter): ord(letter) + 0xFEE0 for letter in folder}) for folder in name.split()]
    root = pack(tmp_path / "pets", "folder", tree(" ".join(f"{folder}/{{cat,dog}}" for folder in wide)))
    train, test = load_image_folder(root, SIZE)
    assert (len(train), len(test), train.class_names, test.note) == (4, 4, ("cat", "dog"), "")


def test_sets_inside_of_some_classes_are_refused(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree("cat/{train,test} dog/{train,test} bird"))
    with pytest.raises(DataFormatError, match=r"class inside, found such sets inside of cat, dog$"):
        ImageFolder(root, SIZE)


def test_sets_inside_of_a_part_are_refused(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", tree("v1/train/{cat,dog} v1/test/{cat,dog} v2/train/{cat,dog}"))
    with pytest.raises(DataFormatError, match=r"v1: expected .* each class, found the sets test, train; load"):
        ImageFolder(root, SIZE, part="v1")


@pytest.mark.parametrize(
    "folders",
    ["images masks", "JPEGImages SegmentationClass", "img gt edges", "imagesTr labelsTr", "photos annotations/{a,b}"],
)
def test_pictures_with_masks_are_not_classes(tmp_path: Path, folders: str) -> None:
    names = [folder.split("/")[0] for folder in folders.split()[:2]]
    root = pack(tmp_path / "cells", "folder", tree(folders))
    with pytest.raises(DataFormatError, match=f"found {names[0]} and {names[1]}, which look like pictures with a mask"):
        ImageFolder(root, SIZE)
    sets = " ".join(f"{part}/{folder}" for part in ("train", "test") for folder in folders.split())
    with pytest.raises(DataFormatError, match=f"train: .* found {names[0]} and {names[1]}, which look like"):
        load_image_folder(pack(tmp_path / "sets", "folder", tree(sets)), SIZE)


def test_classes_of_masks(tmp_path: Path) -> None:
    root = pack(tmp_path / "faces", "folder", tree("with_mask without_mask image_of_a_mask"))
    assert len(ImageFolder(root, SIZE).class_names) == 3


# ---------------------------------------------------------------------------------------------------- unread files


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_an_empty_class_folder_is_named(tmp_path: Path, kind: str) -> None:
    folder = pack(tmp_path / "pets", "folder", tree("pets/{cat,dog}"))
    (folder / "pets" / "fox" / "deep").mkdir(parents=True)
    (folder / "pets" / "fox" / ".DS_Store").touch()
    (folder / "logs").mkdir()  # outside of the folder with the classes
    root = folder
    if kind != "folder":
        root = Path(shutil.make_archive(str(tmp_path / "archive"), {"tar.gz": "gztar"}.get(kind, kind), folder))
    text = "expected a folder of PNG or JPEG pictures for each class, found none in fox"
    with pytest.raises(DataFormatError, match=f"{text}; leave the folder out with skip_broken$"):
        ImageFolder(root, SIZE)
    with pytest.warns(UserWarning, match=f"{text}; it is left out"):
        assert ImageFolder(root, SIZE, skip_broken=True).class_names == ("cat", "dog")


def test_an_empty_folder_of_an_old_packer_on_windows(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets.zip", "zip", tree("cat dog"))
    with zipfile.ZipFile(root, "a") as archive:
        archive.writestr("fox\\", b"")
    with pytest.raises(DataFormatError, match="found none in fox; leave"):
        ImageFolder(root, SIZE)


def test_files_that_are_not_read_are_counted(tmp_path: Path) -> None:
    others = [*(f"cat/{i}.dng" for i in range(90)), "dog/1.SVG", "dog/deep/2.npy", "dog/notes", "dog/1.jpg.part"]
    system = ["cat/Thumbs.db", "cat/desktop.ini", "cat/.DS_Store", "dog/Icon\r", "readme.txt"]
    root = pack(tmp_path / "pets", "folder", tree("cat dog fox") | dict.fromkeys(others + system, b"x"))
    with pytest.warns(UserWarning, match="94 files") as caught:
        data = ImageFolder(root, SIZE)
    assert [str(warning.message) for warning in caught] == [
        f"{root}: 94 files are not read: 90 in cat (.dng), 4 in dog (.npy, .part, .svg, no ending)"
    ]
    assert len(data) == 6


def test_many_folders_are_shortened(tmp_path: Path) -> None:
    files = tree("a b c d e f") | {f"{name}/list.{name * 3}": b"x" for name in "abcdef"} | {"f/x": b"", "f/y": b""}
    with pytest.warns(
        UserWarning, match=r": 8 files .*: 3 in f \(\.fff, no ending\), 1 in a .*, 1 in d \(\.ddd\), \.\.\.$"
    ):
        ImageFolder(pack(tmp_path / "pets", "folder", files), SIZE)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("Cat", "cat"), "'Cat' and 'cat'"),
        (("cat", "cat "), "'cat' and 'cat '"),
        (("stra\xdfe", "STRASSE"), r"'STRASSE' and 'stra\\xdfe'"),
        ((unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")), r"'e\\u0301' and '\\xe9'"),
    ],
)
def test_class_names_that_look_alike_are_refused(tmp_path: Path, names: tuple[str, str], shown: str) -> None:
    files = {f"{name}/{i}.png": PICTURE for name in ("dog", *names) for i in range(2)}
    with pytest.raises(
        DataFormatError, match=f"found {shown}, which differ in case, spaces or Unicode form alone; join"
    ):
        ImageFolder(pack(tmp_path / "pets.zip", "zip", files), SIZE)
