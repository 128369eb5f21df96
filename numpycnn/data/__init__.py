"""Data: labelled images in memory, the loaders that fill them, and pictures made ready for a network."""

from numpycnn.data import augment
from numpycnn.data.dataset import Dataset
from numpycnn.data.mnist import load_mnist
from numpycnn.data.pictures import prepare_digit, read_picture

__all__ = ["Dataset", "augment", "load_mnist", "prepare_digit", "read_picture"]
