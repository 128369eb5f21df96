"""Random parts of a data set, also with each class in both parts by the same share."""

import numpy as np


def split_positions(
    total: int, count: int, seed: int, labels: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` of `total` positions, and the others, in random order.

    With labels, the first part gets of each class its share ``count / total``, rounded down; the positions that are
    left go to the classes with the largest remainders, so each class is off by less than one example.
    """
    order = np.random.default_rng(seed).permutation(total)
    if labels is None:
        return order[:count], order[count:]
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    shares = count * sizes / total
    counts = np.floor(shares).astype(int)
    counts[np.argsort(counts - shares, kind="stable")[: count - counts.sum()]] += 1
    first = np.zeros(total, bool)
    for number, size in enumerate(counts):
        first[order[classes[order] == number][:size]] = True
    return order[first[order]], order[~first[order]]
