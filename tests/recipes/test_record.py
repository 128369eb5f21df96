"""The record distinguishes data sets, and names versions and machine."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import numpycnn
from numpycnn.data import Dataset
from numpycnn.recipes import SettingError, record
from numpycnn.recipes.record import code_digest, digest, digests, expect_same_data, machine, versions

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4)


def dataset(images: np.ndarray = IMAGES, labels: tuple[int, ...] = (0, 1)) -> Dataset:
    return Dataset(images, labels, ("no", "yes"))


def test_a_digest_is_of_examples_and_labels() -> None:
    changed = IMAGES.copy()
    changed[1, 0, 2, 3] += 1
    others = [
        dataset(changed),
        dataset(labels=(1, 0)),
        dataset(IMAGES.reshape(2, 1, 4, 3)),
        dataset(IMAGES.astype(np.float32)),
        dataset(IMAGES[::-1], (1, 0)),
        dataset(IMAGES[:0], ()),
    ]
    found = {digest(other) for other in [dataset(), *others]}
    assert len(found) == 1 + len(others)
    assert {len(one) for one in found} == {64}


def test_the_digest_does_not_depend_on_the_memory_layout() -> None:
    assert digest(dataset(np.asfortranarray(IMAGES))) == digest(dataset()) == digest(dataset().replace(name="other"))


def test_a_training_is_resumed_with_its_own_data() -> None:
    model = numpycnn.Sequential([numpycnn.Flatten()], input_shape=(1, 3, 4))
    train, test = dataset(), dataset(IMAGES[::-1])
    model.metadata = {"data_sha256": digests(train, test)}
    expect_same_data(model, train, test)
    assert digests(train, test) == {"train": digest(train), "test": digest(test)}
    with pytest.raises(SettingError, match="began with another training set than the one found in memory: files were"):
        expect_same_data(model, dataset(labels=(1, 0)), test)
    with pytest.raises(SettingError, match=r"another test set .* restore them, or train anew with force=True"):
        expect_same_data(model, train, dataset())
    model.metadata = {"data_sha256": "?"}
    with pytest.raises(SettingError, match="another training set"):
        expect_same_data(model, train, test)
    model.metadata = {}  # of an earlier version
    expect_same_data(model, train, test)


def test_the_digest_of_the_code_is_of_names_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest()
    package = tmp_path / "numpycnn"
    shutil.copytree(Path(numpycnn.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(record, "__file__", str(package / "recipes" / "record.py"))
    assert code_digest() == before
    (package / "errors.py").rename(package / "penalties.py")
    renamed = code_digest()
    (package / "penalties.py").write_text("changed = True\n")
    assert len({before, renamed, code_digest()}) == 3


def test_versions_and_machine() -> None:
    found = versions()
    assert found["numpycnn"] == numpycnn.__version__
    assert found["numpy"] == np.__version__
    assert machine()["cores"] >= 1
    assert machine()["processor"]
    assert machine()["compiled_for"]
