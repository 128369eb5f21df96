"""Draw the figure of docs/recipes.md into docs/figures/recipes/ (part of ``make figures``)."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import numpycnn as nn
from numpycnn import visualize
from numpycnn.training import find_learning_rate

FOLDER = Path(__file__).parent / "figures" / "recipes"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG of 64 colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    path.parent.mkdir(exist_ok=True)
    with Image.open(buffer) as picture:
        few = picture.convert("RGB").quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def main() -> None:
    """Search for a learning rate of the default recipe for MNIST."""
    train, _ = nn.data.load_mnist()
    model = nn.models.small_cnn()
    found = find_learning_rate(model, train, loss=nn.CrossEntropy(), optimizer=nn.Adam(), high=1.0)
    save(visualize.learning_rate_curve(found.rates, found.losses, found.suggestion), FOLDER / "learning-rates.png")
    print(f"suggestion {found.suggestion:.4f}")


if __name__ == "__main__":
    main()
