"""Random parts of a data set contain each example once, and each class by the same share if asked to."""

import numpy as np
import pytest

from numpycnn.data.splitting import split_positions
from tests.drawn import generators


def test_the_parts_contain_each_position_once() -> None:
    for rng in generators(60):
        total = int(rng.integers(2, 60))
        count, labels = int(rng.integers(1, total)), rng.integers(-3, 3, total)
        for given in (None, labels):
            first, second = split_positions(total, count, 7, given)
            assert (len(first), len(second)) == (count, total - count)
            assert sorted([*first, *second]) == list(range(total))


def test_without_labels_it_is_a_permutation() -> None:
    first, second = split_positions(10, 3, 5)
    assert [*first, *second] == np.random.default_rng(5).permutation(10).tolist()


def test_each_class_is_off_by_less_than_one_example() -> None:
    for rng in generators(61):
        total = int(rng.integers(2, 200))
        count, labels = int(rng.integers(1, total)), rng.choice([0, 1, 5, 9], total, p=[0.7, 0.2, 0.05, 0.05])
        first, _ = split_positions(total, count, 3, labels)
        for label in np.unique(labels):
            share = count * (labels == label).sum() / total
            assert abs((labels[first] == label).sum() - share) < 1


def test_the_shares_equal_those_of_scikit_learn() -> None:
    """It rounds ties at random; without ties, the counts are the same."""
    selection = pytest.importorskip("sklearn.model_selection")
    labels = np.repeat([0, 1, 2], [50, 33, 17])
    first, _ = split_positions(100, 10, 0, labels)
    theirs, _ = selection.train_test_split(labels, train_size=10, stratify=labels, random_state=0)
    assert np.bincount(labels[first]).tolist() == np.bincount(theirs).tolist() == [5, 3, 2]


def test_the_order_is_shuffled_and_depends_on_the_seed() -> None:
    labels = np.repeat([0, 1], 50)
    first, second = split_positions(100, 40, 0, labels)
    assert not np.array_equal(first, np.sort(first))
    assert 5 < labels[first[:20]].sum() < 15
    assert not np.array_equal(first, split_positions(100, 40, 1, labels)[0])
    assert np.array_equal(second, split_positions(100, 40, 0, labels)[1])
