"""Encoded arrays, and the selection of channels."""

import base64

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.explain.arrays import Choice, Store, choose
from numpycnn.inspection.traces import Passage, follow
from numpycnn.models import create


def passages(model: nn.Sequential) -> list[Passage]:
    assert model.input_shape is not None
    return list(follow(model, np.ones((1, *model.input_shape), np.float32)).values())


def decoded(entry: dict[str, object]) -> np.ndarray:
    kind = "<f4" if entry["kind"] == "float32" else "u1"
    return np.frombuffer(base64.b64decode(str(entry["data"])), kind)


def test_values_round_trip(rng: np.random.Generator) -> None:
    store = Store(Choice(maps=2, largest=10**6, dense=0))
    array = rng.normal(size=(5, 3, 4))
    assert store.add(array) == 0
    assert store.add_map(array) == 1
    assert store.add_picture(np.arange(12, dtype=np.uint8).reshape(1, 3, 4)) == 2
    whole, some, picture = store.arrays
    assert whole["shape"] == [5, 3, 4]
    assert whole["channels"] is None
    assert decoded(whole).tobytes() == array.astype(np.float32).tobytes()
    assert some["channels"] == [0, 4]
    assert decoded(some).tobytes() == array[[0, 4]].astype(np.float32).tobytes()
    assert decoded(picture).tolist() == list(range(12))


def test_big_endian_and_strided_arrays(rng: np.random.Generator) -> None:
    store = Store(Choice(2, 10**6, 0))
    array = rng.normal(size=(4, 6)).astype(">f8")
    store.add(array[:, ::2])
    assert decoded(store.arrays[0]).tolist() == array[:, ::2].astype(np.float32).ravel().tolist()


def test_equal_arrays_are_stored_once() -> None:
    store = Store(Choice(9, 10**6, 0))
    assert store.add(np.ones((2, 3))) == store.add(np.ones((2, 3)))
    assert store.add(np.ones((3, 2))) == 1
    assert store.add(np.zeros((2, 3))) == 2


def test_the_kept_channels_are_spread_evenly() -> None:
    choice = Choice(maps=3, largest=100, dense=0)
    assert choice.channels((9, 2, 2)).tolist() == [0, 4, 8]
    assert choice.channels((3, 2, 2)).tolist() == [0, 1, 2]
    assert choice.channels((9,)).tolist() == list(range(9))  # a vector is kept whole
    assert choice.channels((9, 6, 6)).tolist() == []  # a map of 144 bytes is too large


def test_the_units_with_the_largest_outputs_keep_their_weights() -> None:
    outputs = np.array([0.0, 5.0, -7.0, 6.0])
    assert Choice(1, 1, dense=80).rows(outputs, features=10).tolist() == [1, 3]
    assert Choice(1, 1, dense=0).rows(outputs, features=10).tolist() == [3]
    assert Choice(1, 1, dense=999).rows(outputs, features=10).tolist() == [0, 1, 2, 3]


def test_a_small_network_is_kept_whole() -> None:
    found = passages(create("tiny_vgg", (1, 28, 28), 10))
    choice = choose(found)
    assert choice.maps >= 10
    assert all(len(choice.channels(p.y.shape[1:])) == p.y.shape[1] for p in found)
    assert len(choice.rows(found[-1].y[0], 490)) == 10


@pytest.mark.parametrize("most_bytes", [20_000, 60_000, 200_000, 600_000])
def test_the_size_limit_is_respected(most_bytes: int) -> None:
    model = nn.Sequential(
        [
            nn.Conv2D(24, 3),
            nn.ReLU(),
            nn.Concat([nn.Conv2D(20, 3, padding=1), nn.Conv2D(12, 1)]),
            nn.ConvTranspose2D(16, 2, groups=4),
            nn.Flatten(),
            nn.Dense(30),
        ],
        input_shape=(3, 14, 17),
    )
    found = passages(model)
    choice = choose(found, most_bytes)
    kept = sum(4 * len(choice.channels(p.y.shape[1:])) * int(np.prod(p.y.shape[2:])) for p in found)
    assert kept <= most_bytes
    assert choice.dense <= most_bytes
    if most_bytes == 600_000:
        assert choice.maps > 4


def test_maps_beyond_the_limit_are_omitted() -> None:
    model = nn.Sequential([nn.ReLU(), nn.AvgPool2D(8), nn.Flatten(), nn.Dense(2)], input_shape=(1, 256, 256))
    choice = choose(passages(model), 100_000)
    assert choice.channels((1, 256, 256)).tolist() == []
    assert choice.channels((1, 32, 32)).tolist() == [0]


def test_a_network_without_maps() -> None:
    choice = choose(passages(nn.Sequential([nn.Dense(3)], input_shape=(4,))))
    assert len(choice.rows(np.zeros(3), 4)) == 3
