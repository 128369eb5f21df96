"""Mixtures of two examples and of their labels."""

import numpy as np

from numpycnn._checks import check_int, check_number
from numpycnn.data.augment.base import Transform, cast_like, per_image
from numpycnn.data.augment.masking import stretch
from numpycnn.functional import one_hot


def as_shares(labels: np.ndarray, examples: int, classes: int, owner: str) -> np.ndarray:
    """Return labels (N,), or a number from 0 to 1 for each class (N, K), as floats that can be mixed."""
    labels = np.asarray(labels)
    if labels.ndim == 1:
        labels = one_hot(labels, classes)  # (N, K)
    if labels.shape != (examples, classes):
        raise ValueError(
            f"{owner}: expected {examples} labels, or one share for each of {classes} classes, got an "
            f"array of shape {labels.shape}"
        )
    if labels.dtype.kind not in "biuf" or not ((labels >= 0) & (labels <= 1)).all():
        raise ValueError(
            f"{owner}: expected labels, or shares of the classes from 0 to 1, got other numbers of {labels.dtype}; "
            "numbers to predict are not mixed"
        )
    dtype = labels.dtype.newbyteorder("=") if labels.dtype.kind == "f" else np.dtype(np.float32)
    return labels.astype(dtype, copy=False)


class MixUp(Transform):
    """Mix each example with another one of the batch, ``s x1 + (1 - s) x2``, and their labels likewise.

    The shares ``s`` come from the beta distribution with both parameters `alpha`: 0.2 leaves most examples nearly
    unchanged, 1 makes all shares equally likely. `CrossEntropy` accepts the mixed labels. Accuracy is not defined for
    them, so only that of the validation set is recorded.

    Parameters
    ----------
    classes : int
        Number of classes, ``K``.
    alpha : float

    Raises
    ------
    TypeError, ValueError
        If `classes` is not an int of at least 1, or `alpha` not a number from 0.001 to 1000.

    References
    ----------
    H. Zhang et al., "mixup: beyond empirical risk minimization", arXiv 1710.09412.

    Examples
    --------
    >>> import numpy as np
    >>> images, labels = np.arange(2, dtype=np.float32).reshape(2, 1, 1, 1), np.array([0, 2])
    >>> mixed, shares = MixUp(3, alpha=1.0)(images, labels, 0)
    >>> shares.shape, bool(np.allclose(mixed[:, 0, 0, 0], shares[:, 2]))
    ((2, 3), True)
    """

    planar, moves, mixes = False, False, True

    def __init__(self, classes: int, *, alpha: float = 0.2) -> None:
        self.classes = check_int(classes, "classes", "MixUp")
        self.alpha = check_number(alpha, "alpha", "MixUp", minimum=1e-3, maximum=1e3)

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        dtype = np.result_type(images.dtype, np.float32)
        labels = as_shares(labels, len(images), self.classes, "MixUp")
        shares = rng.beta(self.alpha, self.alpha, len(images))
        partner = rng.permutation(len(images))
        share = per_image(shares, images).astype(dtype)
        mixed = images * share
        mixed += images[partner] * (1 - share)
        share = shares[:, np.newaxis].astype(labels.dtype)
        return cast_like(mixed, images), labels * share + labels[partner] * (1 - share)


def _interval(share: np.ndarray, extent: int, rng: np.random.Generator) -> np.ndarray:
    """Return a mask, (N, extent), of a `share` of the positions about a random center, cut off at the edges."""
    length = np.rint(share * extent).astype(np.int64)
    return stretch(rng.integers(0, extent, len(share)) - length // 2, length, extent)


class CutMix(Transform):
    """Paste a rectangle of another example of the batch into each one, and mix their labels by the area.

    The rectangle has the proportions of the image, its center is anywhere, and what extends over the edge is cut off.
    It covers a share ``1 - s`` before that, with ``s`` from the beta distribution with both parameters `alpha`; the
    labels are mixed by the share that it covers in the end. For losses and accuracy see `MixUp`.

    Parameters
    ----------
    classes : int
        Number of classes, ``K``.
    alpha : float

    Raises
    ------
    TypeError, ValueError
        If `classes` is not an int of at least 1, or `alpha` not a number from 0.001 to 1000.

    References
    ----------
    S. Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features",
    arXiv 1905.04899.

    Examples
    --------
    >>> import numpy as np
    >>> images, labels = np.zeros((2, 1, 8, 8), np.float32), np.array([0, 1])
    >>> images[1] = 1
    >>> mixed, shares = CutMix(2)(images, labels, 0)
    >>> bool(np.allclose(mixed.mean(axis=(1, 2, 3)), shares[:, 1]))
    True
    """

    moves, mixes = False, True

    def __init__(self, classes: int, *, alpha: float = 1.0) -> None:
        self.classes = check_int(classes, "classes", "CutMix")
        self.alpha = check_number(alpha, "alpha", "CutMix", minimum=1e-3, maximum=1e3)

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        labels = as_shares(labels, len(images), self.classes, "CutMix")
        n, _, height, width = images.shape
        side = np.sqrt(1 - rng.beta(self.alpha, self.alpha, n))  # of the rectangle, as a share of the image's
        rows, columns = _interval(side, height, rng), _interval(side, width, rng)  # (N, H), (N, W)
        partner = rng.permutation(n)
        pasted = rows[:, :, None] & columns[:, None, :]  # (N, H, W)
        mixed = np.where(pasted[:, None], images[partner], images)
        share = pasted.mean(axis=(1, 2), dtype=np.float64)[:, None].astype(labels.dtype)
        return mixed, labels * (1 - share) + labels[partner] * share
