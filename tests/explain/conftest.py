"""A browser, if one is installed."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, driven by Playwright; the variable ``NUMPYCNN_CHROMIUM`` may name another one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright wanted, the extra 'browser'")
    path = os.environ.get("NUMPYCNN_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"a browser wanted: found none of {', '.join(NAMES)}")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # as root, Chromium runs only without its sandbox
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if as_root else [])
        yield chromium
        chromium.close()
