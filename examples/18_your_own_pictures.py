"""A folder of your own pictures
=============================

All it takes to train on your own pictures is a folder for each kind. You learn how such a folder becomes a data set,
how a network is trained on it, and how a picture is judged by the model that was saved. Without ``--folder`` a folder
is made first, of tiles cut from photographs of bricks, grass, gravel and the moon that come with scikit-image. The
tiles that are held out come from the same four photographs, so their accuracy says nothing of a new photograph. Takes 5
minutes to read and less than a minute to run (``--quick``: a few seconds).

Measured after thirty epochs over 204 tiles, with ``--seed`` 0, 1 and 2, each of which holds out others: 94.2, 94.2 and
88.5 % of 52 held-out ones are recognised, 92.3 % on average. With seed 0 the other three are gravel taken for grass.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from skimage import data as photographs

import numpycnn as nn
from numpycnn.data.augment import Affine, Augment, BrightnessContrast, Flip

# %%
# The tiles do not overlap, so that none of those that are held out has a part in training.


def make_folder(folder):
    """Cut four photographs of 512x512 pixels into 64 tiles each, a folder for each kind."""
    for name in ("brick", "grass", "gravel", "moon"):
        photograph = getattr(photographs, name)()
        (folder / name).mkdir(parents=True, exist_ok=True)
        for tile, (row, column) in enumerate(np.ndindex(8, 8)):
            pixels = photograph[64 * row : 64 * (row + 1), 64 * column : 64 * (column + 1)]
            Image.fromarray(pixels).save(folder / name / f"{tile:02}.jpg", quality=95)


# %%
# Few pictures are soon known by heart, so none is shown twice as it is: turned, mirrored, in another light.

AUGMENT = Augment([Flip(), Affine(rotation=15, scale=0.2, shift=0.1), BrightnessContrast(0.2, 0.3)])


def train(data, epochs, seed):
    """Train a network with as many outputs as there are folders."""
    model = nn.models.small_cnn(data.images.shape[1:], len(data.class_names), seed=seed)
    rate = nn.OneCycleSchedule(5e-3, epochs * -(-len(data) // 16))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, batch_size=16, augment=AUGMENT, progress=False)
    return trainer


def draw(data, probabilities, path):
    """Draw the pictures that the network is least sure of, with its answers."""
    order = np.argsort(probabilities.max(axis=1))[:18]
    figure, grid = plt.subplots(3, 6, figsize=(10, 5.6), dpi=110, layout="constrained")
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, i in zip(grid.flat, order, strict=False):
        answer, label = probabilities[i].argmax(), data.labels[i]
        truth = f": is {data.class_names[label]}" if answer != label else ""
        axes.imshow(np.moveaxis(data.images[i], 0, -1).squeeze(), cmap="gray", vmin=0, vmax=255)
        words = f"{data.class_names[answer]} {100 * probabilities[i, answer]:.0f} %{truth}"
        axes.set_title(words, color="#D55E00" if truth else "black", fontsize=10)
    figure.suptitle("held-out pictures, the least certain first; red is wrong")
    figure.savefig(path)


def main(quick, out, folder, seed):
    out.mkdir(parents=True, exist_ok=True)
    if folder is None:
        folder = out / "pictures"
        make_folder(folder)
    data, test = nn.data.load_image_folder(folder, size=(32, 32) if quick else (64, 64), seed=seed)
    print(f"{folder}: {len(data):,} pictures to learn from, {len(test):,} held out")
    for label, name in enumerate(data.class_names):
        print(f"  {name:12} {np.sum(data.labels == label):4} {np.sum(test.labels == label):4}")

    trainer = train(data, epochs=12 if quick else 30, seed=seed)
    model = trainer.model
    probabilities = nn.functional.softmax(model.predict(test.batch(slice(None))[0]))  # (N, classes)
    right = probabilities.argmax(axis=1) == test.labels
    print(f"\naccuracy on the held-out pictures {100 * right.mean():.1f} %, {np.sum(~right)} of {len(test)} wrong")

    # What the model has to know of the data is recorded by fit, and saved with it: sizes, names, mean and deviation.
    path = out / "own_pictures.safetensors"
    model.save(path)
    twin = nn.load_model(path)
    reader = nn.data.reader_from(twin.metadata["reader"])
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".png", ".jpg", ".jpeg"))
    pictures = ((file, reader.read(file)) for file in files)  # (C, H, W) each, uint8
    file, image = next(pair for pair in pictures if (pair[1] == test.images).all(axis=(1, 2, 3)).any())  # held out
    answer = nn.functional.softmax(twin.predict(data.normalize(image[None])))[0]
    name = twin.metadata["class_names"][answer.argmax()]
    print(
        f"{file.parent.name}/{file.name}, held out, is read as {name}, {100 * answer.max():.0f} %, by the saved model"
    )

    draw(test, probabilities, out / "own_pictures.png")
    print(f"figure: {out / 'own_pictures.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="a folder with a folder of pictures for each kind")
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the results (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what is held out, and of the training (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="smaller pictures and fewer epochs, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out, arguments.folder, arguments.seed)
