"""Make the README's picture of feature maps, the pictures of a training run, made small, and a digit drawn with a pen.

python docs/readme_pictures.py runs/mnist
"""

import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFilter

import numpycnn as nn
from numpycnn import visualize
from numpycnn.data import mnist
from numpycnn.visualize.style import BLUE, GREY, INK, VERMILION, signed_colours

FIGURES = Path(__file__).parent / "figures"
#: Layers of small_cnn to look at, and what each has done.
STAGES = {
    "0": "filter",
    "2": "detect",
    "3": "condense",
    "4": "filter",
    "6": "detect",
    "7": "condense",
    "10": "and again",
}


def draw_digit() -> Image.Image:
    """Return a 4 in blue ink on paper that the light falls on from one side, 240x300 pixels."""
    page = Image.new("RGB", (240, 300), (236, 232, 222))
    pen = ImageDraw.Draw(page)
    for stroke in ([(96, 70), (74, 118), (62, 168), (118, 166), (176, 158)], [(150, 92), (146, 150), (138, 236)]):
        pen.line(stroke, fill=(36, 48, 110), width=9, joint="curve")
        for x, y in (stroke[0], stroke[-1]):
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(36, 48, 110))
    light = np.linspace(0.72, 1.0, 240)[None, :, None]
    grain = np.random.default_rng(0).normal(0, 3, (300, 240, 1))
    shaded = np.asarray(page.filter(ImageFilter.GaussianBlur(1))) * light + grain
    return Image.fromarray(shaded.clip(0, 255).astype(np.uint8))


def draw_maps(model: nn.Sequential, picture: np.ndarray) -> Figure:
    """Draw a digit (1, 28, 28), six maps of each stage that it goes through, and the probabilities at the end."""
    figure = Figure(figsize=(10, 2.2), dpi=100, facecolor="white")
    passages = visualize.follow(model, picture[None])
    columns = figure.add_gridspec(1, 9, left=0.01, right=0.99, top=0.8, bottom=0.05, wspace=0.16)
    colours = {"cmap": signed_colours(), "interpolation": "nearest"}
    first = figure.add_subplot(columns[0])
    first.imshow(picture[0], cmap="gray", interpolation="nearest")
    first.set_title("picture", fontsize=8.5, color=INK, fontweight="bold")
    first.set_axis_off()
    for number, (key, words) in enumerate(STAGES.items(), start=1):
        maps = passages[key].y[0]
        strongest = np.argsort(-np.abs(maps).max(axis=(1, 2)), kind="stable")[:6]
        largest = float(np.abs(maps[strongest]).max())
        cells = columns[number].subgridspec(3, 2, wspace=0.08, hspace=0.08)
        for place, channel in enumerate(np.sort(strongest)):
            axes = figure.add_subplot(cells[place])
            axes.imshow(maps[channel], vmin=-largest, vmax=largest, **colours)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#CCCCCC")
        middle = (columns[number].get_position(figure).x0 + columns[number].get_position(figure).x1) / 2
        figure.text(middle, 0.93, words, ha="center", fontsize=8.5, color=INK, fontweight="bold")
        figure.text(middle, 0.86, f"{type(passages[key].layer).__name__}", ha="center", fontsize=7.5, color=GREY)
    shares = visualize.class_probabilities(model, picture[None])[0]
    last = figure.add_subplot(columns[8])
    last.barh(range(10), shares, color=[VERMILION if share == shares.max() else BLUE for share in shares])
    last.set(xlim=(0, 1), xticks=[], yticks=range(10))
    last.invert_yaxis()
    last.tick_params(labelsize=7, length=0, pad=1)
    last.spines[["top", "right", "bottom"]].set_visible(False)
    last.set_title("answer", fontsize=8.5, color=INK, fontweight="bold")
    return figure


def save_maps(run: Path) -> None:
    """Write the maps that the trained model makes of the drawn digit."""
    model = nn.load_model(run / "model.safetensors")
    pixels = mnist.DigitReader().read(FIGURES / "drawn-digit.jpg")
    picture = ((pixels / 255 - mnist.MEAN) / mnist.STD).astype(np.float32)
    buffer = io.BytesIO()
    draw_maps(model, picture).savefig(buffer, format="png")
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(96).save(FIGURES / "feature-maps.png", optimize=True)


def main() -> None:
    """Write the pictures beside the other figures."""
    run = Path(sys.argv[1])
    for name in ("learning_curves", "misclassified"):
        picture = Image.open(run / f"{name}.png").convert("RGB")
        picture.thumbnail((900, 900))
        picture.quantize(48).save(FIGURES / f"mnist-{name.replace('_', '-')}.png", optimize=True)
    draw_digit().save(FIGURES / "drawn-digit.jpg", quality=80)
    save_maps(run)


if __name__ == "__main__":
    main()
