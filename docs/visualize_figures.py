"""Draw the figures of docs/visualize.md into docs/figures/visualize/ (part of ``make figures``).

Five small networks are trained on MNIST first, which takes about half a minute.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import numpycnn as nn
from numpycnn import visualize
from numpycnn.training import UpdateRatios

FOLDER = Path(__file__).parent / "figures" / "visualize"
TRAIN, TEST = nn.data.load_mnist()
DIGITS = TEST.class_names
SEEN = 20_000  # digits that each network learns from


def save(figure: Figure, name: str) -> None:
    """Write a figure as a PNG of 256 colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    with Image.open(buffer) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def train(model: nn.Sequential, lr: float = 5e-3) -> tuple[nn.Sequential, UpdateRatios]:
    """Go through the digits once; return the model, and how far each step went."""
    part, updates = TRAIN[:SEEN], UpdateRatios()
    rate = nn.OneCycleSchedule(lr, -(-len(part) // 32))
    nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), callbacks=[updates]).fit(
        part, epochs=1, progress=False
    )
    return model, updates


def pooled(kind: str) -> nn.Sequential:
    """Return a network of two stages that makes its maps smaller in one of four ways."""
    layers: list[nn.Layer] = []
    for channels in (8, 16):
        layers += [nn.Conv2D(channels, 3, padding=1, stride=2 if kind == "strides" else 1), nn.ReLU()]
        if kind != "strides":
            layers += [nn.AvgPool2D(2) if kind == "average pooling" else nn.MaxPool2D(2)]
    if kind == "global pooling":
        layers += [nn.Conv2D(32, 3, padding=1), nn.ReLU(), nn.GlobalMaxPool()]
    return nn.Sequential([*layers, nn.Flatten(), nn.Dense(10)], input_shape=(1, 28, 28), seed=0)


def averaged() -> nn.Sequential:
    """Return a network with global average pooling, in which each map of the last convolution has one weight."""
    layers: list[nn.Layer] = []
    for channels in (16, 32):
        layers += [nn.Conv2D(channels, 3, padding=1, bias=False), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D(2)]
    layers += [nn.Conv2D(48, 3, padding=1, bias=False), nn.BatchNorm(), nn.ReLU(), nn.GlobalAvgPool(), nn.Dense(10)]
    return nn.Sequential(layers, input_shape=(1, 28, 28), seed=0)


def deep(activation: Callable[[], nn.Layer]) -> nn.Sequential:
    """Return ten dense layers with an activation after each."""
    layers = [layer for _ in range(9) for layer in (nn.Dense(64), activation())]
    return nn.Sequential([nn.Flatten(), *layers, nn.Dense(10)], input_shape=(1, 28, 28), seed=0)


def main() -> None:
    """Train the networks and draw all figures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, updates = train(nn.models.tiny_vgg())
    x, labels = TEST.batch(slice(0, 200))
    test_x, test_labels = TEST.batch(slice(None))
    shares = visualize.class_probabilities(model, test_x)
    picks = [int(np.flatnonzero(labels == digit)[0]) for digit in (7, 2, 4)]
    first = x[picks]

    predicted = shares.argmax(axis=1)
    figures = {
        "confusion-matrix": visualize.confusion_matrix(test_labels, predicted, DIGITS, normalized=True),
        "least-certain": visualize.least_certain(TEST.images, shares, DIGITS, labels=test_labels, limit=5),
        "filters": visualize.filters(model),
        "feature-maps": visualize.feature_maps(model, first[0], class_names=DIGITS),
        "receptive-fields": visualize.receptive_fields(model, x),
        "layer-costs": visualize.layer_costs(model),
        "saliency-map": visualize.saliency_map(model, first[:2], smooth=30, class_names=DIGITS),
        "occlusion-map": visualize.occlusion_map(model, first[1:], size=9, fill=x.min(), class_names=DIGITS),
        "activation-maximization": visualize.activation_maximization(model, class_names=DIGITS),
        "activation-histograms": visualize.activation_histograms(model, x),
        "gradient-histograms": visualize.gradient_histograms(deep(nn.Sigmoid), x, labels),
        "update-ratios": visualize.update_ratios(updates.ratios),
    }
    figures["grad-cam"] = visualize.grad_cam(train(averaged(), 1e-2)[0], first[:2], class_names=DIGITS)
    kinds = ("max pooling", "average pooling", "strides", "global pooling")
    models = {kind: train(pooled(kind), 8e-3)[0] for kind in kinds}
    figures["filter-detect-condense"] = visualize.filter_detect_condense(models["max pooling"], first[0], channels=2)
    figures["translation-curves"] = visualize.translation_curves(models, x, labels)
    optimizers = {"SGD": nn.SGD(0.9), "momentum": nn.SGD(0.1, momentum=0.9), "Adam": nn.Adam(0.3)}
    figures["optimizer-paths"] = visualize.optimizer_paths(optimizers)
    for name, figure in figures.items():
        save(figure, name)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.name}")


if __name__ == "__main__":
    main()
