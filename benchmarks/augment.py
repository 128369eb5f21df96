"""Count how many images a second each augmentation makes, and what augmentation costs a training.

The first table is of single calls on one thread. The second trains tiny_vgg on pixels in memory without augmentation,
with it in the same thread, and with it in a second one; the three take turns, an epoch at a time. A second thread needs
a core to itself (see NUMPYCNN_NUM_THREADS) to be of use.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import numpycnn as nn
from numpycnn.data import Dataset
from numpycnn.data.augment import (
    Affine,
    Augment,
    BrightnessContrast,
    Cutout,
    Flip,
    FrequencyMask,
    MixUp,
    Noise,
    PadCrop,
    TimeMask,
    TimeShift,
    Transform,
)
from numpycnn.training.batches import prepare
from numpycnn.training.prefetch import prefetched

TRANSFORMS: list[Transform] = [
    Flip(),
    PadCrop(4),
    PadCrop(4, mode="reflect"),
    Cutout(8),
    BrightnessContrast(),
    Noise(),
    MixUp(10),
    Affine(rotation=15, scale=0.1, shift=0.1),
    TimeShift(8),
    TimeMask(8),
    FrequencyMask(6),
    Augment([PadCrop(4), Flip(), Cutout(8)]),
]
SHAPES = [(3, 32, 32), (1, 28, 28)]
BATCH = 128
Rates = tuple[float, float]
CHEAP = Augment([PadCrop(4), Flip(), Cutout(8)])
COSTLY = Augment([Affine(rotation=15, scale=0.1, shift=0.1), Flip(), Noise()])


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def pictures(count: int, shape: tuple[int, ...]) -> Dataset:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (count, *shape), dtype=np.uint8), rng.integers(0, 10, count)
    return Dataset(images, labels, [str(k) for k in range(10)], mean=0.5, std=0.25)


def count_transforms(runs: int) -> None:
    print(f"images a second, batches of {BATCH} of uint8, median of {runs}")
    print(f"{'':42}" + "".join(f"{'x'.join(map(str, shape)):>12}" for shape in SHAPES))
    for transform in TRANSFORMS:
        line = f"{transform!r:42}"
        for shape in SHAPES:
            data, rng = pictures(BATCH, shape), np.random.default_rng(0)

            def call(data: Dataset = data, rng: np.random.Generator = rng, transform: Transform = transform) -> None:
                transform(data.images, data.labels, rng)

            call()
            line += f"{BATCH / median(seconds(call) for _ in range(runs)):12,.0f}"
        print(line)


def epoch(model: nn.Sequential, optimizer: nn.Optimizer, data: Dataset, augment: Augment | None, ahead: int) -> Rates:
    """Train on all of the data; return images a second, and the share of the time that was spent waiting for them."""
    loss, size, waited = nn.CrossEntropy(), 32, 0.0

    def make(number: int) -> tuple[np.ndarray, np.ndarray]:
        indices = np.arange(number * size, (number + 1) * size)
        return prepare(data, indices, np.float32, augment, (0, number))

    begin = asked = time.perf_counter()
    for x, labels in prefetched(make, range(len(data) // size), ahead):
        waited += time.perf_counter() - asked
        loss.forward(model.forward(x, training=True), labels)
        model.backward_parameters(loss.backward())
        optimizer.step(model.parameters())
        asked = time.perf_counter()
    whole = time.perf_counter() - begin
    return len(data) / whole, waited / whole


def count_training(epochs: int, shape: tuple[int, ...], augment: Augment) -> None:
    data = pictures(6400, shape)
    ways = {
        "without augmentation": (None, 0),
        "augmented, one thread": (augment, 0),
        "augmented, made ahead": (augment, 2),
    }
    models = {name: (nn.models.tiny_vgg(shape, 10), nn.Adam()) for name in ways}
    found: dict[str, list[Rates]] = {name: [] for name in ways}
    for turn in range(epochs + 1):
        for name, settings in ways.items():
            result = epoch(*models[name], data, *settings)
            if turn:  # the first one warms up
                found[name].append(result)
    print(f"\ntiny_vgg on {'x'.join(map(str, shape))}, batches of 32, {nn.get_num_threads()} thread(s), {augment}")
    for name, results in found.items():
        rates, waits = zip(*results, strict=True)
        print(
            f"{name:24} best {max(rates):7,.0f}, median {median(rates):7,.0f} images a second; "
            f"{100 * median(waits):4.1f} % of the time spent waiting for batches"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="calls of each transform (default: 30)")
    parser.add_argument("--epochs", type=int, default=9, help="of 6,400 images, each way (default: 9)")
    arguments = parser.parse_args()
    count_transforms(arguments.runs)
    for augment in (CHEAP, COSTLY):
        count_training(arguments.epochs, SHAPES[0], augment)


if __name__ == "__main__":
    main()
