"""The paths match the optimizers' formulas, and the lines match the paths."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import SGD, Adam, RMSProp
from numpycnn.visualize import SURFACES, descend, optimizer_paths


@pytest.mark.parametrize("name", list(SURFACES))
def test_gradient_descent_and_momentum(name: str) -> None:
    surface = SURFACES[name]
    plain, heavy = descend(SGD(0.01), name, steps=20), descend(SGD(0.01, momentum=0.8), surface, steps=20)
    w, u, v = np.array(surface.start), np.array(surface.start), np.zeros(2)
    for step in range(21):
        np.testing.assert_allclose(plain[step], w, rtol=1e-12)
        np.testing.assert_allclose(heavy[step], u, rtol=1e-12)
        w = w - 0.01 * np.array(surface.slope(*w))
        v = 0.8 * v + np.array(surface.slope(*u))
        u = u - 0.01 * v


def test_adam() -> None:
    way = descend(Adam(0.1), start=(3, -2), steps=15)
    w, m, v = np.array([3.0, -2.0]), np.zeros(2), np.zeros(2)
    for step in range(16):
        np.testing.assert_allclose(way[step], w, rtol=1e-7)
        g = np.array([w[0] / 10, 2 * w[1]])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * (m / (1 - 0.9 ** (step + 1))) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)


def test_the_optimizer_is_not_modified() -> None:
    optimizer = Adam(0.1)
    np.testing.assert_array_equal(descend(optimizer), descend(optimizer))
    assert optimizer.step_count == 0
    assert optimizer.state() == {}


def test_lines_match_the_paths(tmp_path: Path) -> None:
    optimizers = {"SGD": SGD(0.02), "RMSProp": RMSProp(0.05)}
    left, right = optimizer_paths(optimizers, "banana", steps=30, path=tmp_path / "a.png").axes
    surface = SURFACES["banana"]
    for name, optimizer in optimizers.items():
        way = descend(optimizer, surface, steps=30)
        (line,) = (line for line in left.lines if line.get_label() == name)
        np.testing.assert_array_equal(line.get_xydata(), way)
        (height,) = (line for line in right.lines if line.get_label() == name)
        np.testing.assert_allclose(height.get_ydata(), surface.value(way[:, 0], way[:, 1]))
    assert left.get_xlim() == surface.limits[0]
    assert (left.get_xlabel(), left.get_ylabel(), right.get_xlabel()) == ("x", "y", "step")
    assert right.get_title(loc="left") == "height above the minimum"
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_a_diverging_optimizer_is_drawn(tmp_path: Path) -> None:
    figure = optimizer_paths({"wild": SGD(100.0), "SGD": SGD(0.1)}, steps=400, path=tmp_path / "a.png")
    (wild,) = (line for line in figure.axes[0].lines if line.get_label() == "wild")
    shown = np.asarray(wild.get_xydata())
    assert np.nanmax(np.abs(shown)) <= 1e4
    assert np.isnan(shown[-1]).all()


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="descend: expected an Optimizer, got 'SGD'"):
        descend("SGD")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected surface to be one of ravine, saddle, banana, got 'hill'"):
        descend(SGD(0.1), "hill")
    with pytest.raises(ValueError, match="descend: expected start to be a pair of numbers, got 3"):
        descend(SGD(0.1), start=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="descend: expected steps from 0"):
        descend(SGD(0.1), steps=-1)
    with pytest.raises(ValueError, match=r"optimizer_paths: expected optimizers by name, .*, got none"):
        optimizer_paths({})
