"""Two examples in one, with a share of both labels."""

from typing import Any

import numpy as np

from numpycnn.data.augment.base import Transform, amount, each, like
from numpycnn.functional import one_hot
from numpycnn.functional.checks import whole_number


class MixUp(Transform):
    """``s x1 + (1 - s) x2`` of each example and another one of the batch, and the same of their labels.

    The shares ``s`` come from the beta distribution with both parameters `alpha`: 0.2 leaves most examples nearly as
    they are, 1 makes all shares equally likely. `CrossEntropy` takes the mixed labels as they are; they have no hits
    and misses, so a training with them has no accuracy but that of the validation.

    Parameters
    ----------
    classes : int
        Of the labels, ``K``.
    alpha : float

    Raises
    ------
    TypeError, ValueError
        If `classes` is no int from 1 on, or `alpha` no number from 0.001 to 1000.

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

    planar = False

    def __init__(self, classes: int, *, alpha: float = 0.2) -> None:
        self.classes = whole_number(classes, "classes", "MixUp")
        self.alpha = amount(alpha, "alpha", "MixUp", least=1e-3, most=1e3)

    def _examples(self, images: np.ndarray, labels: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        number = np.result_type(images.dtype, np.float32)
        shares, labels = rng.beta(self.alpha, self.alpha, len(images)), np.asarray(labels)
        if labels.ndim == 1:
            labels = one_hot(labels, self.classes)  # (N, K)
        if labels.shape != (len(images), self.classes):
            raise ValueError(
                f"MixUp: expected {len(images)} labels, or shares of {self.classes} classes for each, got an array of "
                f"shape {labels.shape}"
            )
        partner = rng.permutation(len(images))
        share = each(shares, images).astype(number)
        mixed = images * share
        mixed += images[partner] * (1 - share)
        share = shares[:, np.newaxis].astype(labels.dtype)
        return like(mixed, images), labels * share + labels[partner] * (1 - share)
