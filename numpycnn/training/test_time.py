"""Test-time augmentation: average a network's predictions over several views of each image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from numpycnn._checks import check_flag, check_int, check_unmasked, format_shape
from numpycnn.inspection.outputs import from_probabilities, to_probabilities
from numpycnn.inspection.traces import check_one_input
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.network import Network


class TestTimeAugmentation:
    """Average the class probabilities of an image, its mirror image and its shifted copies.

    ::

        p = 1 / V * sum over the views v of softmax(model(v(x)))

    The softmax is left out if the model ends with one; for a single output it is a sigmoid.

    Parameters
    ----------
    flip : bool
        Also use the mirror image of each view, left to right.
    shift : int
        If not 0, also use the image shifted by this number of pixels up, down, left and right. The gap repeats the
        edge pixels.

    Raises
    ------
    TypeError, ValueError
        If `flip` is neither True nor False, or `shift` is not an int, or `flip` is False and `shift` is 0.

    Notes
    -----
    Each view takes a forward pass: 2 with `flip`, 5 with `shift`, 10 with both. Use views that would also suit as an
    augmentation of the training: a mirrored letter does not keep its class.

    References
    ----------
    A. Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012, section 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Dense, Flatten, Sequential
    >>> model = Sequential([Flatten(), Dense(2)], input_shape=(1, 3, 4))
    >>> x = np.random.default_rng(0).normal(size=(5, 1, 3, 4)).astype(np.float32)
    >>> both = TestTimeAugmentation(flip=True)(model, x)
    >>> bool(np.allclose(both, TestTimeAugmentation(flip=True)(model, x[..., ::-1])))
    True
    """

    __test__ = False  # pytest takes a class with this beginning for one of tests

    def __init__(self, *, flip: bool = False, shift: int = 0) -> None:
        self.flip = check_flag(flip, "flip", "TestTimeAugmentation")
        self.shift = check_int(shift, "shift", "TestTimeAugmentation", minimum=0)
        if not self.flip and not self.shift:
            raise ValueError("TestTimeAugmentation: expected flip=True or a shift above 0, got neither")

    def views(self, x: Any) -> Iterator[np.ndarray]:
        """Yield the views of a batch, the batch itself first.

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W)

        Yields
        ------
        ndarray of shape (N, C, H, W)

        Raises
        ------
        ValueError
            If it has another shape, or is smaller than the shift.
        TypeError
            If it has a mask of NumPy.
        """
        x = check_unmasked(x, "images", "TestTimeAugmentation")
        if x.ndim != 4 or self.shift >= min(x.shape[2:]):
            least = f" of more than {self.shift} pixels a side" if self.shift else ""
            raise ValueError(f"TestTimeAugmentation: expected images (N, C, H, W){least}, got {format_shape(x.shape)}")
        for view in self._moved(x):
            yield view
            if self.flip:
                yield np.ascontiguousarray(view[..., ::-1])

    def _moved(self, x: np.ndarray) -> Iterator[np.ndarray]:
        yield x
        s, (height, width) = self.shift, x.shape[2:]
        if s:
            padded = np.pad(x, ((0, 0), (0, 0), (s, s), (s, s)), "edge")
            for top, left in ((0, s), (2 * s, s), (s, 0), (s, 2 * s)):
                yield np.ascontiguousarray(padded[:, :, top : top + height, left : left + width])

    def __call__(self, model: Network, x: Any) -> np.ndarray:
        """Return the outputs, (N, K), that stand for the mean probabilities.

        They are what the model outputs: logits, or probabilities if it ends with a softmax or sigmoid.

        Parameters
        ----------
        model : Sequential or Model
            A classifier.
        x : ndarray of shape (N, C, H, W)
            The model's inputs.

        Raises
        ------
        ValueError
            If the outputs of the model or the batch have another shape.
        """
        check_one_input(model, "TestTimeAugmentation")
        if model.output_shape is None or model.output_count > 1 or len(model.output_shape) != 1:
            shape = format_shapes(model.output_shape or ())
            raise ValueError(
                f"TestTimeAugmentation: expected a model whose outputs are of shape (N, K), got one with {shape}"
            )
        probabilities = [to_probabilities(model, model.forward(view)) for view in self.views(x)]  # (N, K) each
        return from_probabilities(model, np.mean(probabilities, axis=0))

    def __repr__(self) -> str:
        settings = ["flip=True"] * self.flip + [f"shift={self.shift}"] * bool(self.shift)
        return f"TestTimeAugmentation({', '.join(settings)})"
