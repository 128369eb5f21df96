"""Load one input of a model from a file, with the names and notes for a page about it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.cli.arguments import file_of
from numpycnn.cli.console import CommandError, notes_to, refusing
from numpycnn.data.pictures import PictureFileReader, fit_picture, read_picture
from numpycnn.data.text import SentenceReader
from numpycnn.explain import Example
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import check_one_input
from numpycnn.layers.base import Shape
from numpycnn.layers.network import Network
from numpycnn.models import MODELS
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.networks import Training, training_of
from numpycnn.visualize.classes import ClassNames
from numpycnn.visualize.selection import blank_inputs, input_shapes, output_shapes

LARGEST_SHOWN = 320  # pixels of the longer side of a picture in a page
CHANNELS = (1, 3)  # of a picture


def example_of(model: Network, text: str, *files: str) -> Example:
    """Load a picture, a recording, a sentence, or an array in a ``.npy`` file for each input of a model.

    `text` is the user's name for the model, and `files` are files or, for a model of sentences, the sentence itself.
    For several inputs, they are pictures or arrays. An input that does not exist or does not fit the model is a
    CommandError, an OSError or a DataFormatError.
    """
    names = graph_of(model).inputs
    if len(files) != len(names):
        inputs = f"{len(names)} inputs {' and '.join(map(spell_path, names))}" if model.several_inputs else "input"
        hint = "" if model.several_inputs else "; a sentence needs quotation marks"
        count = "a file for each of the" if model.several_inputs else "one file for the"
        raise CommandError(f"{spell_path(text)}: expected {count} {inputs}, got {len(files)}{hint}")
    if not model.several_inputs:
        return _only_input(model, text, files[0])
    parts = [_input(model, text, file, number) for number, file in enumerate(files)]
    class_names, notes = _class_names(model, text)
    return Example(
        tuple(part.x for part in parts),
        title=" and ".join(dict.fromkeys(part.title for part in parts)),
        picture=tuple(part.picture for part in parts),
        image=tuple(part.image for part in parts),
        class_names=class_names,
        notes=list(dict.fromkeys(note for part in parts for note in (*notes, *part.notes))),
    )


def _only_input(model: Network, text: str, file: str) -> Example:
    training = training_of(model)
    if Path(file).suffix == ".npy" or training is None or training.reader is None:
        class_names, notes = _class_names(model, text)
        found = _input(model, text, file, 0)
        return replace(found, class_names=class_names, notes=[*notes, *found.notes])
    if isinstance(training.reader, PictureFileReader):
        return from_picture(model, text, read_picture(file), Path(file).name)
    class_names, notes = _class_names(model, text)
    with notes_to(notes.append):
        x = normalize(model, training, training.reader.read(file))
    if isinstance(training.reader, SentenceReader):
        words = [training.reader.words[token] for token in x]
        return Example(x, title=file, class_names=class_names, words=words, notes=notes)
    return Example(x, title=Path(file).name, class_names=class_names, notes=notes)


def _input(model: Network, text: str, file: str, number: int) -> Example:
    """Load one input, as an array or a picture that is resized to its shape."""
    shape, wanted = input_shapes(model)[number], blank_inputs(model, 1)[number].dtype
    if Path(file).suffix == ".npy":
        return Example(_read_array(file, shape, wanted), title=Path(file).name)
    _picture_shape(shape, text)  # refuses another input before the picture is read
    return _resized(shape, wanted, text, read_picture(file), Path(file).name)


def from_picture(model: Network, text: str, pixels: np.ndarray | None, title: str) -> Example:
    """Convert a picture, uint8 ``(H, W)`` or ``(H, W, 3)``, to the input of a model; None is an empty one.

    A model of `numpycnn train` describes its preprocessing; for any other the picture is resized to its input shape,
    with pixels from 0 to 1.
    """
    with refusing(ValueError, advice="; 'numpycnn explain' takes a file for each"):
        check_one_input(model, spell_path(text))
    training = training_of(model)
    class_names, notes = _class_names(model, text)
    if training is None or not isinstance(training.reader, PictureFileReader):
        found = _resized(model.input_shape or (), model.dtype, text, pixels, title)
        return replace(found, class_names=class_names, notes=[*notes, *found.notes])
    image = np.zeros(model.input_shape or (), np.uint8)
    if pixels is not None:
        with refusing(ValueError, prefix=f"{spell_path(title)}: "), notes_to(notes.append):
            image = training.reader.prepare(pixels)  # (C, H, W)
    x = normalize(model, training, image)
    return Example(x, title=title, picture=_small(pixels), image=image, class_names=class_names, notes=notes)


def _resized(shape: Shape, dtype: Any, text: str, pixels: np.ndarray | None, title: str) -> Example:
    """Return a picture resized to the shape of an input, with pixels from 0 to 1."""
    size, channels = _picture_shape(shape, text)
    image, notes = np.zeros((channels, *size), np.uint8), []
    if pixels is not None:
        image = fit_picture(pixels, size, channels)
        notes.append(
            "The model does not describe its preprocessing: the picture was resized to its input shape, and the "
            "pixels scaled to values from 0 to 1."
        )
    return Example((image / 255).astype(dtype), title=title, picture=_small(pixels), image=image, notes=notes)


def normalize(model: Network, training: Training, example: np.ndarray) -> np.ndarray:
    """Normalize an example as in the training."""
    assert model.dtype is not None
    with refusing(ValueError, TypeError):
        return training.dataset_of(example).batch([0], model.dtype)[0][0]


def _read_array(file: str, shape: Shape, wanted: np.dtype) -> np.ndarray:
    """Read an array of a shape and dtype, which is integer for words."""
    with refusing(ValueError, EOFError, prefix=f"{spell_path(file)}: ", advice="; expected an array in a .npy file"):
        array = np.load(file, allow_pickle=False)
    fits = isinstance(array, np.ndarray) and array.shape == shape
    if not fits or not (array.dtype.kind in "iu" or (array.dtype.kind == "f" and wanted.kind == "f")):
        found = f"{format_shape(array.shape)} of {array.dtype}" if isinstance(array, np.ndarray) else "several arrays"
        raise CommandError(
            f"{spell_path(file)}: expected an array of shape {format_shape(shape)} of {wanted}, got {found}"
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
    return x


def _picture_shape(shape: Shape, text: str) -> tuple[tuple[int, int], int]:
    if len(shape) != 3 or shape[0] not in CHANNELS:
        raise CommandError(
            f"{spell_path(text)}: expected a model for pictures of 1 or 3 channels, got one for inputs of shape "
            f"{format_shape(shape)}; give such an input as an array in a .npy file"
        )
    channels, height, width = shape
    return (height, width), channels


def _class_names(model: Network, text: str) -> tuple[ClassNames, list[str]]:
    """Return the class names, if they are known, and a note if it is a new network, with numbers as names.

    Of several outputs, the names are those of the only one with a value for each class.
    """
    if text in MODELS and file_of(text) is None:
        names = [str(i) for i in range((model.output_shape or (0,))[0])]
        return names, [f"{text} has random weights: it has not been trained."]
    training = training_of(model)
    if training is None or model.output_count == 1:
        return None if training is None else training.class_names, []
    fits = [number for number, shape in enumerate(output_shapes(model)) if shape == (len(training.class_names),)]
    return {graph_of(model).outputs[fits[0]]: training.class_names} if len(fits) == 1 else None, []


def _small(pixels: np.ndarray | None) -> np.ndarray | None:
    """Shrink a picture to the size at which it is shown."""
    from PIL import Image

    if pixels is None:
        return None
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return np.asarray(picture)
