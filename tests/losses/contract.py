"""One row for each loss, and each setting of it that goes another way; `test_contract` tries them all.

To add a loss, add a row: a test names those that are missing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpycnn import (
    BinaryCrossEntropy,
    CrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    NegativeLogLikelihood,
    Triplet,
)
from tests.drawn import Shape
from tests.operations import draw_shares


class Row(NamedTuple):
    """A loss with settings drawn for K classes, the shape of its outputs, its targets, and PyTorch's name for it."""

    make: Callable[[np.random.Generator, int], Loss]
    theirs: Callable[[Any, Loss], Callable[[Any, Any], Any]]  # of the module torch and our loss
    size: Callable[[np.random.Generator], Shape] = lambda rng: tuple(int(n) for n in rng.integers(1, 6, 2))
    target: Callable[[np.random.Generator, Shape, Loss], Any] = lambda rng, shape, loss: loss.draw_target(shape, rng)
    weighted_by_classes: bool = False  # the weight of an example in the mean depends on its labels

    def draw(self, rng: np.random.Generator) -> tuple[Loss, np.ndarray, Any]:
        shape = self.size(rng)
        loss = self.make(rng, shape[1])
        return loss, loss.draw_output(shape, rng), self.target(rng, shape, loss)


def pixels(rng: np.random.Generator) -> Shape:
    return tuple(int(n) for n in rng.integers(1, 5, rng.integers(3, 5)))


def pixels_of_several_classes(rng: np.random.Generator) -> Shape:
    n, _, *size = pixels(rng)
    return (n, int(rng.integers(2, 5)), *size)


def triplets(rng: np.random.Generator) -> Shape:
    n, d = rng.integers(1, 6, 2)
    return int(n), 3, int(d)


def class_weight(rng: np.random.Generator, k: int) -> list[float]:
    return [float(weight) for weight in rng.uniform(0.1, 3, k)]


def shares(rng: np.random.Generator, shape: Shape, loss: Loss) -> np.ndarray:
    n, k, *size = shape
    rows = draw_shares(rng, int(np.prod([n, *size])), k)
    return np.moveaxis(rows.reshape(n, *size, k), -1, 1)


def one_hot(rng: np.random.Generator, shape: Shape, loss: Loss) -> np.ndarray:
    n, k, *size = shape
    hot = np.eye(k, dtype=int)[rng.integers(0, k, (n, *size))]
    return np.moveaxis(hot, -1, 1)


def partly_ignored(rng: np.random.Generator, shape: Shape, loss: Loss) -> np.ndarray:
    """Labels of which some, and never all, are ignored: PyTorch's mean of none is NaN."""
    labels = loss.draw_target(shape, rng)
    ignored = rng.random(labels.shape) < 0.4
    ignored.flat[0] = False
    return np.where(ignored, loss.config()["ignore_index"], labels)


def cross_entropy(torch: Any, loss: Loss) -> Callable[[Any, Any], Any]:
    config = loss.config()
    settings: dict[str, Any] = {}
    if config["class_weight"] is not None:
        settings["weight"] = torch.tensor(config["class_weight"], dtype=torch.float64)
    if config["ignore_index"] is not None:
        settings["ignore_index"] = config["ignore_index"]
    if "label_smoothing" not in config:
        return torch.nn.NLLLoss(**settings)
    whole = torch.nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"], **settings)

    def compute(y: Any, target: Any) -> Any:
        target = target if target.ndim < y.ndim else target.to(y.dtype)
        return whole(y, target) if config["from_logits"] else of_probabilities(torch, config, y, target)

    return compute


def of_probabilities(torch: Any, config: dict[str, Any], y: Any, target: Any) -> Any:
    """The definition, since PyTorch's function has a softmax in it."""
    if target.ndim < y.ndim:
        target = torch.movedim(torch.nn.functional.one_hot(target, y.shape[1]), -1, 1).to(y.dtype)
    e = config["label_smoothing"]
    weight = torch.tensor(config["class_weight"] or [1.0] * y.shape[1], dtype=y.dtype).reshape(-1, *[1] * (y.ndim - 2))
    return -(weight * ((1 - e) * target + e / y.shape[1]) * torch.log(y)).sum(1).mean()


def binary(torch: Any, loss: Loss) -> Callable[[Any, Any], Any]:
    config = loss.config()
    if not config["from_logits"]:
        return torch.nn.BCELoss()
    weight = config["pos_weight"]
    return torch.nn.BCEWithLogitsLoss(pos_weight=None if weight is None else torch.tensor(weight, dtype=torch.float64))


def triplet(torch: Any, loss: Loss) -> Callable[[Any, Any], Any]:
    theirs = torch.nn.TripletMarginLoss(margin=loss.config()["margin"])
    return lambda y, target: theirs(y[:, 0], y[:, 1], y[:, 2])


def divergence(torch: Any, loss: Loss) -> Callable[[Any, Any], Any]:
    return torch.nn.KLDivLoss(reduction="batchmean")


def named(name: str) -> Callable[[Any, Loss], Callable[[Any, Any], Any]]:
    return lambda torch, loss: getattr(torch.nn, name)()


ROWS: dict[str, Row] = {
    "labels": Row(lambda rng, k: CrossEntropy(), cross_entropy),
    "smoothed": Row(lambda rng, k: CrossEntropy(float(rng.random())), cross_entropy),
    "one-hot": Row(lambda rng, k: CrossEntropy(), cross_entropy, target=one_hot),
    "shares": Row(lambda rng, k: CrossEntropy(float(rng.choice([0, 0.2]))), cross_entropy, target=shares),
    "pixels": Row(lambda rng, k: CrossEntropy(float(rng.choice([0, 0.2]))), cross_entropy, pixels),
    "shares of pixels": Row(lambda rng, k: CrossEntropy(0.1), cross_entropy, pixels, shares),
    "class weights": Row(
        lambda rng, k: CrossEntropy(float(rng.choice([0, 0.2])), class_weight(rng, k)),
        cross_entropy,
        weighted_by_classes=True,
    ),
    "class weights of shares": Row(
        lambda rng, k: CrossEntropy(0.1, class_weight(rng, k)), cross_entropy, target=shares
    ),
    "ignored pixels": Row(
        lambda rng, k: CrossEntropy(0.1, class_weight(rng, k), int(rng.choice([-100, 255, 0]))),
        cross_entropy,
        pixels_of_several_classes,
        partly_ignored,
        weighted_by_classes=True,
    ),
    "probabilities": Row(lambda rng, k: CrossEntropy(from_logits=False), cross_entropy),
    "weighted probabilities": Row(
        lambda rng, k: CrossEntropy(0.2, class_weight(rng, k), from_logits=False), cross_entropy, pixels, shares
    ),
    "log-probabilities": Row(lambda rng, k: NegativeLogLikelihood(), cross_entropy),
    "ignored log-probabilities": Row(
        lambda rng, k: NegativeLogLikelihood(class_weight(rng, k), -1),
        cross_entropy,
        pixels_of_several_classes,
        partly_ignored,
        weighted_by_classes=True,
    ),
    "divergence": Row(lambda rng, k: KLDivergence(), divergence, target=shares),
    "divergence of pixels": Row(lambda rng, k: KLDivergence(), divergence, pixels, shares),
    "binary": Row(lambda rng, k: BinaryCrossEntropy(), binary),
    "binary, a weight": Row(lambda rng, k: BinaryCrossEntropy(pos_weight=float(rng.uniform(0.1, 5))), binary, pixels),
    "binary, weights": Row(lambda rng, k: BinaryCrossEntropy(pos_weight=class_weight(rng, k)), binary),
    "binary probabilities": Row(lambda rng, k: BinaryCrossEntropy(from_logits=False), binary),
    "hinge": Row(lambda rng, k: Hinge(), lambda torch, loss: lambda y, t: torch.clamp(1 - t * y, min=0).mean()),
    "squared": Row(lambda rng, k: MeanSquaredError(), named("MSELoss")),
    "absolute": Row(lambda rng, k: MeanAbsoluteError(), named("L1Loss"), pixels),
    "Huber": Row(
        lambda rng, k: Huber(float(rng.uniform(0.1, 2))),
        lambda torch, loss: torch.nn.HuberLoss(delta=loss.config()["delta"]),
    ),
    "triplet": Row(lambda rng, k: Triplet(float(rng.uniform(0, 3))), triplet, triplets),
}
