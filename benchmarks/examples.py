"""Train the networks of some examples in PyTorch: with the same data, sizes, optimizers and numbers of steps.

The numbers that an example quotes for PyTorch are from here. U-Net and GAN begin with the weights of the example; the
weights of the VAE, the order of the batches and the noise are PyTorch's own. So the two agree on average only.
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


EXAMPLES: dict[str, Callable[[int, bool], Result]] = {"segmentation": segmentation, "vae": vae, "gan": gan}


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
