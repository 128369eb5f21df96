"""The first exercise
==================

Convolution, pooling, softmax and sigmoid by hand, each beside the library's call. You learn what a 3x3 kernel does to a
matrix with stride 1 and 3, what a picture is to a program (its shape and its channels), how a Sobel kernel finds edges,
what max pooling and global average pooling keep of them, and how softmax and sigmoid turn numbers into probabilities.
Takes 15 minutes to read and a few seconds to run.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from skimage import color, data, filters

import numpycnn.functional as F


def correlate(x, kernel, stride=1):
    """Slide the kernel over x (H, W): each output is the sum of what lies under the kernel, times the kernel."""
    size = len(kernel)
    rows, columns = ((length - size) // stride + 1 for length in x.shape)
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = np.sum(kernel * x[stride * i : stride * i + size, stride * j : stride * j + size])
    return y  # (OH, OW)


def max_pool(x, size):
    """Keep the largest number of each block of size x size; what is left over at the end is dropped."""
    y = np.zeros((x.shape[0] // size, x.shape[1] // size))
    for i, j in np.ndindex(y.shape):
        y[i, j] = x[size * i : size * (i + 1), size * j : size * (j + 1)].max()
    return y  # (H // size, W // size)


def agree(plain, library):
    """Fail unless both are the same but for rounding."""
    np.testing.assert_allclose(library, plain, rtol=1e-10, atol=1e-12)


def batch(x):
    """Give a matrix the shape that the library works on, (N, C, H, W): one picture with one channel."""
    return x[np.newaxis, np.newaxis]


def draw(pictures, scores, path):
    """Save the stages, and the scores with their softmax and sigmoid, as one figure."""
    figure = Figure(figsize=(10, 6.6), dpi=110, layout="constrained")
    *stages, last = figure.subplots(2, 3).ravel()
    for axes, (title, picture, settings) in zip(stages, pictures, strict=True):
        axes.imshow(picture, interpolation="nearest", **settings)
        axes.set(title=f"{title}\n{picture.shape}", xticks=[], yticks=[])
    places = np.arange(len(scores))
    last.bar(places - 0.2, F.softmax(scores), 0.4, label="softmax: all add up to 1", color="#0072B2")
    last.bar(places + 0.2, F.sigmoid(scores), 0.4, label="sigmoid: each by itself", color="#E69F00")
    last.set(title="scores as probabilities", xlabel="score", ylim=(0, 1.3), yticks=(0, 0.5, 1))
    last.set_xticks(places, [f"{score:g}" for score in scores])
    last.legend(frameon=False, loc="upper left")
    figure.savefig(path)


def main(out):
    matrix, kernel = np.zeros((7, 8), int), np.array([[-1, 0, 1]] * 3)  # what is on the right less what is on the left
    matrix[1:4, 2:5] = 9
    print(f"matrix\n{matrix}\nkernel\n{kernel}")
    for stride in (1, 3):
        y = correlate(matrix, kernel, stride)
        agree(batch(y), F.conv2d(batch(matrix.astype(float)), batch(kernel.astype(float)), stride=stride))
        print(f"stride {stride} gives {y.shape}\n{y.astype(int)}")

    picture = data.astronaut()  # comes with scikit-image; a picture is an array (H, W, C)
    print(f"\npicture: shape {picture.shape}, {picture.dtype}, values from {picture.min()} to {picture.max()}")
    for name, channel in zip(("red", "green", "blue"), np.moveaxis(picture, -1, 0), strict=True):
        print(f"  {name} channel {channel.shape}, mean {channel.mean():.1f}")
    grey = color.rgb2gray(picture)[:256, 80:368]  # (256, 288), from 0 to 1

    sobel = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 4  # positive where it gets brighter downwards
    edges = correlate(grey, sobel)
    agree(batch(edges), F.conv2d(batch(grey), batch(sobel)))
    agree(edges, filters.sobel_h(grey)[1:-1, 1:-1])  # scikit-image has outputs along the border as well
    pooled = max_pool(np.abs(edges), 8)
    agree(batch(pooled), F.max_pool2d(batch(np.abs(edges)), 8))
    average = sum(sum(row) for row in pooled) / pooled.size
    agree([[average]], F.global_avg_pool(batch(pooled)))
    print(f"Sobel kernel: {grey.shape} to {edges.shape}, values from {edges.min():.2f} to {edges.max():.2f}")
    print(f"max pooling: {edges.shape} to {pooled.shape}\nglobal average pooling: to one number, {average:.4f}")

    scores = np.array([-2.0, 0.0, 1.0, 3.0])
    exponential = np.exp(scores - scores.max())  # the largest is exp(0) = 1, so nothing overflows
    agree(exponential / exponential.sum(), F.softmax(scores))
    agree(1 / (1 + np.exp(-scores)), F.sigmoid(scores))
    print(f"\nscores  {scores}\nsoftmax {F.softmax(scores).round(3)}\nsigmoid {F.sigmoid(scores).round(3)}")
    print("\nplain NumPy and the library agree")

    signed = {"cmap": "RdBu_r", "vmin": -0.5, "vmax": 0.5}  # white is 0
    same = {"cmap": "gray", "vmin": 0, "vmax": pooled.max()}
    pictures = [("picture", picture, {}), ("a part of it in grey", grey, {"cmap": "gray"})]
    pictures += [("Sobel: red where brighter below", edges, signed), ("max pooling of |edges|, 8 x 8", pooled, same)]
    pictures += [(f"global average pooling: {average:.4f}", np.full((1, 1), average), same)]
    out.mkdir(parents=True, exist_ok=True)
    draw(pictures, scores, out / "first_exercise.png")
    print(f"figure: {out / 'first_exercise.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="accepted by all examples; this one is quick anyway")
    main(parser.parse_args().out)
