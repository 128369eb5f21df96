"""What `numpycnn.functional` says of all gradients: order, shapes and dtypes, and the errors for a wrong ``dy``."""

import numpy as np
import pytest

from tests.operations import DRAW, call, call_backward

#: Their dy is a number.
LOSSES = {"binary_cross_entropy", "cross_entropy", "mean_squared_error", "negative_log_likelihood"}
#: The arrays with a gradient, in the order of the arguments.
ARRAYS = ("x", "logits", "log_p", "y", "weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.mark.parametrize("name", sorted(DRAW))
def test_gradients_have_the_shapes_and_dtypes_of_the_arrays(name: str) -> None:
    for seed in range(10):
        arguments = DRAW[name](np.random.default_rng(seed))
        dy = 1.0 if name in LOSSES else np.ones_like(call(name, arguments))
        arrays = [arguments[key] for key in ARRAYS if key in arguments and (name, key) != ("embedding", "x")]
        gradients = call_backward(name, arguments, dy)
        for array, gradient in zip(arrays, gradients, strict=True):
            assert array is None or (gradient.shape, gradient.dtype) == (array.shape, array.dtype)


@pytest.mark.parametrize("name", sorted(set(DRAW) - LOSSES))
def test_a_gradient_of_another_shape_or_dtype_is_refused(name: str) -> None:
    arguments = DRAW[name](np.random.default_rng(0))
    dy = np.ones_like(call(name, arguments))
    with pytest.raises(ValueError, match=f"{name}_backward: expected dy "):
        call_backward(name, arguments, dy[None])
    with pytest.raises(TypeError, match=f"{name}_backward: expected dy "):
        call_backward(name, arguments, dy.astype(np.float32))
