"""Mixtures of two examples and of their labels."""

import numpy as np

from numpycnn._checks import check_int, check_number
from numpycnn.data.augment.base import Transform, cast_like, per_image
from numpycnn.functional import one_hot


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

    planar = moves = False

    def __init__(self, classes: int, *, alpha: float = 0.2) -> None:
        self.classes = check_int(classes, "classes", "MixUp")
        self.alpha = check_number(alpha, "alpha", "MixUp", minimum=1e-3, maximum=1e3)

    def _examples(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        dtype = np.result_type(images.dtype, np.float32)
        shares, labels = rng.beta(self.alpha, self.alpha, len(images)), np.asarray(labels)
        if labels.ndim == 1:
            labels = one_hot(labels, self.classes)  # (N, K)
        if labels.shape != (len(images), self.classes):
            raise ValueError(
                f"MixUp: expected {len(images)} labels, or one share for each of {self.classes} classes, got an "
                f"array of shape {labels.shape}"
            )
        partner = rng.permutation(len(images))
        share = per_image(shares, images).astype(dtype)
        mixed = images * share
        mixed += images[partner] * (1 - share)
        share = shares[:, np.newaxis].astype(labels.dtype)
        return cast_like(mixed, images), labels * share + labels[partner] * (1 - share)
