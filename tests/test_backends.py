"""Both backends have the same operations with the same signatures, and `functional` has their parameters."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

from numpycnn import fast, functional, plain
from tests.operations import DRAW

#: What a layer tells its backend beside the public arguments, with the reason.
BACKEND_ONLY = {
    "output": "a transposed convolution uses fewer windows than fit",
    "return_indices": "max pooling keeps the winners for its backward pass",
    "indices": "as above",
    "return_trace": "a recurrent network keeps gates and states for its backward pass",
    "trace": "as above",
    "return_statistics": "batch normalization keeps mean and variance for its backward pass",
}
#: Public functions that are arithmetic on sizes, and compute with no array.
WITHOUT_BACKEND = {"conv_output_size", "conv_transpose_output_size", "pool_output_size", "receptive_field"}
#: Compared in tests of their own, or as a part of a backward pass.
COMPARED_ELSEWHERE = {"dropout", "adadelta_step", "adagrad_step", "adam_step", "rmsprop_step", "sgd_step"}
COMPARED_ELSEWHERE |= {"conv_input_gradient", "conv_weight_gradient", "linear_weight_gradient"}


def parameters(function: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_the_backends_have_the_same_names() -> None:
    assert plain.__all__ == fast.__all__
    assert len(plain.__all__) == len(set(plain.__all__))


def test_a_compiled_operation_replaces_the_textbook_one() -> None:
    """What a module of `fast` imports must not replace an operation of another module: its ``__all__`` decides."""
    modules = [import_module(f"numpycnn.fast.{module.name}") for module in pkgutil.iter_modules(fast.__path__)]
    compiled = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if name in plain.__all__ and getattr(value, "__module__", "").startswith("numpycnn.fast.")
    }
    assert {"conv", "linear", "relu", "batch_norm", "adam_step", "max_pool"} <= set(compiled)
    assert [name for name, value in compiled.items() if getattr(fast, name) is not value] == []


@pytest.mark.parametrize("module", [plain, functional], ids=["plain", "functional"])
def test_every_operation_is_listed(module: Any) -> None:
    """A function that ends in ``_backward`` is an operation, and so is the one before it."""
    gradients = {name for name in vars(module) if name.endswith("_backward")}
    assert len(gradients) > 20
    assert gradients | {name.removesuffix("_backward") for name in gradients} <= set(module.__all__)


@pytest.mark.parametrize("name", plain.__all__)
def test_the_backends_have_the_same_signatures(name: str) -> None:
    assert inspect.signature(getattr(plain, name)) == inspect.signature(getattr(fast, name))


@pytest.mark.parametrize("name", sorted(set(functional.__all__) - WITHOUT_BACKEND))
def test_a_public_function_has_the_parameters_of_the_backends(name: str) -> None:
    own = [parameter for parameter in parameters(getattr(plain, name)) if parameter[0] not in BACKEND_ONLY]
    assert parameters(getattr(functional, name)) == own


def test_every_operation_of_the_fast_backend_is_compared_with_the_textbook() -> None:
    different = {name for name in fast.__all__ if getattr(fast, name) is not getattr(plain, name)}
    without_rank = {name[:-2] for name in DRAW if name.endswith(("1d", "2d", "3d"))}
    assert {name.removesuffix("_backward") for name in different} <= {*DRAW, *without_rank, *COMPARED_ELSEWHERE}
