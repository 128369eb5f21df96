"""A convolutional autoencoder: it is to return its own input, through a bottleneck that only leaves room for the gist.

No labels are needed; what it learns about the pictures is in the few numbers of the code.

Source: J. Masci, U. Meier, D. Cireşan, J. Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature
extraction", 2011.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from numpycnn.functional.checks import spell
from numpycnn.layers import Conv2D, ConvTranspose2D, Dense, Flatten, Layer, ReLU, Reshape
from numpycnn.models.building import built
from numpycnn.sequential import Sequential


def conv_autoencoder(
    input_shape: Sequence[int] = (1, 28, 28),
    code: int = 32,
    *,
    widths: Sequence[int] = (16, 32),
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return an encoder and a decoder, ``model[0]`` and ``model[1]``, as the two layers of a network.

    Each convolution of the encoder halves the picture, and each transposed one of the decoder doubles it. The outputs
    are numbers of any size: train it with `MeanSquaredError` on ``(x, x)``, or with `BinaryCrossEntropy` if the pixels
    are from 0 to 1.

    Parameters
    ----------
    input_shape : tuple of int
        ``(C, H, W)``.
    code : int
        Numbers of the bottleneck.
    widths : sequence of int
        Channels of the convolutions of the encoder.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If `input_shape` is not ``(C, H, W)``, or a setting is out of range.
    TypeError
        If a setting is not of its kind.

    Examples
    --------
    >>> import numpy as np
    >>> model = conv_autoencoder((1, 28, 28), code=8)
    >>> x = np.zeros((5, 1, 28, 28), np.float32)
    >>> model[0](x).shape, model[1](model[0](x)).shape
    ((5, 8), (5, 1, 28, 28))
    """
    if len(input_shape) != 3:
        raise ValueError(f"conv_autoencoder: expected input_shape (C, H, W), got {spell(input_shape)}")
    shapes = [tuple(input_shape)]  # of what goes into each convolution, and comes out of the last one
    for width in widths:
        shapes.append((width, *(-(-size // 2) for size in shapes[-1][1:])))
    encoder: list[Layer] = []
    for width in widths:
        encoder += [Conv2D(width, 3, stride=2, padding=1), ReLU()]
    decoder: list[Layer] = [Dense(prod(shapes[-1])), ReLU(), Reshape(shapes[-1])]
    for channels, *size in reversed(shapes[:-1]):
        missing = tuple(1 - extent % 2 for extent in size)  # of an even size, both 2n - 1 and 2n become n
        decoder += [ConvTranspose2D(channels, 3, stride=2, padding=1, output_padding=missing), ReLU()]
    parts = [
        Sequential([*encoder, Flatten(), Dense(code)], name="encoder"),
        Sequential(decoder[:-1], name="decoder"),  # no ReLU at the end
    ]
    return built(parts, input_shape, seed, dtype, "conv_autoencoder")
