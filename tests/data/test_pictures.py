import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from numpycnn.data import load_mnist, prepare_digit, prepare_garment, read_picture
from numpycnn.data.pictures import PictureReader, _median_level, decode_picture, fit_picture
from numpycnn.errors import DataFormatError
from tests.data.small import chunk, fix_png_checksums, jpeg_of, picture_bytes, png_of, raw_png
from tests.mutations import COUNT, bounded_memory, mutate_bytes

REAL = Path(os.environ.get("NUMPYCNN_DATA", "nowhere"))


def four(size: int = 400, pen: int = 24, place: tuple[float, float] = (0.25, 0.2), height: float = 0.6) -> np.ndarray:
    """Draw a 4: the share of ink of each pixel, from 0 to 1."""
    picture = Image.new("L", (size, size))
    stroke = ImageDraw.Draw(picture)
    corners = [(0.45, 0.0), (0.0, 0.62), (0.7, 0.62)], [(0.5, 0.35), (0.5, 1.0)]
    for line in corners:
        points = [(size * (place[0] + height * x), size * (place[1] + height * y)) for x, y in line]
        stroke.line(points, fill=255, width=pen, joint="curve")
    return np.asarray(picture) / 255


def photograph(ink: np.ndarray, *, noise: float = 0.03, shade: float = 0.35, seed: int = 0) -> np.ndarray:
    """Dark ink on grainy paper under uneven light."""
    y, x = np.meshgrid(np.linspace(-1, 1, ink.shape[0]), np.linspace(-1, 1, ink.shape[1]), indexing="ij")
    light = 0.75 + shade * (0.4 * x + 0.3 * y - 0.3 * x * x)
    grain = np.random.default_rng(seed).normal(0, noise, ink.shape)
    return np.uint8(255 * np.clip(light * (0.9 - 0.6 * ink) + grain, 0, 1))


def center_of_mass(image: np.ndarray) -> tuple[float, float]:
    weights = image.astype(float) / image.sum()
    return float(weights.sum(1) @ np.arange(28)), float(weights.sum(0) @ np.arange(28))


def assert_like_mnist(digit: np.ndarray) -> None:
    assert digit.shape == (1, 28, 28)
    assert digit.dtype == np.uint8
    rows, columns = np.nonzero(digit[0])
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert np.abs(np.subtract(center_of_mass(digit[0]), 14)).max() <= 0.55
    assert digit.max() == 255


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


PLAIN = prepare_digit(np.uint8(255 * four()))


class TestRead:
    @pytest.mark.parametrize(
        ("suffix", "mode", "shape"),
        [(s, m, (30, 40, 3)[:n]) for m, n in (("L", 2), ("1", 2), ("RGB", 3)) for s in ("png", "jpg")]
        + [("jpg", "CMYK", (30, 40, 3))],
    )
    def test_modes(self, tmp_path: Path, suffix: str, mode: str, shape: tuple) -> None:
        path = tmp_path / f"picture.{suffix}"
        Image.new("RGB", (40, 30), "white").convert(mode).save(path)
        picture = read_picture(path)
        assert (picture.shape, picture.dtype) == (shape, np.uint8)
        assert picture.min() >= 250

    def test_sixteen_bits_are_scaled(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).save(tmp_path / "deep.png")
        assert read_picture(tmp_path / "deep.png").tolist() == [[0, 100, 255]]

    @pytest.mark.parametrize("depth", [2, 4, 8, 16])
    @pytest.mark.parametrize("clear", [0, 1, 2])
    def test_the_transparent_value_of_a_grey_picture(self, depth: int, clear: int) -> None:
        """A PNG names one value as transparent, in its own depth; the others are read as without it."""
        values = np.array([0, 1, 2, 3]) * (2**depth - 1) // 3
        bits = "".join(f"{value:0{depth}b}" for value in values)
        row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        content = raw_png(4, 1, depth, 0, row, chunk(b"tRNS", struct.pack(">H", values[clear])))
        expected = [0, 85, 170, 255]
        expected[clear] = 255
        assert decode_picture(content, "a.png").tolist() == [expected]

    @pytest.mark.parametrize("depth", [8, 16])
    def test_the_transparent_value_of_a_coloured_picture(self, depth: int) -> None:
        """The key has as many bits as the pixels; the upper ones of a smaller depth do not count."""
        colours = np.array([[1000, 2000, 3000], [60_000, 100, 200], [2000, 1000, 3000]]) >> (16 - depth)
        row = b"\0" + colours.astype(f">u{depth // 8}").tobytes()
        expected = [[255, 255, 255], [234, 0, 0], [7, 3, 11]]
        for more in (0,) if depth == 16 else (0, 256):
            key = chunk(b"tRNS", (colours[0] + more).astype(">u2").tobytes())
            assert decode_picture(raw_png(3, 1, depth, 2, row, key), "a.png").tolist() == [expected]

    def test_sixteen_bits_of_grey_and_alpha_are_grey(self) -> None:
        row = b"\0" + np.array([[0, 0], [25700, 65535], [0, 32896]], ">u2").tobytes()
        assert decode_picture(raw_png(3, 1, 16, 4, row), "a.png").tolist() == [[255, 100, 127]]

    def test_transparent_parts_are_white(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[[0, 0, 0, 0], [200, 0, 0, 255]]], np.uint8)).save(tmp_path / "rgba.png")
        assert read_picture(tmp_path / "rgba.png").tolist() == [[[255, 255, 255], [200, 0, 0]]]
        Image.fromarray(np.array([[[0, 0], [7, 255]]], np.uint8), "LA").save(tmp_path / "la.png")
        assert read_picture(tmp_path / "la.png").tolist() == [[255, 7]]
        palette = Image.new("P", (2, 1))
        palette.putpalette([9, 9, 9, 50, 60, 70])
        palette.putpixel((1, 0), 1)
        palette.save(tmp_path / "p.png", transparency=0)
        assert read_picture(tmp_path / "p.png").tolist() == [[[255, 255, 255], [50, 60, 70]]]

    def test_white_ink_on_transparency_is_over_black(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[[255, 0], [255, 128], [255, 255]]], np.uint8), "LA").save(tmp_path / "la.png")
        assert read_picture(tmp_path / "la.png").tolist() == [[0, 128, 255]]
        Image.fromarray(np.array([[[0, 0, 0, 0], [255, 255, 240, 255]]], np.uint8)).save(tmp_path / "rgba.png")
        assert read_picture(tmp_path / "rgba.png").tolist() == [[[0, 0, 0], [255, 255, 240]]]

    @pytest.mark.parametrize("ink", [(255, 255, 0), (255, 255, 128), (230, 255, 230)])
    def test_light_ink_on_transparency_can_be_read(self, tmp_path: Path, ink: tuple[int, int, int]) -> None:
        pixels = np.zeros((400, 400, 4), np.uint8)
        pixels[..., :3], pixels[..., 3] = ink, np.uint8(255 * four())
        Image.fromarray(pixels).save(tmp_path / "stroke.png")
        assert correlation(prepare_digit(read_picture(tmp_path / "stroke.png")), PLAIN) > 0.98

    def test_a_white_page_with_transparent_corners_stays_over_white(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[[255, 0], [255, 255], [40, 255]]], np.uint8), "LA").save(tmp_path / "page.png")
        assert read_picture(tmp_path / "page.png").tolist() == [[255, 255, 40]]

    def test_is_rotated_upright(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # rotate by 90 degrees clockwise to view
        half = np.zeros((40, 60), np.uint8)
        half[:20] = 255
        Image.fromarray(half).save(tmp_path / "turned.jpg", exif=exif)
        picture = read_picture(tmp_path / "turned.jpg")
        assert picture.shape == (60, 40)
        assert picture[:, 25:].min() > 200
        assert picture[:, :15].max() < 50

    def test_missing_file_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="expected a PNG or JPEG picture, found no such file"):
            read_picture(tmp_path / "none.png")
        with pytest.raises(IsADirectoryError, match="expected a PNG or JPEG picture, found a folder"):
            read_picture(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
    def test_other_files_are_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "file.png").write_bytes(content)
        with pytest.raises(DataFormatError, match=r"file.png: expected a"):
            read_picture(tmp_path / "file.png")

    def test_other_formats_are_refused(self, tmp_path: Path) -> None:
        Image.new("L", (3, 3)).save(tmp_path / "picture.png", "GIF")
        with pytest.raises(DataFormatError, match="expected a PNG or JPEG picture, found another kind of file"):
            read_picture(tmp_path / "picture.png")

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    def test_a_truncated_file_is_refused(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"file.{suffix}"
        rng = np.random.default_rng(0)
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(DataFormatError, match="found a damaged one"):
            read_picture(path)

    @pytest.mark.parametrize("suffix", ["PNG", "JPEG"])
    def test_mutated_files_give_a_picture_or_a_format_error(self, suffix: str) -> None:
        file, rng = io.BytesIO(), np.random.default_rng(0)
        Image.fromarray(rng.integers(0, 256, (12, 15, 3), dtype=np.uint8)).save(file, suffix)
        content = file.getvalue()
        refused = 0
        with bounded_memory(800):  # a damaged header may declare the largest allowed number of pixels
            for _ in range(COUNT):
                try:
                    assert decode_picture(mutate_bytes(content, rng), "a.png").dtype == np.uint8
                except DataFormatError as error:
                    refused += str(error).startswith("a.png: ")
        assert refused > 0.15 * COUNT

    def test_mutated_files_with_valid_checksums_give_a_picture_or_a_format_error(self) -> None:
        """A PNG's checksums hide most damage from the decoder; here they are recomputed."""
        rng = np.random.default_rng(0)
        content = picture_bytes(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
        refused = 0
        with bounded_memory(800):
            for _ in range(COUNT):
                try:
                    assert decode_picture(fix_png_checksums(mutate_bytes(content, rng)), "a.png").dtype == np.uint8
                except DataFormatError as error:
                    refused += str(error).startswith("a.png: ")
        assert 0.15 * COUNT < refused < 0.995 * COUNT

    @pytest.mark.parametrize(
        ("width", "height", "text"),
        [
            (6400, 6400, "expected at most 40,000,000 pixels and 20,000 a side, found 6400 x 6400"),
            (12_000, 12_000, "expected at most 40,000,000 pixels"),
            (40_000, 40_000, "expected at most 40,000,000 pixels and 20,000 a side, found 40000 x 40000"),
            (10_000, 10_000, "expected at most 40,000,000 pixels and 20,000 a side, found 10000 x 10000"),
            (40_000, 1, "expected at most 40,000,000 pixels and 20,000 a side, found 40000 x 1"),
            (1, 40_000, "found 1 x 40000; make it smaller first"),
            (0, 5, "expected a PNG or JPEG picture, found a damaged one or one without pixels$"),
            (5, 0, "expected a PNG or JPEG picture, found a damaged one or one without pixels$"),
        ],
    )
    @pytest.mark.parametrize("kind", ["png", "jpg"])
    def test_oversized_pictures_are_refused_before_decoding(
        self, width: int, height: int, text: str, kind: str
    ) -> None:
        content = png_of(width, height) if kind == "png" else jpeg_of(width, height)
        with pytest.raises(DataFormatError, match=rf"large\.file: .*{text}"):
            decode_picture(content, "large.file")

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        with (tmp_path / "a.png").open("wb") as file:
            file.truncate(100_000_001)
        with pytest.raises(DataFormatError, match="expected at most 100,000,000 bytes, found 100,000,001"):
            read_picture(tmp_path / "a.png")


class TestFit:
    def test_a_picture_of_the_right_size_is_unchanged(self) -> None:
        picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        for fit in ("crop", "stretch"):
            assert np.array_equal(fit_picture(picture, (5, 7), 3, fit), np.moveaxis(picture, 2, 0))

    def test_crop_keeps_the_middle_and_stretch_everything(self) -> None:
        picture = np.zeros((10, 60), np.uint8)
        picture[:, 25:35] = 200
        assert (fit_picture(picture, (10, 10), 1) == 200).all()
        stretched = fit_picture(picture, (10, 12), 1, "stretch")[0]
        assert stretched[:, [0, -1]].max() < 20
        assert stretched[:, 6].min() > 150
        assert (fit_picture(picture.T, (10, 10), 1) == 200).all()

    @pytest.mark.parametrize("shape", [(6, 9), (6, 9, 3)])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_channels(self, shape: tuple, channels: int) -> None:
        picture = np.zeros(shape, np.uint8)
        picture[..., :1] = 200
        found = fit_picture(picture, (4, 5), channels)
        assert (found.shape, found.dtype) == ((channels, 4, 5), np.uint8)
        assert found.flags.c_contiguous

    def test_a_long_strip_is_cropped_before_resizing(self) -> None:
        assert fit_picture(np.full((1, 20_000), 9, np.uint8), (64, 64)).shape == (3, 64, 64)

    def test_the_reader_reads_and_fits(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(tmp_path / "a.png")
        reader = PictureReader((8, 6), channels=1)
        assert reader.shape == (1, 8, 6)
        assert (reader.read(tmp_path / "a.png") == 90).all()
        settings = json.loads(json.dumps(reader.to_json()))
        assert settings.pop("kind") == "picture"
        assert PictureReader(**settings) == reader

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"size": (0, 5)}, r"expected size as height and width from 1 to 2048, got \(0, 5\)"),
            ({"size": (5, 1 << 40)}, "expected size as height and width"),
            ({"size": 5}, "expected size as height and width"),
            ({"size": (5.0, 5)}, "expected size as height and width"),
            ({"size": (5, 5), "channels": 2}, "expected 1 or 3 channels, got 2"),
            ({"size": (5, 5), "fit": "pad"}, "expected fit to be 'crop' or 'stretch', got 'pad'"),
        ],
    )
    def test_invalid_settings(self, settings: dict, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            PictureReader(**settings)


class TestPrepare:
    def test_a_drawing(self) -> None:
        assert_like_mnist(PLAIN)

    @pytest.mark.parametrize("pen", [2, 6, 14, 40])
    def test_any_pen_width(self, pen: int) -> None:
        digit = prepare_digit(np.uint8(255 - 255 * four(pen=pen)))
        assert_like_mnist(digit)
        assert correlation(digit, PLAIN) > 0.7
        assert digit.sum() > 40 * 255

    @pytest.mark.parametrize("place", [(0.02, 0.02), (0.55, 0.6), (0.1, 0.6)])
    @pytest.mark.parametrize("height", [0.15, 0.35])
    def test_any_place_and_size(self, place: tuple[float, float], height: float) -> None:
        digit = prepare_digit(np.uint8(255 - 200 * four(pen=round(40 * height), place=place, height=height)))
        assert_like_mnist(digit)
        assert correlation(digit, PLAIN) > 0.9

    def test_light_on_dark_and_dark_on_light_are_equal(self) -> None:
        assert np.abs(PLAIN.astype(int) - prepare_digit(np.uint8(255 - 255 * four()))).max() <= 1

    def test_colour(self) -> None:
        picture = np.stack([np.full((400, 400), 250), 240 - 200 * four(), 230 - 180 * four()], axis=-1).astype(np.uint8)
        assert correlation(prepare_digit(picture), PLAIN) > 0.98

    @pytest.mark.parametrize("pen", [8, 24])
    @pytest.mark.parametrize("seed", range(3))
    def test_photograph(self, pen: int, seed: int) -> None:
        digit = prepare_digit(photograph(four(pen=pen), seed=seed))
        assert_like_mnist(digit)
        assert correlation(digit, PLAIN) > 0.8
        assert (digit[0, :3] == 0).all()

    def test_dim_photograph_is_still_dark_on_light(self) -> None:
        picture = (photograph(four(), noise=0.01) * 0.5).astype(np.uint8)
        assert np.median(picture) < 100
        assert correlation(prepare_digit(picture), PLAIN) > 0.9

    def test_shadow_across_the_paper(self) -> None:
        picture = photograph(four(), noise=0.01)
        picture[:, 250:] = picture[:, 250:] * 0.75
        assert correlation(prepare_digit(picture), PLAIN) > 0.8

    def test_specks_do_not_move_the_digit(self) -> None:
        ink = four()
        ink[5:9, 5:9] = ink[390:394, 20:24] = 1
        assert correlation(prepare_digit(np.uint8(255 - 255 * ink)), PLAIN) > 0.98

    def test_a_digit_cropped_to_its_edges(self) -> None:
        ink = four()
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        tight = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert correlation(prepare_digit(np.uint8(255 - 255 * tight)), PLAIN) > 0.95

    def test_large_and_small_pictures(self) -> None:
        assert correlation(prepare_digit(np.uint8(255 * four(3000, 180))), PLAIN) > 0.95
        assert correlation(prepare_digit(np.uint8(255 * four(24, 2))), PLAIN) > 0.7

    def test_a_straight_stroke(self) -> None:
        picture = np.full((300, 200), 255, np.uint8)
        picture[50:250, 98:101] = 0
        digit = prepare_digit(picture)
        assert_like_mnist(digit)
        assert 1 <= np.ptp(np.nonzero(digit[0])[1]) + 1 <= 4

    @pytest.mark.parametrize("place", [(0.55, 0.1), (0.1, 0.55), (0.55, 0.55)])
    def test_two_digits_are_noted(self, place: tuple[float, float]) -> None:
        ink = four(pen=16, place=(0.1, 0.1), height=0.35) + four(pen=16, place=place, height=0.35)
        with pytest.warns(
            UserWarning, match="expected a picture of one digit, found 2 separate shapes, .* read as one"
        ):
            assert prepare_digit(np.uint8(255 - 255 * ink)).shape == (1, 28, 28)

    def test_one_beside_another_digit_is_noted(self) -> None:
        ink = four(pen=16, place=(0.1, 0.1), height=0.35)
        ink[40:180, 300:316] = 1
        with pytest.warns(UserWarning, match="found 2 separate shapes"):
            prepare_digit(np.uint8(255 * ink))

    @pytest.mark.filterwarnings("error")
    def test_a_detached_stroke_is_not_a_digit(self) -> None:
        ink = four()
        ink[60:80, 300:330] = 1
        prepare_digit(np.uint8(255 * ink))

    def test_the_picture_is_not_modified(self) -> None:
        picture = photograph(four())
        picture.flags.writeable = False
        before = picture.copy()
        prepare_digit(picture)
        assert np.array_equal(picture, before)

    @pytest.mark.parametrize(
        "picture",
        [
            np.zeros((28, 28), np.uint8),
            np.full((300, 200), 255, np.uint8),
            np.full((50, 50, 3), 128, np.uint8),
            np.zeros((1, 1), np.uint8),
            np.zeros((1, 500), np.uint8),
            photograph(np.zeros((300, 400))),
            photograph(np.zeros((300, 400)), noise=0.1),
            np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8),
        ],
        ids=["black", "white", "grey", "pixel", "row", "paper", "grainy paper", "noise"],
    )
    def test_a_blank_picture_is_refused(self, picture: np.ndarray) -> None:
        with pytest.raises(ValueError, match="found only background"):
            prepare_digit(picture)

    @pytest.mark.filterwarnings("error", "ignore:expected a picture of one digit")
    @pytest.mark.parametrize(
        "shape", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 300), (7, 300), (300, 7), (2, 284), (6, 590)]
    )
    def test_tiny_and_thin_pictures_give_a_digit_or_one_error(self, shape: tuple[int, int]) -> None:
        rng = np.random.default_rng(0)
        for share in (0.003, 0.01, 0.03, 0.1, 0.5) * 6:
            picture = np.where(rng.random(shape) < share, rng.integers(0, 256, shape), 255).astype(np.uint8)
            try:
                digit = prepare_digit(picture)
            except ValueError as error:
                assert "found only background" in str(error)  # noqa: PT017
            else:
                assert (digit.shape, digit.max()) == ((1, 28, 28), 255)

    def test_the_background_of_a_thin_picture(self) -> None:
        """The window of the median fits into the picture: SciPy's filter would read beyond it."""
        grey = np.tile(np.linspace(0.2, 0.8, 284), (2, 1))
        level = _median_level(grey)
        assert np.abs(level - grey)[:, 60:-60].max() < 0.02
        assert np.array_equal(level[0], level[1])

    @pytest.mark.parametrize("shape", [(0, 5), (28,), (1, 28, 28), (28, 28, 4)])
    def test_other_shapes_are_refused(self, shape: tuple) -> None:
        with pytest.raises(ValueError, match=r"expected a picture of shape \(H, W\) or \(H, W, 3\), got"):
            prepare_digit(np.zeros(shape, np.uint8))

    def test_other_types_are_refused(self) -> None:
        with pytest.raises(TypeError, match=r"expected a picture of uint8 pixels .* got float64"):
            prepare_digit(np.zeros((28, 28)))


@pytest.mark.filterwarnings("ignore:expected a picture of one digit")  # some fives of MNIST have two strokes
@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="NUMPYCNN_DATA does not contain MNIST")
def test_prepare_digit_preserves_real_digits(tmp_path: Path) -> None:
    _, test = load_mnist(REAL)
    differences, moved = [], []
    for image in test.images[:200, 0]:
        Image.fromarray(image).save(tmp_path / "digit.png")
        digit = prepare_digit(read_picture(tmp_path / "digit.png"))[0]
        differences.append(np.abs(digit.astype(int) - image).mean())
        moved.append(np.abs(np.subtract(center_of_mass(digit), center_of_mass(image))).max())
    assert max(differences) < 1  # of 255
    assert np.mean(differences) < 0.3
    assert max(moved) < 0.1  # pixels


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = {"skimage", "PIL", "scipy.ndimage", "requests", "mlxtend"}
    code = f"import sys, numpycnn.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "prepare",
    [prepare_digit, prepare_garment, lambda picture: fit_picture(picture, (4, 4))],
    ids=["digit", "garment", "fit"],
)
def test_pictures_with_a_mask_are_refused(prepare: Callable[[np.ndarray], np.ndarray]) -> None:
    picture = np.full((30, 20, 3), 255, np.uint8)
    picture[5:25, 8:12] = 0
    assert prepare(picture).dtype == np.uint8
    with pytest.raises(TypeError, match="expected picture without a mask, got a masked array; fill it first"):
        prepare(np.ma.masked_less(picture, 9))
