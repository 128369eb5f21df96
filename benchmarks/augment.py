"""Measure the images per second of each augmentation, and the cost of augmentation in a training.

The first table is of single calls on one thread. The second trains tiny_vgg on pixels in memory without augmentation,
with it in the same thread, and with it in a second one; the three take turns, an epoch at a time. A second thread needs
a core of its own (see --threads) to help.
"""

import time
from statistics import median

import numpy as np
from report import arguments, head, row, written_to
from timing import timed

import numpycnn as nn
from numpycnn.data import Dataset
from numpycnn.data.augment import (
    Affine,
    Augment,
    BrightnessContrast,
    ColorJitter,
    CutMix,
    Cutout,
    Flip,
    FrequencyMask,
    MixUp,
    Noise,
    PadCrop,
    RandomErasing,
    RandomResizedCrop,
    TimeMask,
    TimeShift,
    Transform,
)
from numpycnn.training.batches import Batch, prepare
from numpycnn.training.prefetch import prefetched

TRANSFORMS: list[Transform] = [
    Flip(),
    PadCrop(4),
    PadCrop(4, mode="reflect"),
    Cutout(8),
    BrightnessContrast(),
    Noise(),
    ColorJitter(0.2, 0.2),
    RandomErasing(),
    MixUp(10),
    CutMix(10),
    Affine(rotation=15, scale=0.1, shift=0.1),
    RandomResizedCrop(),
    TimeShift(8),
    TimeMask(8),
    FrequencyMask(6),
    Augment([PadCrop(4), Flip(), Cutout(8)]),
]
SHAPES = [(3, 32, 32), (1, 28, 28)]
BATCH, IMAGES = 128, 3200
Rates = tuple[float, float]
CHEAP = Augment([PadCrop(4), Flip(), Cutout(8)])
COSTLY = Augment([Affine(rotation=15, scale=0.1, shift=0.1), Flip(), Noise()])


def pictures(count: int, shape: tuple[int, ...]) -> Dataset:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (count, *shape), dtype=np.uint8), rng.integers(0, 10, count)
    return Dataset(images, labels, [str(k) for k in range(10)], mean=0.5, std=0.25)


def count_transforms(runs: int) -> None:
    print(f"Images a second, batches of {BATCH} of uint8, median of {runs} calls.\n")
    head("transform", *("x".join(map(str, shape)) for shape in SHAPES))
    for transform in TRANSFORMS:
        rates = []
        for shape in SHAPES:
            data, rng = pictures(BATCH, shape), np.random.default_rng(0)

            def call(data: Dataset = data, rng: np.random.Generator = rng, transform: Transform = transform) -> None:
                transform(data.images, data.labels, rng)

            call()
            rates.append(f"{BATCH / median(timed(call) for _ in range(runs)):,.0f}")
        row(transform, *rates)


def epoch(model: nn.Sequential, optimizer: nn.Optimizer, data: Dataset, augment: Augment | None, ahead: int) -> Rates:
    """Train on all of the data; return images per second, and the share of the time spent waiting for them."""
    loss, size, waited = nn.CrossEntropy(), 32, 0.0

    def make(number: int) -> Batch:
        indices = np.arange(number * size, (number + 1) * size)
        return prepare(data, indices, np.float32, augment, (0, number))

    begin = asked = time.perf_counter()
    for x, labels, _ in prefetched(make, range(len(data) // size), ahead):
        waited += time.perf_counter() - asked
        loss.forward(model.forward(x, training=True), labels)
        model.backward_parameters(loss.backward())
        optimizer.step(model.parameters())
        asked = time.perf_counter()
    whole = time.perf_counter() - begin
    return len(data) / whole, waited / whole


def count_training(epochs: int, shape: tuple[int, ...], augment: Augment) -> None:
    data = pictures(IMAGES, shape)
    ways = {
        "without augmentation": (None, 0),
        "augmented in the same thread": (augment, 0),
        "augmented ahead in a second thread": (augment, 2),
    }
    models = {name: (nn.models.tiny_vgg(shape, 10), nn.Adam()) for name in ways}
    found: dict[str, list[Rates]] = {name: [] for name in ways}
    for turn in range(epochs + 1):
        for name, settings in ways.items():
            result = epoch(*models[name], data, *settings)
            if turn:  # the first one warms up
                found[name].append(result)
    print(f"\ntiny_vgg on {'x'.join(map(str, shape))}, batches of 32, {nn.get_num_threads()} threads, {augment}.\n")
    head("", "images a second, median (best)", "of the time spent waiting for batches")
    for name, results in found.items():
        rates, waits = zip(*results, strict=True)
        row(name, f"{median(rates):,.0f} ({max(rates):,.0f})", f"{median(waits):.1%}")


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=30, help="calls of each transform (default: 30)")
    parser.add_argument("--epochs", type=int, default=9, help=f"of {IMAGES:,} images, for each variant (default: 9)")
    args = parser.parse_args(argv)
    if args.quick:
        args.runs, args.epochs = 2, 1
    if args.threads:
        nn.set_num_threads(args.threads)
    with written_to(args.out):
        count_transforms(args.runs)
        for augment in (CHEAP, COSTLY):
            count_training(args.epochs, SHAPES[0], augment)


if __name__ == "__main__":
    main()
