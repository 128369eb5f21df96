"""Recurrent layers over sequences (N, L, C); the derivation is in `numpycnn.plain.recurrence`."""

from typing import Any, ClassVar, Self

import numpy as np

from numpycnn._checks import check_flag, check_int, format_shape
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.functional._recurrent import GATES, check_length
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting, check_positional
from numpycnn.layers.initializers import Initializer, check_initializer, draw

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class _Called(Layer):
    """Apart from `Recurrent`, since the signature of a class with `__new__` and `__init__` is that of `__new__`."""

    def __new__(cls, *arguments: Any, **settings: Any) -> Self:
        """Explain a call with the arguments of PyTorch."""
        hint = "the size of the input is inferred, and all settings are given by name, as in bidirectional=True"
        check_positional(cls, arguments, hint)
        return super().__new__(cls)


class Recurrent(_Called):
    """A recurrent network over sequences, with one of three cells: ``RNN``, ``LSTM``, ``GRU``.

    Maps inputs (N, L, C) to the output of the last step, (N, H), or to those of all steps, (N, L, H). With
    `bidirectional` the last axis has 2 H numbers. See `numpycnn.functional.recurrent`.

    Parameters
    ----------
    hidden_size : int
        Length of the state, ``H``.
    return_sequences : bool
        Whether to return the outputs of all steps.
    bidirectional : bool
        Whether a second network, with its own weights, goes from the last element to the first. Its outputs follow
        those of the first network on the last axis; its last step is at the first element.
    initializer, recurrent_initializer : str or function
        Initial weights for the input and for the state, see `Dense`. Each block of ``H`` rows is drawn by itself, so a
        function gets the shape (H, C) or (H, H).
    name : str, optional

    Attributes
    ----------
    weight_ih : Parameter of shape (G * H, C)
        For the input, with ``G`` blocks of rows: 1 in an RNN, 4 in an LSTM (input gate, forget gate, candidate, output
        gate), 3 in a GRU (reset gate, update gate, candidate).
    weight_hh : Parameter of shape (G * H, H)
        For the output of the previous step.
    bias_ih, bias_hh : Parameter of shape (G * H,)
        Initially 0; in an LSTM, `bias_ih` of the forget gate is 1.
    weight_ih_reverse, weight_hh_reverse, bias_ih_reverse, bias_hh_reverse : Parameter
        Those of the second network, with `bidirectional`.

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown; at build, if the inputs do not have the shape (L, C).
    TypeError
        If a setting has the wrong type.

    References
    ----------
    J. Elman, "Finding structure in time", 1990 (RNN); S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997;
    K. Cho et al., arXiv 1406.1078 (GRU); R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical exploration of
    recurrent network architectures", 2015 (forget gate).
    """

    cell: ClassVar[str]

    hidden_size = BuildSetting()
    return_sequences = BuildSetting()
    bidirectional = BuildSetting()
    initializer = BuildSetting()
    recurrent_initializer = BuildSetting()

    def __init__(
        self,
        hidden_size: int,
        *,
        return_sequences: bool = False,
        bidirectional: bool = False,
        initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.hidden_size = check_int(hidden_size, "hidden_size", kind)
        self.return_sequences = check_flag(return_sequences, "return_sequences", kind)
        self.bidirectional = check_flag(bidirectional, "bidirectional", kind)
        self.initializer = check_initializer(initializer, kind)
        self.recurrent_initializer = check_initializer(recurrent_initializer, kind, "recurrent_initializer")

    @property
    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != 2:
            raise ValueError(f"expected inputs (L, C), got {format_shape(input_shape)}")
        length, channels = input_shape
        for direction in self._directions:
            for name, value in zip(WEIGHTS, self._draw(channels, rng), strict=True):
                setattr(self, name + direction, Parameter(value))
        self._expected = ("N", "L", channels)
        width = self.hidden_size * len(self._directions)
        return (length, width) if self.return_sequences else (width,)

    def _draw(self, channels: int, rng: np.random.Generator | None) -> list[np.ndarray]:
        """Return the initial weights of one direction; each block of rows is a matrix by itself."""
        blocks, hidden = GATES[self.cell], self.hidden_size
        weights = []
        for rule, inputs in ((self.initializer, channels), (self.recurrent_initializer, hidden)):
            settings = {"fan_in": inputs, "fan_out": hidden, "dtype": self.dtype}
            weights.append(np.concatenate([draw(rule, rng, (hidden, inputs), **settings) for _ in range(blocks)]))
        biases = np.zeros((2, blocks * hidden), self.dtype)
        if self.cell == "lstm" and rng is not None:
            biases[0, hidden : 2 * hidden] = 1
        return [*weights, *biases]

    def _weights(self, direction: str) -> list[np.ndarray]:
        return [getattr(self, name + direction).value for name in WEIGHTS]

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        traces = self._run(x)
        outputs = [trace[0] for trace in traces]
        if not self.return_sequences:
            outputs = [y[:, 0 if direction else -1] for y, direction in zip(outputs, self._directions, strict=True)]
        y = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
        return np.ascontiguousarray(y), (x, traces)

    def _run(self, x: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        """Return outputs, gates and memory of all steps, for each direction."""
        check_length(x, type(self).__name__)
        return [
            operations().recurrent(
                x, *self._weights(direction), cell=self.cell, reverse=bool(direction), return_trace=True
            )[1]
            for direction in self._directions
        ]

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, traces = cache
        dx = np.zeros_like(x)
        for i, (direction, trace) in enumerate(zip(self._directions, traces, strict=True)):
            dh = dy[..., i * self.hidden_size : (i + 1) * self.hidden_size]
            if self.return_sequences:
                dh = np.ascontiguousarray(dh)
            else:  # the last step alone has a gradient
                last, dh = dh, np.zeros((*x.shape[:2], self.hidden_size), x.dtype)
                dh[:, 0 if direction else -1] = last
            settings = {"cell": self.cell, "reverse": bool(direction), "trace": trace}
            part, *gradients = operations().recurrent_backward(dh, x, *self._weights(direction), **settings)
            dx += part
            for name, gradient in zip(WEIGHTS, gradients, strict=True):
                getattr(self, name + direction).grad[...] = gradient
        return dx

    def hidden_states(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs of all steps, whatever `return_sequences` is.

        Parameters
        ----------
        x : ndarray of shape (N, L, C)

        Returns
        -------
        ndarray of shape (N, L, H), or (N, L, 2 H) with `bidirectional`

        Raises
        ------
        ValueError, TypeError, RuntimeError
            As in `forward`.
        """
        self._check_built()
        try:
            traces = self._run(self._check_input(x))
        except (ValueError, TypeError) as error:
            raise self._with_label(error) from None
        return np.concatenate([trace[0] for trace in traces], axis=-1)

    def multiply_adds(self) -> int:
        """Return the number of multiplications with a weight for one example."""
        if self.input_shape is None:
            return 0
        matrices = [self._weights(direction)[:2] for direction in self._directions]
        return self.input_shape[0] * sum(int(weight.size) for pair in matrices for weight in pair)

    def mixes_all(self) -> bool:
        """Return True: an output may depend on all elements of the sequence."""
        return True


class RNN(Recurrent):
    cell = "rnn"


class LSTM(Recurrent):
    cell = "lstm"


class GRU(Recurrent):
    cell = "gru"
