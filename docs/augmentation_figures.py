"""Draw the figures of docs/augmentation.md into docs/figures/augmentation/ (part of ``make figures``).

The photographs come with scikit-image and are in the public domain; the voices are calculated.
"""

import io
from pathlib import Path

import numpy as np
import skimage.data
from matplotlib.figure import Figure
from PIL import Image
from skimage.transform import resize

from numpycnn import visualize
from numpycnn.data.audio import SpectrogramReader
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
)

FOLDER = Path(__file__).parent / "figures" / "augmentation"
RATE = 8000  # samples of a voice, one second


def save(figure: Figure, name: str) -> None:
    """Write a figure as a PNG of 256 colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    with Image.open(buffer) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    FOLDER.mkdir(exist_ok=True)
    few.save(FOLDER / f"{name}.png", optimize=True)


def photographs() -> np.ndarray:
    """Return a cat, an astronaut, a cup and a rocket, (4, 3, 32, 32)."""
    found = []
    for photograph in (
        skimage.data.chelsea(),
        skimage.data.astronaut()[:260, 90:350],
        skimage.data.coffee(),
        skimage.data.rocket(),
    ):
        height, width = photograph.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = resize(photograph[top : top + side, left : left + side], (32, 32), anti_aliasing=True)
        found.append(np.moveaxis((255 * square).round().astype(np.uint8), -1, 0))
    return np.stack(found)


def voices() -> np.ndarray:
    """Return spectrograms of four gliding vowels, (4, 1, 40, 64): harmonics of a pitch, loud around two formants."""
    time, waves = np.arange(RATE) / RATE, []
    for pitch, formants in (
        ((130, 100), ((700, 300), (1200, 1900))),
        ((210, 240), ((600, 300), (1000, 2300))),
        ((150, 170), ((400, 750), (2000, 1150))),
        ((230, 180), ((300, 500), (2300, 1700))),
    ):
        frequency = np.linspace(*pitch, RATE)  # Hz
        phase = 2 * np.pi * np.cumsum(frequency) / RATE
        wave = np.zeros(RATE)
        for harmonic in range(1, 24):
            away = [harmonic * frequency - np.linspace(*formant, RATE) for formant in formants]
            loudness = 0.003 + sum(share * np.exp(-((hz / 90) ** 2)) for share, hz in zip((1, 0.5), away, strict=True))
            wave += loudness * np.sin(harmonic * phase) * (harmonic * frequency < RATE / 2)
        breath = 2e-3 * np.random.default_rng(0).normal(size=RATE)
        waves.append(wave * np.exp(-(((time - 0.5) / 0.28) ** 6)) + breath)
    return SpectrogramReader(decibels=60.0).spectrograms(np.stack(waves))


def main() -> None:
    """Draw both."""
    of_pictures = [
        PadCrop(4),
        PadCrop(4, mode="reflect"),
        RandomResizedCrop(scale=(0.3, 1.0)),
        Flip(),
        Affine(rotation=20),
        Affine(scale=0.3, shift=0.1),
        BrightnessContrast(0.3, 0.5),
        ColorJitter(saturation=0.9, hue=0.3),
        Noise(0.08),
        Cutout(12),
        RandomErasing(1.0),
        MixUp(4, alpha=1.0),
        CutMix(4),
        Augment([PadCrop(4), Flip(), Cutout(8)]),
    ]
    of_spectrograms = [TimeShift(10), TimeMask(12, count=2), FrequencyMask(10)]
    save(visualize.augmentations(photographs(), of_pictures, seed=86), "photographs")
    save(visualize.augmentations(voices(), of_spectrograms, seed=271), "spectrograms")
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.name}")


if __name__ == "__main__":
    main()
