"""A convolutional autoencoder: it reconstructs its input from a low-dimensional code.

Training needs no labels; the code is a compact representation of the image.

Source: J. Masci, U. Meier, D. Cireşan, J. Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature
extraction", 2011.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._checks import format_shape
from numpycnn._types import Shape
from numpycnn.layers import Conv2D, ConvTranspose2D, Dense, Flatten, Layer, ReLU, Reshape
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network


def conv_autoencoder(
    input_shape: Shape = (1, 28, 28),
    code: int = 32,
    *,
    widths: Sequence[int] = (16, 32),
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return an encoder and a decoder, ``model[0]`` and ``model[1]``, as the two layers of a model.

    Each convolution of the encoder halves the image, and each transposed one of the decoder doubles it. The outputs are
    unbounded: train it with `MeanSquaredError` on ``(x, x)``, or with `BinaryCrossEntropy` for pixels from 0 to 1.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    code : int
        Size of the code.
    widths : sequence of int
        Channels of the encoder's convolutions.

    Examples
    --------
    >>> import numpy as np
    >>> model = conv_autoencoder((1, 28, 28), code=8)
    >>> x = np.zeros((5, 1, 28, 28), np.float32)
    >>> model[0](x).shape, model[1](model[0](x)).shape
    ((5, 8), (5, 1, 28, 28))
    """
    if len(input_shape) != 3:
        raise ValueError(f"conv_autoencoder: expected input_shape (C, H, W), got {format_shape(input_shape)}")
    shapes = [tuple(input_shape)]  # of each convolution's input, and of the last one's output
    for width in widths:
        shapes.append((width, *(-(-size // 2) for size in shapes[-1][1:])))
    encoder: list[Layer] = []
    for width in widths:
        encoder += [Conv2D(width, 3, stride=2, padding=1), ReLU()]
    decoder: list[Layer] = [Dense(prod(shapes[-1])), ReLU(), Reshape(shapes[-1])]
    for channels, *size in reversed(shapes[:-1]):
        extra = tuple(1 - extent % 2 for extent in size)  # of an even size, both 2n - 1 and 2n become n
        decoder += [ConvTranspose2D(channels, 3, stride=2, padding=1, output_padding=extra), ReLU()]
    parts = [
        Sequential([*encoder, Flatten(), Dense(code)], name="encoder"),
        Sequential(decoder[:-1], name="decoder"),  # no ReLU at the end
    ]
    model = build_network(parts, input_shape, seed, dtype, "conv_autoencoder")
    if seed is not None:
        for layer in decoder:
            if isinstance(layer, ConvTranspose2D):
                layer.weight.value *= (
                    0.5  # with He's weights, whose outputs have variance 1, the loss ends twice as high
                )
    return model
