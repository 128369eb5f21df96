"""The time loop of recurrent networks: all steps of a thread's share of the batch, with the gates computed in place.

NumPy needs some twenty calls and as many new arrays for each step, on one thread. Here a step is one matrix product of
the micro-kernel `numpycnn.kernels.engine.gemm.weighted_sums`, and a few loops that vector instructions run.

``gates`` is (N, L, G*H), ``y`` and ``memory`` are (N, L, H). Buffers of one step have a row for each example, up to a
multiple of four examples, and rows that are padded to the width of a tile; chunks count in fours. The formulas are
derived in `numpycnn.plain.recurrence`.
"""

import numpy as np

from numpycnn.kernels.elementary import sigmoids, tanhs
from numpycnn.kernels.engine.gemm import weighted_sums
from numpycnn.kernels.engine.jit import jit

RNN, LSTM, GRU = 0, 1, 2


@jit
def add_products(x, weight, sums):
    """Add ``x @ weight`` to ``sums``: x (F, K), weight (K, J), sums (F, J), F a multiple of 4, J of ``lanes``."""
    rows, columns = weight.shape
    empty = np.empty(0, weight.dtype)  # no start: add to what is there
    weighted_sums(weight.reshape(-1), np.arange(rows) * columns, x, empty, columns, sums)


@jit
def rnn_step(gates, u, y, table, power, bits):
    """Replace ``a`` in ``gates`` by the output."""
    for j in range(len(y)):
        gates[j] += u[j]
    tanhs(gates, table, power, bits)
    for j in range(len(y)):
        y[j] = gates[j]


@jit
def lstm_step(gates, u, before, memory, y, table, power, bits):
    """Replace ``a`` in ``gates`` by the gates i, f, g, o; set the memory and the output."""
    size = len(y)
    i, f, g, o = gates[:size], gates[size : 2 * size], gates[2 * size : 3 * size], gates[3 * size :]
    for j in range(len(gates)):
        gates[j] += u[j]
    sigmoids(gates[: 2 * size], table, power, bits)
    tanhs(g, table, power, bits)
    sigmoids(o, table, power, bits)
    for j in range(size):
        memory[j] = f[j] * before[j] + i[j] * g[j]
        y[j] = memory[j]
    tanhs(y, table, power, bits)
    for j in range(size):
        y[j] *= o[j]


@jit
def gru_step(gates, u, before, memory, y, table, power, bits):
    """Replace ``a`` in ``gates`` by the gates r, z, n; keep ``u`` of n as the memory, and set the output."""
    size = len(y)
    r, z, n, u_n = gates[:size], gates[size : 2 * size], gates[2 * size :], u[2 * size :]
    for j in range(2 * size):
        gates[j] += u[j]
    sigmoids(gates[: 2 * size], table, power, bits)
    for j in range(size):
        memory[j] = u_n[j]
        n[j] += r[j] * u_n[j]
    tanhs(n, table, power, bits)
    for j in range(size):
        y[j] = n[j] + z[j] * (before[j] - n[j])


@jit
def forward(chunk, start, stop, gates, weight, bias, cell, reverse, zero, h, u, y, memory, table, power, bits):
    """All steps of the examples from ``4 start`` to ``4 stop``.

    ``weight`` is transposed, (H, G*H), ``zero`` the first state. ``h`` and ``u`` are buffers of a step for the output
    and its product. ``power`` and ``bits``, the same memory, have G*H numbers for each chunk.
    """
    examples, length, rows = gates.shape
    first, last, size = 4 * start, min(4 * stop, examples), y.shape[2]
    scratch, digits = power[chunk], bits[chunk]
    for step in range(length):
        t = length - 1 - step if reverse else step
        previous = t + 1 if reverse else t - 1
        for n in range(first, last):
            u[n, :rows] = bias
        if step:
            add_products(h[first : 4 * stop, :size], weight, u[first : 4 * stop])
        for n in range(first, last):
            sums = u[n, :rows]
            if cell == RNN:
                rnn_step(gates[n, t], sums, y[n, t], table, scratch, digits)
            elif cell == LSTM:
                before = memory[n, previous] if step else zero
                lstm_step(gates[n, t], sums, before, memory[n, t], y[n, t], table, scratch, digits)
            else:
                before = y[n, previous] if step else zero
                gru_step(gates[n, t], sums, before, memory[n, t], y[n, t], table, scratch, digits)
            h[n, :size] = y[n, t]


@jit
def rnn_step_backward(y, dh, da):
    """Set ``da``; nothing of ``dh`` passes beside it."""
    one, zero = y.dtype.type(1), y.dtype.type(0)
    for j in range(len(y)):
        da[j] = dh[j] * (one - y[j] * y[j])
        dh[j] = zero


@jit
def lstm_step_backward(gates, before, memory, dh, dm, da, table, power, bits):
    """Set ``da``; pass ``dm`` on to the step before, and nothing of ``dh``."""
    size, one, zero = len(dh), gates.dtype.type(1), gates.dtype.type(0)
    i, f, g, o = gates[:size], gates[size : 2 * size], gates[2 * size : 3 * size], gates[3 * size :]
    di, df, dg, do = da[:size], da[size : 2 * size], da[2 * size : 3 * size], da[3 * size :]
    for j in range(size):
        do[j] = memory[j]
    tanhs(do, table, power, bits)
    for j in range(size):
        squashed = do[j]
        d = dm[j] + dh[j] * o[j] * (one - squashed * squashed)
        di[j] = d * g[j] * i[j] * (one - i[j])
        df[j] = d * before[j] * f[j] * (one - f[j])
        dg[j] = d * i[j] * (one - g[j] * g[j])
        do[j] = dh[j] * squashed * o[j] * (one - o[j])
        dm[j] = d * f[j]
        dh[j] = zero


@jit
def gru_step_backward(gates, before, memory, dh, da, du):
    """Set ``da`` and ``du``; pass the share of ``dh`` on that the update gate kept."""
    size, one = len(dh), gates.dtype.type(1)
    r, z, n = gates[:size], gates[size : 2 * size], gates[2 * size :]
    da_r, da_z, da_n = da[:size], da[size : 2 * size], da[2 * size :]
    du_r, du_z, du_n = du[:size], du[size : 2 * size], du[2 * size :]
    for j in range(size):
        d = dh[j] * (one - z[j]) * (one - n[j] * n[j])
        da_n[j], du_n[j] = d, d * r[j]
        da_r[j] = du_r[j] = d * memory[j] * r[j] * (one - r[j])
        da_z[j] = du_z[j] = dh[j] * (before[j] - n[j]) * z[j] * (one - z[j])
        dh[j] *= z[j]


@jit
def backward(
    chunk, start, stop, dy, y, gates, memory, weight, cell, reverse, zero, dh, dm, d, da, du, table, power, bits
):
    """All steps in reverse order of the examples from ``4 start`` to ``4 stop``.

    ``weight`` is (G*H, H). ``dh``, ``dm`` and ``d`` are buffers of a step, zeros at first; ``d`` takes ``du`` of the
    step. ``du`` may be ``da``.
    """
    examples, length, rows = gates.shape
    first, last, size = 4 * start, min(4 * stop, examples), y.shape[2]
    scratch, digits = power[chunk], bits[chunk]
    for step in range(length - 1, -1, -1):
        t = length - 1 - step if reverse else step
        previous = t + 1 if reverse else t - 1
        for n in range(first, last):
            gradient, total = dy[n, t], dh[n, :size]
            for j in range(size):
                total[j] += gradient[j]
            if cell == RNN:
                rnn_step_backward(y[n, t], total, da[n, t])
            elif cell == LSTM:
                before = memory[n, previous] if step else zero
                state = before, memory[n, t], total, dm[n, :size], da[n, t]
                lstm_step_backward(gates[n, t], *state, table, scratch, digits)
            else:
                before = y[n, previous] if step else zero
                gru_step_backward(gates[n, t], before, memory[n, t], total, da[n, t], du[n, t])
            d[n, :rows] = du[n, t]
        if step:
            add_products(d[first : 4 * stop, :rows], weight, dh[first : 4 * stop])
