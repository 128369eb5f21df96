"""Load one input of a model from a file, with the names and notes for a page about it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.cli.arguments import file_of
from numpycnn.cli.console import CommandError, notes_to, refusing
from numpycnn.data.pictures import PictureFileReader, fit_picture, read_picture
from numpycnn.data.text import SentenceReader
from numpycnn.explain import Example
from numpycnn.inspection.traces import check_one_input
from numpycnn.layers.network import Network
from numpycnn.models import MODELS
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.networks import Training, training_of

LARGEST_SHOWN = 320  # pixels of the longer side of a picture in a page
CHANNELS = (1, 3)  # of a picture


def example_of(model: Network, text: str, file: str) -> Example:
    """Load a picture, a recording, a sentence, or an array in a ``.npy`` file as an input of a model.

    `text` is the user's name for the model, `file` a file or, for a model of sentences, the sentence itself. An input
    that does not exist or does not fit the model is a CommandError, an OSError or a DataFormatError.
    """
    with refusing(ValueError):
        check_one_input(model, spell_path(text))
    if Path(file).suffix == ".npy":
        return _from_array(model, text, file)
    training = training_of(model)
    if training is None or training.reader is None or isinstance(training.reader, PictureFileReader):
        if training is None or training.reader is None:
            _picture_shape(model, text)  # refuses a model of other inputs before the picture is read
        return from_picture(model, text, read_picture(file), Path(file).name)
    notes: list[str] = []
    with notes_to(notes.append):
        x = normalize(model, training, training.reader.read(file))
    if isinstance(training.reader, SentenceReader):
        words = [training.reader.words[token] for token in x]
        return Example(x, title=file, class_names=training.class_names, words=words, notes=notes)
    return Example(x, title=Path(file).name, class_names=training.class_names, notes=notes)


def from_picture(model: Network, text: str, pixels: np.ndarray | None, title: str) -> Example:
    """Convert a picture, uint8 ``(H, W)`` or ``(H, W, 3)``, to an input of a model; None is an empty one.

    A model of `numpycnn train` describes its preprocessing; for any other the picture is resized to its input shape,
    with pixels from 0 to 1.
    """
    with refusing(ValueError):
        check_one_input(model, spell_path(text))
    training = training_of(model)
    names, notes = _class_names(model, text)
    if training is not None and isinstance(training.reader, PictureFileReader):
        image = np.zeros(model.input_shape or (), np.uint8)
        if pixels is not None:
            with refusing(ValueError, prefix=f"{spell_path(title)}: "), notes_to(notes.append):
                image = training.reader.prepare(pixels)  # (C, H, W)
        x = normalize(model, training, image)
    else:
        size, channels = _picture_shape(model, text)
        image = np.zeros((channels, *size), np.uint8)
        if pixels is not None:
            image = fit_picture(pixels, size, channels)
            notes.append(
                "The model does not describe its preprocessing: the picture was resized to its input shape, and the "
                "pixels scaled to values from 0 to 1."
            )
        x = (image / 255).astype(model.dtype)
    picture = None if pixels is None else _small(pixels)
    return Example(x, title=title, picture=picture, image=image, class_names=names, notes=notes)


def normalize(model: Network, training: Training, example: np.ndarray) -> np.ndarray:
    """Normalize an example as in the training."""
    assert model.dtype is not None
    with refusing(ValueError, TypeError):
        return training.dataset_of(example).batch([0], model.dtype)[0][0]


def _from_array(model: Network, text: str, file: str) -> Example:
    with refusing(ValueError, EOFError, prefix=f"{spell_path(file)}: ", advice="; expected an array in a .npy file"):
        array = np.load(file, allow_pickle=False)
    wanted = model.draw_input((1, *(model.input_shape or ())), np.random.default_rng(0)).dtype  # words are integers
    fits = isinstance(array, np.ndarray) and array.shape == model.input_shape
    if not fits or not (array.dtype.kind in "iu" or (array.dtype.kind == "f" and wanted.kind == "f")):
        found = f"{format_shape(array.shape)} of {array.dtype}" if isinstance(array, np.ndarray) else "several arrays"
        raise CommandError(
            f"{spell_path(file)}: expected an array of shape {format_shape(model.input_shape or ())} of {wanted}, "
            f"got {found}"
        )
    with np.errstate(over="ignore"):  # an infinity is refused below
        x = array.astype(wanted)
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise CommandError(
            f"{spell_path(file)}: expected finite values of {wanted}, got {array[place]} at {format_shape(place)}"
            + f" and {len(wrong) - 1:,} more that are not" * (len(wrong) > 1)
        )
    names, notes = _class_names(model, text)
    return Example(x, title=Path(file).name, class_names=names, notes=notes)


def _picture_shape(model: Network, text: str) -> tuple[tuple[int, int], int]:
    shape = model.input_shape or ()
    if len(shape) != 3 or shape[0] not in CHANNELS:
        raise CommandError(
            f"{spell_path(text)}: expected a model for pictures of 1 or 3 channels, got one for inputs of shape "
            f"{format_shape(shape)}; give such an input as an array in a .npy file"
        )
    channels, height, width = shape
    return (height, width), channels


def _class_names(model: Network, text: str) -> tuple[Sequence[str] | None, list[str]]:
    """Return the class names, if they are known, and a note if it is a new network, with numbers as names."""
    if text in MODELS and file_of(text) is None:
        names = [str(i) for i in range((model.output_shape or (0,))[0])]
        return names, [f"{text} has random weights: it has not been trained."]
    training = training_of(model)
    return None if training is None else training.class_names, []


def _small(pixels: np.ndarray) -> np.ndarray:
    """Shrink a picture to the size at which it is shown."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return np.asarray(picture)
