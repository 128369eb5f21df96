"""WAV files and log-mel spectrograms: energy by frequency band and time, on perceptual scales.

The power spectrum of each Hann window of the wave is summed in triangular bands that are evenly spaced on the mel
scale, and its logarithm taken:

    mel(f) = 2595 log10(1 + f / 700)
    y[m, t] = 1 + 10 log10(P[m, t] / max P) / range,   at least 0

so that the loudest element of a recording is 1, and an element at least `range` decibels below it is 0. The overall
loudness makes no difference. Neighbors along both axes are related, as convolution assumes.

Source: S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
continuously spoken sentences", 1980.
"""

import io
import math
import os
import re
import struct
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from numpycnn.data.archives import read_file
from numpycnn.data.dataset import Reader
from numpycnn.errors import DataFormatError

MAX_SECONDS = 60
MAX_BYTES = 50_000_000  # a minute of 32 bits at the highest rate
RATE_RANGE = (4_000, 192_000)  # Hz
UNKNOWN_LENGTH = 0x7FFF0000  # bytes; programs write this or more, or 0 as the length of the file and of its samples
TRAILING = re.compile(b"LIST|JUNK|PEAK|bext|cue |fact|id3 |ID3 |smpl")  # kinds of chunks that may follow samples
CHUNK = 100  # recordings at a time: their spectra are much larger than the result


def decode_wav(content: bytes, name: str) -> tuple[int, np.ndarray]:
    """Return the rate of a WAV file of one channel in memory, and its samples (T,) as float64 from -1 to 1.

    A file of floats may go beyond. Raises a DataFormatError with the `name` if the file is not a WAV file, is damaged,
    empty, silent or longer than a minute, or has several channels.
    """
    from scipy.io import wavfile

    content = _with_length(content, name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rate, samples = wavfile.read(io.BytesIO(content))
        # Raised by SciPy on damaged headers; NameError if there are no samples.
        except (ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error, NameError) as error:
            reason = "no samples" if isinstance(error, NameError) else error
            raise DataFormatError(
                f"{name}: expected a WAV file, found another kind or a damaged one ({reason})"
            ) from None
    if any("prematurely" in str(warning.message) for warning in caught):
        raise DataFormatError(f"{name}: expected a whole WAV file, found a truncated one")
    if samples.ndim != 1:
        raise DataFormatError(
            f"{name}: expected one channel, found {samples.shape[1]}; mix the recording down to one (mono) first"
        )
    if not samples.size:
        raise DataFormatError(f"{name}: expected a recording, found an empty one")
    if not RATE_RANGE[0] <= rate <= RATE_RANGE[1]:
        raise DataFormatError(
            f"{name}: expected {RATE_RANGE[0]:,} to {RATE_RANGE[1]:,} samples a second, found {rate:,}"
        )
    if len(samples) > MAX_SECONDS * rate:
        raise DataFormatError(
            f"{name}: expected a recording of at most {MAX_SECONDS} s, found one of {len(samples) / rate:,.0f} s"
        )
    if samples.dtype.kind == "u":  # 8 bits, with silence at 128
        wave = (samples.astype(np.float64) - 128) / 128
    elif samples.dtype.kind == "i":
        wave = samples / -float(np.iinfo(samples.dtype).min)
    else:
        wave = samples.astype(np.float64)
    if not np.isfinite(wave).all():
        raise DataFormatError(f"{name}: expected finite samples, found some that are not")
    if not wave.any():
        raise DataFormatError(f"{name}: expected sound, found silence")
    return rate, wave  # (T,)


def _with_length(content: bytes, name: str) -> bytes:
    """Return a WAV file that ends with its samples, with their length and its own in the header.

    A program that writes to a pipe leaves one or both unknown. Raises a DataFormatError for a second chunk of samples.
    """
    order = {b"RIFF": "<", b"RIFX": ">"}.get(content[:4])  # of the bytes of each number
    place, frame = 12, 1
    while order and place + 8 <= len(content):
        kind, length = struct.unpack_from(f"{order}4sI", content, place)
        place += 8
        if kind == b"fmt " and place + 14 <= len(content):
            frame = max(1, *struct.unpack_from(f"{order}H", content, place + 12))  # bytes of all channels
        elif kind == b"data":
            if length >= UNKNOWN_LENGTH or (not length and content[4:8] == bytes(4)):
                length = (_end_of_samples(content, place, order) - place) // frame * frame
            elif b"data" in _kinds_from(content, place + length + length % 2, order):
                raise DataFormatError(f"{name}: expected one chunk of samples in a WAV file, found several")
            sizes = [struct.pack(f"{order}I", size) for size in (place - 8 + length, length)]
            return content[:4] + sizes[0] + content[8 : place - 4] + sizes[1] + content[place : place + length]
        place += length + length % 2
    return content


def _kinds_from(content: bytes, place: int, order: str) -> list[bytes]:
    """Return the kinds of the chunks from a place to the end of the file; empty if they do not end there."""
    kinds = []
    while place + 8 <= len(content):
        kind, length = struct.unpack_from(f"{order}4sI", content, place)
        kinds.append(kind)
        place += 8 + length
        if place < len(content):
            place += length % 2
    return kinds if place == len(content) else []


def _end_of_samples(content: bytes, place: int, order: str) -> int:
    """Return where samples of unknown length end: at the end of the file, or at chunks that go on to it."""
    ends = (match.start() for match in TRAILING.finditer(content, place))
    return next((end for end in ends if _kinds_from(content, end, order)), len(content))


def mel_filters(mels: int, fft: int, rate: int) -> np.ndarray:
    """Return the weight of each frequency in each of `mels` bands, (mels, fft // 2 + 1).

    Triangles: each rises from the center of the previous band to 1 at its own, and falls to the center of the next.
    """
    highest = 2595 * math.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, mels + 2) / 2595) - 1)  # Hz
    frequencies = np.fft.rfftfreq(fft, 1 / rate)
    left, middle, right = (corners[i : i + mels, np.newaxis] for i in range(3))  # (mels, 1)
    rising, falling = (frequencies - left) / (middle - left), (right - frequencies) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling))


@dataclass(frozen=True)
class SpectrogramReader(Reader):
    """A reader of WAV files that returns log-mel spectrograms.

    Parameters
    ----------
    rate : int
        Samples per second; recordings at another rate are resampled.
    samples : int
        Number of samples used: of a longer recording the part with the most energy; a shorter one is zero-padded on
        both sides.
    window, hop, fft : int
        Samples of a window, between two windows, and of the Fourier transform (zero-padded).
    mels : int
        Number of frequency bands.
    decibels : float
        Dynamic range.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Examples
    --------
    >>> SpectrogramReader().shape
    (1, 40, 64)
    """

    rate: int = 8000
    samples: int = 8000
    window: int = 256
    hop: int = 125
    fft: int = 512
    mels: int = 40
    decibels: float = 80.0

    kind: ClassVar[str] = "spectrogram"
    noun: ClassVar[str] = "recording"

    def __post_init__(self) -> None:
        limits = {
            "rate": RATE_RANGE,
            "samples": (2, MAX_SECONDS * RATE_RANGE[1]),
            "window": (2, 1 << 14),
            "hop": (1, 1 << 14),
            "fft": (2, 1 << 14),
            "mels": (1, 512),
            "decibels": (1.0, 300.0),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if type(value) is not type(least) or not least <= value <= most:
                raise ValueError(f"SpectrogramReader: expected {name} from {least} to {most}, got {value!r}")
        if self.window > self.fft or self.hop > self.samples:
            raise ValueError(
                f"SpectrogramReader: expected window <= fft and hop <= samples, got window {self.window}, "
                f"fft {self.fft}, hop {self.hop}, samples {self.samples}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one example: (1, mels, frames)."""
        return 1, self.mels, -(-self.samples // self.hop)

    def read(self, source: str | os.PathLike[str]) -> np.ndarray:
        """Return the spectrogram of a WAV file, float32 of shape (1, mels, frames).

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If the file does not exist, or is a folder.
        DataFormatError
            If it cannot be read as a WAV file; see `decode_wav`.
        """
        rate, wave = decode_wav(read_file(source, "a WAV file", MAX_BYTES), os.fspath(source))
        return self.spectrograms(self.stretch(rate, wave)[np.newaxis])[0]

    def stretch(self, rate: int, wave: np.ndarray) -> np.ndarray:
        """Return the part of a wave that is used, at the reader's rate.

        Parameters
        ----------
        rate : int
            Samples per second of the wave.
        wave : ndarray of float64, shape (T,)

        Returns
        -------
        ndarray of float32, shape (samples,)
            Scaled so that the loudest sample is 1 or -1.
        """
        wave = wave / np.abs(wave).max()  # also before a filter, whose sums would overflow or vanish
        if rate != self.rate:
            from scipy.signal import resample_poly

            # A ratio of large numbers would make a filter of a million taps: approximate it.
            ratio = Fraction(self.rate, rate).limit_denominator(1000)
            wave = resample_poly(wave, ratio.numerator, ratio.denominator)
            wave = wave / (np.abs(wave).max() or 1)
        spare = len(wave) - self.samples
        if spare > 0:
            energy = np.concatenate([[0.0], np.cumsum(wave**2)])
            start = int(np.argmax(energy[self.samples :] - energy[: spare + 1]))
            wave = wave[start : start + self.samples]
        elif spare < 0:
            wave = np.pad(wave, (-spare // 2, -spare - -spare // 2))
        return wave.astype(np.float32)  # (samples,)

    def spectrograms(self, waves: np.ndarray) -> np.ndarray:
        """Return the log-mel spectrograms of waves.

        Parameters
        ----------
        waves : ndarray of shape (N, samples)

        Returns
        -------
        ndarray of float32, shape (N, 1, mels, frames)
            From 0 to 1.
        """
        from scipy.signal import ShortTimeFFT
        from scipy.signal.windows import hann

        transform = ShortTimeFFT(hann(self.window, sym=False), self.hop, self.rate, mfft=self.fft)
        filters = mel_filters(self.mels, self.fft, self.rate)  # (mels, fft // 2 + 1)
        found = np.empty((len(waves), *self.shape), np.float32)
        for begin in range(0, len(waves), CHUNK):
            part = slice(begin, begin + CHUNK)
            power = transform.spectrogram(waves[part], p0=0, p1=self.shape[2])  # (B, fft // 2 + 1, frames)
            energy = filters @ power  # (B, mels, frames)
            peak = energy.max(axis=(1, 2), keepdims=True)
            share = np.maximum(energy / np.where(peak > 0, peak, 1), 10 ** (-self.decibels / 10))
            found[part, 0] = 1 + 10 * np.log10(share) / self.decibels
        return found
