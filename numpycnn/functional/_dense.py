"""Dense layers and embeddings: arguments checked, then the backend's operation."""

from numpycnn._checks import as_contiguous, check_array, check_floats, check_indices, check_unmasked, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array


def _check_linear(x: object, weight: object, owner: str) -> tuple[Array, Array]:
    """Check the operands, which are not copied yet."""
    x = check_floats(x, "x", owner)
    weight = check_floats(weight, "weight", owner, like=x, shape=("O", "I"))
    if x.ndim < 1 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"{owner}: expected x (..., {weight.shape[1]}) for weight {format_shape(weight.shape)}, "
            f"got {format_shape(x.shape)}"
        )
    return x, weight


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``x W^T + b``.

    Parameters
    ----------
    x : ndarray of shape (N, I)
        float32 or float64; further axes may precede the last one.
    weight : ndarray of shape (O, I)
    bias : ndarray of shape (O,), optional

    Returns
    -------
    ndarray of shape (N, O)

    Raises
    ------
    ValueError
        If the shapes do not match.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import linear
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    x, weight = _check_linear(x, weight, "linear")
    if bias is not None:
        bias = check_array(bias, "bias", "linear", like=x, shape=(len(weight),))
    return operations().linear(as_contiguous(x), as_contiguous(weight), bias)


def linear_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return the gradients ``(dx, dweight, dbias)`` of `linear`.

    Parameters
    ----------
    dy : ndarray of shape (N, O)
    x, weight
        As given to `linear`.
    """
    x, weight = _check_linear(x, weight, "linear_backward")
    dy = check_array(dy, "dy", "linear_backward", like=x, shape=(*x.shape[:-1], len(weight)))
    return operations().linear_backward(dy, as_contiguous(x), as_contiguous(weight))


def _check_embedding(x: object, weight: object, owner: str) -> tuple[Array, Array]:
    weight = check_array(weight, "weight", owner, shape=("V", "D"))
    x = check_unmasked(x, "x", owner)
    if x.dtype.kind not in "iu":
        raise TypeError(f"{owner}: expected x to hold integers, got {x.dtype}")
    return check_indices(x, len(weight), owner), weight


def embedding(x: Array, weight: Array) -> Array:
    """Look up rows of a table.

    Parameters
    ----------
    x : ndarray of int of any shape, as (N, L)
    weight : ndarray of shape (V, D), float32 or float64

    Returns
    -------
    ndarray of shape (*x.shape, D)

    Raises
    ------
    ValueError
        If an index is not from 0 to ``V - 1``.
    TypeError
        If `x` does not hold integers, or `weight` is not float32 or float64.

    References
    ----------
    Y. Bengio et al., "A neural probabilistic language model", 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import embedding
    >>> embedding(np.array([1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[3., 4.],
           [1., 2.]])
    """
    return operations().embedding(*_check_embedding(x, weight, "embedding"))


def embedding_backward(dy: Array, x: Array, weight: Array) -> Array:
    """Return ``dweight`` of `embedding`; the indices have no gradient.

    Parameters
    ----------
    dy : ndarray of shape (*x.shape, D)
    x, weight
        As given to `embedding`.
    """
    x, weight = _check_embedding(x, weight, "embedding_backward")
    dy = check_array(dy, "dy", "embedding_backward", like=weight, shape=(*x.shape, weight.shape[1]))
    return operations().embedding_backward(dy, x, weight)
