"""The page in headless Chromium: an episode is labelled with keys."""

import os
import re
import shutil

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("playwright", reason="playwright is not installed (requirements/tools.txt)")

import playwright.sync_api as playwright
from fakes.contrast import faint_texts

from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.labelling.episode_labels import EpisodeLabels
from pi05_ros.labelling.server import LabelServer

CHROMIUM = os.environ.get("PI05_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium on PATH (apt install chromium)"
)
EVIL = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        # Root needs --no-sandbox; the only page that is opened is ours.
        yield p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def server(bag):
    running = LabelServer(EpisodeLabels(bag, "mia"))
    yield running
    running.close()


@pytest.fixture
def context(browser):
    made = browser.new_context(viewport={"width": 1440, "height": 900})
    yield made
    made.close()


def opened(context, server):
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(server.url)
    playwright.expect(page.locator("figure canvas[data-index='0']")).to_have_count(4)
    return page


def saved(page):
    playwright.expect(page.locator("#saved")).to_have_text(re.compile("^saved"))


def labels(bag):
    return [(x.start_row, x.stop_row, x.text, x.source) for x in BagEpisode(bag).labels]


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_an_episode_is_labelled_with_keys(context, server, bag):
    page = opened(context, server)
    playwright.expect(page.locator("#spans div")).to_have_text(
        ["pick up the cup", "pick up the fork"]
    )
    # Pictures are 0.1 s apart: from 0.2 s to 0.5 s, then on to 0.7 s.
    press(page, "ArrowRight", "ArrowRight", "[", "ArrowRight", "ArrowRight", "ArrowRight", "]")
    playwright.expect(page.locator("#selected")).to_have_text("0.20 s to 0.50 s")
    press(page, "3")  # The first of the platform's behind the two that were recorded.
    saved(page)
    assert labels(bag)[:3] == [
        (0, 10, "pick up the cup", "model"),
        (10, 25, "pick up the plate", "human"),
        (25, 50, "pick up the cup", "model"),
    ]
    # The next one begins where this one ends.
    press(page, "ArrowRight", "ArrowRight", "/")
    page.keyboard.type("wave 1 ;")
    press(page, "Enter")
    playwright.expect(page.locator("#messages")).to_contain_text("cannot be a subtask")
    assert [text for *_, text, _ in labels(bag)].count("pick up the plate") == 1
    press(page, "/")
    page.keyboard.type("wave [1]")
    press(page, "Enter", "d")
    playwright.expect(page.locator("#count")).to_contain_text("task done at 0.70 s")
    saved(page)
    assert (25, 35, "wave [1]", "human") in labels(bag)
    assert BagEpisode(bag).label_file.done_ns == (server._labels.begin_ns + 700_000_000,)
    press(page, "z", "z", "z", "z")
    playwright.expect(page.locator("#messages")).to_contain_text("nothing to undo")
    playwright.expect(page.locator("#spans div")).to_have_count(2)
    saved(page)
    assert [text for *_, text, _ in labels(bag)] == ["pick up the cup", "pick up the fork"]
    assert page.errors == []


def test_a_label_is_chosen_moved_renamed_and_erased(context, server, bag):
    page = opened(context, server)
    page.locator("#spans div").nth(1).click(position={"x": 5, "y": 5})
    playwright.expect(page.locator("#selected")).to_contain_text("pick up the fork")
    press(page, "Home", "Shift+ArrowRight", "ArrowRight", "ArrowRight", "[")
    saved(page)
    assert labels(bag)[1] == (60, 100, "pick up the fork", "human")
    press(page, "4")
    playwright.expect(page.locator("#list")).to_contain_text("1.20 – 2.00pick up the bowlhuman")
    page.locator("#list button").nth(0).click()
    press(page, "Delete")
    playwright.expect(page.locator("#spans div")).to_have_count(1)
    saved(page)
    assert labels(bag) == [(60, 100, "pick up the bowl", "human")]
    assert page.errors == []


def test_pictures_play(context, server):
    page = opened(context, server)
    page.select_option("#speed", "2")
    press(page, " ")
    playwright.expect(page.locator("#time")).to_have_text("2.00 s of 2.00 s")
    playwright.expect(page.locator("#play")).to_have_text("Play")
    playwright.expect(page.locator("figure canvas[data-index='19']")).to_have_count(4)
    colours = page.evaluate(
        """() => [...document.querySelectorAll("figure canvas")].map((canvas) => new Set(
            canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size)"""
    )
    assert min(colours) > 20, colours
    assert page.errors == []


def test_the_second_of_two_pages_reads_the_labels_of_the_first(context, server, bag):
    first, second = opened(context, server), opened(context, server)
    press(first, "End", "3")
    saved(first)
    press(second, "End", "4")
    playwright.expect(second.locator("#saved")).to_have_text("not saved: changed elsewhere")
    assert labels(bag) == [(0, 100, "pick up the plate", "human")]
    second.click("#reload")
    playwright.expect(second.locator("#spans div")).to_have_text(["pick up the plate"])
    press(second, "4")
    saved(second)
    assert labels(bag) == [(0, 100, "pick up the bowl", "human")]


def test_texts_are_no_markup_and_can_be_read(context, bag):
    labels = EpisodeLabels(bag)
    labels.unfit = (EVIL,)
    labels.set(0, 1, "wave & b>" + "x" * 200)
    labels.save()
    server = LabelServer(labels)
    try:
        page = opened(context, server)
        playwright.expect(page.locator("#messages")).to_contain_text(EVIL)
        assert page.title().startswith("Labels: ")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
        assert (
            page.evaluate("document.querySelector('.tracks').getBoundingClientRect().bottom")
            <= 900
        ), "the timeline is below the window"
        assert faint_texts(page) == []
        assert page.errors == []
    finally:
        server.close()
