"""Load one input of a model from a file, with the names and notes for a page about it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.cli.console import CommandError, record_notes, refusing
from numpycnn.cli.networks import file_of
from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.pictures import PictureFileReader, fit_picture, read_picture
from numpycnn.data.text import SentenceReader
from numpycnn.explain import Example
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
    if Path(file).suffix == ".npy":
        return _from_array(model, text, file)
    training = training_of(model)
    if training is not None and isinstance(training.reader, SentenceReader):
        tokens = training.reader.read(file)
        words = [training.reader.words[token] for token in tokens]
        return Example(tokens, title=file, class_names=training.class_names, words=words)
    if training is not None and isinstance(training.reader, SpectrogramReader):
        x = normalize(model, training, training.reader.read(file))
        return Example(x, title=Path(file).name, class_names=training.class_names)
    if training is None or not isinstance(training.reader, PictureFileReader):
        _picture_shape(model, text)  # refuses a model of other inputs before the picture is read
    return from_picture(model, text, read_picture(file), Path(file).name)


def from_picture(model: Network, text: str, pixels: np.ndarray, title: str) -> Example:
    """Convert a picture, uint8 ``(H, W)`` or ``(H, W, 3)``, to an input of a model.

    A model of `numpycnn train` describes its preprocessing; for any other the picture is resized to its input shape,
    with pixels from 0 to 1.
    """
    training = training_of(model)
    if training is not None and isinstance(training.reader, PictureFileReader):
        with refusing(ValueError, prefix=f"{spell_path(title)}: "), record_notes() as found:
            image = training.reader.prepare(pixels)  # (C, H, W)
        x = normalize(model, training, image)
        names: Sequence[str] | None = training.class_names
        notes = _weights_note(text) + found
    else:
        image = fit_picture(pixels, *_picture_shape(model, text))
        x = (image / 255).astype(model.dtype)
        names, notes = _numbered(model, text), _weights_note(text)
        notes.append(
            "The model does not describe its preprocessing: the picture was resized to its input shape, and the pixels "
            "scaled to values from 0 to 1."
        )
    return Example(x, title=title, picture=_small(pixels), image=image, class_names=names, notes=notes)


def blank(model: Network, text: str) -> Example:
    """Return the input for an empty picture."""
    training = training_of(model)
    if training is not None and isinstance(training.reader, PictureFileReader):
        image = np.zeros(model.input_shape or (), np.uint8)
        x = normalize(model, training, image)
        names: Sequence[str] | None = training.class_names
    else:
        (height, width), channels = _picture_shape(model, text)
        image = np.zeros((channels, height, width), np.uint8)
        x, names = image.astype(model.dtype), _numbered(model, text)
    return Example(x, title="a drawing", image=image, class_names=names, notes=_weights_note(text))


def normalize(model: Network, training: Training, image: np.ndarray) -> np.ndarray:
    """Normalize an image as in the training."""
    assert model.dtype is not None
    with refusing(ValueError, TypeError):
        dataset = training.dataset_of(image[np.newaxis], np.zeros(1, np.int64), name=training.dataset)
        x, _ = dataset.batch(slice(0, 1), model.dtype)
    return x[0]


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
    training = training_of(model)
    names = _numbered(model, text) if training is None else training.class_names
    return Example(x, title=Path(file).name, class_names=names, notes=_weights_note(text))


def _picture_shape(model: Network, text: str) -> tuple[tuple[int, int], int]:
    shape = model.input_shape or ()
    if len(shape) != 3 or shape[0] not in CHANNELS:
        raise CommandError(
            f"{spell_path(text)}: expected a model for pictures of 1 or 3 channels, got one for inputs of shape "
            f"{format_shape(shape)}; give such an input as an array in a .npy file"
        )
    channels, height, width = shape
    return (height, width), channels


def _numbered(model: Network, text: str) -> list[str] | None:
    """Return class indices as names for a network of the zoo; the classes of other models are unknown."""
    named = text in MODELS and file_of(text) is None
    return [str(i) for i in range((model.output_shape or (0,))[0])] if named else None


def _weights_note(text: str) -> list[str]:
    named = text in MODELS and file_of(text) is None
    return [f"{text} has random weights: it has not been trained."] if named else []


def _small(pixels: np.ndarray) -> np.ndarray:
    """Shrink a picture to the size at which it is shown."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return np.asarray(picture)
