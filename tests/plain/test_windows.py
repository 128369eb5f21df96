"""im2col and col2im against explicit loops."""

from math import prod

import numpy as np

from numpycnn import functional as F
from tests.drawn import draw_case, generators
from tests.helpers import assert_close, assert_same_bits
from tests.plain.naive import positions


def test_columns_hold_what_each_window_sees() -> None:
    for rng in generators(70):
        rank = int(rng.integers(1, 4))
        case = draw_case(rng, rank)
        x = rng.normal(size=(*rng.integers(1, 4, 2), *case.size))
        columns = np.zeros((*x.shape[:2], prod(case.kernel), prod(case.output)))
        for k, tap in enumerate(positions(case.kernel)):
            for p, window in enumerate(positions(case.output)):
                axes = zip(window, tap, case.stride, case.dilation, case.pairs, strict=True)
                at = tuple(s * o + d * u - before for o, u, s, d, (before, _) in axes)
                if all(0 <= a < size for a, size in zip(at, case.size, strict=True)):
                    columns[:, :, k, p] = x[..., *at]
        columns = columns.reshape(len(x), -1, prod(case.output))
        assert_same_bits(F.im2col(x, **case.settings), columns)


def test_col2im_is_the_adjoint_of_im2col() -> None:
    for rng in generators(71):
        case = draw_case(rng, int(rng.integers(1, 4)))
        x = rng.normal(size=(2, 3, *case.size))
        columns = F.im2col(x, **case.settings)
        z = rng.normal(size=columns.shape)
        back = F.col2im(z, case.size, **case.settings)
        assert back.shape == x.shape
        assert_close((columns * z).sum(), (x * back).sum())
