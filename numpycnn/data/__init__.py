"""Data sets: labeled examples in memory, their loaders, and readers that turn a file or a text into an example."""

from numpycnn.data import augment
from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.catalog import CATALOG, reader_from
from numpycnn.data.cifar10 import load_cifar10
from numpycnn.data.dataset import Dataset, Reader
from numpycnn.data.fashion_mnist import load_fashion_mnist, prepare_garment
from numpycnn.data.image_folder import ImageFolder, load_image_folder
from numpycnn.data.mnist import load_mnist
from numpycnn.data.pictures import PictureReader, fit_picture, prepare_digit, read_picture
from numpycnn.data.sentence_polarity import load_sentence_polarity
from numpycnn.data.spoken_digits import load_spoken_digits
from numpycnn.data.text import SentenceReader, tokenize

__all__ = [
    "CATALOG",
    "Dataset",
    "ImageFolder",
    "PictureReader",
    "Reader",
    "SentenceReader",
    "SpectrogramReader",
    "augment",
    "fit_picture",
    "load_cifar10",
    "load_fashion_mnist",
    "load_image_folder",
    "load_mnist",
    "load_sentence_polarity",
    "load_spoken_digits",
    "prepare_digit",
    "prepare_garment",
    "read_picture",
    "reader_from",
    "tokenize",
]
