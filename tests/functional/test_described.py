"""Docstrings are completed by those of others, and say nothing that does not hold."""

import inspect

from numpycnn import functional as F
from numpycnn import layers
from numpycnn.functional.described import describe, in_dimensions, sections_of


def two(x: object, size: int, *, mode: str = "") -> None:
    """Model.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        A picture.
    size, mode : int
        As for `two`.

    Returns
    -------
    ndarray of shape (N, C, OH, OW)

    References
    ----------
    A book.

    Examples
    --------
    >>> 1
    1
    """


def test_what_is_missing_comes_from_the_model() -> None:
    def other(mode: str, x: object, more: int) -> None:
        """Return something.

        Parameters
        ----------
        more : int
        """

    describe(other, two)
    summary, sections = sections_of(inspect.cleandoc(other.__doc__ or ""))
    assert summary == "Return something."
    assert sections == {
        "Parameters": "mode : int\n    As for `two`.\nx : ndarray of shape (N, C, H, W)\n    A picture.\nmore : int",
        "Returns": "ndarray of shape (N, C, OH, OW)",
    }  # neither the references of another operation nor its examples


def test_what_is_there_stays() -> None:
    def other(x: object, size: int) -> None:
        """Return something.

        Parameters
        ----------
        x : list

        Returns
        -------
        tuple
        """

    describe(other, two)
    _, sections = sections_of(inspect.cleandoc(other.__doc__ or ""))
    assert sections["Parameters"] == "x : list\nsize : int\n    As for `two`."
    assert sections["Returns"] == "tuple"
    before = other.__doc__
    describe(other, two)
    assert other.__doc__ == before


def test_a_backward_returns_what_a_backward_returns() -> None:
    def two_backward(dy: object, size: int) -> None:
        """Return the gradient."""

    describe(two_backward, two)
    _, sections = sections_of(inspect.cleandoc(two_backward.__doc__ or ""))
    assert "Returns" not in sections
    assert sections["References"] == "A book."


def test_other_dimensions_have_other_letters() -> None:
    text = "a picture (N, C, H, W), (KH, KW), (OH, OW), see `pool2d`"
    assert in_dimensions(text, 1) == "a sequence (N, C, L), (KL), (OL), see `pool1d`"
    assert in_dimensions(text, 3) == "a volume (N, C, D, H, W), (KD, KH, KW), (OD, OH, OW), see `pool3d`"


def test_functions_and_layers_have_their_own_shapes_and_sources() -> None:
    assert "x : ndarray of shape (N, C, L)" in (F.max_pool1d.__doc__ or "")
    assert "dweight : ndarray of shape (F, C/groups, KD, KH, KW)" in (F.conv3d_backward.__doc__ or "")
    assert "1603.07285" not in (F.tanh_backward.__doc__ or "")
    assert "V. Nair" in (layers.ReLU.__doc__ or "")
    assert "V. Nair" not in (layers.Tanh.__doc__ or "")
    assert "weight : Parameter of shape (F, C/groups, KL)" in (layers.Conv1D.__doc__ or "")
