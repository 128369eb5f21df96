"""Recurrent networks on compiled loops; `numpycnn.plain.recurrence` has the formulas and the derivation."""

from typing import Any

import numpy as np

from numpycnn._checks import FLOATS
from numpycnn._types import Array
from numpycnn.fast.dense import linear, linear_backward, linear_weight_gradient
from numpycnn.fast.matrices import pad_to_multiple
from numpycnn.kernels import elementary
from numpycnn.kernels import recurrence as kernels
from numpycnn.kernels.engine import memory as pool
from numpycnn.kernels.engine import threads
from numpycnn.kernels.engine.gemm import lanes
from numpycnn.plain.recurrence import Arrays, before

__all__ = ["recurrent", "recurrent_backward"]

TABLES = {dtype: elementary.constants(dtype) for dtype in FLOATS}
CELLS = {"rnn": kernels.RNN, "lstm": kernels.LSTM, "gru": kernels.GRU}


def recurrent(
    x: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    *,
    cell: str = "lstm",
    reverse: bool = False,
    return_trace: bool = False,
) -> Any:
    """Return the outputs (N, L, H) of all steps over (N, L, C), with `reverse` from the last element to the first.

    With `return_trace`, what `recurrent_backward` needs is returned as well: outputs, gates and memory of all steps.
    """
    n, length, hidden = *x.shape[:2], weight_hh.shape[1]
    gates = linear(x, weight_ih, bias_ih)  # (N, L, G*H): a of all steps, which are replaced by the gates
    y, memory = (pool.empty((n, length, hidden), x.dtype) for _ in range(2))
    weight = pad_to_multiple(weight_hh.T, 1, lanes(x.dtype))
    h, u = _buffer(n, hidden, x.dtype), _buffer(n, len(weight_hh), x.dtype)
    chunks = threads.split(len(h) // 4, gates.size * hidden)
    arrays = gates, weight, bias_hh, CELLS[cell], reverse, np.zeros(hidden, x.dtype), h, u, y, memory
    threads.run(kernels.forward, chunks, *arrays, *_scratch(chunks, gates))
    return (y, (y, gates, memory)) if return_trace else y


def recurrent_backward(
    dy: Array,
    x: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    *,
    cell: str = "lstm",
    reverse: bool = False,
    trace: Arrays | None = None,
) -> Arrays:
    """Return the gradients of ``x``, both weights and both biases; `trace` is that of the forward pass, if at hand."""
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    if trace is None:
        trace = recurrent(x, *weights, cell=cell, reverse=reverse, return_trace=True)[1]
    y, gates, memory = trace
    n, hidden = len(x), weight_hh.shape[1]
    weight = pad_to_multiple(weight_hh, 1, lanes(x.dtype))
    dh, dm, d = (_buffer(n, size, x.dtype) for size in (hidden, hidden, len(weight_hh)))
    da = pool.empty(gates.shape, x.dtype)
    du = pool.empty(gates.shape, x.dtype) if cell == "gru" else da
    arrays = dy, y, gates, memory, weight, CELLS[cell], reverse, np.zeros(hidden, x.dtype), dh, dm, d, da, du
    chunks = threads.split(len(d) // 4, gates.size * hidden)
    threads.run(kernels.backward, chunks, *arrays, *_scratch(chunks, gates))
    dx, dweight_ih, dbias_ih = linear_backward(da, x, weight_ih)
    dweight_hh, dbias_hh = linear_weight_gradient(du, before(y, reverse))
    return dx, dweight_ih, dweight_hh, dbias_ih, dbias_hh


def _buffer(n: int, size: int, dtype: Any) -> Array:
    """Return zeros for a step, with as many rows and columns as the matrix product needs."""
    width = lanes(dtype)
    return pool.zeros((-(-n // 4) * 4, -(-size // width) * width), dtype)


def _scratch(chunks: threads.Chunks, gates: Array) -> tuple[Array, Array, Array]:
    """Return the constants of the exponential, and its scratch memory as floats and as integers of the same size."""
    power = pool.empty((len(chunks), gates.shape[2]), gates.dtype)
    return TABLES[gates.dtype], power, power.view(elementary.INTEGERS[power.itemsize])
