"""From a file that a user names to one input of a model, with everything that a page about it should say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from numpycnn.cli.console import CommandError, refusing
from numpycnn.cli.networks import file_of
from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.pictures import PictureFileReader, fit_picture, read_picture
from numpycnn.data.text import SentenceReader
from numpycnn.explain import Example
from numpycnn.functional.checks import spell
from numpycnn.models import MODELS
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.networks import Training, training_of
from numpycnn.sequential import Sequential

LARGEST_SHOWN = 320  # pixels of the longer side of a picture in a page
CHANNELS = (1, 3)  # that a picture can have


def example_of(model: Sequential, text: str, file: str) -> Example:
    """Return the input that a picture, a recording, a sentence, or an array in a ``.npy`` file is for a model.

    Parameters
    ----------
    model : Sequential
    text : str
        What the user called it.
    file : str
        Its name; for a model that reads, the sentence itself.

    Raises
    ------
    CommandError, OSError, DataFormatError
        If there is no such file, or it is no input of this model.
    """
    if Path(file).suffix == ".npy":
        return _from_array(model, text, file)
    training = training_of(model)
    if training is not None and isinstance(training.reader, SentenceReader):
        tokens = training.reader.read(file)
        words = [training.reader.words[token] for token in tokens]
        return Example(tokens, title=file, class_names=training.class_names, words=words)
    if training is not None and isinstance(training.reader, SpectrogramReader):
        x = normalised(model, training, training.reader.read(file))
        return Example(x, title=Path(file).name, class_names=training.class_names)
    if training is None or not isinstance(training.reader, PictureFileReader):
        _picture_shape(model, text)  # a model that sees nothing is no reason to ask for a picture
    return from_picture(model, text, read_picture(file), Path(file).name)


def from_picture(model: Sequential, text: str, pixels: np.ndarray, title: str) -> Example:
    """Return the input that a picture, uint8 ``(H, W)`` or ``(H, W, 3)``, is for a model.

    A model that `numpycnn train` made says how; for any other the picture is brought to its size, and its pixels to
    numbers from 0 to 1.
    """
    training = training_of(model)
    if training is not None and isinstance(training.reader, PictureFileReader):
        with refusing(ValueError, prefix=f"{spell_path(title)}: "):
            image = training.reader.prepare(pixels)  # (C, H, W)
        x = normalised(model, training, image)
        names: Sequence[str] | None = training.class_names
        notes = _weights_note(text)
    else:
        image = fit_picture(pixels, *_picture_shape(model, text))
        x = (image / 255).astype(model.dtype)
        names, notes = _numbered(model, text), _weights_note(text)
        notes.append(
            "The model does not say how its inputs are made: the picture was brought to its size, and its pixels to "
            "numbers from 0 to 1."
        )
    return Example(x, title=title, picture=_small(pixels), image=image, class_names=names, notes=notes)


def blank(model: Sequential, text: str) -> Example:
    """Return the input that a picture with nothing in it would be."""
    training = training_of(model)
    if training is not None and isinstance(training.reader, PictureFileReader):
        image = np.zeros(model.input_shape or (), np.uint8)
        x = normalised(model, training, image)
        names: Sequence[str] | None = training.class_names
    else:
        (height, width), channels = _picture_shape(model, text)
        image = np.zeros((channels, height, width), np.uint8)
        x, names = image.astype(model.dtype), _numbered(model, text)
    return Example(x, title="a drawing", image=image, class_names=names, notes=_weights_note(text))


def normalised(model: Sequential, training: Training, image: np.ndarray) -> np.ndarray:
    """Return an image of the training's data set as the model's input."""
    assert model.dtype is not None
    with refusing(ValueError, TypeError):
        dataset = training.dataset_of(image[np.newaxis], np.zeros(1, np.int64), name=training.dataset)
    x, _ = dataset.batch(slice(0, 1), model.dtype)
    return x[0]


def _from_array(model: Sequential, text: str, file: str) -> Example:
    with refusing(ValueError, EOFError, prefix=f"{spell_path(file)}: ", advice="; expected an array in a .npy file"):
        array = np.load(file, allow_pickle=False)
    wanted = model.draw_input((1, *(model.input_shape or ())), np.random.default_rng(0)).dtype  # words are integers
    fits = isinstance(array, np.ndarray) and array.shape == model.input_shape
    if not fits or not (array.dtype.kind in "iu" or (array.dtype.kind == "f" and wanted.kind == "f")):
        found = f"{spell(array.shape)} of {array.dtype}" if isinstance(array, np.ndarray) else "several arrays"
        raise CommandError(
            f"{spell_path(file)}: expected an array of shape {spell(model.input_shape or ())} of {wanted}, got {found}"
        )
    with np.errstate(over="ignore"):  # which leaves an infinity, and that is refused
        x = array.astype(wanted)
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise CommandError(
            f"{spell_path(file)}: expected finite numbers of {wanted}, got {array[place]} at {spell(place)}"
            + f" and {len(wrong) - 1:,} more that are not" * (len(wrong) > 1)
        )
    training = training_of(model)
    names = _numbered(model, text) if training is None else training.class_names
    return Example(x, title=Path(file).name, class_names=names, notes=_weights_note(text))


def _picture_shape(model: Sequential, text: str) -> tuple[tuple[int, int], int]:
    shape = model.input_shape or ()
    if len(shape) != 3 or shape[0] not in CHANNELS:
        raise CommandError(
            f"{spell_path(text)}: expected a model for pictures of 1 or 3 channels, got one for inputs of shape "
            f"{spell(shape)}; give such an input as an array in a .npy file"
        )
    channels, height, width = shape
    return (height, width), channels


def _numbered(model: Sequential, text: str) -> list[str] | None:
    """Return the numbers of the classes for a network of the zoo; what another model's outputs mean is not known."""
    named = text in MODELS and file_of(text) is None
    return [str(i) for i in range((model.output_shape or (0,))[0])] if named else None


def _weights_note(text: str) -> list[str]:
    named = text in MODELS and file_of(text) is None
    return [f"{text} has random weights: it has not been trained."] if named else []


def _small(pixels: np.ndarray) -> np.ndarray:
    """Return a picture no larger than it is shown."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return np.asarray(picture)
