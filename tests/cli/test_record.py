"""What is written down tells data apart, and names versions and machine."""

import numpy as np

import numpycnn
from numpycnn.cli.record import digest, machine, versions
from numpycnn.data import Dataset

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


def test_the_same_data_has_the_same_digest_however_it_lies_in_memory() -> None:
    assert digest(dataset(np.asfortranarray(IMAGES))) == digest(dataset()) == digest(dataset().replace(name="other"))


def test_versions_and_machine() -> None:
    found = versions()
    assert found["numpycnn"] == numpycnn.__version__
    assert found["numpy"] == np.__version__
    assert machine()["cores"] >= 1
    assert machine()["processor"]
