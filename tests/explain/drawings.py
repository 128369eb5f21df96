"""Digits as drawn on a canvas: strokes of varying width, size, position and slant."""

import io

import numpy as np
from PIL import Image, ImageDraw

SIDE = 336  # pixels of the canvas


def _arc(x: float, y: float, wide: float, high: float, begin: float, end: float) -> list[tuple[float, float]]:
    """Return an arc of an ellipse, in degrees clockwise from the right."""
    angles = np.radians(np.linspace(begin, end, 24))
    return [(x + wide * float(np.cos(a)), y + high * float(np.sin(a))) for a in angles]


#: The strokes of each digit, as points from (0, 0), above left, to (1, 1).
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [_arc(0.5, 0.5, 0.32, 0.48, -80, 285)],
    1: [[(0.36, 0.2), (0.54, 0.02), (0.54, 0.98)]],
    2: [[*_arc(0.5, 0.28, 0.3, 0.27, -170, 40), (0.2, 0.96), (0.84, 0.96)]],
    3: [[*_arc(0.46, 0.26, 0.29, 0.24, -160, 80), *_arc(0.46, 0.73, 0.34, 0.25, -75, 160)]],
    4: [[(0.52, 0.02), (0.14, 0.62), (0.88, 0.62)], [(0.68, 0.32), (0.66, 0.98)]],
    5: [[(0.8, 0.04), (0.3, 0.04), (0.26, 0.44), *_arc(0.46, 0.68, 0.34, 0.29, -100, 150)]],
    6: [[(0.68, 0.03), (0.42, 0.22), (0.24, 0.54), *_arc(0.51, 0.72, 0.27, 0.25, 190, -170)]],
    7: [[(0.16, 0.06), (0.84, 0.06), (0.44, 0.98)]],
    8: [[*_arc(0.5, 0.27, 0.26, 0.24, 60, -240), *_arc(0.5, 0.74, 0.31, 0.25, -120, 240)]],
    9: [[*_arc(0.48, 0.3, 0.27, 0.27, 0, -350), (0.74, 0.34), (0.66, 0.98)]],
}


def draw(digit: int, rng: np.random.Generator) -> bytes:
    """Return a digit in black on white as a PNG file."""
    size = rng.uniform(0.45, 0.8) * SIDE
    width = int(rng.integers(10, 35))
    slant, stretch = rng.uniform(-0.2, 0.2), rng.uniform(0.75, 1.15)
    turn = np.radians(rng.uniform(-7, 7))
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    reach = SIDE / 2 - 0.6 * size - width / 2
    centre = SIDE / 2 + rng.uniform(-1, 1, 2) * max(reach, 0)
    picture = Image.new("L", (SIDE, SIDE), 255)
    pen = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        points = np.array(stroke) - 0.5 + rng.normal(0, 0.008, (len(stroke), 2))
        points[:, 0] = stretch * (points[:, 0] - slant * points[:, 1])
        line = [(float(x), float(y)) for x, y in centre + size * points @ rotate.T]
        pen.line(line, fill=0, width=width, joint="curve")
        for x, y in (line[0], line[-1]):  # round ends
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
