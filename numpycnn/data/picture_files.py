"""Pictures that stay in their folder or zip: decoded by several threads when a batch asks for them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from numpycnn.data.archives import open_files
from numpycnn.data.pictures import MAX_BYTES, PictureReader, decode_picture
from numpycnn.errors import DataFormatError


class PictureFiles:
    """Decodes chosen pictures of a folder or a zip.

    Each thread decodes pictures of its own and writes them to rows of their own, so the number of threads changes the
    time and nothing else. Pillow releases the GIL while it decodes. The threads end with the call: none waits between
    batches, and a forked process can go on.
    """

    def __init__(self, root: Path, names: Sequence[str], reader: PictureReader, threads: int | None) -> None:
        self.root, self.names, self.reader = root, names, reader
        self.threads = threads or os.cpu_count() or 1
        self._open = open_files(root)

    def _decode(self, row: int) -> np.ndarray:
        name = self.names[row]
        try:
            content = self._open(name, MAX_BYTES)
        except FileNotFoundError:
            raise DataFormatError(f"{self.root}: {name} was removed while the folder was read") from None
        return self.reader.prepare(decode_picture(content, str(self.root / name)))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the images at some positions, (B, C, H, W); the first picture that cannot be read is an error."""
        images = np.empty((len(rows), *self.reader.shape), np.uint8)

        def decode(first: int) -> None:
            for i in range(first, len(rows), self.threads):
                images[i] = self._decode(rows[i])

        with ThreadPoolExecutor(self.threads, thread_name_prefix="numpycnn-decoding") as pool:
            for done in [pool.submit(decode, first) for first in range(min(self.threads, len(rows)))]:
                done.result()
        return images

    def find_broken(self) -> dict[int, str]:
        """Decode every picture once, and return the errors of those that cannot be read, by position."""

        def check(row: int) -> str:
            try:
                self._decode(row)
            except DataFormatError as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(self.threads, thread_name_prefix="numpycnn-decoding") as pool:
            return {row: error for row, error in enumerate(pool.map(check, range(len(self.names)))) if error}
