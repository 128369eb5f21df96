"""Names from outside: figures do not render them as math text and shorten long ones."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from numpycnn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential
from numpycnn import visualize as v
from numpycnn.optim import SGD
from numpycnn.visualize.style import escape_text

NAMES = ["$\\frac$", "a$b$", "$" + "long " * 20 + "$"]


class Priced:
    """A transform with dollar signs in its repr."""

    def __call__(self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[Any, Any]:
        return images, labels

    def __repr__(self) -> str:
        return "Priced($\\frac$)"


def figures() -> dict[str, Any]:
    layers = [Conv2D(2, 3, name="$\\frac$"), ReLU(name="a$b$"), MaxPool2D(2, name=NAMES[2]), Flatten(), Dense(3)]
    model = Sequential(layers, input_shape=(1, 8, 9), seed=0)
    model.layers[-1].name = "$\\frac$"
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 9)).astype(model.dtype)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 9), dtype=np.uint8)
    shares, labels = np.full((3, 3), [0.2, 0.3, 0.5]), [0, 1, 2]
    names: dict[str, Any] = {"class_names": NAMES}
    return {
        "activation_histograms": lambda: v.activation_histograms(model, x),
        "activation_maximization": lambda: v.activation_maximization(model, steps=1, **names),
        "augmentations": lambda: v.augmentations(pictures, [Priced()]),
        "confusion_matrix": lambda: v.confusion_matrix(labels, [0, 2, 1], NAMES),
        "feature_maps": lambda: v.feature_maps(model, x[:1], **names),
        "filter_detect_condense": lambda: v.filter_detect_condense(model, x[:1]),
        "filters": lambda: v.filters(model),
        "grad_cam": lambda: v.grad_cam(model, x, **names),
        "layer_costs": lambda: v.layer_costs(model),
        "least_certain": lambda: v.least_certain(pictures, shares, NAMES),
        "misclassified": lambda: v.misclassified(pictures, labels, shares, NAMES),
        "occlusion_map": lambda: v.occlusion_map(model, x, size=3, stride=3, **names),
        "optimizer_paths": lambda: v.optimizer_paths({name: SGD(0.01) for name in NAMES}, steps=2),
        "receptive_fields": lambda: v.receptive_fields(model, x[:1]),
        "saliency_map": lambda: v.saliency_map(model, x, **names),
        "translation_curves": lambda: v.translation_curves(dict.fromkeys(NAMES, model), x, [0, 1]),
        "update_ratios": lambda: v.update_ratios({name: [0.1, 0.2] for name in NAMES}),
    }


@pytest.mark.parametrize("name", figures())
def test_names_are_not_math_text(name: str) -> None:
    figure: Figure = figures()[name]()
    figure.draw_without_rendering()  # math text is parsed here
    said = [text.get_text() for text in figure.findobj(Text) if "$" in text.get_text()]
    said = [text for text in said if "10^" not in text and "(x, y)" not in text and "x^2" not in text]
    assert said
    for text in said:
        assert "$" not in text.replace(r"\$", ""), text
        assert "long long long long long long long" not in text


def test_a_name_is_one_short_line() -> None:
    assert escape_text("two\nlines") == "two lines"
    assert escape_text("x" * 20) == "x" * 20
    assert escape_text("x" * 21) == "x" * 19 + "\N{HORIZONTAL ELLIPSIS}"
    assert escape_text("$" * 20) == r"\$" * 20
