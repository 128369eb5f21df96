"""A model input from a file: pictures read as in the training, pictures resized to fit, and arrays."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import numpycnn as nn
from numpycnn.cli.console import CommandError
from numpycnn.cli.inputs import example_of, from_picture
from numpycnn.data import prepare_digit, read_picture
from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.text import SentenceReader
from numpycnn.errors import DataFormatError


@pytest.fixture
def photo(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A dark stroke on paper that is not quite white, wider than high."""
    pixels = rng.integers(225, 236, (400, 500, 3)).astype(np.uint8)
    pixels[90:310, 240:270] = (20, 30, 90)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def plain(*shape: int) -> nn.Sequential:
    return nn.Sequential([nn.Flatten(), nn.Dense(3)], input_shape=shape)


def test_a_trained_model_gets_pictures_with_its_preprocessing(trained: Path, photo: Path) -> None:
    model = nn.load_model(trained / "model.safetensors")
    found = example_of(model, str(trained), str(photo))
    image = prepare_digit(read_picture(photo))
    assert found.image is not None
    assert np.array_equal(found.image, image)
    assert np.allclose(found.x, (image / 255 - 0.1307) / 0.3081, atol=1e-6)
    assert found.x.dtype == np.float32
    assert found.class_names == tuple("0123456789")
    assert (found.title, list(found.notes)) == ("one.png", [])


def test_the_shown_picture_is_small(trained: Path, photo: Path) -> None:
    found = example_of(nn.load_model(trained / "model.safetensors"), "", str(photo))
    assert found.picture is not None
    assert found.picture.shape == (256, 320, 3)


@pytest.mark.parametrize(("shape", "kind"), [((1, 12, 15), "grey"), ((3, 12, 15), "colors")])
def test_any_other_model_gets_a_resized_picture(shape: tuple[int, ...], kind: str, photo: Path) -> None:
    found = example_of(plain(*shape), "own.safetensors", str(photo))
    assert found.image is not None
    assert found.image.shape == found.x.shape == shape, kind
    assert np.allclose(found.x, found.image / 255)
    assert found.class_names is None
    (note,) = found.notes
    assert note.startswith("The model does not describe its preprocessing: the picture was resized to its input shape")


def test_a_network_of_the_zoo_is_noted_as_untrained(photo: Path) -> None:
    found = example_of(plain(1, 12, 15), "lenet", str(photo))
    assert found.class_names == ["0", "1", "2"]
    assert found.notes[0] == "lenet has random weights: it has not been trained."


def test_an_array_is_not_changed(tmp_path: Path, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 9))
    np.save(tmp_path / "x.npy", x)
    found = example_of(nn.Sequential([nn.Conv1D(2, 3)], input_shape=(4, 9)), "own", str(tmp_path / "x.npy"))
    assert found.x.dtype == np.float32
    assert np.allclose(found.x, x)
    assert (found.title, found.picture, found.image, list(found.notes)) == ("x.npy", None, None, [])
    np.save(tmp_path / "words.npy", np.arange(6))
    words = nn.Sequential([nn.Embedding(9, 4)], input_shape=(6,))
    assert example_of(words, "own", str(tmp_path / "words.npy")).x.dtype.kind == "i"


def test_a_sentence_becomes_tokens_with_their_words() -> None:
    reader = SentenceReader(("<padding>", "<unknown>", "a", "film"), 5)
    model = nn.Sequential([nn.Embedding(4, 3), nn.Flatten(), nn.Dense(2)], input_shape=(5,))
    model.metadata = {"dataset": "s", "class_names": ["bad", "good"], "mean": [], "std": [], "reader": reader.to_json()}
    found = example_of(model, "own", "A dull film")
    assert found.x.tolist() == [2, 1, 3, 0, 0]
    assert found.words == ["a", "<unknown>", "film", "<padding>", "<padding>"]
    assert (found.title, found.class_names) == ("A dull film", ("bad", "good"))


def test_a_recording_becomes_a_spectrogram(tmp_path: Path, rng: np.random.Generator) -> None:
    reader = SpectrogramReader(rate=8000)
    shape = reader.shape
    model = nn.Sequential([nn.Flatten(), nn.Dense(2)], input_shape=shape)
    model.metadata = {"dataset": "r", "class_names": ["no", "yes"], "mean": [1.0], "std": [2.0]}
    model.metadata["reader"] = reader.to_json()
    with wave.open(str(tmp_path / "one.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(rng.integers(-9000, 9000, 4000, dtype=np.int16).tobytes())
    found = example_of(model, "own", str(tmp_path / "one.wav"))
    assert np.allclose(found.x, (reader.read(tmp_path / "one.wav") - 1) / 2, atol=1e-6)
    assert (found.title, found.class_names, found.picture) == ("one.wav", ("no", "yes"), None)


def test_an_array_that_does_not_fit_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.npy"
    np.save(file, np.ones((2, 3)))
    with pytest.raises(CommandError, match=r"expected an array of shape \(4, 9\) of float32, got \(2, 3\) of float64"):
        example_of(nn.Sequential([nn.Conv1D(2, 3)], input_shape=(4, 9)), "own", str(file))
    with pytest.raises(CommandError, match=r"expected an array of shape \(2, 3\) of int64, got \(2, 3\) of float64"):
        example_of(nn.Sequential([nn.Embedding(9, 4)], input_shape=(2, 3)), "own", str(file))
    np.save(file, np.array(["a", "b"]))
    with pytest.raises(CommandError, match=r"expected an array of shape \(2,\) of float32, got \(2,\) of <U1"):
        example_of(nn.Sequential([nn.Dense(3)], input_shape=(2,)), "own", str(file))


@pytest.mark.parametrize(("value", "text"), [(np.nan, "nan"), (-np.inf, "-inf"), (1e300, r"1e\+300")])
def test_an_array_that_is_not_finite_is_named(tmp_path: Path, value: float, text: str) -> None:
    model, file, x = nn.Sequential([nn.Conv1D(2, 3)], input_shape=(4, 9)), tmp_path / "x.npy", np.ones((4, 9))
    x[2, 5] = value
    np.save(file, x)
    with pytest.raises(CommandError, match=rf"x\.npy: expected finite values of float32, got {text} at \(2, 5\)$"):
        example_of(model, "own", str(file))
    x[3] = value
    np.save(file, x)
    with pytest.raises(CommandError, match=r"at \(2, 5\) and 9 more that are not$"):
        example_of(model, "own", str(file))


def test_an_invalid_array_file_is_named(tmp_path: Path) -> None:
    model = nn.Sequential([nn.Dense(3)], input_shape=(2,))
    file = tmp_path / "x.npy"
    for content in (b"", b"no array", b"\x93NUMPY\x01\x00"):
        file.write_bytes(content)
        with pytest.raises(CommandError, match=r"x\.npy: .*; expected an array in a \.npy file"):
            example_of(model, "own", str(file))
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(CommandError, match="Object arrays cannot be loaded"):
        example_of(model, "own", str(file))
    with file.open("wb") as several:
        np.savez(several, a=np.ones(2))
    with pytest.raises(CommandError, match=r"of shape \(2,\) of float32, got several arrays"):
        example_of(model, "own", str(file))
    with pytest.raises(FileNotFoundError):
        example_of(model, "own", str(tmp_path / "none.npy"))


def test_a_model_without_picture_inputs_refuses_a_picture(photo: Path) -> None:
    with pytest.raises(CommandError, match=r"of 1 or 3 channels, got one for inputs of shape \(4, 9\); give .* \.npy"):
        example_of(nn.Sequential([nn.Conv1D(2, 3)], input_shape=(4, 9)), "own", str(photo))
    with pytest.raises(CommandError, match=r"got one for inputs of shape \(2, 8, 8\)"):
        from_picture(plain(2, 8, 8), "own", None, "a drawing")


def test_an_invalid_picture_is_named(tmp_path: Path, trained: Path) -> None:
    model = nn.load_model(trained / "model.safetensors")
    (tmp_path / "x.png").write_bytes(b"GIF89a")
    with pytest.raises(DataFormatError, match="expected a PNG or JPEG picture"):
        example_of(model, "", str(tmp_path / "x.png"))
    with pytest.raises(CommandError, match=r"a drawing: .*found only background"):
        from_picture(model, "", np.full((50, 50), 255, np.uint8), "a drawing")


def test_an_empty_drawing(trained: Path) -> None:
    model = nn.load_model(trained / "model.safetensors")
    found = from_picture(model, str(trained), None, "a drawing")
    assert np.allclose(found.x, -0.1307 / 0.3081, atol=1e-6)
    assert found.class_names == tuple("0123456789")
    other = from_picture(plain(3, 4, 5), "own", None, "a drawing")
    assert other.x.shape == (3, 4, 5)
    assert not other.x.any()
    assert other.class_names is None
