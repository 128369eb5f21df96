"""A folder larger than memory
===========================

JPEG files take a tenth of the room of their pixels, so a folder that fits on a disk may not fit into memory. You learn
to train on pictures that stay on disk and are decoded a batch at a time, and on an array that is mapped from a file,
and measure the memory of each. Without ``--folder``, a small one is made. Takes 4 minutes to read and a minute to run
(``--quick``: a few seconds). Measured with 2,000 pictures, 24.6 MB of pixels: the peak is 28.0 MB with all of them in
memory, 4.0 MB decoded when needed and 2.7 MB mapped from a file. All three end with the same weights and 99.5 % of 200
held-out tiles, which overlap those that were learned.
"""

import argparse
import time
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from skimage import data as photographs

import numpycnn as nn
from numpycnn.data.augment import Augment, ColorJitter, Flip, RandomResizedCrop

AUGMENT = Augment([RandomResizedCrop(scale=(0.4, 1)), Flip(), ColorJitter(0.2, 0.2, 0.3)])
BATCH, SIZE = 50, (64, 64)


def make_folder(folder, count):
    """Cut tiles of random sizes out of four photographs, a folder for each of them."""
    rng = np.random.default_rng(0)
    for name in ("astronaut", "brick", "chelsea", "coffee"):
        photograph = getattr(photographs, name)()
        (folder / name).mkdir(parents=True, exist_ok=True)
        for tile in range(count // 4):
            side = rng.integers(64, 160)
            top, left = (rng.integers(0, length - side) for length in photograph.shape[:2])
            Image.fromarray(photograph[top : top + side, left : left + side]).save(folder / name / f"{tile:04}.jpg")


# %%
# Three ways to the same pictures. The first decodes all of them and keeps the pixels. The second keeps a list of files;
# threads decode a batch when it is asked for, in each epoch anew. The third decodes each picture once and writes the
# pixels to a file. The operating system reads the rows of a batch, and caches as many as there is room for.


def in_memory(folder, out):
    return nn.data.ImageFolder(folder, SIZE)


def decoded_when_needed(folder, out):
    return nn.data.ImageFolder(folder, SIZE, in_memory=False)


def mapped_from_a_file(folder, out):
    files = nn.data.ImageFolder(folder, SIZE, in_memory=False)
    pixels = np.lib.format.open_memmap(out / "pictures.npy", "w+", np.uint8, files.images.shape)
    for begin in range(0, len(files), BATCH):
        pixels[begin : begin + BATCH] = files.images[begin : begin + BATCH]
    return files.replace(images=pixels)


def with_peak(way, *arguments):
    """Return a data set, and the peak of the memory that Python allocates to make it and ask for all batches, in MB."""
    tracemalloc.start()
    data = way(*arguments)
    for begin in range(0, len(data), BATCH):
        data.batch(slice(begin, begin + BATCH))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return data, peak / 1e6


# %%
# A data set on disk is divided, shuffled, augmented and normalized like any other: a part remembers its rows.


def train(data, epochs, seed):
    model = nn.models.small_cnn(data.images.shape[1:], len(data.class_names), seed=seed)
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=2e-3), seed=seed)
    trainer.fit(data, epochs=epochs, batch_size=BATCH, augment=AUGMENT, validation=0.1, progress=False)
    return trainer


def main(quick, out, folder, seed):
    out.mkdir(parents=True, exist_ok=True)
    if folder is None:
        folder = out / "many_pictures"
        make_folder(folder, 400 if quick else 2000)
    found, states = {}, []
    for way in (in_memory, decoded_when_needed, mapped_from_a_file):
        name = way.__name__.replace("_", " ")
        data, found[name] = with_peak(way, folder, out)
        begin = time.perf_counter()
        trainer = train(data, 2 if quick else 6, seed)
        states.append(trainer.model.state())
        accuracy, spent = trainer.history.records[-1]["val_accuracy"], time.perf_counter() - begin
        print(f"{name:20} peak {found[name]:5.1f} MB, accuracy {100 * accuracy:.1f} %, {spent:.1f} s")
    print(f"{len(data):,} pictures, {data.images.size / 1e6:.1f} MB of pixels")
    same = all(np.array_equal(state[key], states[0][key]) for state in states for key in state)
    print(f"the weights are {'the same' if same else 'different'}, to the last bit")

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), dpi=110, layout="constrained")
    augmented = AUGMENT(*data.take(np.random.default_rng(0).permutation(len(data))[:18]), 0)[0]
    left.imshow(augmented.reshape(3, 6, 3, *SIZE).transpose(0, 3, 1, 4, 2).reshape(3 * SIZE[0], 6 * SIZE[1], 3))
    left.set(title="a batch, decoded and augmented", xticks=[], yticks=[])
    right.barh(list(found), list(found.values()), color="#0072B2")
    right.set(title="peak of the memory", xlabel="MB")
    right.invert_yaxis()
    figure.savefig(out / "folder_larger_than_memory.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="a folder with a folder of pictures for each class")
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the results (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what is held out, and of the training (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer pictures and epochs, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out, arguments.folder, arguments.seed)
