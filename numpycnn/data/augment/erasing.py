"""Random erasing: rectangles of random size and shape."""

import numpy as np

from numpycnn._checks import check_choice, check_number
from numpycnn.data.augment.base import Transform, check_range
from numpycnn.data.augment.intensity import full_scale
from numpycnn.data.augment.masking import stretch


class RandomErasing(Transform):
    """Erase a rectangle of a random size and shape at a random place inside of the image.

    Masks and picture targets stay as they are.

    Parameters
    ----------
    p : float
        Probability that an image has a rectangle erased.
    scale : (float, float)
        Smallest and largest area, as shares of the image.
    ratio : (float, float)
        Smallest and largest ratio of height to width.
    mode : str
        ``"zero"`` erases with black, ``"random"`` with uniform noise from black to white (for features: from 0 to 1).

    Raises
    ------
    TypeError, ValueError
        If `p` is not a number from 0 to 1, `scale` not two ascending numbers from 0 to 1, `ratio` not two ascending
        numbers from 0.001 to 1000, or `mode` is unknown.

    References
    ----------
    Z. Zhong et al., "Random erasing data augmentation", arXiv 1708.04896.
    """

    moves = False

    def __init__(
        self,
        p: float = 0.5,
        *,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        mode: str = "zero",
    ) -> None:
        self.p = check_number(p, "p", "RandomErasing", minimum=0, maximum=1)
        self.scale = check_range(scale, "scale", "RandomErasing", minimum=0, maximum=1)
        self.ratio = check_range(ratio, "ratio", "RandomErasing", minimum=1e-3, maximum=1e3)
        self.mode = check_choice(mode, "mode", "RandomErasing", ("zero", "random"))

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = images.shape
        area = rng.uniform(*self.scale, n) * height * width * (rng.random(n) < self.p)
        low, high = np.log(self.ratio)
        ratio = np.exp(rng.uniform(low, high, n))
        rows = np.clip(np.rint(np.sqrt(area * ratio)), 0, height).astype(np.int64)
        columns = np.clip(np.rint(np.sqrt(area / ratio)), 0, width).astype(np.int64)
        down = stretch(rng.integers(0, height - rows + 1), rows, height)  # (N, H)
        across = stretch(rng.integers(0, width - columns + 1), columns, width)  # (N, W)
        others = images.copy()
        filling: np.ndarray | int = 0
        if self.mode == "random":
            filling = rng.random(images.shape, np.float32) * np.float32(full_scale(images))
        np.copyto(others, filling, where=down[:, None, :, None] & across[:, None, None, :], casting="unsafe")
        return others
