"""What an augmentation is: something that makes other examples of those of a batch, which the same labels fit.

A transform of your own fills in one hook:

    def _images(self, images, rng):                 # return images of the same shape and type, and leave these alone

It gets a whole batch, because a loop over the pictures would take longer than the training, and draws whatever is
random from `rng`, so that the same seed makes the same pictures. Pixels are uint8 from 0 to 255, as they are before
they are normalised: 0 is black then, and silence in a spectrogram, and that is what fills the gaps.
"""

import inspect
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from numpycnn.functional.checks import spell

KINDS = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))


def amount(value: Any, name: str, owner: str, *, least: float = 0.0, most: float = np.inf) -> float:
    """Return a setting as a float from `least` to `most`.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{owner}: expected {name} to be a number, got {type(value).__name__} {value!r}")
    if not (least <= value <= most and isfinite(value)):
        limits = f"from {least:g} on" if most == np.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"{owner}: expected {name} {limits}, got {value}")
    return float(value)


def each(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return a number for each image, (N,), in the shape that stretches over the images, (N, 1, ...)."""
    return values.reshape(-1, *(1,) * (images.ndim - 1))


def like(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return calculated values in the type of the images; whole numbers from 0 to 255 if they are pixels.

    The values may be written over.
    """
    if images.dtype != np.uint8:
        return values.astype(images.dtype, copy=False)
    values += values.dtype.type(0.5)  # what follows cuts off the decimals
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


class Transform:
    """Base class of all augmentations.

    Attributes
    ----------
    planar : bool
        Whether it asks for images of shape (N, C, H, W), and not for any examples.
    """

    planar = True

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not say what it makes of images: it needs _images")

    def _examples(self, images: np.ndarray, labels: Any, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
        """Return images and labels; for transforms that change the labels as well."""
        return self._images(images, rng), labels

    def __call__(self, images: Any, labels: Any, rng: np.random.Generator | int) -> tuple[np.ndarray, Any]:
        """Return other examples, and their labels.

        Parameters
        ----------
        images : ndarray of shape (N, C, H, W) or (N, ...)
            Pixels as uint8, or features as float32 or float64. They stay as they are.
        labels : array of shape (N, ...)
        rng : Generator or int
            Decides everything that is random; a number is a seed.

        Returns
        -------
        images : ndarray of the same shape and type
        labels : array of shape (N, ...)
            The same but for transforms that mix examples.

        Raises
        ------
        ValueError
            If the images do not have a shape that the transform can work on.
        TypeError
            If they are of another type.
        """
        images, name = np.asarray(images), type(self).__name__
        if images.dtype not in KINDS:
            raise TypeError(f"{name}: expected pixels of uint8, or float32 or float64, got {images.dtype}")
        if images.ndim < 2 or (self.planar and images.ndim != 4):
            expected = "(N, C, H, W)" if self.planar else "(N, ...)"
            raise ValueError(f"{name}: expected images {expected}, got {spell(images.shape)}")
        if not images.size:
            return images, labels
        images = np.require(images, requirements=["C", "A"])  # the last bits of a mean depend on the order in memory
        return self._examples(images, labels, np.random.default_rng(rng))

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, each kept as the attribute of the same name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        shown, config = [], self.config()
        for name, argument in inspect.signature(type(self)).parameters.items():
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(config[name]))
            elif config[name] != argument.default:
                shown.append(f"{name}={config[name]!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


class Augment(Transform):
    """Transforms one after the other, as layers in a network.

    Parameters
    ----------
    transforms : sequence of Transform

    Raises
    ------
    TypeError
        If `transforms` is no list of transforms.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.data.augment import Cutout, Flip, PadCrop
    >>> augment = Augment([PadCrop(4), Flip(), Cutout(8)])
    >>> images, labels = np.zeros((10, 3, 32, 32), np.uint8), np.zeros(10, np.int64)
    >>> others, _ = augment(images, labels, 0)
    >>> others.shape
    (10, 3, 32, 32)
    """

    planar = False

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, tuple | list):
            raise TypeError(f"Augment: expected a list of transforms, got {type(transforms).__name__}")
        for transform in transforms:
            if not isinstance(transform, Transform):
                hint = f"; write {transform.__name__}(...)" if isinstance(transform, type) else ""
                raise TypeError(f"Augment: expected transforms, got {transform!r}{hint}")
        self.transforms = list(transforms)

    def _examples(self, images: np.ndarray, labels: Any, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
        for transform in self.transforms:
            images, labels = transform(images, labels, rng)
        return images, labels
