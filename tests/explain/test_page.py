"""The page as a file: complete, without network access, and safe with hostile names."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.explain import Example, is_page, render, write_page
from numpycnn.explain.page import DRAWING, SCRIPTS, START, as_data, as_page
from numpycnn.models import create

STATIC = Path(nn.__file__).parent / "explain" / "static"
HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>&amp;\u2028'\""


class Parts(HTMLParser):
    """The scripts, styles and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", {}, ""))

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


@pytest.fixture(scope="module")
def small() -> nn.Sequential:
    layers = [nn.Conv2D(2, 3, name=HOSTILE), nn.Flatten(), nn.Dense(3)]
    return nn.Sequential(layers, input_shape=(1, 5, 6), name=HOSTILE)


@pytest.fixture(scope="module")
def page(small: nn.Sequential) -> str:
    x = np.ones((1, 5, 6), np.float32)
    return render(small, Example(x, title=HOSTILE, class_names=[HOSTILE, "b", "c"], notes=[HOSTILE]))


def test_the_policy_allows_only_the_content_of_the_page(page: str) -> None:
    parts = Parts(page)
    (policy,) = [a["content"] for a, _ in parts.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in (policy or "").split(";"))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"

    def hashes(texts: list[str]) -> list[str]:
        return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]

    scripts = [text for attributes, text in parts.all("script") if attributes.get("type") != "application/json"]
    assert rules["script-src"].split() == hashes(scripts)
    assert rules["style-src"].split() == hashes([text for _, text in parts.all("style")])
    assert len(scripts) == len(SCRIPTS) + 1
    assert "unsafe" not in (policy or "")


def test_nothing_is_fetched_and_nothing_is_inline(page: str) -> None:
    for tag, attributes, _ in Parts(page).found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert not {"src", "href", "style", "srcset"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
    code = "".join((STATIC / name).read_text(encoding="utf-8") for name in (*SCRIPTS, START))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch("):
        assert word not in code, word
    assert set(re.findall(r"https?://[^\"'\s]+", code)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in (STATIC / "explain.css").read_text(encoding="utf-8")


def test_hostile_names_are_data(page: str) -> None:
    assert page.count("</script>") == len(SCRIPTS) + 2
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    ((_, text),) = [(a, t) for a, t in Parts(page).all("script") if a.get("type") == "application/json"]
    data = json.loads(text)
    for found in (data["title"], data["answers"][0]["names"][0], data["steps"][0]["name"], data["notes"][0]):
        assert found == " ".join(HOSTILE.split())


def test_data_has_no_html_characters() -> None:
    value = {"<a>&": [HOSTILE, 1.5, None], "ключ": "値"}
    text = as_data(value)
    assert not set("<>&\u2028") & set(text)
    assert text.isascii()
    assert json.loads(text) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_data(float("nan"))


def test_only_the_page_with_a_canvas_may_connect() -> None:
    plain, drawing = as_page({}), as_page({}, extra=DRAWING, connect=True)
    assert "connect-src 'none'" in plain
    assert "connect-src 'self'" in drawing
    assert "const Draw = " in drawing
    assert "const Draw = " not in plain


def test_every_file_of_the_folder_is_used() -> None:
    used = {*SCRIPTS, *DRAWING, START, "page.html", "explain.css"}
    assert {path.name for path in STATIC.iterdir()} == used
    for name in used:
        assert len((STATIC / name).read_text(encoding="utf-8").splitlines()) <= 450, name


def test_a_file_is_written_atomically(small: nn.Sequential, tmp_path: Path) -> None:
    example = Example(np.ones((1, 5, 6), np.float32))
    path = tmp_path / "page.html"
    write_page(path, small, example)
    assert path.read_text(encoding="utf-8") == render(small, example)
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(ValueError, match="one example of shape"):
        write_page(path, small, Example(np.ones((1, 5), np.float32)))
    assert path.read_text(encoding="utf-8") == render(small, example)


def test_pages_stay_small(rng: np.random.Generator) -> None:
    x = rng.normal(size=(1, 28, 28)).astype(np.float32)
    assert len(render(create("tiny_vgg", (1, 28, 28), 10), Example(x))) < 1_000_000
    large = create("resnet20", (3, 32, 32), 10)
    x = rng.normal(size=(3, 32, 32)).astype(np.float32)
    assert len(render(large, Example(x), most_bytes=500_000)) < 1_000_000


def test_is_page(tmp_path: Path, page: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    assert is_page(path)
    for content in ("", "<!doctype html>", page[page.index("<style") :]):
        path.write_text(content, encoding="utf-8")
        assert not is_page(path)
    assert not is_page(tmp_path)
    assert not is_page(tmp_path / "none.html")
