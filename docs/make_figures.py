"""Draw all figures of the documentation into docs/figures/ (``make figures``).

They are computed by the library: where it changes, they do.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from numpycnn import SGD, Adam, CosineSchedule, Dropout, OneCycleSchedule, StepSchedule, WarmUp
from numpycnn import functional as F
from numpycnn.animate import conv_transpose_animation, convolution_animation, pooling_animation
from numpycnn.models import create
from numpycnn.visualize import SURFACES, descend
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, TIMES, VERMILION, new_figure, quiet

FOLDER = Path(__file__).with_name("figures")
PALE = {BLUE: "#DDEBF5", VERMILION: "#FADCC5", GREEN: "#D3EEE4", ORANGE: "#FBE7BE", GREY: "#EEEEEE"}
PICTURE = np.array([[3, 1, 0, 2, 1], [0, 2, 2, 0, 3], [1, 0, 1, 3, 2], [2, 1, 0, 2, 0], [1, 3, 2, 1, 1]])
KERNEL = np.array([[0, 1, 2], [2, 2, 0], [0, 1, -2]])


def save(figure: Figure, name: str) -> None:
    """Write a figure as a PNG of few colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    with Image.open(buffer) as picture:
        few = picture.convert("RGB").quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def empty(axes: Axes, width: float, height: float) -> None:
    """Turn axes into a sheet of paper, with the origin at its upper left."""
    axes.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1), aspect="equal")
    axes.set_axis_off()


def box(axes: Axes, x: float, y: float, w: float, h: float, words: str, colour: str, size: float = 9) -> None:
    """Draw a labelled box."""
    axes.add_patch(Rectangle((x, y), w, h, facecolor=PALE[colour], edgecolor=colour, linewidth=1.2))
    axes.text(x + w / 2, y + h / 2, words, ha="center", va="center", fontsize=size, color=INK)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], **style: object) -> None:
    """Draw an arrow that ends a little before its target."""
    look = {"arrowstyle": "-|>", "mutation_scale": 10, "color": GREY, "shrinkA": 0, "shrinkB": 1, **style}
    axes.add_patch(FancyArrowPatch(start, end, **look))


# ----------------------------------------------------------------------------------------------------- sliding windows


def convolution() -> None:
    """Slide a 3x3 kernel over a 5x5 input."""
    convolution_animation(PICTURE, KERNEL, path=FOLDER / "convolution.gif")


def convolution_strided() -> None:
    """Slide with stride 2 and padding 1."""
    convolution_animation(PICTURE, KERNEL, stride=2, padding=1, path=FOLDER / "convolution-strided.gif")


def convolution_dilated() -> None:
    """Slide with dilation 2."""
    wide = np.array(
        [[1, 0, 2, 1, 3, 0], [2, 1, 0, 0, 1, 2], [0, 3, 1, 2, 0, 1], [1, 1, 0, 2, 2, 0], [0, 2, 1, 0, 1, 3]]
    )
    convolution_animation(wide, KERNEL[:2], dilation=2, path=FOLDER / "convolution-dilated.gif")


def transposed_convolution() -> None:
    """Go from 3x3 to 6x6."""
    small = [[1, 2, 0], [3, 1, 2], [0, 2, 1]]
    conv_transpose_animation(
        small, KERNEL, stride=2, padding=1, output_padding=1, path=FOLDER / "transposed-convolution.gif"
    )


def max_pooling() -> None:
    """Pool windows side by side, with incomplete ones at the end."""
    pooling_animation(PICTURE, 2, ceil_mode=True, path=FOLDER / "max-pooling.gif")


def average_pooling() -> None:
    """Average over windows that overlap."""
    pooling_animation(PICTURE[:4, :4], 3, kind="avg", stride=1, path=FOLDER / "average-pooling.gif")


def lp_pooling() -> None:
    """Take the Euclidean norm of each window."""
    pooling_animation(PICTURE[1:, 1:] - 1, 2, kind="lp", path=FOLDER / "lp-pooling.gif")


def receptive_field() -> None:
    """Show what one unit of TinyVGG sees, layer by layer: the size by the formula, each pixel by its gradient."""
    model = create("tiny_vgg", (1, 28, 28), 10, seed=0)
    x = np.random.default_rng(0).random((32, 1, 28, 28), np.float32)
    windows = {2: (3, 1), 4: (3, 1), 5: (2, 2), 7: (3, 1), 9: (3, 1), 10: (2, 2)}  # layers passed: kernel, stride
    figure = new_figure(9.2, 2.0)
    grid = figure.subplots(1, len(windows))
    for axes, (number, depth) in zip(grid, enumerate(windows, start=1), strict=True):
        y = x
        for layer in model.layers[:depth]:
            y = layer.forward(y, differentiable=True)
        dy = np.zeros_like(y)
        dy[:, :, y.shape[2] // 2, y.shape[3] // 2] = 1
        for layer in reversed(model.layers[:depth]):
            dy = layer.backward(dy)
        seen = np.abs(dy).mean(axis=(0, 1))
        axes.imshow(np.sqrt(seen / seen.max()), cmap="cividis", interpolation="nearest")
        size, _ = F.receptive_field(list(windows.values())[:number])
        name = type(model.layers[depth - 1 if list(windows.values())[number - 1] == (2, 2) else depth - 2]).__name__
        axes.set_title(f"{name}: {size} {TIMES} {size}", fontsize=8.5, color=INK)
        axes.set_xticks([])
        axes.set_yticks([])
    save(figure, "receptive-field")


# ------------------------------------------------------------------------------------------------ dense and activations


def connections() -> None:
    """Draw the matrices of a dense layer and of a convolution, both from 6 numbers to 4."""
    figure = new_figure(7.4, 2.7)
    left, right = figure.subplots(1, 2)
    shades = [BLUE, ORANGE, VERMILION]
    for axes, title in ((left, "dense: 24 weights"), (right, "convolution, kernel 3: 3 weights, used 4 times")):
        empty(axes, 6.2, 4.9)
        axes.set_title(title, fontsize=10, color=INK, fontweight="bold")
        for row in range(4):
            for column in range(6):
                tap = column - row
                if axes is left:
                    box(axes, column + 0.1, row + 0.1, 1, 1, f"$w_{{{row}{column}}}$", GREY)
                elif 0 <= tap < 3:
                    axes.add_patch(
                        Rectangle((column + 0.1, row + 0.1), 1, 1, facecolor=shades[tap], alpha=0.45, edgecolor="white")
                    )
                    axes.text(column + 0.6, row + 0.6, f"$w_{tap}$", ha="center", va="center", fontsize=10, color=INK)
                else:
                    axes.add_patch(Rectangle((column + 0.1, row + 0.1), 1, 1, facecolor="white", edgecolor="#DDDDDD"))
        axes.text(3.1, 4.55, "inputs", ha="center", fontsize=9, color=GREY)
        axes.text(-0.15, 2.1, "outputs", ha="center", va="center", rotation=90, fontsize=9, color=GREY)
    save(figure, "dense")


def activations() -> None:
    """Plot each function and its derivative."""
    x = np.linspace(-4, 4, 401)
    one = np.ones_like(x)
    curves: list[tuple[str, np.ndarray, np.ndarray]] = [
        ("ReLU", F.relu(x), F.relu_backward(one, x)),
        ("LeakyReLU (0.1)", F.leaky_relu(x, negative_slope=0.1), F.leaky_relu_backward(one, x, negative_slope=0.1)),
        ("ELU", F.elu(x), F.elu_backward(one, x)),
        ("SELU", F.selu(x), F.selu_backward(one, x)),
        ("GELU", F.gelu(x), F.gelu_backward(one, x)),
        ("Sigmoid", F.sigmoid(x), F.sigmoid_backward(one, x)),
        ("Tanh", F.tanh(x), F.tanh_backward(one, x)),
    ]
    figure = new_figure(9.2, 3.9)
    grid = figure.subplots(2, 4, sharex=True, sharey=True).ravel()
    for axes, (name, y, slope) in zip(grid, curves, strict=False):
        quiet(axes)
        axes.plot(x, y, color=BLUE, linewidth=2, label="$f(x)$")
        axes.plot(x, slope, color=VERMILION, linewidth=1.6, linestyle="--", label="$f'(x)$")
        axes.set_title(name, fontsize=10, color=INK, loc="left", fontweight="bold")
        axes.set(ylim=(-2, 3), yticks=[-1, 0, 1, 2])
    grid[-1].set_axis_off()
    grid[-1].legend(*grid[0].get_legend_handles_labels(), loc="center", edgecolor="none", fontsize=11)
    save(figure, "activations")


def softmax() -> None:
    """Go from logits to probabilities to the gradient; plot the loss over the logit of the right class."""
    logits, label = np.array([[2.0, 1.0, 0.0, -1.0]]), np.array([1])
    figure = new_figure(9.2, 2.6)
    first, second, third, fourth = figure.subplots(1, 4)
    bars = (
        (first, logits[0], "logits $z$"),
        (second, F.softmax(logits)[0], "probabilities $p$"),
        (third, F.cross_entropy_backward(logits, label)[0], "gradient $p - t$"),
    )
    for axes, values, title in bars:
        quiet(axes)
        axes.bar(range(4), values, color=[VERMILION if k == label[0] else BLUE for k in range(4)], width=0.7)
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_title(title, fontsize=10, color=INK, loc="left", fontweight="bold")
        axes.set_xticks(range(4))
        axes.set_xlabel("class (1 is the label)", fontsize=8.5, color=INK)
    z = np.linspace(-6, 6, 121)
    rows = np.stack([z, np.zeros_like(z)], axis=1)
    zeros = np.zeros(1, np.int64)
    quiet(fourth)
    fourth.plot(z, [F.cross_entropy(row[None], zeros) for row in rows], color=BLUE, label="loss")
    slopes = [F.cross_entropy_backward(row[None], zeros)[0, 0] for row in rows]
    fourth.plot(z, slopes, color=VERMILION, linestyle="--", label="$dz$")
    fourth.set_title("two classes", fontsize=10, color=INK, loc="left", fontweight="bold")
    fourth.set_xlabel("lead of the right logit", fontsize=8.5, color=INK)
    fourth.legend(edgecolor="none", fontsize=9)
    save(figure, "softmax")


def losses() -> None:
    """Plot the squared error and the binary cross-entropy with their slopes, and what a penalty pulls with."""
    z = np.linspace(-4, 4, 161)
    one, zero = np.ones(1), np.zeros(1)
    squared = [F.mean_squared_error(np.array([value]), zero) for value in z]
    binary = [F.binary_cross_entropy(np.array([value]), one) for value in z]
    curves = (
        ("squared error", "$y - t$", squared, [F.mean_squared_error_backward(np.array([v]), zero)[0] for v in z]),
        ("binary, target 1", "logit $z$", binary, [F.binary_cross_entropy_backward(np.array([v]), one)[0] for v in z]),
        ("L2 penalty", "weight $w$", z**2 / 2, z),
        ("L1 penalty", "weight $w$", np.abs(z), np.where(z == 0, np.nan, np.sign(z))),
    )
    figure = new_figure(9.2, 2.5)
    for axes, (title, below, values, slopes) in zip(figure.subplots(1, 4, sharey=True), curves, strict=True):
        quiet(axes)
        axes.plot(z, values, color=BLUE, linewidth=2, label="loss")
        axes.plot(z, slopes, color=VERMILION, linewidth=1.6, linestyle="--", label="its slope")
        axes.set_title(title, fontsize=10, color=INK, loc="left", fontweight="bold")
        axes.set_xlabel(below, fontsize=8.5, color=INK)
        axes.set(ylim=(-3, 5), yticks=[-2, 0, 2, 4])
    axes.legend(edgecolor="none", fontsize=8, loc="upper center")
    save(figure, "losses")


# ------------------------------------------------------------------------------------------------ steps and their sizes


def optimizers() -> None:
    """Go down a ravine in four ways."""
    ways = {
        "plain, too short": SGD(0.1),
        "plain, too long": SGD(0.95),
        "momentum": SGD(0.1, momentum=0.8),
        "Nesterov": SGD(0.1, momentum=0.8, nesterov=True),
        "Adam": Adam(0.5),
    }
    ground = SURFACES["ravine"]
    x, y = np.meshgrid(np.linspace(-8, 4, 160), np.linspace(-2.6, 2.6, 90))
    figure = new_figure(9.6, 2.1)
    for axes, (title, optimizer) in zip(figure.subplots(1, 5, sharey=True), ways.items(), strict=True):
        axes.contour(x, y, ground.value(x, y), levels=[0.05, 0.4, 1.2, 2.5, 4.5, 7], colors="#BBBBBB", linewidths=0.8)
        way = descend(optimizer, ground, steps=24)
        axes.plot(*way.T, color=BLUE, linewidth=1.1, marker="o", markersize=2.4)
        axes.plot(0, 0, "*", color=VERMILION, markersize=9, zorder=5)
        axes.set_title(title, fontsize=9.5, color=INK, loc="left", fontweight="bold")
        axes.set(xlim=(-8, 4), ylim=(-2.6, 2.6), xticks=[], yticks=[])
        axes.spines[:].set_color("#DDDDDD")
    save(figure, "optimizers")


def schedules() -> None:
    """Plot learning rates over the steps of a training."""
    kinds = {
        "StepSchedule": StepSchedule(1.0, every=35, factor=0.3),
        "CosineSchedule": CosineSchedule(1.0, steps=100),
        "WarmUp, then cosine": WarmUp(CosineSchedule(1.0, steps=80), steps=20),
        "OneCycleSchedule": OneCycleSchedule(1.0, steps=100),
    }
    figure = new_figure(9.2, 1.9)
    for axes, (title, schedule) in zip(figure.subplots(1, 4, sharey=True), kinds.items(), strict=True):
        quiet(axes)
        axes.plot([schedule(step) for step in range(100)], color=BLUE, linewidth=2)
        axes.set_title(title, fontsize=9.5, color=INK, loc="left", fontweight="bold")
        axes.set_xlabel("step", fontsize=8.5, color=INK)
        axes.set(ylim=(0, 1.08), yticks=[0, 0.5, 1])
    save(figure, "schedules")


# ------------------------------------------------------------------------------------------- normalisation and dropout


def normalization() -> None:
    """Colour the numbers that are normalised together."""
    figure = new_figure(7.4, 2.4)
    colours = [BLUE, ORANGE, GREEN, VERMILION]
    titles = ("BatchNorm: one set per channel", "LayerNorm(axis=1): one set per example")
    for axes, title in zip(figure.subplots(1, 2), titles, strict=True):
        empty(axes, 8.6, 4.1)
        axes.set_xlim(-0.8, 8.7)
        axes.set_title(title, fontsize=10, color=INK, fontweight="bold")
        for n in range(3):
            for c in range(4):
                colour = colours[c] if title.startswith("Batch") else colours[n]
                for position in range(4):
                    place = (c * 2.1 + 0.2 + position % 2 * 0.9, n * 1.1 + 0.35 + position // 2 * 0.45)
                    axes.add_patch(
                        Rectangle(place, 0.9, 0.45, facecolor=colour, alpha=0.55, edgecolor="white", linewidth=1)
                    )
        for c in range(4):
            axes.text(c * 2.1 + 1.1, 3.95, f"channel {c}", ha="center", fontsize=8, color=GREY)
        for n in range(3):
            axes.text(-0.1, n * 1.1 + 0.8, f"{n}", ha="center", va="center", fontsize=8, color=GREY)
        axes.text(-0.5, 1.9, "example", ha="center", va="center", rotation=90, fontsize=8, color=GREY)
    save(figure, "normalization")


def dropout() -> None:
    """Draw one row of activations in three steps of training, and at inference."""
    layer = Dropout(0.5)
    x = np.array([[0.5, 1.0, 0.8, 0.3, 0.9, 0.6, 0.2, 0.7]])
    layer.build((8,), rng=3, dtype=np.float64)
    rows = [(f"training, step {step}", layer.forward(x, training=True)) for step in (1, 2, 3)]
    rows.append(("inference", layer.forward(x)))
    figure = new_figure(7.4, 2.5)
    axes = figure.subplots()
    empty(axes, 11.2, 4.6)
    for number, (name, values) in enumerate(rows):
        top = number * 1.1 + 0.2 * (number == 3)
        axes.text(0, top + 0.5, name, va="center", fontsize=9, color=INK)
        for column, value in enumerate(values[0]):
            colour = GREEN if name == "inference" else BLUE if value else GREY
            box(axes, 3 + column, top, 0.95, 0.95, f"{value:.1f}" if value else "0", colour)
    save(figure, "dropout")


# ------------------------------------------------------------------------------------------ sizes, tables, branches


def padding_and_upsampling() -> None:
    """Pad a small picture, and make it larger."""
    x = np.array([[0.3, 0.9, 0.4], [0.6, 0.2, 0.8], [1.0, 0.5, 0.3]])[None, None]
    pictures = (
        ("x", x),
        ("ZeroPad(1)", F.zero_pad(x, 1)),
        ("Upsample(4)", F.upsample(x, 4)),
        ("Upsample(4), bilinear", F.upsample(x, 4, mode="bilinear")),
    )
    figure = new_figure(8.4, 2.5)
    for axes, (title, y) in zip(figure.subplots(1, 4), pictures, strict=True):
        height, width = y.shape[2:]
        axes.imshow(y[0, 0], cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=9, color=INK, fontweight="bold")
        axes.set_xlabel(f"{height} {TIMES} {width}", fontsize=8.5, color=GREY)
        axes.set_xticks([])
        axes.set_yticks([])
    save(figure, "padding-and-upsampling")


def embedding() -> None:
    """Look up rows of a table."""
    figure = new_figure(7.4, 2.9)
    axes = figure.subplots()
    empty(axes, 14, 5.6)
    words = ["a", "film", "great", "not", "this"]
    for row, word in enumerate(words):
        colour = [GREY, BLUE, ORANGE, GREY, GREEN][row]
        axes.text(4.8, row + 1.0, f"{row}  {word}", ha="right", va="center", fontsize=9, color=INK)
        for column in range(3):
            box(axes, 5 + column, row + 0.5, 1, 1, f"$w_{{{row}{column}}}$", colour)
    for place, index in enumerate([2, 1, 2, 4]):
        colour = [GREY, BLUE, ORANGE, GREY, GREEN][index]
        box(axes, 0.3, place * 1.15 + 0.7, 1, 1, str(index), colour)
        for column in range(3):
            box(axes, 10.6 + column, place * 1.15 + 0.7, 1, 1, f"$w_{{{index}{column}}}$", colour)
    for x, words_above in ((0.8, "indices (L)"), (6.5, "weight (V, D)"), (12.1, "output (L, D)")):
        axes.text(x, 0.25, words_above, ha="center", fontsize=9, color=INK, fontweight="bold")
    arrow(axes, (1.6, 3), (3.1, 3))
    arrow(axes, (8.3, 3), (10.3, 3))
    save(figure, "embedding")


def recurrent() -> None:
    """Unroll a recurrent layer over four steps."""
    figure = new_figure(7.4, 2.7)
    axes = figure.subplots()
    empty(axes, 14, 5.2)
    for step in range(4):
        left = 1.6 + 3.2 * step
        box(axes, left, 3.9, 1.4, 1, f"$x_{step}$", GREY)
        box(axes, left, 2.1, 1.4, 1, "cell", BLUE)
        box(axes, left, 0.3, 1.4, 1, f"$h_{step}$", GREEN)
        arrow(axes, (left + 0.7, 3.9), (left + 0.7, 3.1))
        arrow(axes, (left + 0.7, 2.1), (left + 0.7, 1.3))
        arrow(axes, (left - 1.8, 2.6), (left, 2.6))
        axes.text(left + 0.85, 3.5, "$W$", va="center", fontsize=9, color=INK)
        axes.text(left - 0.9, 2.3, "$R$", ha="center", va="center", fontsize=9, color=INK)
    axes.text(-0.1, 2.9, "0", ha="center", va="center", fontsize=9, color=INK)
    save(figure, "recurrent")


def branches() -> None:
    """Draw Residual and Concat as diagrams."""
    figure = new_figure(8.6, 2.5)
    left, right = figure.subplots(1, 2)
    empty(left, 10, 5)
    left.set_title("Residual", fontsize=10, color=INK, fontweight="bold")
    box(left, 0, 2, 1, 1, "x", GREY)
    box(left, 3.2, 0.5, 3, 1.2, "main", BLUE)
    box(left, 3.2, 3.3, 3, 1.2, "shortcut", ORANGE)
    box(left, 7.5, 2.05, 0.9, 0.9, "+", GREEN, 12)
    box(left, 9, 2, 1, 1, "y", GREY)
    for y, into in ((1.1, 2.4), (3.9, 2.6)):
        arrow(left, (1, 2.5), (3.2, y))
        arrow(left, (6.2, y), (7.5, into))
    arrow(left, (8.4, 2.5), (9, 2.5))
    empty(right, 10, 5)
    right.set_title("Concat", fontsize=10, color=INK, fontweight="bold")
    box(right, 0, 2, 1, 1, "x", GREY)
    shades = (BLUE, ORANGE, VERMILION)
    for number, colour in enumerate(shades):
        y = 0.3 + 1.6 * number
        box(right, 3, y, 3, 1.1, f"branch {number}", colour)
        arrow(right, (1, 2.5), (3, y + 0.55))
        box(right, 8.4, 1.3 + 0.8 * number, 1.4, 0.8, f"$C_{number}$", colour)
        arrow(right, (6, y + 0.55), (8.4, 1.7 + 0.8 * number))
    right.text(9.1, 4.2, "channels of y", ha="center", fontsize=8.5, color=GREY)
    save(figure, "branches")


def graphs() -> None:
    """Draw a graph with two inputs, and the gradients of an array that is used twice."""
    figure = new_figure(8.6, 2.7)
    left, right = figure.subplots(1, 2)
    empty(left, 10, 5)
    left.set_title("two inputs", fontsize=10, color=INK, fontweight="bold")
    box(left, 0, 0.7, 1.6, 1.1, "image", GREY)
    box(left, 0, 3.2, 1.6, 1.1, "meta", GREY)
    box(left, 2.4, 0.7, 2.2, 1.1, "body", BLUE)
    box(left, 5.3, 1.95, 2.6, 1.1, "Concatenate", GREEN)
    box(left, 8.6, 1.95, 1.4, 1.1, "Dense", ORANGE)
    arrow(left, (1.6, 1.25), (2.4, 1.25))
    arrow(left, (4.6, 1.25), (5.3, 2.2))
    arrow(left, (1.6, 3.75), (5.3, 2.8))
    arrow(left, (7.9, 2.5), (8.6, 2.5))
    empty(right, 10, 5)
    right.set_title("an array that is used twice", fontsize=10, color=INK, fontweight="bold")
    box(right, 0.3, 2, 1, 1, "a", GREY)
    box(right, 4, 0.6, 2.4, 1.1, "f", BLUE)
    box(right, 8.4, 2.05, 0.9, 0.9, "+", GREEN, 12)
    arrow(right, (1.3, 2.3), (4, 1.15))
    arrow(right, (6.4, 1.15), (8.4, 2.3))
    arrow(right, (1.3, 2.6), (8.4, 2.6))
    right.text(9.9, 2.5, "y", ha="center", va="center", fontsize=9, color=INK)
    right.text(4.9, 3.0, "its gradient is dy", ha="center", fontsize=8.5, color=VERMILION)
    right.text(1.9, 0.95, "its gradient is\nthat of f", ha="center", va="center", fontsize=8.5, color=VERMILION)
    right.text(0.8, 3.7, "da is the sum of both", ha="left", fontsize=8.5, color=VERMILION, fontweight="bold")
    save(figure, "graphs")


FIGURES: tuple[Callable[[], None], ...] = (
    convolution,
    convolution_strided,
    convolution_dilated,
    transposed_convolution,
    max_pooling,
    average_pooling,
    lp_pooling,
    receptive_field,
    connections,
    activations,
    softmax,
    losses,
    optimizers,
    schedules,
    normalization,
    dropout,
    padding_and_upsampling,
    embedding,
    recurrent,
    branches,
    graphs,
)


def main() -> None:
    """Draw them all, and say how large they are."""
    FOLDER.mkdir(exist_ok=True)
    for draw in FIGURES:
        draw()
    files = sorted(FOLDER.iterdir())
    for path in files:
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.name}")
    print(f"{sum(path.stat().st_size for path in files) / 1000:6.1f} kB  in all")


if __name__ == "__main__":
    main()
