"""Photograph the page of `numpycnn explain` in headless Chromium, on a desktop and on a phone.

python docs/page_pictures.py runs/mnist

It needs the extra `browser` (Playwright) and an installed Chromium.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from numpycnn.cli import main as numpycnn

FIGURES = Path(__file__).parent / "figures"
COLOURS = 96

#: Size of the window, pixels for each of its points, and the layer and the map to look at.
PICTURES = {
    "explain": ((1280, 940), 1.0, 4, 3),
    "explain-phone": ((390, 800), 1.0, 4, 3),
}


def main() -> None:
    """Write the pictures beside the other figures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page = Path(folder) / "page.html"
        numpycnn(["explain", sys.argv[1], str(FIGURES / "drawn-digit.jpg"), "--out", str(page)])
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, ((width, height), scale, number, channel) in PICTURES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
            window = context.new_page()
            window.goto(page.as_uri())
            layer = window.locator(f'[data-number="{number}"]')
            window.evaluate(f"""document.querySelector('[data-number="{number - 1}"]').scrollIntoView()""")
            layer.locator(f'.map[data-channel="{channel}"]').click()
            window.wait_for_timeout(500)  # for the maps that come into sight
            shot = Path(folder) / f"{name}.png"
            window.screenshot(path=shot)
            Image.open(shot).convert("RGB").quantize(COLOURS).save(FIGURES / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
