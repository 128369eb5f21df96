"""Fashion-MNIST, 60,000 and 10,000 images of clothes in MNIST's format, and much harder than digits.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms", arXiv 1708.07747.
"""

import os
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from numpycnn.data.dataset import Dataset
from numpycnn.data.mnist import idx_form, idx_published, load_idx
from numpycnn.data.pictures import PictureFileReader, count_shapes, crop_to, fit_picture
from numpycnn.data.source import Source

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
MEAN, STD = 0.2860, 0.3530  # of the training pixels, on the scale 0 to 1
SIDE = 28
BACKGROUND_TOLERANCE = 12  # of 255: largest difference of the background from the colour of the corners

FASHION_MNIST = Source(
    name="fashion_mnist",
    title="Fashion-MNIST",
    about="70,000 images of clothes in 10 classes, 28x28 grey",
    licence="MIT",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    folders=("fashion-mnist",),
    forms=(
        idx_form(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    published=idx_published(
        (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    system=("/usr/share/datasets/fashion-mnist",),  # Debian's package dataset-fashion-mnist
)


def load_fashion_mnist(root: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load Fashion-MNIST: 28x28 grey images of clothes, 60,000 for training and 10,000 for testing.

    Search order: `root` alone, if given; otherwise the folder ``fashion-mnist`` in the folder that the environment
    variable ``NUMPYCNN_DATA`` names, ``/usr/share/datasets/fashion-mnist``, the cache, the mirrors.

    Parameters
    ----------
    root : path_like, optional
        A folder that holds the four files, ``.gz`` or unpacked, or that has a folder ``fashion-mnist`` with them.

    Returns
    -------
    train, test : Dataset
        Images of shape (N, 1, 28, 28).

    Raises
    ------
    FileNotFoundError, NotADirectoryError, DataFormatError
        As `load_mnist`.
    """
    return load_idx(FASHION_MNIST, root, CLOTHES, MEAN, STD, GarmentReader())


def prepare_garment(picture: np.ndarray) -> np.ndarray:
    """Convert a picture of a piece of clothing to a Fashion-MNIST image, as its authors did with product photographs.

    The background, of the colour of the corners, is trimmed; the longer side becomes 28 pixels, and the shorter one is
    padded on both sides; a picture on a light background is inverted. Several separate shapes are read as one piece of
    clothing, with a ``UserWarning``.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (1, 28, 28)

    Raises
    ------
    ValueError
        If the picture shows only background.
    """
    grey = fit_picture(picture, picture.shape[:2], 1)[0]  # (H, W)
    background = int(np.median(grey[[0, 0, -1, -1], [0, -1, 0, -1]]))
    garment = np.abs(grey.astype(np.int16) - background) > BACKGROUND_TOLERANCE
    blank = ValueError("expected a piece of clothing on a plain background, found only background")
    if not garment.any():
        raise blank
    grey = crop_to(grey, garment)
    if background > 127:
        grey, background = 255 - grey, 255 - background
    longest = max(grey.shape)
    height, width = (max(1, round(SIDE * side / longest)) for side in grey.shape)
    top, left = (SIDE - height + 1) // 2, (SIDE - width + 1) // 2  # an odd pixel comes before, as in the data set
    image = np.full((1, SIDE, SIDE), background, np.uint8)
    image[0, top : top + height, left : left + width] = fit_picture(grey, (height, width), 1, "stretch")
    if (image == background).all():  # specks that the reduction removes
        raise blank
    if (shapes := count_shapes(garment)) > 1:
        warnings.warn(
            f"expected a picture of one piece of clothing, found {shapes} separate shapes, which are read as one; crop "
            "it to one",
            UserWarning,
            stacklevel=2,
        )
    return image


@dataclass(frozen=True)
class GarmentReader(PictureFileReader):
    """A reader of pictures of one piece of clothing on a plain background."""

    kind: ClassVar[str] = "garment"
    shape: ClassVar[tuple[int, int, int]] = (1, SIDE, SIDE)
    prepare = staticmethod(prepare_garment)
