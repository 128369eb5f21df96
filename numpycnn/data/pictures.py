"""Read pictures from disk, resize them, and convert photographed digits to MNIST's format.

MNIST's digits are light on black, scaled to fit 20x20 pixels without changing their proportions, and placed so that
their center of mass is the center of 28x28 pixels. A network trained on these needs the same preparation.
"""

import io
import os
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from numpycnn._checks import check_unmasked
from numpycnn.data.archives import read_file
from numpycnn.data.dataset import Reader
from numpycnn.data.picture_metadata import JPEG, split_metadata
from numpycnn.data.png import PNG, check_rows, read_header
from numpycnn.errors import DataFormatError

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

MAX_PIXELS, MAX_SIDE, MAX_BYTES = 40_000_000, 20_000, 100_000_000
MAX_IMAGE_SIDE = 2048  # pixels, of an image in a data set
LONG_SIDE = 640  # larger pictures are first reduced to this: pen strokes stay several pixels wide
BOX, FRAME = 20, 28  # sides of MNIST's digits and images, pixels
LUMINANCE = (0.2125, 0.7154, 0.0721, 0)  # of red, green and blue, as in `prepare_digit`
MIN_CONTRAST = 0.08  # of the range from black to white, between ink and paper
SHAPE_SHARE = 0.2  # of the ink of the largest shape, above which another shape is not a detached stroke of it
THIN, FULL = 1.6, 2.4  # widths in MNIST pixels: strokes thinner than THIN are widened to FULL, which is typical


def read_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a PNG or JPEG file as a viewer shows it: rotated upright, transparent parts over white.

    If everything would be invisible on white, such as white or yellow ink, transparent parts become black. All metadata
    but the orientation is ignored.

    Parameters
    ----------
    path : path_like

    Returns
    -------
    ndarray of uint8, shape (H, W) if the file is grey, (H, W, 3) otherwise

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist, or is a folder.
    DataFormatError
        If the file is not a PNG or JPEG picture, is damaged, or exceeds 40 million pixels, 20,000 pixels a side or
        100 MB.
    """
    return decode_picture(read_file(path, "a PNG or JPEG picture", MAX_BYTES), os.fspath(path))


def decode_picture(content: bytes, name: str) -> np.ndarray:
    """Decode a file in memory as `read_picture` does; `name` is the file's name, for errors.

    Threads may decode at once: nothing of the process is changed, such as the filters of warnings.
    """
    pixels, orientation = split_metadata(content)
    try:
        with _open_picture(pixels, name) as picture:
            width, height = picture.size
            if not width or not height:
                raise DataFormatError(f"{name}: expected a picture, found one of {width} x {height} pixels")
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise DataFormatError(
                    f"{name}: expected at most {MAX_PIXELS:,} pixels and {MAX_SIDE:,} a side, "
                    f"found {width} x {height}; make it smaller first"
                )
            depth, colour = 8, -1
            if picture.format == "PNG":
                header = read_header(content, name)
                check_rows(pixels, header, name)
                depth, colour = header.depth, header.colour
            return _turn_upright(_decode_pixels(picture, depth, colour), orientation)
    except DataFormatError:
        raise
    # Raised by Pillow on truncated and damaged files.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, TypeError, LookupError) as error:
        raise DataFormatError(f"{name}: expected a whole PNG or JPEG picture, found a damaged one ({error})") from error


def _open_picture(content: bytes, name: str) -> "ImageFile":
    """Read the header of a picture; ``Image.open`` would warn about a large one before our own limit refuses it."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    kind = PngImageFile if content.startswith(PNG) else JpegImageFile
    if not content.startswith((PNG, JPEG)):
        raise DataFormatError(f"{name}: expected a PNG or JPEG picture, found another kind of file")
    try:
        return kind(io.BytesIO(content))
    except SyntaxError as error:
        found = "a damaged one or one without pixels"
        raise DataFormatError(f"{name}: expected a PNG or JPEG picture, found {found}") from error


def _decode_pixels(picture: "Image.Image", depth: int, colour: int) -> np.ndarray:
    """Return the decoded pixels of a file as uint8; `depth` and `colour` are those of a PNG's header."""
    from PIL import Image

    key = picture.info.get("transparency")  # the value of transparent pixels
    if isinstance(key, tuple):  # Pillow keeps the upper 8 of 16 bits of red, green and blue, but not of the key
        picture.info["transparency"] = tuple(value >> 8 if depth == 16 else value & 255 for value in key)
    elif picture.mode.startswith("I"):  # 16 bits of grey: Pillow would clip instead of scaling
        values = np.asarray(picture).clip(0, 65535)
        picture = Image.fromarray((values // 257).astype(np.uint8))
        if key is not None:
            picture.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    elif picture.mode == "L" and isinstance(key, int):  # Pillow scales the pixels, but not the key
        highest = 2**depth - 1
        picture.load()
        picture.info["transparency"] = (key & highest) * 255 // highest
    grey = picture.mode in ("1", "L", "LA") or colour == 4  # 16 bits of grey and alpha: Pillow has RGBA only
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
        if np.asarray(picture.convert("RGB").convert("L", LUMINANCE)).min() > 255 * (1 - 2 * MIN_CONTRAST):
            picture = Image.alpha_composite(Image.new("RGBA", clear.size, "black"), clear)
    return np.array(picture.convert("RGB").convert("L") if grey else picture.convert("RGB"))  # (H, W) or (H, W, 3)


def _turn_upright(picture: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror a picture by its orientation in EXIF."""
    if orientation >= 5:
        picture = picture.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def fit_picture(picture: np.ndarray, size: tuple[int, int], channels: int = 3, fit: str = "crop") -> np.ndarray:
    """Convert a picture to a size and a number of channels.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
    size : (int, int)
        Height and width. A picture of this size keeps its pixels.
    channels : int
        1 for grey, 3 for colours.
    fit : str
        ``"crop"`` keeps the aspect ratio and crops the longer axis on both sides; ``"stretch"`` keeps everything.

    Returns
    -------
    ndarray of uint8, shape (channels, *size)

    Raises
    ------
    TypeError, ValueError
        If `picture` has a mask of NumPy, or rows of different lengths.
    """
    from PIL import Image, ImageOps

    height, width = size
    picture = check_unmasked(picture, "picture", "fit_picture")
    if picture.ndim != (2 if channels == 1 else 3):
        picture = np.asarray(Image.fromarray(picture).convert("L" if channels == 1 else "RGB"))
    if picture.shape[:2] != (height, width):
        image = Image.fromarray(picture)
        if fit == "crop":  # Pillow crops first, so a long strip is never enlarged as a whole
            image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        else:
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        picture = np.asarray(image)
    return np.ascontiguousarray(picture[np.newaxis] if channels == 1 else np.moveaxis(picture, 2, 0))  # (C, H, W)


@dataclass(frozen=True)
class PictureFileReader(Reader):
    """Base class of readers of PNG and JPEG files; subclasses implement `prepare`."""

    kind: ClassVar[str]
    noun: ClassVar[str] = "picture"

    def read(self, source: str | os.PathLike[str]) -> np.ndarray:
        """Return the image of a file, uint8 of shape (channels, height, width).

        Raises
        ------
        FileNotFoundError, IsADirectoryError, DataFormatError
            As `read_picture`.
        """
        return self.prepare(read_picture(source))

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return the image of a decoded picture.

        Parameters
        ----------
        picture : ndarray of uint8, shape (H, W) or (H, W, 3)

        Returns
        -------
        ndarray of uint8, shape (channels, height, width)
        """
        raise NotImplementedError


@dataclass(frozen=True)
class PictureReader(PictureFileReader):
    """A reader of PNG and JPEG files that returns images of a fixed size.

    Parameters
    ----------
    size, channels, fit
        As for `fit_picture`.

    Raises
    ------
    ValueError
        If a setting is out of range.
    """

    size: tuple[int, int]
    channels: int = 3
    fit: str = "crop"

    kind: ClassVar[str] = "picture"

    def __post_init__(self) -> None:
        size = self.size
        sides = isinstance(size, list | tuple) and len(size) == 2 and all(type(side) is int for side in size)
        if not sides or not all(1 <= side <= MAX_IMAGE_SIDE for side in size):
            raise ValueError(
                f"PictureReader: expected size as height and width from 1 to {MAX_IMAGE_SIDE}, got {size!r}"
            )
        if type(self.channels) is not int or self.channels not in (1, 3):
            raise ValueError(f"PictureReader: expected 1 or 3 channels, got {self.channels!r}")
        if self.fit not in ("crop", "stretch"):
            raise ValueError(f"PictureReader: expected fit to be 'crop' or 'stretch', got {self.fit!r}")
        object.__setattr__(self, "size", tuple(size))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image: (channels, height, width)."""
        return (self.channels, *self.size)

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        """Return the picture at the reader's size, see `fit_picture`."""
        return fit_picture(picture, self.size, self.channels, self.fit)


def prepare_digit(picture: np.ndarray) -> np.ndarray:
    """Convert a picture of one digit to an MNIST image: light on black, within 20x20, centered by mass in 28x28.

    Accepts light on dark and dark on light. Uneven light, paper texture and specks are removed, and thin strokes are
    widened so that they survive the reduction. The orientation is taken as given: a digit that lies on its side is not
    turned. Several separate shapes are read as one digit, with a ``UserWarning``.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
        One digit on a plain background that fills most of the picture's border.

    Returns
    -------
    ndarray of uint8, shape (1, 28, 28)

    Raises
    ------
    TypeError, ValueError
        If `picture` is not uint8, or it has another shape, or shows only background.
    """
    from skimage.transform import resize, resize_local_mean

    grey = _to_grey(picture)
    shrink = max(grey.shape) / LONG_SIDE
    if shrink > 1:
        grey = resize_local_mean(grey, [max(1, round(side / shrink)) for side in grey.shape])
    ink = _extract_ink(grey)
    ink = crop_to(ink, ink > 0)
    if (shapes := count_shapes(ink)) > 1:
        warnings.warn(
            f"expected a picture of one digit, found {shapes} separate shapes, which are read as one; crop it to one",
            UserWarning,
            stacklevel=2,
        )
    scale = BOX / max(ink.shape)
    if scale < 1:
        ink = _widen(ink, scale)
        scale = BOX / max(ink.shape)
    if scale != 1:
        shape = [max(1, round(side * scale)) for side in ink.shape]
        ink = resize_local_mean(ink, shape) if scale < 1 else resize(ink, shape, order=1)
    digit = _center(np.clip(ink / ink.max(), 0, 1))
    return np.rint(255 * digit).astype(np.uint8)[np.newaxis]  # (1, 28, 28)


def _to_grey(picture: np.ndarray) -> np.ndarray:
    """Return the picture's luminance, from 0 to 1."""
    from skimage.color import rgb2gray

    picture = check_unmasked(picture, "picture", "prepare_digit")
    if picture.dtype != np.uint8:
        raise TypeError(f"prepare_digit: expected a picture of uint8 pixels (0 to 255), got {picture.dtype}")
    if picture.size == 0 or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)):
        raise ValueError(f"prepare_digit: expected a picture of shape (H, W) or (H, W, 3), got {picture.shape}")
    return rgb2gray(picture) if picture.ndim == 3 else picture / 255.0  # (H, W)


def _extract_ink(grey: np.ndarray) -> np.ndarray:
    """Return the share of ink of each pixel, from 0 to 1; exactly 0 outside of the digit."""
    from scipy.ndimage import gaussian_filter

    if max(grey.shape) > 100:
        grey = gaussian_filter(grey, max(grey.shape) / 500, mode="nearest")
    surface = _fit_background(grey)
    ink = _segment_ink(grey, surface)
    if _touches_border(ink):  # a shadow's edge touches it, a digit rarely: try a local background
        second = _segment_ink(grey, surface + _median_level(grey - surface))
        if second.any() and not _touches_border(second):
            ink = second
    if not ink.any():
        raise ValueError("expected a picture of a digit, found only background; is it blank, or too faint?")
    return ink


def _segment_ink(grey: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the ink over a known background: 0 everywhere if there is none."""
    from scipy.ndimage import binary_dilation
    from skimage.filters import apply_hysteresis_threshold, threshold_otsu
    from skimage.morphology import disk

    difference = grey - background  # (H, W)
    # Ink deviates from the background to one side; the paper's grain deviates to both sides equally.
    dark = np.sum(difference**3) < 0
    ink = -difference if dark else difference
    noise = 1.4826 * float(np.median(np.abs(ink)))
    if ink.max() < max(MIN_CONTRAST, 6 * noise):
        return np.zeros_like(ink)
    middle = max(threshold_otsu(np.maximum(ink, 0)), 4 * noise)
    strokes = _remove_specks(apply_hysteresis_threshold(ink, middle / 2, middle), ink)
    if not strokes.any():
        return np.zeros_like(ink)
    # The soft edge of the strokes belongs to them.
    edge = disk(max(2, round(max(grey.shape) / 200)))
    ink = np.where(binary_dilation(strokes, edge) & (ink > 2 * noise), ink, 0.0)
    if dark:  # dark ink absorbs a constant share of the light
        ink /= np.maximum(background, MIN_CONTRAST)
    return np.minimum(ink / np.quantile(ink[strokes], 0.9), 1)


def _touches_border(ink: np.ndarray) -> bool:
    return bool(ink[[0, -1]].any() or ink[:, [0, -1]].any())


def _fit_background(grey: np.ndarray) -> np.ndarray:
    """Return the background as a smooth surface, a polynomial of degree 2 in both coordinates.

    The first fit uses the border; each following one uses the pixels near the previous surface, which excludes ink.
    """
    height, width = grey.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)  # (H, W, 6)
    near = np.maximum(np.abs(x), np.abs(y)) > 0.9
    level = np.median(grey[near])
    near &= np.abs(grey - level) <= 0.25
    for _ in range(6):
        # Fitted to a few pixels, it would be far outside of the range of grey elsewhere.
        surface = np.clip(terms @ np.linalg.lstsq(terms[near], grey[near], rcond=None)[0], 0, 1)  # (H, W)
        distance = np.abs(grey - surface)
        near = distance <= max(3 * 1.4826 * float(np.median(distance)), 1 / 255)
    return surface


def _median_level(grey: np.ndarray) -> np.ndarray:
    """Return a median filter with a window of a third of the picture, which keeps edges and removes strokes."""
    from scipy.ndimage import median_filter
    from skimage.transform import resize, resize_local_mean

    shrink = max(1.0, max(grey.shape) / 80)  # the background needs no detail, and a wide median filter is slow
    small = resize_local_mean(grey, [max(1, round(side / shrink)) for side in grey.shape])
    longest = max(1, max(small.shape) // 3)
    # SciPy reads uninitialized memory with a window that is longer than the picture.
    return resize(median_filter(small, [min(longest, side) for side in small.shape]), grey.shape, order=1)


def _remove_specks(strokes: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Keep the connected components with enough ink (not specks) and enough contrast (not shadows)."""
    from skimage.measure import label

    components = label(strokes, connectivity=2)
    mass = np.bincount(components.ravel(), ink.ravel() * strokes.ravel())
    peak = np.zeros(len(mass))
    np.maximum.at(peak, components.ravel(), ink.ravel() * strokes.ravel())
    kept = mass >= 0.05 * mass.max()
    kept &= peak >= 0.6 * peak[kept].max()
    return kept[components] & strokes


def count_shapes(ink: np.ndarray) -> int:
    """Return the number of connected components that are too large to be a detached part of another one.

    `ink` is the share of ink of each pixel, or a mask.
    """
    from skimage.measure import label

    components = label(ink > 0, connectivity=2)
    mass = np.bincount(components.ravel(), ink.ravel())
    return int(np.count_nonzero(mass >= SHAPE_SHARE * mass.max()))


def crop_to(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the smallest rectangle of a picture that contains the mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _widen(ink: np.ndarray, scale: float) -> np.ndarray:
    """Widen thin strokes, which would become pale and broken when reduced by `scale`."""
    from scipy.ndimage import grey_dilation
    from skimage.morphology import disk, skeletonize

    strokes = ink > 0.5
    width = strokes.sum() / max(1, skeletonize(strokes).sum())  # area by length
    if width * scale >= THIN:
        return ink
    radius = round((FULL / scale - width) / 2)
    return grey_dilation(np.pad(ink, radius), footprint=disk(radius)) if radius > 0 else ink


def _center(digit: np.ndarray) -> np.ndarray:
    """Place the digit with its center of mass on the middle pixel, as far as it stays inside the frame."""
    corner = []
    for axis, side in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis)
        center = float(mass @ np.arange(side) / mass.sum())
        corner.append(min(max(round(FRAME // 2 - center), 0), FRAME - side))
    frame = np.zeros((FRAME, FRAME))
    frame[corner[0] : corner[0] + digit.shape[0], corner[1] : corner[1] + digit.shape[1]] = digit
    return frame
