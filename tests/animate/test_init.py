"""The animations live in `numpycnn.animate`, and `numpycnn.visualize` exports the same functions."""

import subprocess
import sys

import pytest

from numpycnn import animate, visualize


@pytest.mark.parametrize("name", animate.__all__)
def test_visualize_exports_the_same_function(name: str) -> None:
    assert getattr(visualize, name) is getattr(animate, name)
    assert name in visualize.__all__
    assert name in dir(visualize)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"module 'numpycnn\.visualize' has no attribute 'dense_animation'"):
        visualize.dense_animation  # noqa: B018


@pytest.mark.parametrize("first", ["animate", "visualize"])
def test_either_package_may_be_imported_first(first: str) -> None:
    names = "conv_transpose_animation, convolution_animation, pooling_animation"
    code = f"from numpycnn.{first} import {names}; import numpycnn.animate, numpycnn.visualize"
    subprocess.run([sys.executable, "-c", code], check=True)
