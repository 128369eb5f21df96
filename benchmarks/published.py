"""Train two published programs with their own settings, and print the test accuracy beside the published one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from machine import use_threads
from report import arguments, head, row, written_to

import numpycnn as nn
from numpycnn.data import load_fashion_mnist, load_mnist

Arrays = tuple[np.ndarray, np.ndarray]


class Program(NamedTuple):
    """A published program: source and accuracy, data, network and training."""

    source: str
    accuracy: str
    load: Callable[[], Any]
    network: Callable[[int], nn.Sequential]
    optimizer: Callable[[], nn.Optimizer]
    fit: dict[str, Any]


def lenet_of_d2l(seed: int) -> nn.Sequential:
    rule: dict[str, Any] = {"activation": "sigmoid", "initializer": "glorot_uniform"}
    layers = [nn.Conv2D(6, 5, padding=2, **rule), nn.AvgPool2D(2), nn.Conv2D(16, 5, **rule), nn.AvgPool2D(2)]
    layers += [nn.Flatten(), nn.Dense(120, **rule), nn.Dense(84, **rule), nn.Dense(10, initializer="glorot_uniform")]
    return nn.Sequential(layers, input_shape=(1, 28, 28), seed=seed)


def convnet_of_keras(seed: int) -> nn.Sequential:
    rule: dict[str, Any] = {"activation": "relu", "initializer": "glorot_uniform"}
    layers = [nn.Conv2D(32, 3, **rule), nn.MaxPool2D(2), nn.Conv2D(64, 3, **rule), nn.MaxPool2D(2)]
    layers += [nn.Flatten(), nn.Dropout(0.5), nn.Dense(10, initializer="glorot_uniform")]
    return nn.Sequential(layers, input_shape=(1, 28, 28), seed=seed)


PROGRAMS = {
    "d2l_lenet": Program(
        "A. Zhang et al., Dive into Deep Learning, d2l.ai, section 7.6 (LeNet on Fashion-MNIST)",
        "about 82 %",
        load_fashion_mnist,
        lenet_of_d2l,
        lambda: nn.SGD(lr=0.9),
        {"epochs": 10, "batch_size": 256},
    ),
    "keras_convnet": Program(
        "F. Chollet, Simple MNIST convnet, keras.io/examples/vision/mnist_convnet",
        "about 99 %",
        load_mnist,
        convnet_of_keras,
        lambda: nn.Adam(lr=1e-3, eps=1e-7),
        {"epochs": 15, "batch_size": 128, "validation": 0.1},
    ),
}


def pixels(data: Any) -> Arrays:
    """Return pictures from 0 to 1, and labels."""
    return data.images / np.float32(255), data.labels


def train(program: Program, seed: int, quick: bool) -> float:
    """Return the accuracy on the test set in %, measured once, after the last epoch."""
    data, test = program.load()
    settings = program.fit | ({"epochs": 1} if quick else {})
    trainer = nn.Trainer(program.network(seed), loss=nn.CrossEntropy(), optimizer=program.optimizer(), seed=seed)
    trainer.fit(pixels(data[:2000] if quick else data), **settings, progress=False)
    return 100 * trainer.evaluate(pixels(test))["accuracy"]


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("programs", nargs="*", choices=[[], *PROGRAMS], metavar="PROGRAM", help=", ".join(PROGRAMS))
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(argv)
    use_threads(args.threads)
    seeds = range(1 if args.quick else args.seeds)
    with written_to(args.out):
        head("program", *(f"seed {seed}, %" for seed in seeds), "mean, %", "published")
        for name in args.programs or PROGRAMS:
            program = PROGRAMS[name]
            found = [train(program, seed, args.quick) for seed in seeds]
            row(name, *(f"{accuracy:.2f}" for accuracy in found), f"{np.mean(found):.2f}", program.accuracy)
        print()
        for name in args.programs or PROGRAMS:
            print(f"{name}: {PROGRAMS[name].source}")


if __name__ == "__main__":
    main()
