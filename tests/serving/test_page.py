"""The page for people, as a browser shows it."""

from __future__ import annotations

import base64
import io
import json
import re
from contextlib import contextmanager
from threading import Thread

import pytest
import uvicorn
from PIL import Image
from tests.contract.pictures import stripes
from tests.evaluation.test_html import Outline
from tests.serving.browser import CHROMIUM, Browser

import headwater
from headwater.data.box_cells import CORNERS
from headwater.serving.app import make_app
from headwater.serving.page import page
from headwater.serving.server import listening
from headwater.serving.settings import ServeSettings

needs_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
ROWS = "document.querySelectorAll('.list > li').length"


@contextmanager
def served_here(run, **settings):
    """The address of a server in a thread of this process."""
    given = ServeSettings(port=0, **settings)
    with listening(given) as door:
        config = uvicorn.Config(make_app(headwater.load(run), given, run), log_config=None, log_level="warning")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop_address(shop, tmp_path_factory):
    with served_here(shop, journal=str(tmp_path_factory.mktemp("journal"))) as address:
        yield address


@pytest.mark.parametrize("script", ["predict.js", "recommend.js"])
def test_the_page_is_whole_and_reaches_for_nothing_but_its_routes(script):
    outline = Outline(page(script).content)
    assert not outline.open
    assert not outline.faults
    assert set(outline.addresses) == {"data:,", "openapi.json"}
    assert "innerHTML" not in page(script).content
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page(script).content)


def test_its_headers_hold_it_to_its_own_script(serve, shop):
    answer = serve(shop).get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/]+=*';", policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@needs_a_browser
def test_a_user_gets_a_list_with_reasons(browser, shop, shop_address):
    browser.open(f"{shop_address}/?user=u4")
    browser.until(f"{ROWS} === 3")
    expected = headwater.load(shop).recommend(["u4"])[0]
    assert browser.run("[...document.querySelectorAll('.list > li')].map(row => row.dataset.item)") == [
        one["item"] for one in expected
    ]
    assert "because of" in browser.text(".list")
    assert browser.text("h1") == "run"
    assert "40 users, 30 items" in browser.text("main")


@needs_a_browser
def test_items_are_found_and_picked_with_the_keyboard_alone(browser, shop, shop_address):
    browser.open(shop_address)
    browser.until("document.querySelector('#search')")
    browser.run("document.querySelector('#search').focus()")
    browser.type("tale 1")
    browser.until("document.querySelectorAll('.options li').length > 3")
    browser.press("ArrowDown", code=40)
    picked = browser.text('.options [aria-selected="true"] small')
    browser.press("Enter", code=13)
    browser.until(f"{ROWS} === 3")
    assert (
        browser.run("document.querySelector('.list > li').dataset.item")
        == (headwater.load(shop).recommend(histories=[[picked]])[0][0]["item"])
    )
    browser.run("document.querySelector('.chip button').click()")
    browser.until("document.querySelector('.empty')")


@needs_a_browser
def test_more_like_an_item_and_only_of_a_genre(browser, shop, shop_address):
    browser.open(f"{shop_address}/?user=u4")
    browser.until(f"{ROWS} === 3")
    browser.run("[...document.querySelectorAll('.acts button')][1].click()")
    browser.until("document.querySelector('h2').innerText.startsWith('Like Tale')")
    browser.run(
        "const by = document.querySelector('select'); by.value = 'Horror'; by.dispatchEvent(new Event('change'))"
    )
    browser.until("document.querySelector('h2').innerText === 'For u4'")
    items = browser.run("[...document.querySelectorAll('.list > li')].map(row => row.dataset.item)")
    assert {int(item[1:]) % 4 for item in items} == {3}


@needs_a_browser
def test_what_a_known_user_likes_is_kept_and_told(browser, shop, tmp_path):
    with served_here(shop, journal=str(tmp_path / "journal")) as address:
        browser.open(f"{address}/?user=u4")
        browser.until(f"{ROWS} === 3")
        first = browser.run("document.querySelector('.list > li').dataset.item")
        browser.run("document.querySelector('.acts button').click()")
        browser.until("document.querySelector('.kept')")
        assert re.fullmatch(r"Kept: u4 likes Tale \d+ of [ab]\.", browser.text(".kept"))
        assert browser.text(".chips") == ""
        assert first not in browser.run("[...document.querySelectorAll('.list > li')].map(row => row.dataset.item)")
    kept = [json.loads(line) for line in (tmp_path / "journal" / "000001.jsonl").read_text("utf-8").splitlines()]
    assert kept == [{"user": "u4", "item": first}]


@needs_a_browser
def test_what_a_stranger_likes_stays_on_the_page(browser, shop, tmp_path):
    with served_here(shop, journal=str(tmp_path / "journal")) as address:
        browser.open(address)
        browser.until("document.querySelector('#search')")
        browser.run("document.querySelector('#search').focus()")
        browser.type("tale 1")
        browser.until("document.querySelectorAll('.options li').length > 3")
        browser.press("Enter", code=13)
        browser.until(f"{ROWS} === 3")
        browser.run("document.querySelector('.acts button').click()")
        browser.until("document.querySelectorAll('.chips > li').length === 2")
    assert not (tmp_path / "journal").exists()


@needs_a_browser
def test_what_goes_wrong_is_told_on_the_page(browser, shop_address):
    browser.open(f"{shop_address}/?user=nobody")
    browser.until("!document.querySelector('#error').hidden")
    assert "the user nobody is not known" in browser.text("#error")
    assert not [one for one in browser.told if "exception" in one.lower()]


@needs_a_browser
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_drawn_light_and_dark(browser, shop_address, tmp_path, dark):
    browser.open(f"{shop_address}/?user=u4", dark=dark)
    browser.until(f"{ROWS} === 3")
    assert len(browser.shot(tmp_path / "page.png")) > 20_000
    paper = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) is dark


@needs_a_browser
def test_a_text_is_answered_with_bars_once_the_token_is_given(browser, reviews):
    with served_here(reviews, token="open-sesame") as address:
        browser.open(address)
        browser.until("!document.querySelector('#token-form').hidden")
        browser.run("document.querySelector('#token').focus()")
        browser.type("open-sesame")
        browser.press("Enter", code=13)
        browser.until("document.querySelector('textarea')")
        assert browser.run("document.querySelector('#token-form').hidden") is True
        browser.run("document.querySelector('textarea').focus()")
        browser.type("a warm and funny film <b>bold</b>")
        browser.run("document.querySelector('form:not(#token-form)').requestSubmit()")
        browser.until("document.querySelector('.bars')")
        assert browser.text(".said") == "good"
        assert re.search(r"\d+\.\d %", browser.text(".bars"))


@needs_a_browser
def test_an_image_is_answered_when_it_is_chosen(browser, tmp_path):
    table = stripes(40)
    headwater.adapt("image-classification", table, model="pixels-logistic", to=str(tmp_path / "run"))
    (tmp_path / "one.png").write_bytes(table["image"][0])
    with served_here(tmp_path / "run") as address:
        browser.open(address)
        browser.until("document.querySelector('input[type=file]')")
        browser.choose("input[type=file]", tmp_path / "one.png")
        browser.until("document.querySelector('.bars')")
        assert browser.text(".said") == "good"
        assert browser.run("document.querySelector('.drop img').naturalWidth") == 16
        box = {"label": "cat", "score": 0.9, **dict(zip(CORNERS, (2, 3, 9, 11), strict=True))}
        drawn = browser.run(
            f"boxes({json.dumps({'prediction': [box]})}, document.querySelector('.drop img').src).then((found) => {{"
            "const rect = found[1].querySelector('rect');"
            "return ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name))); })"
        )
        assert drawn == [2, 3, 7, 8]
        mask = json.dumps({"prediction": base64.b64encode(_mask()).decode()})
        legend = json.dumps({"legend": [{"class": "sky", "color": [0, 0, 0]}, {"class": "sea", "color": [9, 99, 200]}]})
        told = browser.run(
            f"mask({mask}, document.querySelector('.drop img').src, {legend}).then((found) => found[1].textContent)"
        )
        assert told == "sky, 75.0 %sea, 25.0 %"


@pytest.fixture(scope="module")
def corridor(tmp_path_factory):
    """The run folder of an agent that chooses between two ways."""
    to = tmp_path_factory.mktemp("corridor") / "run"
    small = {"bins": 4, "steps": 400, "episodes": 10, "evaluations": 1}
    headwater.adapt("control", "tests.contract.worlds:Corridor", model="q-learning", to=str(to), **small)
    return to


@needs_a_browser
def test_what_an_agent_does_is_answered_and_can_be_asked_again(browser, corridor, tmp_path):
    with served_here(corridor) as address:
        told = len(browser.told)
        browser.open(f"{address}/?observation=[0.1,1.0]")
        browser.until("document.querySelector('.said')")
        expected = headwater.load(corridor).predict([[0.1, 1.0]]).labels[0]
        assert browser.text("#result") == f"Action\n\n{expected}"
        assert re.search(r"return -?[\d.]+ \[-?[\d.]+, -?[\d.]+\] in episodes it had not met\.", browser.text("#lead"))
        assert re.fullmatch(r"2 numbers.*, such as \[-?[\d.]+, -?[\d.]+\]", browser.text(".field .hint"))
        assert browser.run("document.querySelector('textarea').placeholder").startswith("[")
        assert len(browser.shot(tmp_path / "page.png")) > 10_000
        browser.run("document.querySelector('textarea').value = 'up'")
        browser.run("document.querySelector('form:not(#token-form)').requestSubmit()")
        browser.until("document.querySelector('#result .problem')")
        assert browser.run("document.querySelector('form:not(#token-form) button').disabled") is False
        assert len(browser.told) == told
        shown = "action({prediction: %s}).filter(Boolean).map((node) => node.textContent)"
        assert browser.run(shown % "[0.123456, -2]") == ["Action", "[0.1235, -2]", "[0.123456,-2]"]
        assert browser.run(shown % "{arm: [1, 0], grip: 3}")[:3] == ["Action", "arm: [1, 0]", "grip: 3"]


@needs_a_browser
def test_a_mistake_of_the_page_itself_is_told_and_the_form_stays_usable(browser, reviews):
    with served_here(reviews) as address:
        browser.open(address)
        browser.until("document.querySelector('textarea')")
        browser.run("bars = () => { throw new Error('no bars') }; document.querySelector('textarea').value = 'warm'")
        browser.run("document.querySelector('form:not(#token-form)').requestSubmit()")
        browser.until("!document.querySelector('#error').hidden")
        assert browser.text("#error") == "This page went wrong: no bars"
        browser.until("!document.querySelector('form:not(#token-form) button').disabled")


def _mask():
    """Four pixels in colours of a palette, one of another class."""
    image = Image.new("P", (2, 2))
    image.putpalette([0, 0, 0, 9, 99, 200])
    image.putpixel((0, 0), 1)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
