"""Spoken digits as spectrograms: 3,000 recordings of the words "zero" to "nine" in English, by six speakers.

Source: Z. Jackson et al., "Free spoken digit dataset", doi 10.5281/zenodo.1342401.
"""

import os
import re

import numpy as np

from numpycnn.data.archives import members
from numpycnn.data.audio import MAX_BYTES, SpectrogramReader, decode_wav
from numpycnn.data.dataset import Dataset
from numpycnn.data.source import Form, Published, Source, find_or_fetch
from numpycnn.errors import DataFormatError

DIGITS = tuple("0123456789")
TEST_INDICES = range(5)  # the official split
NAME = re.compile(r"(?:^|/)([0-9])_([a-z]+)_([0-9]{1,4})\.wav$")
TAR_SHA256 = "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0"

SPOKEN_DIGITS = Source(
    name="spoken_digits",
    title="the free spoken digit dataset",
    about="3,000 recordings of spoken digits (2,500 in the published archive), 8 kHz",
    licence="CC BY-SA 4.0",
    homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
    folders=("spoken-digits", "fsdd", "free-spoken-digit-dataset", "free-spoken-digit-dataset-1.0.9"),
    forms=(
        Form(("v1.0.9.tar.gz",), (TAR_SHA256,)),
        Form(("free-spoken-digit-dataset-1.0.9.tar.gz",), (TAR_SHA256,)),
        Form(("fsdd.zip",)),
        Form(("recordings",)),
    ),
    published=(Published("v1.0.9.tar.gz", 11975353, TAR_SHA256),),
    mirrors=("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/",),
)


def load_spoken_digits(
    root: str | os.PathLike[str] | None = None, *, reader: SpectrogramReader | None = None
) -> tuple[Dataset, Dataset]:
    """Load the spoken digits as log-mel spectrograms.

    Search order: `root` alone, if given; otherwise the folder that the environment variable ``NUMPYCNN_DATA`` names,
    the cache, the mirror. The recordings 0 to 4 of each digit by each speaker are the test set.

    Parameters
    ----------
    root : path_like, optional
        A folder with ``fsdd.zip``, the published archive or the folder ``recordings``; or one of these.
    reader : SpectrogramReader, optional
        The settings of the spectrograms.

    Returns
    -------
    train, test : Dataset
        Features of shape (N, 1, mels, frames), float32 from 0 to 1: (2700, 1, 40, 64) and (300, 1, 40, 64).

    Raises
    ------
    FileNotFoundError, NotADirectoryError, DataFormatError
        As `load_mnist`.
    """
    reader = reader or SpectrogramReader()
    path = find_or_fetch(SPOKEN_DIGITS, root).paths[0]
    waves: dict[tuple[int, str, int], np.ndarray] = {}
    for member in members(path):
        if match := NAME.search(member.name):
            wave = reader.stretch(*decode_wav(member.read(MAX_BYTES), f"{path}: {member.name}"))
            waves[int(match[1]), match[2], int(match[3])] = wave
    keys = sorted(waves)
    held_out = np.array([index in TEST_INDICES for _, _, index in keys], bool)  # (N,)
    if not held_out.any() or held_out.all():
        raise DataFormatError(
            f"{path}: expected recordings named DIGIT_SPEAKER_INDEX.wav, with indices below "
            f"{TEST_INDICES.stop} and of at least {TEST_INDICES.stop}, found {held_out.sum()} and {(~held_out).sum()}"
        )
    everything = Dataset(
        reader.spectrograms(np.stack([waves[key] for key in keys])),  # (N, 1, mels, frames)
        [digit for digit, _, _ in keys],
        DIGITS,
        name=SPOKEN_DIGITS.name,
        source=str(path),
        note=f"{len(keys):,} recordings by {len({speaker for _, speaker, _ in keys})} speakers; "
        f"{held_out.sum():,}, the first five of each digit by each speaker, are the test set",
        reader=reader,
    )
    rng = np.random.default_rng(0)
    train, test = (everything[rng.permutation(np.flatnonzero(rows))] for rows in (~held_out, held_out))
    mean, std = train.statistics()
    return train.replace(mean=mean, std=std), test.replace(mean=mean, std=std)
