"""The matrix of all windows: arguments checked and settings resolved, then the backend's operation."""

from math import prod

from numpycnn._checks import check_array, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Array, Padding, Shape, Size
from numpycnn._windows import slide


def im2col(x: Array, kernel_size: Size, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1) -> Array:
    """Write the elements under each window as one column of a matrix ("image to columns").

    A convolution is then one matrix product for each image: ``weight.reshape(F, -1) @ im2col(x, kernel_size)``.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64, with 1 to 3 spatial axes.
    kernel_size : int or tuple of int
        Size of the window, for all axes, or one for each.
    stride, padding, dilation
        As for `conv2d`.

    Returns
    -------
    ndarray of shape (N, C * KK, P)
        ``KK`` is the number of taps of the window, ``P`` that of the windows. Row ``c * KK + k`` belongs to tap ``k``
        of channel ``c``.

    Raises
    ------
    ValueError
        If the window does not fit or a setting is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing", 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import im2col
    >>> im2col(np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), 2)  # the left window holds 1 2 4 5
    array([[[1., 2.],
            [2., 3.],
            [4., 5.],
            [5., 6.]]])
    """
    x = check_array(x, "x", "im2col")
    if not 3 <= x.ndim <= 5:
        raise ValueError(f"im2col: expected x (N, C, *size) with 1 to 3 spatial axes, got {format_shape(x.shape)}")
    windows = slide(x.shape[2:], kernel_size, stride=stride, padding=padding, dilation=dilation, owner="im2col")
    return operations().im2col(x, windows.kernel, **windows.settings)


def col2im(
    columns: Array, size: Shape, kernel_size: Size, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Array:
    """Add each entry of the columns to the element that `im2col` would copy it from: the adjoint of `im2col`.

    Parameters
    ----------
    columns : ndarray of shape (N, C * KK, P), float32 or float64
    size : tuple of int
        Spatial axes of the result, as in ``(H, W)``.
    kernel_size, stride, padding, dilation
        As given to `im2col`.

    Returns
    -------
    ndarray of shape (N, C, *size)

    Raises
    ------
    ValueError
        If the columns do not belong to such windows, or a setting is out of range.
    TypeError
        If `columns` is not float32 or float64.

    References
    ----------
    K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing", 2006.

    Examples
    --------
    An element that two windows see is counted twice:

    >>> import numpy as np
    >>> from numpycnn.functional import col2im, im2col
    >>> col2im(im2col(np.array([[[1.0, 2.0, 3.0]]]), 2), (3,), 2)
    array([[[1., 4., 3.]]])
    """
    if not isinstance(size, tuple | list) or not 1 <= len(size) <= 3:
        raise ValueError(f"col2im: expected size as 1 to 3 ints, got {size!r}")
    size = per_axis(size, len(size), "size", "col2im")
    windows = slide(size, kernel_size, stride=stride, padding=padding, dilation=dilation, owner="col2im")
    taps, positions = prod(windows.kernel), prod(windows.output)
    columns = check_array(columns, "columns", "col2im", shape=("N", "C*KK", positions))
    if columns.shape[1] % taps:
        raise ValueError(f"col2im: expected a multiple of {taps} rows, got columns {format_shape(columns.shape)}")
    return operations().col2im(columns, size, windows.kernel, **windows.settings)
