"""The page in a real browser: its content, its controls, and no errors."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import numpycnn as nn
from numpycnn import functional as F
from numpycnn.data import Dataset
from numpycnn.explain import Example, server, write_page
from numpycnn.inspection.traces import follow
from numpycnn.models import create
from tests.explain.drawings import STROKES, draw
from tests.explain.test_contents import branching
from tests.graphs import draw as graph_batch
from tests.graphs import heads, twins

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
ISOLATES = {0x2068: None, 0x2069: None}
DESKTOP, PHONE = (1280, 900), (390, 844)
Open = Callable[..., Any]


def digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return drawn digits of 28x28 pixels."""
    labels = np.arange(count) % 10
    pictures = [Image.open(io.BytesIO(draw(int(digit), rng))).resize((28, 28)) for digit in labels]
    return 255 - np.stack([np.asarray(picture) for picture in pictures])[:, None], labels


@pytest.fixture(scope="session")
def tiny_vgg() -> nn.Sequential:
    """Return a TinyVGG after a little training, so that biases are nonzero."""
    images, labels = digits(200, np.random.default_rng(0))
    train = Dataset(images, labels, [str(digit) for digit in STROKES], name="drawn", mean=0.1, std=0.3)
    model = create("tiny_vgg", (1, 28, 28), 10)
    nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(0.01)).fit(train, epochs=3)
    return model


@pytest.fixture(scope="session")
def seven() -> np.ndarray:
    """Return a preprocessed digit, (1, 28, 28)."""
    images, _ = digits(8, np.random.default_rng(1))
    return ((images[7] / 255 - 0.1) / 0.3).astype(np.float32)


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a model; at the end, check for console messages and external requests."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def go(address: str, size: tuple[int, int] = DESKTOP, **settings: Any) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        return page

    def show(model: nn.Sequential, example: Example, size: tuple[int, int] = DESKTOP, **settings: Any) -> Any:
        path = tmp_path / f"page-{len(contexts)}.html"
        write_page(path, model, example, most_bytes=settings.pop("most_bytes", 6_000_000))
        return go(path.as_uri(), size, **settings)

    show.go = go  # type: ignore[attr-defined]
    yield show
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "http://127.0.0.1:"))] == []


def values(page: Any, selector: str) -> list[float]:
    """Return the exact values of data elements."""
    found: list[str] = page.eval_on_selector_all(selector, "(all) => all.map((one) => one.value)")
    return [float(text) for text in found]


def select(page: Any, number: int, channel: int) -> None:
    page.locator(f'[data-number="{number}"] .map[data-channel="{channel}"]').first.click()


# --------------------------------------------------------------------------------------------------------------- graphs


def test_a_graph_shows_where_inputs_come_from(visit: Open, rng: np.random.Generator) -> None:
    x = nn.Input((2, 7, 6))
    conv = nn.Conv2D(2, 3, padding=1, activation="relu", name="conv")
    skip = nn.Add()([conv(conv(x)), x])
    model = nn.Model(x, nn.Dense(3)(nn.GlobalAvgPool()(nn.Concatenate()([skip, x]))), seed=0)
    page = visit(model, Example(rng.normal(size=(2, 7, 6)).astype(np.float32)))
    origins = page.locator(".origin").all_inner_texts()
    plain = [text.translate(ISOLATES) for text in origins]
    assert plain == ["takes its inputs from conv#2 Conv2D and the input", "takes its inputs from 1 Add and the input"]
    assert "the same layer as conv" in page.locator("#flow").inner_text()
    page.locator('[data-kind="merge"] .map[data-channel="1"]').click()
    added = values(page, '#lens .bill data[data-name="source"]')
    assert values(page, '#lens .bill data[data-name="output"]') == pytest.approx([sum(added)], rel=1e-5)
    fed = page.locator(".map.feeds")
    assert [fed.nth(i).get_attribute("aria-label") for i in range(fed.count())] == [
        "map 1, Input",
        "map 1, ReLU conv.activation#2",
    ]
    assert page.locator("#lens .check.wrong").count() == 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_each_of_several_inputs_has_a_column(visit: Open, size: tuple[int, int]) -> None:
    model = twins()
    x = tuple(batch[0] for batch in graph_batch(model, 1))
    image = np.arange(90, dtype=np.uint8).reshape(1, 10, 9)
    page = visit(model, Example(x, class_names=["alike"], image=(image, image)), size)
    captions = [text.translate(ISOLATES) for text in page.locator(".gets figcaption").all_inner_texts()]
    assert captions == [f"{name}: input of the network, 1 \u00d7 10 \u00d7 9" for name in ("left", "right")]
    columns = page.locator('[data-kind="inputs"] > .branches > section')
    assert columns.locator("h4").all_inner_texts() == ["left", "right"]
    left, right = (columns.nth(i).bounding_box() for i in (0, 1))
    assert (left["y"] == right["y"]) == (size == DESKTOP)  # side by side, or on a phone below each other
    assert [columns.nth(i).locator("> .way > li").count() for i in (0, 1)] == [2, 2]
    origins = [text.translate(ISOLATES) for text in page.locator(".origin").all_inner_texts()]
    assert origins == ["takes its inputs from encoder Sequential and encoder#2 Sequential"]
    columns.nth(1).locator('.map[data-channel="0"]').nth(1).click()  # of its first convolution
    assert page.inner_text("#lens h2").startswith("Conv2D encoder.0#2")
    fed = page.locator(".map.feeds")
    assert [fed.nth(i).get_attribute("aria-label") for i in range(fed.count())] == ["map 0, Input right"]
    assert page.locator("#lens .check.wrong").count() == 0
    score = model.forward(tuple(batch[np.newaxis] for batch in x))
    assert np.allclose(values(page, ".classes data"), F.sigmoid(score)[0], atol=1e-6)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_each_of_several_outputs_has_a_column_and_an_answer(visit: Open) -> None:
    model = heads()
    x = graph_batch(model, 1)
    names = {"shape": ["disc", "ring", "cross"], "colour": ["red", "blue"]}
    page = visit(model, Example(x[0], class_names=names))
    shape, colour = model.forward(x)
    assert np.allclose(values(page, ".classes data"), [*F.softmax(shape)[0], *colour[0]], atol=1e-6)
    answers = [text.translate(ISOLATES) for text in page.locator(".answer span:first-child").all_inner_texts()]
    assert [text.strip() for text in answers] == ["prediction, shape:", "prediction, colour:"]
    columns = page.locator('[data-kind="outputs"] > .branches > section')
    assert columns.locator("h4").all_inner_texts() == ["shape", "colour"]
    assert page.locator(".origin").count() == 0  # each takes the layer above
    columns.nth(1).locator(".map").last.click()
    assert page.inner_text("#lens .where").translate(ISOLATES) == f"class {names['colour'][int(colour.argmax())]}"
    columns.nth(0).locator(".map").last.click()
    assert page.inner_text("#lens .where").translate(ISOLATES) == f"class {names['shape'][int(shape.argmax())]}"
    assert page.locator("#lens .check.wrong").count() == 0


# ----------------------------------------------------------------------------------------------------------------- sums


def test_the_products_of_each_convolution_add_up(
    visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray, rng: np.random.Generator
) -> None:
    page = visit(tiny_vgg, Example(seven, class_names=[str(i) for i in range(10)]))
    passages = follow(tiny_vgg, seven[np.newaxis])
    convolutions = [(i, layer) for i, layer in enumerate(tiny_vgg) if isinstance(layer, nn.Conv2D)]
    assert len(convolutions) == 4
    for number, layer in convolutions:
        y = passages[str(number)].y[0]
        channel = int(rng.integers(len(y)))
        select(page, number, channel)
        board = page.locator("#lens canvas[role=slider]")
        box = board.bounding_box()
        row, column = (int(rng.integers(size)) for size in y.shape[1:])
        cell = box["width"] / y.shape[2]
        board.click(position={"x": (column + 0.5) * cell, "y": (row + 0.5) * cell})
        assert page.inner_text("#lens .where") == f"row {row}, column {column}"
        products = 0.0
        lines = page.locator("#lens .part")
        for line in range(max(1, lines.count())):
            if lines.count():
                lines.nth(line).click()
            window, kernel, product = (
                values(page, f'#lens [data-matrix="{name}"] td data') for name in ("window", "kernel", "products")
            )
            assert len(product) == 9
            assert np.allclose(np.multiply(window, kernel), product, atol=1e-9)
            products += sum(product)
        (bias,), (result,), (output,) = (
            values(page, f'#lens .bill data[data-name="{name}"]') for name in ("bias", "result", "output")
        )
        assert bias == pytest.approx(float(layer.bias.value[channel]), abs=1e-7)
        assert bias != 0
        expected = float(y[channel, row, column])
        assert output == pytest.approx(expected, abs=1e-6)
        assert result == pytest.approx(expected, abs=1e-4)
        assert products + bias == pytest.approx(expected, abs=1e-4)
        shown = [page.inner_text(f'#lens .bill data[data-name="{name}"]') for name in ("sum", "bias")]
        assert sum(float(text.replace("\u2212", "-")) for text in shown) == pytest.approx(expected, abs=1e-4)
        assert "\u2713" in page.inner_text("#lens .check")


def test_the_probabilities_match_the_network(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven, class_names=[str(i) for i in range(10)]))
    expected = F.softmax(tiny_vgg(seven[np.newaxis]))[0]
    assert np.allclose(values(page, ".classes data"), expected, atol=1e-6)
    assert page.inner_text(".answer strong") == str(expected.argmax())
    assert page.inner_text(".classes .best .label") == str(expected.argmax())


def test_the_maximum_of_a_pooling_is_marked(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven))
    select(page, 4, 2)
    passage = follow(tiny_vgg, seven[np.newaxis])["4"]
    window = values(page, '#lens [data-matrix="window"] td data')
    assert len(window) == 4
    (winner,) = values(page, "#lens td.wins data")
    assert winner == max(window) == pytest.approx(float(passage.y[0, 2].max()), abs=1e-6)


# --------------------------------------------------------------------------------------------------------- every layer


EVERY_KIND = nn.Sequential(
    [
        nn.ZeroPad(1),
        nn.Conv2D(6, 3, groups=2, padding="same", stride=2),
        nn.BatchNorm(),
        nn.GELU(),
        nn.Upsample(2, mode="bilinear"),
        nn.Upsample((1, 2)),
        nn.LpPool2D(2),
        nn.ConvTranspose2D(4, 3, stride=2, dilation=2),
        nn.AvgPool2D(3, stride=2, padding=1, ceil_mode=True),
        nn.LayerNorm(),
        nn.Softmax(1),
        nn.Reshape((4, -1)),
        nn.Conv1D(3, 5, stride=3),
        nn.MaxPool1D(2),
        nn.Reshape((3, 1, 3, -1)),
        nn.Conv3D(2, (1, 2, 3)),
        nn.Flatten(),
        nn.Dropout(),
        nn.Dense(4),
        nn.LogSoftmax(),
    ],
    input_shape=(2, 9, 8),
    seed=2,
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("kind", ["every kind of layer", "branches", "left out"])
def test_every_map_opens(visit: Open, kind: str, size: tuple[int, int], rng: np.random.Generator) -> None:
    """For each layer the page agrees with the network and fits the window."""
    model = EVERY_KIND if kind == "every kind of layer" else branching()
    assert model.input_shape is not None
    x = rng.normal(size=model.input_shape).astype(np.float32)
    page = visit(model, Example(x), size, most_bytes=1500 if kind == "left out" else 6_000_000)
    fits = "() => document.scrollingElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits)
    cards = page.locator("#flow .layer[data-number]").evaluate_all("(all) => all.map((one) => one.dataset.number)")
    assert len(cards) > 10
    unknown = 0
    for number in cards:
        for last in (False, True):
            maps = page.locator(f'#flow .layer[data-number="{number}"]').locator(".map")
            if not maps.count():
                continue
            (maps.last if last else maps.first).click()
            page.locator('#lens [data-action="last"]').click()
            if page.locator("#lens .bill").count():
                assert "\u2713" in page.inner_text("#lens .check"), number
            else:
                unknown += number != "-1"
            lens = (
                "() => { const lens = document.getElementById('lens'); return lens.scrollWidth <= lens.clientWidth; }"
            )
            assert page.evaluate(lens), number
            if size == PHONE:
                page.locator("#lens .shut").click()
    assert page.evaluate(fits)
    assert (unknown > 0) == (kind == "left out")
    if kind == "left out":
        assert "are in this page (size limit)" in page.inner_text("#flow")


def test_a_custom_layer_shows_its_input_and_output(visit: Open) -> None:
    class Doubled(nn.Layer):
        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
            return 2 * x, ()

    page = visit(nn.Sequential([Doubled()], input_shape=(2, 3, 4)), Example(np.ones((2, 3, 4), np.float32)))
    select(page, 0, 1)
    assert "this page shows its input and output, but not its computation" in page.inner_text("#lens .what")
    assert values(page, '#lens data[data-name="output"]') == [2.0]
    assert page.locator("#lens .boards canvas").count() == 2


def test_the_source_maps_are_marked(visit: Open) -> None:
    page = visit(branching(), Example(np.ones((2, 6, 8), np.float32)))
    rows = page.evaluate("() => Data.page.layers.map(({ key, number }) => [key, number])")
    keys = dict(rows)

    def marked(key: str) -> set[str]:
        page.locator(f'[data-number="{keys[key]}"] .map').last.click()
        found: list[str] = page.eval_on_selector_all(
            "#flow .feeds", "(all) => all.map((one) => one.closest('.layer').dataset.number)"
        )
        names = {str(number): name for name, number in keys.items()} | {"-1": "input"}
        return {names[number] for number in found}

    assert marked("0") == {"input"}
    assert marked("1.main.1") == {"1.main.0"}
    assert marked("1") == {"1.main.1", "0"}  # the summands
    assert marked("2") == {"2.main", "2.shortcut"}
    assert marked("3.1.0") == {"2"}  # each branch has the same input
    assert marked("3") == {"3.1.1"}
    assert marked("5") == {"4"}


# ------------------------------------------------------------------------------------------------------ using the page


def test_the_page_works_with_the_keyboard(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven))
    focused = "() => [document.activeElement.closest('.layer')?.dataset.number, document.activeElement.dataset.channel]"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == ["-1", "0"]
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == ["0", "0"]
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    number, _ = page.evaluate(focused)
    assert number == "1"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == ["0", "3"]  # the previous map
    page.keyboard.press("End")
    assert page.evaluate(focused) == ["0", "9"]
    page.keyboard.press("Enter")
    assert page.inner_text("#lens h2 small") == "map 9"
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    slider = page.locator("#lens canvas[role=slider]")
    slider.focus()
    for key, place in [("Home", "0"), ("ArrowRight", "1"), ("ArrowDown", "29"), ("ArrowLeft", "28"), ("End", "783")]:
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == place
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "783"
    assert slider.get_attribute("aria-valuetext").startswith("row 27, column 27: ")


def test_play_and_step(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven))
    select(page, 2, 1)
    action = {name: page.locator(f'[data-action="{name}"]') for name in ("first", "back", "play", "step", "last")}
    where = page.locator("#lens .where")
    action["first"].click()
    assert where.inner_text() == "row 0, column 0"
    action["back"].click()
    assert where.inner_text() == "row 0, column 0"
    action["step"].click()
    assert where.inner_text() == "row 0, column 1"
    action["last"].click()
    assert where.inner_text() == "row 27, column 27"
    page.locator("#lens input[type=range]").fill("6")
    action["play"].click()  # from the beginning, as it was at the end
    assert action["play"].get_attribute("aria-label") == "pause"
    page.wait_for_function("() => document.querySelector('#lens .where').textContent.startsWith('row 1,')")
    action["play"].click()
    assert action["play"].get_attribute("aria-label") == "play"
    here = where.inner_text()
    page.wait_for_timeout(200)
    assert where.inner_text() == here
    action["step"].click()
    assert where.inner_text() != here


def test_on_a_phone_the_lens_is_a_dialog(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven), PHONE)
    lens = page.locator("#lens")
    assert not lens.is_visible()
    select(page, 2, 4)
    assert lens.is_visible()
    assert lens.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert page.evaluate("() => document.activeElement.tagName") == "H2"
    inside = "() => [document.body, ...document.querySelectorAll('#lens *')].includes(document.activeElement)"
    for key in ["Tab"] * 30 + ["Shift+Tab"] * 60:
        page.keyboard.press(key)
        assert page.evaluate(inside), "the keys have left the dialog"
    page.locator("#lens h2").focus()
    page.keyboard.press("Escape")
    assert not lens.is_visible()
    assert page.evaluate("() => document.activeElement.dataset.channel") == "4"


def test_drawing_maps_does_not_move_the_layout(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray) -> None:
    page = visit(tiny_vgg, Example(seven))
    height = "() => document.getElementById('flow').scrollHeight"
    before = page.evaluate(height)
    page.evaluate("() => document.querySelectorAll('#flow .map').forEach((button) => button.draw())")
    assert page.evaluate(height) == before


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_controls_have_accessible_names(
    visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray, size: tuple[int, int]
) -> None:
    page = visit(tiny_vgg, Example(seven, class_names=[str(i) for i in range(10)]), size)
    select(page, 2, 4)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, [tabindex='0'], [role=img]")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim()))
            .map((one) => one.outerHTML.slice(0, 100))"""
    )
    assert nameless == []
    assert page.get_attribute("html", "lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast(visit: Open, tiny_vgg: nn.Sequential, seven: np.ndarray, scheme: str) -> None:
    """Every text colour has a contrast of at least 4.5 with its backgrounds (WCAG 2)."""
    page = visit(tiny_vgg, Example(seven), color_scheme=scheme, reduced_motion="reduce")
    colours = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            return Object.fromEntries(["paper", "card", "faint", "ink", "muted", "accent", "good", "bad"]
                .map((name) => [name, style.getPropertyValue("--" + name).trim()]));
        }"""
    )

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for ground in ("paper", "card", "faint"):
        for text in ("ink", "muted", "accent", "good", "bad"):
            dark, light = sorted(luminance(colours[name]) for name in (ground, text))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, text)
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != (
        "rgb(250, 248, 244)" if scheme == "dark" else "rgb(17, 20, 24)"
    )


def test_hostile_names_are_shown_as_text(visit: Open) -> None:
    model = nn.Sequential([nn.Dense(2, name=HOSTILE)], input_shape=(3,), name=HOSTILE)
    page = visit(model, Example(np.ones(3, np.float32), title=HOSTILE, class_names=[HOSTILE, "b"], notes=[HOSTILE]))
    for selector in ("h1", ".lead", ".note", "h3 .name", ".classes li"):
        assert HOSTILE in page.locator(selector).first.inner_text()
    assert page.locator("img").count() == 0
    assert page.title() == f"\u2068{HOSTILE}\u2069 \u2013 numpycnn explain"


def test_a_right_to_left_name_keeps_the_text_around_it_in_place(visit: Open) -> None:
    hebrew = "\u05e9\u05dc\u05d5\u05dd"
    model = nn.Sequential([nn.Dense(2, name=hebrew)], input_shape=(3,), name=hebrew)
    x = np.ones(3, np.float32)
    page = visit(model, Example(x, class_names=[hebrew, f"{hebrew} 2"]))
    places = page.eval_on_selector_all(".answer > *", "(all) => all.map((one) => one.getBoundingClientRect().x)")
    assert places == sorted(places)
    assert page.inner_text(".lead").startswith(f"\u2068{hebrew}\u2069: ")
    select(page, 1, 0)
    assert f"class \u2068{hebrew} 2\u2069" in page.inner_text("#lens .terms")


# ------------------------------------------------------------------------------------------------------------- drawing


@pytest.fixture
def drawing_page(visit: Open, tiny_vgg: nn.Sequential) -> Iterator[Any]:
    """Open the page with the canvas, and run its server."""
    names = [str(digit) for digit in STROKES]

    def example_of(image: np.ndarray) -> Example:
        return Example(((image / 255 - 0.1) / 0.3).astype(np.float32), image=image, class_names=names)

    def decode(png: bytes) -> Example:
        picture = Image.open(io.BytesIO(png)).convert("L")
        return example_of(255 - np.asarray(picture.resize((28, 28)))[np.newaxis])

    blank = example_of(np.zeros((1, 28, 28), np.uint8))
    addresses: list[str] = []
    ready, stop = threading.Event(), threading.Event()

    def announce(address: str) -> None:
        addresses.append(address)
        ready.set()

    thread = threading.Thread(
        target=lambda: server.serve(tiny_vgg, blank, decode, announce=announce, until=stop), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(60)
        yield visit.go(addresses[0])  # type: ignore[attr-defined]
    finally:
        stop.set()
        thread.join(30)


def stroke(page: Any, *points: tuple[int, int], button: str = "left") -> None:
    """Draw through points of the canvas with the mouse."""
    box = page.locator(".drawing canvas").bounding_box()
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down(button=button)
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up(button=button)


def test_a_drawing_updates_the_page(drawing_page: Any, tiny_vgg: nn.Sequential) -> None:
    page = drawing_page
    assert page.locator(".verdict").inner_text() == "The prediction appears here."
    stroke(page, (60, 60), (180, 60), (110, 200))
    check_answer(page, tiny_vgg)
    with_mouse = page.evaluate("() => Data.page.inputs[0].image.values.reduce((sum, value) => sum + value, 0)")
    assert with_mouse > 5000
    page.locator(".drawing canvas").focus()  # another stroke, with the keyboard
    page.keyboard.press(" ")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    check_answer(page, tiny_vgg)
    with_keys = page.evaluate("() => Data.page.inputs[0].image.values.reduce((sum, value) => sum + value, 0)")
    assert with_keys > with_mouse
    page.get_by_role("button", name="Undo").click()
    check_answer(page, tiny_vgg)
    assert page.evaluate("() => Data.page.inputs[0].image.values.reduce((sum, value) => sum + value, 0)") == with_mouse
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => document.querySelector('.verdict').innerText.startsWith('The prediction')")


def test_the_width_of_the_pen_updates_the_page(drawing_page: Any, tiny_vgg: nn.Sequential) -> None:
    page, ink = drawing_page, "() => Data.page.inputs[0].image.values.reduce((sum, value) => sum + value, 0)"
    stroke(page, (60, 60), (180, 60), (110, 200))
    check_answer(page, tiny_vgg)
    thin = page.evaluate(ink)
    page.locator(".drawing input[type=range]").fill("44")
    check_answer(page, tiny_vgg)
    assert page.evaluate(ink) > 1.3 * thin


def test_a_stroke_must_start_on_the_canvas(drawing_page: Any, tiny_vgg: nn.Sequential) -> None:
    page = drawing_page
    stroke(page, (60, 60), (180, 60))
    check_answer(page, tiny_vgg)
    drawn = page.evaluate("() => document.querySelector('.drawing canvas').toDataURL()")
    stroke(page, (-30, 100), (150, 200))  # starts outside
    stroke(page, (60, 100), (180, 200), button="right")
    page.wait_for_function("() => !Draw.isBusy()")
    assert page.evaluate("() => document.querySelector('.drawing canvas').toDataURL()") == drawn
    stroke(page, (60, 100), (180, 200))
    page.wait_for_function("() => !Draw.isBusy()")
    assert page.evaluate("() => document.querySelector('.drawing canvas').toDataURL()") != drawn


UNANSWERED = {
    "blank": ("() => Response.json({ nothing: 'white' })", "The drawing is blank."),
    "refused": ("() => new Response('a damaged image', { status: 422 })", "a damaged image"),
    "no server": ("() => Promise.reject(new TypeError())", "The server does not respond; is it still running?"),
}


@pytest.mark.parametrize(("answer", "status"), UNANSWERED.values(), ids=UNANSWERED)
def test_an_outdated_prediction_is_removed(
    drawing_page: Any, tiny_vgg: nn.Sequential, answer: str, status: str
) -> None:
    page = drawing_page
    stroke(page, (60, 60), (180, 60), (110, 200))
    check_answer(page, tiny_vgg)
    page.evaluate(f"() => {{ window.ownFetch = window.fetch; window.fetch = async (...sent) => ({answer})(); }}")
    stroke(page, (60, 80), (180, 80))
    page.wait_for_function("() => !Draw.isBusy()")
    assert page.inner_text(".status") == status
    assert page.inner_text(".verdict") == "The prediction appears here."
    assert page.evaluate("() => Data.page.inputs[0].image.values.every((value) => value === 0)")
    page.evaluate("() => { window.fetch = window.ownFetch; }")
    stroke(page, (60, 100), (180, 100))
    check_answer(page, tiny_vgg)


def check_answer(page: Any, model: nn.Sequential) -> None:
    """Wait for the response to the last drawing; the page must show the probabilities of its image."""
    page.wait_for_function("() => !Draw.isBusy()")
    image = np.array(page.evaluate("() => [...Data.page.inputs[0].image.values]"), np.uint8).reshape(1, 1, 28, 28)
    expected = F.softmax(model(((image / 255 - 0.1) / 0.3).astype(np.float32)))[0]
    assert np.allclose(values(page, ".classes data"), expected, atol=1e-5)
    assert page.inner_text(".status") == ""
