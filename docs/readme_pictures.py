"""Make the README's pictures: those of a training run, made small, and a digit drawn with a pen.

python docs/readme_pictures.py runs/mnist
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

FIGURES = Path(__file__).parent / "figures"


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


def main() -> None:
    """Write the pictures beside the other figures."""
    run = Path(sys.argv[1])
    for name in ("learning_curves", "misclassified"):
        picture = Image.open(run / f"{name}.png").convert("RGB")
        picture.thumbnail((900, 900))
        picture.quantize(48).save(FIGURES / f"mnist-{name.replace('_', '-')}.png", optimize=True)
    draw_digit().save(FIGURES / "drawn-digit.jpg", quality=80)


if __name__ == "__main__":
    main()
