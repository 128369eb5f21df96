"""The two micro-kernels under every matrix product and convolution.

A shifted line is a part of one long array, the line, that begins at its element ``offset``:

    weighted sums      sums[f, q] = start[f] + sum over k of  weight[f, k] * line[offset[k] + q]
    scalar products    products[f, k] = sum over q of  rows[f, q] * line[offset[k] + q]

The first is the matrix product ``weight @ matrix`` if the offsets are those of the rows of a matrix, and a convolution
if they are those of the taps of a window. The second is the product with a transposed matrix, and the gradient of a
convolution's weights.

Why they are fast: in each cycle a core can multiply and add two registers, but load only two and store one. A plain
loop loads two and stores one for every product, and waits for memory. Here a tile of results, 4 filters by as many
positions as four registers hold, stays in registers while ``k`` runs: 8 loads serve 16 products, and nothing is stored
until the sums are complete. On one core with AVX-512 (Zen 5) the first reached 230 to 250 GFLOP/s, before `LINES`, and
the second reaches 200, of a peak of 256; OpenBLAS's matrix product reaches 118.

References
----------
K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
"""

import numpy as np

from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import FOUR, REGISTER, load, load2, load4, store, total, zero, zero2, zero4

#: Lines of a block: a tile's width of that many lines serves all filters before the next lines. It is 24 KiB of the 32
#: or 48 of a first-level cache. The second-level cache of an Emerald Rapids cannot feed two multiplications of whole
#: registers a cycle: with 256 lines and filters a core reaches 156 GFLOP/s with this blocking and 102 without, with
#: 1,024 of each 127 and 60. The sums are the same, to the bit.
LINES = 96


def lanes(dtype: np.dtype) -> int:
    """Return the width of a tile in elements: lines and sums are padded with that many."""
    return FOUR // dtype.itemsize


def narrow_lanes(dtype: np.dtype) -> int:
    """Return the number of elements in a vector register, the step of the scalar products."""
    return REGISTER // dtype.itemsize


@jit
def weighted_sums(line, offsets, weights, start, length, sums):
    """sums[f, q] = start[f] + the sum over k of weights[f, k] * line[offsets[k] + q], for ``q < length``.

    weights (F, K), F a multiple of 4, with any strides, as of a transposed matrix; start (F,), or empty to add to the
    values in ``sums``; sums (F, > length). Up to half of ``lanes`` elements after the last sum are overwritten, and the
    line must be long enough to be read there.

    A tile's width of ``LINES`` shifted lines stays in the first-level cache for all filters; then the next lines are
    added to the sums.

    The loops for a whole and for half a tile are written out: as one function they take 1.6 times the instructions.

    Callers slice the weights even where they need the whole matrix: contiguous and strided arrays are different types
    for numba, and the loop would be compiled for both.
    """
    step = FOUR // line.itemsize
    zeros, zeros2 = zero4(line), zero2(line)
    for q in range(0, length, step):
        whole = length - q > step // 2  # else half a tile is enough
        for part in range(0, max(len(offsets), 1), LINES):
            end, fresh = min(part + LINES, len(offsets)), part == 0 and len(start) > 0
            for f in range(0, len(weights), 4):
                w0, w1, w2, w3 = weights[f], weights[f + 1], weights[f + 2], weights[f + 3]
                out0, out1, out2, out3 = sums[f], sums[f + 1], sums[f + 2], sums[f + 3]
                if whole:
                    if fresh:
                        s0, s1 = zeros + start[f], zeros + start[f + 1]
                        s2, s3 = zeros + start[f + 2], zeros + start[f + 3]
                    else:
                        s0, s1, s2, s3 = load4(out0, q), load4(out1, q), load4(out2, q), load4(out3, q)
                    for k in range(part, end):
                        x = load4(line, offsets[k] + q)
                        s0 += w0[k] * x
                        s1 += w1[k] * x
                        s2 += w2[k] * x
                        s3 += w3[k] * x
                    store(out0, q, s0)
                    store(out1, q, s1)
                    store(out2, q, s2)
                    store(out3, q, s3)
                else:
                    if fresh:
                        t0, t1 = zeros2 + start[f], zeros2 + start[f + 1]
                        t2, t3 = zeros2 + start[f + 2], zeros2 + start[f + 3]
                    else:
                        t0, t1, t2, t3 = load2(out0, q), load2(out1, q), load2(out2, q), load2(out3, q)
                    for k in range(part, end):
                        z = load2(line, offsets[k] + q)
                        t0 += w0[k] * z
                        t1 += w1[k] * z
                        t2 += w2[k] * z
                        t3 += w3[k] * z
                    store(out0, q, t0)
                    store(out1, q, t1)
                    store(out2, q, t2)
                    store(out3, q, t3)


@jit
def scalar_products(line, offsets, rows, first, last, products):
    """products[f, k] += sum over first <= q < last of rows[f, q] * line[offsets[k] + q].

    rows (F, >= last), offsets (K,), products (F, K); F is a multiple of 4, K of 3, and ``last - first`` of
    ``narrow_lanes``.
    """
    step = REGISTER // line.itemsize
    for f in range(0, len(rows), 4):
        d0, d1, d2, d3 = rows[f], rows[f + 1], rows[f + 2], rows[f + 3]
        p0, p1, p2, p3 = products[f], products[f + 1], products[f + 2], products[f + 3]
        for k in range(0, len(offsets), 3):
            o0, o1, o2 = offsets[k], offsets[k + 1], offsets[k + 2]
            s00, s01, s02, s10, s11, s12 = zero(line), zero(line), zero(line), zero(line), zero(line), zero(line)
            s20, s21, s22, s30, s31, s32 = zero(line), zero(line), zero(line), zero(line), zero(line), zero(line)
            for q in range(first, last, step):
                x0, x1, x2 = load(line, o0 + q), load(line, o1 + q), load(line, o2 + q)
                a, b, c, d = load(d0, q), load(d1, q), load(d2, q), load(d3, q)
                s00 += a * x0
                s01 += a * x1
                s02 += a * x2
                s10 += b * x0
                s11 += b * x1
                s12 += b * x2
                s20 += c * x0
                s21 += c * x1
                s22 += c * x2
                s30 += d * x0
                s31 += d * x1
                s32 += d * x2
            p0[k] += total(s00)
            p0[k + 1] += total(s01)
            p0[k + 2] += total(s02)
            p1[k] += total(s10)
            p1[k + 1] += total(s11)
            p1[k + 2] += total(s12)
            p2[k] += total(s20)
            p2[k + 1] += total(s21)
            p2[k + 2] += total(s22)
            p3[k] += total(s30)
            p3[k + 1] += total(s31)
            p3[k + 2] += total(s32)
