"""The page in a real browser: Chromium without a window, driven through its own driver."""

import json
import os
import shutil

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
REQUIRED = "TINYGRAD_REG_BROWSER" in os.environ  # set it to have these tests fail where they would skip
NASTY = '</script><b>"><|{}&amp;'


@pytest.fixture(scope="module")
def browser():
    try:
        from selenium import webdriver
    except ImportError:
        webdriver = None
    if not (CHROMIUM and DRIVER and webdriver):
        (pytest.fail if REQUIRED else pytest.skip)("needs Chromium, its chromedriver and selenium: pip install 'tinygrad_reg[browser]'")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def lesson_loss():
    """The lesson's model in small, its loss with penalties, and data."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(2, 4, weight_lambda_l1=1e-3, weight_lambda_l2=5e-4, rng=0), nn.ReLU(), nn.Linear(4, 3, weight_lambda_l2=5e-4, rng=1)
    )
    loss = tg.cross_entropy(model(rng.normal(size=(5, 2))), np.array([0, 1, 2, 0, 1])) + model.regularization_loss()
    return model, loss


def opened(browser, tmp_path, graph):
    path = tmp_path / "graph.html"
    graph.save_html(path)
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    return path


def by_label(browser, label, kind="node"):
    """The shape of the node, or group, whose text begins with the label."""
    shapes = browser.find_elements("css selector", f"g.{kind}")
    found = [shape for shape in shapes if shape.find_element("css selector", "text").text.lstrip("▸▾ ").startswith(label)]
    assert found, [shape.text for shape in shapes]
    return found[0]


def hover(browser, shape):
    from selenium.webdriver import ActionChains

    ActionChains(browser).move_to_element(shape).perform()
    return browser.find_element("id", "tip")


def press(browser, *keys):
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def to_step(browser, number):
    browser.execute_script(
        "const s = arguments[0]; s.value = arguments[1]; s.dispatchEvent(new Event('input'))", browser.find_element("id", "slider"), number
    )


def numbers_of(element, what):
    return element.find_element("css selector", f'pre[data-numbers="{what}"]').text


def test_no_error_and_no_request(browser, tmp_path):
    model, loss = lesson_loss()
    path = opened(browser, tmp_path, tg.graph(loss, model=model))
    assert len(browser.find_elements("css selector", "g.node")) > 10
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


def test_the_page_forbids_itself_every_request(browser, tmp_path):
    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model))
    answer = browser.execute_async_script("const done = arguments[0]; fetch('http://127.0.0.1:9/x').then(() => done('sent'), e => done(String(e)))")
    assert answer != "sent"
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def test_hovering_shows_the_numbers(browser, tmp_path):
    w = tg.Tensor([1.0, -2.0, 0.0], requires_grad=True, name="w")
    loss = 0.5 * (w * w).sum() + 0.25 * abs(w).sum()
    opened(browser, tmp_path, tg.graph(loss))
    tip = hover(browser, by_label(browser, "w"))
    assert tip.is_displayed()
    assert numbers_of(tip, "value") == "[1, -2, 0]"
    assert numbers_of(tip, "gradient") == "[1.25, -2.25, 0]"


def test_hovering_over_many_numbers_shows_a_histogram(browser, tmp_path):
    w = tg.Tensor(np.arange(100.0), requires_grad=True, name="w")
    opened(browser, tmp_path, tg.graph((w * w).sum()))
    tip = hover(browser, by_label(browser, "w"))
    assert numbers_of(tip, "value") == "mean 49.5 in [0, 99] · 1 % zeros"
    bars = [float(bar.get_attribute("height")) for bar in tip.find_elements("css selector", "svg")[0].find_elements("css selector", "rect")]
    assert len(bars) == 24 and min(bars) > 0  # they are spread evenly


def test_folding_and_unfolding(browser, tmp_path):
    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model))
    before = len(browser.find_elements("css selector", "g.node"))
    by_label(browser, "0 · Linear", "group").find_element("css selector", "text").click()
    folded = by_label(browser, "0 · Linear")
    assert "nodes" in folded.text
    assert len(browser.find_elements("css selector", "g.node")) < before
    folded.click()
    assert len(browser.find_elements("css selector", "g.node")) == before
    browser.find_element("id", "fold").click()
    assert not browser.find_elements("css selector", "g.group")
    browser.find_element("id", "unfold").click()
    assert len(browser.find_elements("css selector", "g.node")) == before


def test_the_slider_ends_at_the_gradient_that_backward_gives(browser, tmp_path):
    w = tg.Tensor([1.0, -2.0], requires_grad=True, name="w")
    x = tg.Tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    loss = ((x @ w - 1) ** 2).mean() + 0.1 * abs(w).sum()
    opened(browser, tmp_path, tg.graph(loss))
    slider = browser.find_element("id", "slider")
    last = int(slider.get_attribute("max"))
    heard = []
    for number in range(1, last + 1):
        to_step(browser, number)
        heard.append((browser.find_element("id", "count").text, browser.find_element("id", "words").text))
    loss.backward()
    gradient = f"[{', '.join(f'{g:.4g}' for g in w.grad.data)}]"
    assert [count.split()[0] for count, _ in heard] == ["forward"] * (last // 2) + ["backward"] * (last // 2)
    assert [words for _, words in heard if "∂L/∂w +=" in words][-1].endswith(gradient)
    assert "∂L/∂w += transpose(x) @ g" in heard[-1][1]
    assert numbers_of(hover(browser, by_label(browser, "w")), "gradient") == gradient
    assert f"{last} of {last}" in heard[-1][0]


def test_steps_mark_where_they_are(browser, tmp_path):
    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model))
    to_step(browser, 1)
    assert len(browser.find_elements("css selector", "g.node.now")) == 1
    assert browser.find_elements("css selector", "g.node.faded")
    to_step(browser, int(browser.find_element("id", "slider").get_attribute("max")))
    assert len(browser.find_elements("css selector", "g.node.back-now")) == 1
    assert not browser.find_elements("css selector", "g.node.faded")
    assert len(browser.find_elements("css selector", "g.node.parameter.has-gradient")) == 4


def test_keys(browser, tmp_path):
    from selenium.webdriver import Keys

    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model))
    press(browser, "]", "]", "[")
    assert "step 1 of" in browser.find_element("id", "count").text
    press(browser, "/", "0.weight", Keys.ENTER)
    assert "0.weight" in browser.find_element("id", "details").text
    press(browser, Keys.ESCAPE, Keys.ESCAPE)
    assert browser.find_element("id", "details").text == ""
    press(browser, "?")
    assert browser.find_element("id", "keys").is_displayed()
    press(browser, Keys.ESCAPE)
    assert not browser.find_element("id", "keys").is_displayed()
    first = by_label(browser, "0.weight")
    browser.execute_script("arguments[0].focus()", first)
    press(browser, Keys.ARROW_RIGHT)
    reached = browser.switch_to.active_element
    assert reached.get_attribute("data-id") not in (None, first.get_attribute("data-id"))
    press(browser, Keys.ENTER)
    assert browser.find_element("css selector", "#details h2").text == reached.find_element("css selector", "text").text


def test_zoom_and_move(browser, tmp_path):
    from selenium.webdriver import ActionChains

    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model))
    place = lambda: browser.find_element("id", "stage").get_attribute("transform")  # noqa: E731
    start = place()
    press(browser, "+")
    zoomed = place()
    assert zoomed != start
    picture = browser.find_element("id", "picture")
    ActionChains(browser).move_to_element_with_offset(picture, 0, -picture.size["height"] // 2 + 5).click_and_hold().move_by_offset(
        60, 30
    ).release().perform()
    assert place() != zoomed
    press(browser, "0")
    assert place() != zoomed


def test_names_are_text_wherever_they_stand(browser, tmp_path):
    w = tg.Tensor([1.0, 2.0], requires_grad=True, name=NASTY)
    loss = (w * 3.0).sum()
    loss.name = "<img src=x onerror=document.title='gone'>"
    opened(browser, tmp_path, tg.graph(loss))
    shape = by_label(browser, NASTY)
    hover(browser, shape)
    shape.click()
    assert not browser.find_elements("css selector", "b, img")
    assert NASTY in browser.find_element("id", "tip").text
    assert NASTY in browser.find_element("id", "details").text
    assert browser.title != "gone"
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(browser, tmp_path, theme):
    """The contrast of every text in the picture with what it stands on is at least 4.5 (WCAG 2.1, level AA)."""
    model, loss = lesson_loss()
    opened(browser, tmp_path, tg.graph(loss, model=model, theme=theme))
    pairs = browser.execute_script(
        "return [...document.querySelectorAll('g.node')].flatMap(g => [...g.querySelectorAll('text')].map("
        "t => [getComputedStyle(t).fill, getComputedStyle(g.querySelector('rect')).fill]))"
    )
    assert len(pairs) > 20
    assert min(contrast(*map(luminance, pair)) for pair in pairs) >= 4.5
    browser.find_element("id", "theme").click()
    assert browser.execute_script("return document.documentElement.dataset.theme") != theme


def luminance(colour):
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_a_deep_graph_opens_folded(browser, tmp_path):
    x = tg.Tensor([1.0], requires_grad=True, name="x")
    y = x
    for _ in range(3000):
        y = y * 1.0001
    opened(browser, tmp_path, tg.graph(y.sum()))
    assert 2 < len(browser.find_elements("css selector", "g.node")) <= 402
    assert browser.get_log("browser") == []
