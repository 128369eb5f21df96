"""Train on a folder of pictures that stays on disk: the peak memory, and the speed beside the same pictures in memory.

The folder is made up: smooth noise as JPEG files in two classes, whose decoded pictures take 3 GB. The first table
trains on a part of them, from memory and from disk, an epoch in turns. The second is of a process that trains an epoch
on the whole folder from disk; its peak is of physical memory, without the files that the operating system caches.

Decoding shares the processors with the training. It keeps up as long as a batch is decoded while another one trains,
which the share of the time spent waiting for batches shows.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from memory import peak_memory
from PIL import Image
from report import arguments, head, heading, row, written_to

import numpycnn as nn
from numpycnn.data import Dataset, ImageFolder

BATCH = 32
CLASSES = ("left", "right")  # the side with a shadow


def make_folder(folder: Path, count: int, side: int) -> None:
    """Write `count` JPEG files of smooth noise into the two class folders."""

    def write(number: int) -> None:
        coarse = np.random.default_rng(number).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        np.array_split(coarse, 2, axis=1)[number % 2][:] //= 2
        picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / CLASSES[number % 2] / f"{number:06}.jpg", quality=90)

    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(count)))


class Timed(nn.Trainer):
    """A trainer that adds up the seconds of its steps; the rest of an epoch is spent waiting for batches."""

    stepped = 0.0

    def train_step(self, x: Any, target: Any) -> dict[str, float]:
        begin = time.perf_counter()
        found = super().train_step(x, target)
        self.stepped += time.perf_counter() - begin
        return found


def new_trainer(side: int) -> Timed:
    """Return the trainer of a network with 0.13 billion multiplications for each picture."""
    layers: list[nn.Layer] = []
    for channels, stride in ((32, 2), (64, 1), (128, 1)):
        layers += [nn.Conv2D(channels, 3, stride=stride, padding=1), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D(2)]
    model = nn.Sequential([*layers, nn.GlobalAvgPool(), nn.Dense(2)], input_shape=(3, side, side), seed=0)
    return Timed(model, loss=nn.CrossEntropy(), optimizer=nn.Adam())


def train_epoch(trainer: Timed, data: Dataset) -> tuple[float, float]:
    """Train one more epoch; return the images per second, and the share of the time spent waiting for batches."""
    trainer.stepped = 0.0
    trainer.fit(data, epochs=trainer.progress.epoch + 1, batch_size=BATCH, progress=False)
    record = trainer.history.records[-1]
    return record["images_per_second"], 1 - trainer.stepped / record["seconds"]


def compare(folder: Path, side: int, count: int, epochs: int) -> None:
    """Train from memory and from disk in turns, on the same pictures in the same order."""
    there = ImageFolder(folder, (side, side), in_memory=False)
    there = there[:: max(1, len(there) // count)]
    ways = {"memory": there.replace(images=there.images[:]), "disk": there}
    trainers = {name: new_trainer(side) for name in ways}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(epochs + 1):
        for name, data in ways.items():
            result = train_epoch(trainers[name], data)
            if turn:  # the first one compiles and warms up
                found[name].append(result)
    states = [trainer.model.state() for trainer in trainers.values()]
    assert all(np.array_equal(array, states[1][name]) for name, array in states[0].items())
    heading(f"{len(there):,} pictures of 3x{side}x{side}, {nn.get_num_threads()} threads")
    head("from", "images a second, median (best)", "of the time spent waiting for batches", "of the speed from memory")
    base = median(rate for rate, _ in found["memory"])
    for name, results in found.items():
        rates, waits = zip(*results, strict=True)
        row(name, f"{median(rates):,.0f} ({max(rates):,.0f})", f"{median(waits):.1%}", f"{median(rates) / base:.0%}")


def measure(folder: str, side: int, threads: int) -> dict[str, float]:
    """Train an epoch on the whole folder from disk; return the peak memory in MiB and other numbers."""
    nn.set_num_threads(threads)
    data = ImageFolder(folder, (side, side), in_memory=False)
    rate, waited = train_epoch(new_trainer(side), data)
    return {"pictures": len(data), "MB": data.images.size / 1e6, "peak": peak_memory(), "rate": rate, "waited": waited}


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pictures", type=int, default=20_000, help="in the folder (default: 20,000)")
    parser.add_argument("--side", type=int, default=224, help="pixels (default: 224)")
    parser.add_argument("--part", type=int, default=1000, help="pictures to compare the speeds with (default: 1,000)")
    parser.add_argument("--epochs", type=int, default=5, help="of the comparison (default: 5)")
    parser.add_argument("--only", choices=("speed", "memory"), help="one of the two tables")
    args = parser.parse_args(argv)
    if args.quick:
        args.pictures, args.side, args.part, args.epochs = 80, 32, 40, 1
    if args.threads:
        nn.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as place, written_to(args.out):
        folder = Path(place) / "pictures"
        make_folder(folder, args.pictures, args.side)
        if args.only != "memory":
            compare(folder, args.side, args.part, args.epochs)
        if args.only != "speed":
            command = [sys.executable, __file__, "--measure", str(folder), str(args.side), str(nn.get_num_threads())]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
            if done.returncode:
                raise RuntimeError(done.stderr)
            found = json.loads(done.stdout)
            heading("One epoch on the whole folder from disk")
            head("pictures", "decoded, MB", "peak memory, MiB", "images a second", "of the time spent waiting")
            numbers = [f"{found[name]:,.0f}" for name in ("pictures", "MB", "peak", "rate")]
            row(*numbers, f"{found['waited']:.1%}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], *map(int, sys.argv[3:5]))))
    else:
        main()
