"""Recurrent networks: arguments checked, then the backend's operation."""

from numpycnn._checks import check_array, check_choice, check_flag, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array

GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks of rows in the weights of each cell
FiveGradients = tuple[Array, Array, Array, Array, Array]


def check_length(x: Array, owner: str) -> None:
    """Refuse sequences without an element, which have no last step."""
    if not x.shape[1]:
        raise ValueError(f"{owner}: expected sequences of at least one element, got {format_shape(x.shape)}")


def _check_recurrent(x: object, weights: tuple[object, ...], cell: object, reverse: object, owner: str) -> list[Array]:
    """Return the input and the weights; the settings are checked as well."""
    cell = check_choice(cell, "cell", owner, tuple(GATES))
    check_flag(reverse, "reverse", owner)
    x = check_array(x, "x", owner, shape=("N", "L", "C"))
    check_length(x, owner)
    weight_hh = check_array(weights[1], "weight_hh", owner, like=x, shape=("GH", "H"))
    rows, hidden = weight_hh.shape
    if rows != GATES[cell] * hidden:
        raise ValueError(
            f"{owner}: expected weight_hh ({GATES[cell]} H, H) for cell {cell!r}, got {format_shape(weight_hh.shape)}"
        )
    shapes = {"weight_ih": (rows, x.shape[2]), "weight_hh": (rows, hidden), "bias_ih": (rows,), "bias_hh": (rows,)}
    named = zip(weights, shapes.items(), strict=True)
    return [x, *(check_array(value, name, owner, like=x, shape=shape) for value, (name, shape) in named)]


def recurrent(
    x: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array,
    bias_hh: Array,
    *,
    cell: str = "lstm",
    reverse: bool = False,
) -> Array:
    """Return the outputs of a recurrent network for all steps; its state is zero at first.

    Parameters
    ----------
    x : ndarray of shape (N, L, C), float32 or float64
        ``L`` elements, one for each step.
    weight_ih : ndarray of shape (G * H, C)
        For the input, with ``G`` blocks of rows, in PyTorch's order: 1 for ``"rnn"``, 4 for ``"lstm"`` (input gate,
        forget gate, candidate, output gate), 3 for ``"gru"`` (reset gate, update gate, candidate).
    weight_hh : ndarray of shape (G * H, H)
        For the output of the previous step.
    bias_ih, bias_hh : ndarray of shape (G * H,)
        Added to the products with `weight_ih` and `weight_hh`. Only their sum matters, but in the candidate of the GRU.
    cell : {"rnn", "lstm", "gru"}
        Elman's network, long short-term memory, or gated recurrent unit.
    reverse : bool
        Whether to go from the last element to the first.

    Returns
    -------
    ndarray of shape (N, L, H)
        Each output at the place of its input.

    Raises
    ------
    ValueError
        If shapes do not match, a sequence is empty, or `cell` is unknown.
    TypeError
        If an array is not float32 or float64, the arrays differ in type, or `reverse` is not a bool.

    References
    ----------
    J. Elman, "Finding structure in time", 1990; S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; K.
    Cho et al., "Learning phrase representations using RNN encoder-decoder", arXiv 1406.1078.

    Examples
    --------
    A state that adds up its inputs, as long as tanh is nearly the identity:

    >>> import numpy as np
    >>> from numpycnn.functional import recurrent
    >>> one, zero = np.ones((1, 1)), np.zeros(1)
    >>> recurrent(np.array([[[0.1], [0.1], [0.1]]]), one, one, zero, zero, cell="rnn").round(2).ravel()
    array([0.1 , 0.2 , 0.29])
    """
    owner = "recurrent"
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    arrays = _check_recurrent(x, weights, cell, reverse, owner)
    return operations().recurrent(*arrays, cell=cell, reverse=bool(reverse))


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
) -> FiveGradients:
    """Return the gradients ``(dx, dweight_ih, dweight_hh, dbias_ih, dbias_hh)`` of `recurrent`.

    Parameters
    ----------
    dy : ndarray of shape (N, L, H)
    x, weight_ih, weight_hh, bias_ih, bias_hh, cell, reverse
        As given to `recurrent`.
    """
    owner = "recurrent_backward"
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    arrays = _check_recurrent(x, weights, cell, reverse, owner)
    dy = check_array(dy, "dy", owner, like=arrays[0], shape=(*arrays[0].shape[:2], arrays[2].shape[1]))
    return operations().recurrent_backward(dy, *arrays, cell=cell, reverse=bool(reverse))
