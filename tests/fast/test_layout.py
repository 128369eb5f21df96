"""Geometry that is worked out once for each setting."""

import numpy as np

from numpycnn.fast.layout import layout


def make() -> object:
    return layout((6, 5), (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), None, False)


def test_equal_settings_share_one_layout() -> None:
    first, second = make(), make()
    assert first is second
    assert first.table is second.table


def test_the_arrays_of_a_layout_are_contiguous() -> None:
    arrays = [value for value in vars(make()).values() if isinstance(value, np.ndarray)]
    assert all(array.flags.c_contiguous for array in arrays)
