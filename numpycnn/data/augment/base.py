"""The base class of transforms, which map a batch to a random variation of it with the same labels.

A custom transform implements one method:

    def _images(self, images, rng):                 # return new images of the same shape and dtype

It gets a whole batch, because a loop over the images would take longer than the training, and draws all random numbers
from `rng`, so that the same seed makes the same images. Augmentation comes before normalization: pixels are uint8 from
0 to 255. Gaps are filled with 0, which is black, or silence in a spectrogram.

Targets with places of their own, masks and pictures, move with the images: a `GeometricTransform` is applied to both
with the same random numbers.
"""

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import as_contiguous, check_number, check_unmasked, format_shape

DTYPES = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))


def per_image(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Reshape one value for each image, (N,), to broadcast over the images, (N, 1, ...)."""
    return values.reshape(-1, *(1,) * (images.ndim - 1))


def cast_like(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Cast values to the dtype of the images; for uint8 pixels, rounded and clipped to 0 to 255.

    The values may be overwritten.
    """
    if images.dtype != np.uint8:
        return values.astype(images.dtype, copy=False)
    values += values.dtype.type(0.5)  # the cast truncates
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def check_range(value: object, name: str, owner: str, *, minimum: float, maximum: float) -> tuple[float, float]:
    """Return the smallest and the largest value of a random setting as floats."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{owner}: expected {name} as a pair (smallest, largest), got {value!r}")
    low, high = (check_number(end, name, owner, minimum=minimum, maximum=maximum) for end in value)
    if low > high:
        raise ValueError(f"{owner}: expected {name} as a pair (smallest, largest), got {value!r}")
    return low, high


def is_mask(targets: np.ndarray) -> bool:
    """Return whether targets are masks, a class for each pixel, and not pictures.

    Masks are integers (N, H, W), or integers (N, C, H, W) that are not uint8; uint8 of this shape are pixels.
    """
    return targets.dtype.kind in "biu" and (targets.ndim == 3 or targets.dtype != np.uint8)


def are_labels(targets: np.ndarray) -> bool:
    """Return whether rows of targets (N, K) are labels: 0 or 1 for each class, or shares of the classes that add to 1.

    Shares were rounded to as little as 8 bits of mantissa, so their sum may be off by 1 %.
    """
    if targets.dtype.kind not in "biuf":
        return False
    if ((targets == 0) | (targets == 1)).all():
        return True
    shares = targets.astype(np.float64)
    return bool((shares >= 0).all() and (abs(shares.sum(axis=1) - 1) < 0.01).all())


class Transform:
    """Base class of all augmentations.

    Attributes
    ----------
    planar : bool
        Whether it requires images of shape (N, C, H, W); otherwise it accepts any examples.
    moves : bool
        Whether pixels change their place. Targets with places of their own, such as masks, are then refused, unless the
        transform is a `GeometricTransform`, which moves them as well.
    mixes : bool
        Whether it mixes the classes of examples, so that numbers to predict are refused.
    """

    planar = True
    moves = True
    mixes = False

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} is incomplete: implement _images")

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels; for transforms that change the labels as well."""
        return self._images(images, rng), labels

    def _check_targets(self, images: np.ndarray, targets: np.ndarray) -> None:
        """Refuse targets with places of their own that would not move with the images."""
        name, got = type(self).__name__, f"got targets {format_shape(targets.shape)}"
        if targets.ndim > 2:
            raise ValueError(
                f"{name}: expected one label for each image, {got}, which would not be moved with the images; "
                "derive it from GeometricTransform, or set moves = False"
            )
        if targets.ndim == 2 and not are_labels(targets):
            raise ValueError(
                f"{name}: expected a label for each image, 0 or 1 for each class, or shares of the classes that add to "
                f"1, {got} with other numbers; points and boxes would not be moved with the images. Pass a function of "
                "(images, targets, rng) that returns both"
            )

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator | int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the transformed examples and their labels.

        Parameters
        ----------
        images : ndarray of shape (N, C, H, W) or (N, ...)
            Pixels as uint8, or features as float32 or float64. Not modified.
        labels : array of shape (N, ...)
            Classes or numbers; or masks (N, H, W) and pictures (N, C, H, W) of the images' height and width.
        rng : Generator or int
            Source of all random numbers; an int is a seed.

        Returns
        -------
        images : ndarray of the same shape and dtype
        labels : array of shape (N, ...)
            Unchanged, except by transforms that mix examples, and for masks and pictures by those that move pixels.

        Raises
        ------
        ValueError
            If the transform does not support the shape of the images; or moves pixels, and the labels have places too
            that would not move: points and boxes, or masks of another size than the images.
        TypeError
            If they have another dtype, or a mask of NumPy.
        """
        name = type(self).__name__
        images, targets = check_unmasked(images, "images", name), check_unmasked(labels, "labels", name)
        images = images.astype(images.dtype.newbyteorder("="), copy=False)
        if images.dtype not in DTYPES:
            raise TypeError(f"{name}: expected pixels of uint8, or float32 or float64, got {images.dtype}")
        if images.ndim < 2 or (self.planar and images.ndim != 4):
            expected = "(N, C, H, W)" if self.planar else "(N, ...)"
            raise ValueError(f"{name}: expected images {expected}, got {format_shape(images.shape)}")
        if self.moves:
            self._check_targets(images, targets)
        if not images.size:
            return images, labels
        images = np.require(images, requirements=["C", "A"])  # the rounding of a mean depends on the memory order
        return self._examples(images, labels, np.random.default_rng(rng))

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, stored as attributes of the same names."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        shown, config = [], self.config()
        for name, argument in inspect.signature(type(self)).parameters.items():
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(config[name]))
            elif config[name] != argument.default:
                shown.append(f"{name}={config[name]!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


class GeometricTransform(Transform):
    """Base class of transforms that move pixels, of images and of their masks or picture targets alike.

    A subclass implements ``_moved(images, rng, nearest)``, which returns new images of the same shape and dtype. The
    random numbers it draws depend on the number of images, their height and their width alone, so that a second call
    with a generator in the same state moves masks in the same way. With `nearest`, pixels keep their values: a value
    between two classes would be a third class.
    """

    def _moved(self, images: np.ndarray, rng: np.random.Generator, nearest: bool) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} is incomplete: implement _moved")

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self._moved(images, rng, nearest=False)

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if np.ndim(labels) <= 2:
            return self._images(images, rng), labels
        again, targets = copy.deepcopy(rng), as_contiguous(np.asarray(labels))
        planes = targets if targets.ndim == 4 else targets[:, np.newaxis]  # (N, C, H, W)
        return self._images(images, rng), self._moved(planes, again, is_mask(targets)).reshape(targets.shape)

    def _check_targets(self, images: np.ndarray, targets: np.ndarray) -> None:
        if targets.ndim <= 2:
            super()._check_targets(images, targets)
            return
        name = type(self).__name__
        if targets.ndim > 4 or targets.shape[:1] != images.shape[:1] or targets.shape[-2:] != images.shape[2:]:
            n, _, height, width = images.shape
            raise ValueError(
                f"{name}: expected masks ({n}, {height}, {width}) or pictures ({n}, C, {height}, {width}) to move with "
                f"the images, got targets {format_shape(targets.shape)}"
            )
        if not is_mask(targets) and targets.dtype.newbyteorder("=") not in DTYPES:
            raise TypeError(
                f"{name}: expected masks of integers, or pictures of uint8, float32 or float64, got {targets.dtype}"
            )


class Augment(Transform):
    """Apply transforms in order.

    Parameters
    ----------
    transforms : sequence of Transform

    Raises
    ------
    TypeError
        If `transforms` is not a list of transforms.

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

    planar = moves = False

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, tuple | list):
            raise TypeError(f"Augment: expected a list of transforms, got {type(transforms).__name__}")
        for transform in transforms:
            if not isinstance(transform, Transform):
                hint = f"; write {transform.__name__}(...)" if isinstance(transform, type) else ""
                raise TypeError(f"Augment: expected transforms, got {transform!r}{hint}")
        self.transforms = list(transforms)
        self.mixes = any(transform.mixes for transform in transforms)

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        for transform in self.transforms:
            images, labels = transform(images, labels, rng)
        return images, labels
