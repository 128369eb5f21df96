"""The layers that the package exports, the table of the contract, and the table that files are read with."""

import inspect

import numpycnn
from numpycnn import Layer, layers
from numpycnn.io.loading import LAYERS
from tests.layers.contract import ROWS

EXPORTED = {
    name
    for name in numpycnn.__all__
    if isinstance(value := getattr(numpycnn, name), type) and issubclass(value, Layer) and value is not Layer
}


def test_every_exported_layer_has_a_row_in_the_contract() -> None:
    assert len(EXPORTED) >= 30
    assert {type(layer).__name__ for row in ROWS for layer in row.make().walk().values()} == EXPORTED


def test_every_exported_layer_can_be_read_from_a_file() -> None:
    assert set(LAYERS) == EXPORTED


def test_every_layer_of_the_folder_is_exported() -> None:
    assert set(layers.__all__) - {"Layer", "Parameter"} == EXPORTED - {"Model", "Sequential"}


def test_every_layer_says_what_it_does() -> None:
    for name in EXPORTED:
        assert len(inspect.getdoc(getattr(numpycnn, name)) or "") > 30, name
