"""A data set as whole arrays, in memory or on disk: batches are selected by index and normalized.

Images stay ``uint8``, a quarter of the size of ``float32``; only the current batch is converted to floats. Tokens, the
indices of words, stay ``int64``: a network uses them as indices only. Arrays that are mapped from a file stay there.
"""

import inspect
import operator
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_flag, check_unmasked
from numpycnn.data.rows import Rows, as_native, chunks, select_rows
from numpycnn.data.splitting import split_positions
from numpycnn.data.targets import check_targets

PIXELS, TOKENS = np.dtype(np.uint8), np.dtype(np.int64)
FEATURES = (np.dtype(np.float32), np.dtype(np.float64))


class Reader(Protocol):
    """A reader turns a file or a text into one example of a data set, for training and for prediction."""

    kind: ClassVar[str]
    noun: ClassVar[str]

    def read(self, source: Any) -> np.ndarray:
        """Return one example, without the batch axis.

        Parameters
        ----------
        source : path_like or str
            A file, or a text.

        Returns
        -------
        ndarray of the shape of an example
        """

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values, for `numpycnn.data.reader_from`: the fields of a dataclass."""
        settings = asdict(self)  # type: ignore[call-overload]
        lists = {name: list(value) for name, value in settings.items() if isinstance(value, tuple)}
        return {"kind": self.kind} | settings | lists


class Dataset:
    """Images, features or tokens with their targets.

    Parameters
    ----------
    images : ndarray of shape (N, C, H, W), (N, C, ...) or (N, L)
        Pixels as uint8, features as float32 or float64, or tokens as int64. Not copied. An array that is mapped from a
        file (``np.load(path, mmap_mode="r")``) is read a batch at a time, and parts of the data set stay on disk.
    labels : array_like
        The targets. With ``K`` class names: the class of each example, integers (N,) from 0 to ``K - 1``; or several
        labels for each, 0 or 1 for each class, (N, K); or masks with a class for each pixel, integers (N, H, W).
        Without class names, numbers to predict: floats (N,), (N, D) or (N, C, H, W).
    class_names : sequence of str
        One name per class; none for numbers to predict.
    name : str
        Name of the data set.
    mean, std : float or sequence of C floats
        Mean and standard deviation of each channel, on the scale from 0 to 1 for pixels, and on
        their own scale for features. A single number applies to all channels. Tokens have neither.
    source : str
        Where the data was found, as text.
    note : str
        A remark, as text: that the data set is a copy, or a part, of another one.
    reader : Reader, optional
        Reads further examples of this kind from a file or a text.

    Attributes
    ----------
    images, features : ndarray
        The same array; the second name suits spectrograms and tokens.

    Raises
    ------
    TypeError
        If `images` is of another type, or has a mask of NumPy, `labels` are not integers although there are class
        names, or integers although there are none, or `class_names` is a single string.
    ValueError
        If the shapes do not match, a label is out of range, two class names are equal, or `std` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> data = Dataset(np.zeros((6, 1, 2, 2), np.uint8), [0, 1, 0, 1, 0, 1], ("even", "odd"), mean=0.5, std=0.5)
    >>> data[:4]
    Dataset('dataset': 4 images of shape (1, 2, 2), 2 classes)
    >>> x, labels = data.batch([0, 1])
    >>> x.shape, x.dtype, float(x[0, 0, 0, 0])
    ((2, 1, 2, 2), dtype('float32'), -1.0)
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: npt.ArrayLike,
        class_names: Sequence[str] = (),
        *,
        name: str = "dataset",
        mean: npt.ArrayLike = 0.0,
        std: npt.ArrayLike = 1.0,
        source: str = "memory",
        note: str = "",
        reader: Reader | None = None,
    ) -> None:
        owner = f"Dataset '{name}'"
        images = images if isinstance(images, Rows) else as_native(check_unmasked(images, "images", owner))
        if images.dtype not in (PIXELS, *FEATURES, TOKENS):
            raise TypeError(
                f"{owner}: images must be uint8 (pixels), float32 or float64 (features) or int64 (tokens), "
                f"got {images.dtype}"
            )
        if images.dtype == TOKENS and images.ndim != 2:
            raise TypeError(
                f"{owner}: images of int64 are tokens and have the shape (N, L), got {images.shape}; pixels are uint8"
            )
        if images.ndim < 2:
            raise ValueError(f"{owner}: expected images of shape (N, C, ...), got {images.shape}")
        self.images = images
        self.labels = check_targets(labels, len(images), class_names, owner)
        self.class_names = tuple(class_names)
        self.name = name
        self.source = source
        self.note = note
        self.reader = reader
        self.mean = self._per_channel(mean, "mean")
        self.std = self._per_channel(std, "std")
        if not np.all(self.std > 0):
            raise ValueError(f"Dataset '{name}': std must be positive, got {self.std.tolist()}")

    def _per_channel(self, value: npt.ArrayLike, kind: str) -> np.ndarray:
        values = check_unmasked(value, kind, f"Dataset '{self.name}'")
        channels = 0 if self.images.dtype == TOKENS else self.images.shape[1]
        if values.shape not in ((), (1,), (channels,)):
            raise ValueError(
                f"Dataset '{self.name}': expected {kind} as one number or one per channel, shape ({channels},), "
                f"got shape {values.shape}"
            )
        if values.dtype.kind not in "iuf":
            raise TypeError(f"Dataset '{self.name}': expected {kind} as numbers within float64, got {values.dtype}")
        with np.errstate(over="ignore"):  # a longdouble
            values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"Dataset '{self.name}': {kind} must be finite, got {values.tolist()}")
        return np.broadcast_to(values, (channels,)).copy()  # (C,)

    @property
    def features(self) -> np.ndarray:
        """The examples, by the name that fits spectrograms and tokens."""
        return self.images

    @property
    def noun(self) -> str:
        """The word for one example."""
        if self.images.dtype == PIXELS:
            return "image"
        return self.reader.noun if self.reader else "example"

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape, targets = self.images.shape[1:], f"{len(self.class_names)} classes"
        if not self.class_names and len(self):
            targets = f"targets of shape {self.labels.shape[1:]}"
        return f"Dataset('{self.name}': {len(self)} {self.noun}s of shape {shape}, {targets})"

    def replace(self, **changes: Any) -> "Dataset":
        """Return a copy with some of the constructor's arguments changed.

        Parameters
        ----------
        **changes
            As for the constructor.

        Returns
        -------
        Dataset

        Raises
        ------
        TypeError, ValueError
            As the constructor.

        Examples
        --------
        >>> Dataset(np.zeros((1, 2)), [0], ["only"]).replace(name="other").name
        'other'
        """
        kept = {name: getattr(self, name) for name in inspect.signature(Dataset).parameters}
        return Dataset(**(kept | changes))

    def describe(self) -> dict[str, Any]:
        """Return the settings that a model needs for predictions, as JSON values for its `metadata`."""
        return {
            "dataset": self.name,
            "class_names": list(map(str, self.class_names)),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "reader": self.reader.to_json() if self.reader else None,
        }

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each channel, (C,) each, on the scale of the constructor's arguments.

        A constant channel gets the standard deviation 1.

        Returns
        -------
        mean, std : ndarray of float64, shape (C,)

        Raises
        ------
        ValueError
            If the data set is empty or holds tokens, or the features of a channel are not finite.
        """
        if not self.images.size or self.images.dtype == TOKENS:
            found = "tokens" if self.images.size else "nothing"
            raise ValueError(f"Dataset '{self.name}': expected pixels or features for their statistics, got {found}")
        channels, parts = range(self.images.shape[1]), chunks(self.images)
        if self.images.dtype == PIXELS:  # from a histogram of 256 bins: exact, without floats for all pixels
            counts = np.zeros((len(channels), 256), np.int64)
            for part in parts:
                images = self.images[part]
                counts += np.stack([np.bincount(images[:, c].ravel(), minlength=256) for c in channels])
            values = np.arange(256) / 255
            share = counts / counts.sum(axis=1, keepdims=True)
            mean = share @ values
            std = np.sqrt(np.maximum(share @ values**2 - mean**2, 0))
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # reported below
                mean, std = self._float_statistics(parts)
        if not (np.isfinite(mean) & np.isfinite(std)).all():
            channel = int(np.argmin(np.isfinite(mean) & np.isfinite(std)))
            raise ValueError(
                f"Dataset '{self.name}': expected features with a finite mean and std, got {mean[channel]:g} and "
                f"{std[channel]:g} in channel {channel}"
            )
        return mean, np.where(std > 1e-9, std, 1.0)

    def _float_statistics(self, parts: Sequence[slice]) -> tuple[np.ndarray, np.ndarray]:
        channels = range(self.images.shape[1])
        if len(parts) == 1:
            images = self.images[:]
            mean = np.array([images[:, c].mean(dtype=np.float64) for c in channels])
            return mean, np.array([images[:, c].std(dtype=np.float64) for c in channels])
        axes = (0, *range(2, self.images.ndim))
        count = self.images.size / len(channels)
        mean = sum(self.images[part].sum(axis=axes, dtype=np.float64) for part in parts) / count
        centre = mean.reshape(-1, *(1,) * (self.images.ndim - 2))
        return mean, np.sqrt(sum(((self.images[part] - centre) ** 2).sum(axis=axes) for part in parts) / count)

    def __getitem__(self, index: slice | npt.ArrayLike) -> "Dataset":
        """Return the part that a slice, a list of indices or a boolean mask selects."""
        if not isinstance(index, slice):
            index = check_unmasked(index, "indices", f"Dataset '{self.name}'")
            if index.ndim != 1:
                raise TypeError(
                    f"Dataset '{self.name}': expected a slice, a list of indices or a mask, got an index of shape "
                    f"{index.shape}; a single image is dataset.images[i] and its label dataset.labels[i]"
                )
            if index.size == 0:
                index = index.astype(np.intp)
        return self.replace(images=select_rows(self.images, index), labels=select_rows(self.labels, index))

    def split(self, size: int | float, seed: int = 0, *, stratified: bool = False) -> tuple["Dataset", "Dataset"]:
        """Return two shuffled parts that together contain every example once.

        Parameters
        ----------
        size : int or float
            Size of the first part: a count, or a fraction between 0 and 1.
        seed : int
            The same seed gives the same parts.
        stratified : bool
            Whether both parts have the same share of each class, to within one example.

        Returns
        -------
        first, second : Dataset

        Raises
        ------
        ValueError
            If either part would be empty, or `stratified` is True and the examples do not have one class each.
        TypeError
            If `stratified` is not a bool.
        """
        if isinstance(size, float | np.floating):
            if not 0 < size < 1:
                raise ValueError(
                    f"Dataset '{self.name}': expected size as a count or a fraction between 0 and 1, got {size}"
                )
            count = round(size * len(self))
        else:
            count = operator.index(size)
        if not 0 < count < len(self):
            raise ValueError(
                f"Dataset '{self.name}': cannot split {len(self)} {self.noun}s into {count} and {len(self) - count}; "
                "each part needs at least one"
            )
        stratified = check_flag(stratified, "stratified", f"Dataset '{self.name}'")
        if stratified and (not self.class_names or self.labels.ndim != 1):
            raise ValueError(
                f"Dataset '{self.name}': expected one class for each {self.noun} for stratified=True, got {self!r}"
            )
        first, second = split_positions(len(self), count, seed, self.labels if stratified else None)
        return self[first], self[second]

    def batch(self, indices: npt.ArrayLike | slice, dtype: npt.DTypeLike = np.float32) -> tuple[np.ndarray, np.ndarray]:
        """Return the normalized examples and the labels at `indices`.

        Parameters
        ----------
        indices : array_like of int, shape (B,), or slice
        dtype : dtype
            float32 or float64.

        Returns
        -------
        x : ndarray of shape (B, C, H, W) or that of the features
            A new contiguous array; tokens stay int64.
        labels : ndarray of shape (B, ...)
            As stored: classes as int64, the others as `labels` of the constructor.

        Raises
        ------
        TypeError
            If `dtype` is not float32 or float64.
        IndexError
            If an index is out of range.
        """
        images, labels = self.take(indices)
        return self.normalize(images, dtype), labels

    def take(self, indices: npt.ArrayLike | slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the examples and the labels at `indices`, without normalization.

        For augmentation, which comes before normalization.

        Parameters
        ----------
        indices : array_like of int, shape (B,), or slice

        Returns
        -------
        images : ndarray of shape (B, C, ...) or (B, L)
        labels : ndarray of shape (B, ...)
            As stored.

        Raises
        ------
        TypeError, ValueError
            If `indices` has a mask of NumPy, or rows of different lengths.
        IndexError
            If an index is out of range.
        """
        if not isinstance(indices, slice):
            indices = check_unmasked(indices, "indices", f"Dataset '{self.name}'")
            if indices.size == 0:
                indices = indices.astype(np.intp)
        return self.images[indices], self.labels[indices]

    def normalize(self, images: np.ndarray, dtype: npt.DTypeLike = np.float32) -> np.ndarray:
        """Return ``(images / 255 - mean) / std``; float features are not divided by 255, and tokens are copied.

        Parameters
        ----------
        images : ndarray of shape (B, C, H, W) or (B, C, ...)
            Of the data set's kind (pixels, features or tokens) and shape.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        ndarray of the shape of `images`
            A new contiguous array.

        Raises
        ------
        TypeError
            If `images` are of another kind than the data set's, or `dtype` is not float32 or float64.
        ValueError
            If the images have another shape than the data set's, or mean or std exceed the range of `dtype`.
        """
        dtype = np.dtype(dtype)
        if dtype not in (np.float32, np.float64):
            raise TypeError(f"Dataset '{self.name}': dtype must be float32 or float64, got {dtype}")
        images = as_native(check_unmasked(images, "images", f"Dataset '{self.name}'"))
        own = self.images.dtype
        if images.dtype not in (FEATURES if own in FEATURES else (own,)):
            expected = {PIXELS: "uint8 pixels", TOKENS: "int64 tokens"}.get(own, "float features")
            raise TypeError(f"Dataset '{self.name}': expected {expected}, got {images.dtype}")
        if images.ndim != self.images.ndim or images.shape[1:] != self.images.shape[1:]:
            shape = ", ".join(map(str, self.images.shape[1:]))
            raise ValueError(f"Dataset '{self.name}': expected images of shape (N, {shape}), got {images.shape}")
        if own == TOKENS:
            return np.array(images, order="C")  # (B, L)
        scale = 255.0 if own == PIXELS else 1.0
        channels = (-1,) + (1,) * (images.ndim - 2)
        # (x / 255 - mean) / std == (x - 255 mean) / (255 std), with the constants computed once per channel.
        with np.errstate(over="ignore"):
            mean = (scale * self.mean).astype(dtype).reshape(channels)
            factor = (1.0 / (scale * self.std)).astype(dtype).reshape(channels)
        if not (np.isfinite(mean).all() and np.isfinite(factor).all() and factor.all()):
            raise ValueError(
                f"Dataset '{self.name}': expected mean and std in the range of {dtype}, "
                f"got mean {self.mean.tolist()} and std {self.std.tolist()}"
            )
        x = np.subtract(images, mean, dtype=dtype, order="C", casting="same_kind")  # (B, C, H, W)
        x *= factor
        return x
