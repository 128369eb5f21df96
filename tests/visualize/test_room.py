"""Figures of images that are not square have no wide gaps and no overlapping text."""

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from numpycnn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential
from numpycnn import visualize as v

SIDES = {"square": (20, 20), "wide": (12, 48), "tall": (48, 12)}
NAMES = ["a", "Chrysanthemum", "a name that has no end at all", "\u05e9\u05dc\u05d5\u05dd"]
WHITE = 1.15  # inches between an image and the next one below it: space for text and a colour bar


def make(kind: str) -> Figure:
    sides, what = SIDES[kind.split()[0]], kind.split()[1]
    layers = [Conv2D(6, 3, padding=1, name="the first"), ReLU(), MaxPool2D(2), Conv2D(3, 3, padding=1), ReLU()]
    model = Sequential([*layers, Flatten(), Dense(4)], input_shape=(1, *sides), seed=0)
    images = np.random.default_rng(0).integers(0, 256, (12, 1, *sides), dtype=np.uint8)
    x, labels = (images / 255 - 0.5).astype(np.float32), np.arange(12) % 4
    shares = v.class_probabilities(model, x)
    drawn: dict[str, Callable[[], Figure]] = {
        "misclassified": lambda: v.misclassified(images, labels, np.roll(np.eye(4), 1, 0)[labels], NAMES),
        "least_certain": lambda: v.least_certain(images, shares, NAMES, labels=labels),
        "saliency_map": lambda: v.saliency_map(model, x[:2], class_names=NAMES),
        "grad_cam": lambda: v.grad_cam(model, x[:2], class_names=NAMES),
        "occlusion_map": lambda: v.occlusion_map(model, x[:2], stride=4, class_names=NAMES),
        "activation_maximization": lambda: v.activation_maximization(model, steps=1, class_names=NAMES),
        "filter_detect_condense": lambda: v.filter_detect_condense(model, x[0]),
        "receptive_fields": lambda: v.receptive_fields(model, x),
        "translation_curves": lambda: v.translation_curves({"a": model}, x, labels),
    }
    return drawn[what]()


FIGURES = [
    "misclassified",
    "least_certain",
    "saliency_map",
    "grad_cam",
    "occlusion_map",
    "activation_maximization",
    "filter_detect_condense",
    "receptive_fields",
    "translation_curves",
]


def words_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return the texts above, below and in the axes, and their boxes in inches."""
    FigureCanvasAgg(figure).draw()
    texts = [figure._suptitle] if figure.get_suptitle() else []  # type: ignore[attr-defined]
    for axes in figure.axes:
        texts += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        texts += [label for child in axes.child_axes for label in (child.xaxis.label, child.yaxis.label)]
    shown = [text for text in texts if text.get_text().strip() and text.get_visible()]
    inches, found = figure.dpi_scale_trans.inverted(), []
    for text in shown:
        box = text.get_window_extent().transformed(inches)
        if text.get_text().endswith("\n"):  # its second line is empty
            box = Bbox([[box.x0, (box.y0 + box.y1) / 2], [box.x1, box.y1]])
        found.append((text.get_text(), box))
    return found


@pytest.mark.parametrize("what", FIGURES)
@pytest.mark.parametrize("kind", SIDES)
def test_images_fill_the_figure_and_texts_do_not_overlap(kind: str, what: str) -> None:
    figure = make(f"{kind} {what}")
    words = words_of(figure)
    width, height = figure.get_size_inches()
    for text, box in words:
        assert -0.02 < box.x0 < box.x1 < width + 0.02, (text, box)
        assert -0.02 < box.y0 < box.y1 < height + 0.02, (text, box)
    for (one, first), (other, second) in combinations(words, 2):
        overlap = Bbox.intersection(first.padded(-0.02), second.padded(-0.02))
        assert overlap is None, (one, other)
    inches = figure.dpi_scale_trans.inverted()
    pictures = [axes.get_window_extent().transformed(inches) for axes in figure.axes if axes.images]
    ends = sorted({(round(box.y1, 2), round(box.y0, 2)) for box in pictures}, reverse=True)  # from above
    room = WHITE + (0.7 if what == "least_certain" else 0.0)  # bars
    for (_, bottom), (top, _) in pairwise(ends):
        assert bottom - top < room
    assert height - ends[0][0] < room
    assert what == "translation_curves" or ends[-1][1] < room
    assert max(box.width for box in pictures) > (0.2 if kind == "tall" or what == "translation_curves" else 0.8)
