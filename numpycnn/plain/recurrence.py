"""Recurrent networks: one step with the same weights for each element of a sequence, and a state from step to step.

Each step adds the product of the input ``x`` with ``W`` and that of the previous output ``h`` with ``R``,

    a = W x + b        u = R h + c

and a cell makes the new output ``h'`` of them. With the sigmoid ``s``, and ``*`` element by element,

    rnn     h' = tanh(a + u)
    lstm    i, f, o = s(a + u)       g = tanh(a + u)         m' = f * m + i * g      h' = o * tanh(m')
    gru     r, z = s(a + u)          n = tanh(a + r * u)                             h' = (1 - z) * n + z * h

A gate is a number from 0 to 1 for each element. In the LSTM, the part of the memory ``m`` that the forget gate ``f``
keeps passes from step to step without a matrix in between; in the GRU, the update gate ``z`` keeps a part of ``h``
itself. The reset gate ``r`` multiplies ``u``, as in PyTorch; in the paper of K. Cho et al. it multiplies ``h``. The
gates have their rows of ``W`` and ``R`` one after the other, in the order ``i f g o`` and ``r z n``, as in PyTorch.
``a`` needs no state, so it is one matrix product for all steps.

The gradient goes through the steps in reverse order (backpropagation through time). ``h'`` is an output and also goes
into the next step, so its gradient ``dh`` is ``dy`` plus the gradient that comes back from that step. The product rule
gives

    rnn     dh' = dh, with no other state
    lstm    dm' = dh * o * (1 - tanh(m')^2) + dm of the next step        dm of the previous step = dm' * f
            di = dm' * g      df = dm' * m      dg = dm' * i      do = dh * tanh(m')
    gru     dz = dh * (h - n)     dn = dh * (1 - z)     dr = dn * (1 - n^2) * u of n

Times the derivative of its sigmoid, ``s (1 - s)``, or tanh, ``1 - tanh^2``, each of them is a block of ``da``. ``du``
is the same, but for the ``n`` of the GRU, where ``r`` is in between: ``du = r * da``. The previous step gets ``dh = R^T
du``, in the GRU plus ``dh * z``. All steps use the same weights, so ``dW``, ``dR`` and the gradients of the biases are
sums over all steps and examples, as in a dense layer.

Source: J. Elman, "Finding structure in time", 1990; S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997;
F. Gers, J. Schmidhuber, F. Cummins, "Learning to forget", 2000; K. Cho et al., arXiv 1406.1078 (GRU).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn.plain.activations import sigmoid
from numpycnn.plain.dense import linear, linear_backward, linear_weight_gradient

Arrays = tuple[Array, ...]


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
    step, _ = CELLS[cell]
    n, length, hidden = *x.shape[:2], weight_hh.shape[1]
    a = linear(x, weight_ih, bias_ih)  # (N, L, G*H): of all steps
    gates = np.empty(a.shape, np.result_type(a, np.float32))
    y, memory = np.empty((2, n, length, hidden), gates.dtype)
    h = m = np.zeros((n, hidden), gates.dtype)
    for t in _order(length, reverse):
        h, m, gates[:, t] = step(a[:, t], linear(h, weight_hh, bias_hh), h, m)
        y[:, t], memory[:, t] = h, m
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
    _, step_backward = CELLS[cell]
    y, gates, memory = trace
    h, m = before(y, reverse), before(memory, reverse)
    da, du = np.empty((2, *gates.shape), gates.dtype)
    dh = dm = np.zeros_like(y[:, 0])
    for t in reversed(_order(x.shape[1], reverse)):
        state = h[:, t], m[:, t], memory[:, t]
        da[:, t], du[:, t], dh, dm = step_backward(dy[:, t] + dh, dm, gates[:, t], *state)
        dh = dh + du[:, t] @ weight_hh
    dx, dweight_ih, dbias_ih = linear_backward(da, x, weight_ih)
    dweight_hh, dbias_hh = linear_weight_gradient(du, h)
    return dx, dweight_ih, dweight_hh, dbias_ih, dbias_hh


def before(states: Array, reverse: bool) -> Array:
    """Return the state before each step, (N, L, H), from those after it: one step on, zeros at first."""
    shifted = np.zeros_like(states)
    if reverse:
        shifted[:, :-1] = states[:, 1:]
    else:
        shifted[:, 1:] = states[:, :-1]
    return shifted


def _order(length: int, reverse: bool) -> range:
    return range(length)[::-1] if reverse else range(length)


def _rnn_step(a: Array, u: Array, h: Array, m: Array) -> Arrays:
    h = np.tanh(a + u)
    return h, m, h


def _rnn_step_backward(dh: Array, dm: Array, gates: Array, *state: Array) -> Arrays:
    da = dh * (1 - gates * gates)
    return da, da, np.zeros_like(dh), dm


def _lstm_step(a: Array, u: Array, h: Array, m: Array) -> Arrays:
    i, f, g, o = np.split(a + u, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    m = f * m + i * g
    return o * np.tanh(m), m, np.concatenate([i, f, g, o], axis=1)


def _lstm_step_backward(dh: Array, dm: Array, gates: Array, h: Array, m: Array, after: Array) -> Arrays:
    i, f, g, o = np.split(gates, 4, axis=1)
    squashed = np.tanh(after)
    dm = dm + dh * o * (1 - squashed * squashed)
    di, df, dg, do = dm * g, dm * m, dm * i, dh * squashed
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)], axis=1)
    return da, da, np.zeros_like(dh), dm * f


def _gru_step(a: Array, u: Array, h: Array, m: Array) -> Arrays:
    (a_r, a_z, a_n), (u_r, u_z, u_n) = np.split(a, 3, axis=1), np.split(u, 3, axis=1)
    r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
    n = np.tanh(a_n + r * u_n)
    return (1 - z) * n + z * h, u_n, np.concatenate([r, z, n], axis=1)  # u of n takes the place of a memory


def _gru_step_backward(dh: Array, dm: Array, gates: Array, h: Array, m: Array, u_n: Array) -> Arrays:
    r, z, n = np.split(gates, 3, axis=1)
    dn = dh * (1 - z) * (1 - n * n)
    dr, dz = dn * u_n * r * (1 - r), dh * (h - n) * z * (1 - z)
    return np.concatenate([dr, dz, dn], axis=1), np.concatenate([dr, dz, dn * r], axis=1), dh * z, dm


#: The step of each cell and its gradient.
CELLS: dict[str, tuple[Callable[..., Arrays], Callable[..., Arrays]]] = {
    "rnn": (_rnn_step, _rnn_step_backward),
    "lstm": (_lstm_step, _lstm_step_backward),
    "gru": (_gru_step, _gru_step_backward),
}
