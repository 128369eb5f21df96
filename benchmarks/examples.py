"""Train the networks of some examples in PyTorch: with the same data, sizes, optimizers and numbers of steps.

The numbers that an example quotes for PyTorch are from here. All but the VAE begin with the weights of the example;
the order of the batches and the noise are PyTorch's own. So the two agree on average only.
"""

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import arguments, head, row, written_to
from torch import nn
from torch.nn import functional as F

from numpycnn import models
from numpycnn.data import load_mnist
from numpycnn.metrics import MeanIoU

FOLDER = Path(__file__).parents[1] / "examples"
Result = dict[str, float]


def batches(epochs: int, size: int, *tensors: torch.Tensor) -> Any:
    """Yield shuffled batches."""
    for _ in range(epochs):
        for indices in torch.randperm(len(tensors[0])).split(size):
            yield tuple(tensor[indices] for tensor in tensors)


def step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Take one step against the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def start_like(module: nn.Module, model: Any, x: torch.Tensor) -> nn.Module:
    """Give a module the weights of a model, its parameters in their order, and check that both compute the same."""
    with torch.no_grad():
        for theirs, ours in zip(module.parameters(), model.parameters().values(), strict=True):
            theirs.copy_(torch.from_numpy(ours.value))
        np.testing.assert_allclose(module.eval()(x).numpy(), model.predict(x.numpy()), atol=1e-4)
    return module.train()


def segmentation(seed: int, quick: bool) -> Result:
    """Return loss and mean IoU of the U-Net of ``20_segmentation.py`` on new pictures."""
    example = runpy.run_path(str(FOLDER / "20_segmentation.py"))
    draw_scenes = example["draw_scenes"]
    count, epochs, size, channels = (400, 6, 8, (8, 16, 32)) if quick else (4000, 8, 16, (8, 16, 32, 64))
    digits, test = load_mnist()
    if quick:
        digits, test = (data[data.labels < 2] for data in (digits, test))
    scenes = [torch.as_tensor(array) for array in draw_scenes(digits, count, np.random.default_rng(0))]
    new = [torch.as_tensor(array) for array in draw_scenes(test, count // 4, np.random.default_rng(1))]
    model = start_like(UNet(channels, classes=11), example["unet"](seed, channels=channels), new[0][:8])
    optimizer = torch.optim.Adam(model.parameters())
    steps = epochs * -(-count // size)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps, cycle_momentum=False, final_div_factor=400)
    for x, target in batches(epochs, size, *scenes):
        step(optimizer, F.cross_entropy(model(x), target))
        cycle.step()
    model.eval()
    metric, losses = MeanIoU(), []
    with torch.no_grad():
        for x, target in zip(new[0].split(100), new[1].split(100), strict=True):
            losses.append(F.cross_entropy(y := model(x), target).item())
            metric.update(y.numpy(), target.numpy())
    return {"loss": float(np.mean(losses)), "mean IoU": metric.result()}


class UNet(nn.Module):
    """Convolutions in pairs; a pooling between them on the way down, a transposed convolution on the way up."""

    def __init__(self, channels: Sequence[int], classes: int) -> None:
        super().__init__()
        ups = channels[-2::-1]
        self.down = nn.ModuleList(map(self.block, (1, *channels), channels))
        self.up = nn.ModuleList(
            nn.ModuleList([nn.ConvTranspose2d(2 * count, count, 2, stride=2), self.block(2 * count, count)])
            for count in ups
        )
        self.head = nn.Conv2d(channels[0], classes, 1)

    @staticmethod
    def block(before: int, count: int) -> nn.Sequential:
        """Two convolutions, each with batch normalization and ReLU."""
        layers: list[nn.Module] = []
        for taken in (before, count):
            layers += [nn.Conv2d(taken, count, 3, padding=1, bias=False), nn.BatchNorm2d(count), nn.ReLU()]
        return nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            levels.append(x)
        for (double, merge), skip in zip(self.up, levels[-2::-1], strict=True):
            x = merge(torch.cat([skip, double(x)], dim=1))
        return self.head(x)


def vae(seed: int, quick: bool) -> Result:
    """Return the loss of new digits of ``22_variational_autoencoder.py``, and its parts."""
    pictures = [torch.as_tensor(part.images.reshape(-1, 784) / np.float32(255)) for part in load_mnist()]
    digits, new = (pictures[0][:2000], pictures[1][:500]) if quick else pictures
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def parts(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum") / len(x)
        divergence = (log_variance.exp() + mean**2 - 1 - log_variance).sum() / (2 * len(x))
        return reconstruction, divergence

    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    for (x,) in batches(4 if quick else 10, 128, digits):
        step(optimizer, sum(parts(x), torch.zeros(())))
    with torch.no_grad():
        reconstruction, divergence = (part.item() for part in parts(new))
    return {"reconstruction": reconstruction, "divergence": divergence, "loss": reconstruction + divergence}


def gan(seed: int, quick: bool) -> Result:
    """Return the inception scores of generated digits and of real ones of ``23_adversarial_network.py``."""
    example = runpy.run_path(str(FOLDER / "23_adversarial_network.py"))
    digits, test = (part.replace(mean=0.5, std=0.5) for part in load_mnist())
    epochs, size = 5, 64
    if quick:
        digits, test, epochs, size = digits[:2000], test[:1000], 3, 32
    latent, adam = example["LATENT"], example["ADAM"]
    flat, maps = nn.Linear(latent, 64 * 7 * 7, bias=False), nn.Unflatten(1, (64, 7, 7))
    up = nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1, bias=False)
    last = nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1)
    generator = nn.Sequential(
        flat, nn.BatchNorm1d(64 * 7 * 7), nn.ReLU(), maps, up, nn.BatchNorm2d(32), nn.ReLU(), last, nn.Tanh()
    )
    first = nn.Conv2d(1, 32, 4, stride=2, padding=1)
    second = nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=False)
    layers = [first, nn.LeakyReLU(0.2), second, nn.BatchNorm2d(64), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(3136, 1)]
    discriminator = nn.Sequential(*layers)
    start_like(generator, example["generator"](seed), torch.randn(8, latent))
    start_like(discriminator, example["discriminator"](seed + 1000), torch.randn(8, 1, 28, 28))
    optimizers = [torch.optim.Adam(network.parameters(), **adam) for network in (generator, discriminator)]

    def judge(x: torch.Tensor, target: float) -> torch.Tensor:
        y = discriminator(x)
        return F.binary_cross_entropy_with_logits(y, torch.full_like(y, target))

    for (x,) in batches(epochs, size, torch.as_tensor(digits.batch(slice(None))[0])):
        made = generator(torch.randn(len(x), latent))
        step(optimizers[1], judge(x, 1))
        step(optimizers[1], judge(made.detach(), 0))
        step(optimizers[0], judge(made, 1))
    generator.eval()
    with torch.no_grad():
        made = generator(torch.randn(len(test), latent)).numpy()
    classifier = example["train_classifier"](digits)
    score = example["inception_score"]
    return {"generated": float(score(classifier, made)), "real": float(score(classifier, test))}


def functions_of(example: str) -> dict[str, Any]:
    """Return functions and constants of an example."""
    return runpy.run_path(str(FOLDER / f"{example}.py"))


def fit(
    module: nn.Module,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: np.ndarray,
    target: np.ndarray,
    max_lr: float,
    epochs: int,
    size: int,
    clip_norm: float = np.inf,
) -> None:
    """Train with Adam and the learning rates of numpycnn's `OneCycleSchedule`."""
    steps = epochs * -(-len(x) // size)
    optimizer = torch.optim.Adam(module.parameters(), lr=max_lr)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, steps, cycle_momentum=False, final_div_factor=400)
    module.train()
    for inputs, targets in batches(epochs, size, torch.as_tensor(x), torch.as_tensor(target)):
        optimizer.zero_grad()
        loss(module(inputs), targets).backward()
        nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimizer.step()
        cycle.step()
    module.eval()


def predict(module: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.cat([module(part) for part in torch.tensor(x).split(500)]).numpy()


class Enlarger(nn.Module):
    """The network of ``26_super_resolution.py``."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.main = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding="same"),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding="same"),
            nn.ReLU(),
            nn.Conv2d(32, factor**2, 3, padding="same"),
            nn.PixelShuffle(factor),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x) + F.interpolate(x, scale_factor=self.factor, mode="bilinear")


def super_resolution(seed: int, quick: bool) -> Result:
    """Return the PSNR of each new photograph, and their mean."""
    example = functions_of("26_super_resolution")
    factor, large = example["FACTOR"], {name: example["photograph"](name) for name in example["TEST"]}
    x, target = example["patches"](example["TRAINING"])
    module = start_like(Enlarger(factor), example["network"](seed), torch.as_tensor(x[:8]))
    fit(module, F.mse_loss, x, target, 4e-3, 2 if quick else 40, 16)
    found = {}
    for name, picture in large.items():
        small = example["resize"](picture, 1 / factor)
        found[name] = float(example["psnr"](predict(module, small[None, None])[0, 0], picture))
    return found | {"mean": float(np.mean(list(found.values())))}


def rare_class(seed: int, quick: bool) -> Result:
    """Return recall, precision and accuracy for each way to weigh the classes, in %."""
    example, (data, test) = functions_of("27_rare_class"), load_mnist()
    rare = example["make_rare"](data[: 1000 if quick else 20_000], 50, seed)
    (x, labels), found = rare.batch(slice(None)), {}
    for way, weight in example["weights"](rare.labels).items():
        module = nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        )
        start_like(module, models.lenet(seed=seed), torch.as_tensor(x[:8]))
        loss = nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight, dtype=torch.float32))
        fit(module, loss, x, labels.astype(np.int64), 3e-3, 2 if quick else 5, example["BATCH"])
        values = example["measure"](predict(module, test.batch(slice(None))[0]), test.labels)
        for name, value in zip(("recall", "precision", "accuracy"), values, strict=True):
            found[f"{name}, {way}"] = float(value)
    return found


def angle(seed: int, quick: bool) -> Result:
    """Return the mean error for both ways to give an angle, in degrees."""
    example, (digits, test) = functions_of("28_angle"), load_mnist()
    digits = digits[: 1000 if quick else 20_000]
    (x, angles), (new, new_angles) = example["turn"](digits, seed=0), example["turn"](test, seed=1)
    found = {}
    for way, (encode, decode) in example["WAYS"].items():
        target, layers = encode(angles), []
        for before, channels in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(576, target.shape[1]))
        start_like(module, example["network"](target.shape[1], seed), torch.as_tensor(x[:8]))
        fit(module, F.mse_loss, x, target, 5e-3, 2 if quick else 8, 32)
        found[way] = float(example["difference"](decode(predict(module, new)), new_angles).mean())
    return found


class Reader(nn.Module):
    """A network of ``29_row_by_row.py``."""

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        self.body = getattr(nn, kind)(28, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x)[0][:, -1])


def row_by_row(seed: int, quick: bool) -> Result:
    """Return the accuracy of each recurrent layer, in %."""
    example, (data, test) = functions_of("29_row_by_row"), load_mnist()
    data, found = data[: 1000 if quick else 20_000], {}
    x, labels = example["rows"](data), data.labels.astype(np.int64)
    for kind in example["LAYERS"]:
        module = start_like(Reader(kind, example["HIDDEN"]), example["network"](kind, seed), torch.as_tensor(x[:8]))
        fit(module, F.cross_entropy, x, labels, 1e-2, 2 if quick else 5, example["BATCH"], clip_norm=1.0)
        answers = predict(module, example["rows"](test)).argmax(axis=1)
        found[kind] = float(100 * np.mean(answers == test.labels))
    return found


_ALL: list[Callable[[int, bool], Result]] = [segmentation, vae, gan, super_resolution, rare_class, angle, row_by_row]
EXAMPLES = {function.__name__: function for function in _ALL}


def main(argv: list[str] | None = None) -> None:
    """Print a table for each example: a row for each seed, and their means."""
    parser = arguments(__doc__)
    parser.add_argument("examples", nargs="*", help=f"from {', '.join(EXAMPLES)} (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each (default: 3)")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    with written_to(args.out):
        for name in args.examples or EXAMPLES:
            results = []
            for seed in range(1 if args.quick else args.seeds):
                torch.manual_seed(seed)
                results.append(EXAMPLES[name](seed, args.quick))
                if not seed:
                    head(name, *results[0])
                row(f"seed {seed}", *(f"{value:.4f}" for value in results[-1].values()))
            row("mean", *(f"{np.mean([found[key] for found in results]):.4f}" for key in results[0]))


if __name__ == "__main__":
    main()
