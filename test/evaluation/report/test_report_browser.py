"""The report in headless Chromium: on a phone, and made of a bag that means ill."""

import os
import shutil

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("playwright", reason="playwright is not installed (requirements/tools.txt)")

import playwright.sync_api as playwright
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fakes.contrast import faint_texts
from fakes.episode_bags import make_episode_bag

from pi05_msgs.msg import RobotState, Subtask, TaskScore
from pi05_ros.cli.main import main as pi05

CHROMIUM = os.environ.get("PI05_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium on PATH (apt install chromium)"
)
EVIL = (
    "\"'></title></style></script><script>document.title = 'owned'</script>"
    "<img src=x onerror=\"document.title='owned'\">{{ 7 * 7 }} $\\frac{x$ \u202e \x1b[31m"
) + "x" * 200


def ill(messages):
    """Every text of the episode is hostile."""
    for m in messages:
        message = m.message
        if isinstance(message, Subtask):
            message.text = message.model_text = message.task = EVIL
            message.source = "human"
        elif isinstance(message, RobotState):
            message.mode, message.reason = RobotState.MODE_HOLDING, EVIL
        if isinstance(message, Subtask) and message.id == 1:
            message.source = "model"
    first = messages[0]
    status = DiagnosticStatus(level=b"\1", name=EVIL, message=EVIL)
    score = TaskScore(task=EVIL, points=1.0, max_points=1.0)
    score.criteria, score.criterion_points, score.criterion_max = [EVIL], [1.0], [1.0]
    for topic, message in (
        ("/diagnostics", DiagnosticArray(status=[status])),
        ("/pi05/task_score", score),
    ):
        messages.append(type(first)(topic, messages[-1].time_ns, message))
    return messages


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ill")
    texts = ("task", "operator_name", "notes", "brain", "checkpoint", "home", "software_version")
    bag = make_episode_bag(folder, 1.0, ill, **dict.fromkeys(texts, EVIL))
    out = folder / "run.html"
    assert pi05(["report", str(bag), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def page(report):
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.said, opened.asked = [], []
        opened.on("console", lambda message: opened.said.append(message.text))
        opened.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.on("request", lambda request: opened.asked.append(request.url.partition(":")[0]))
        opened.goto(report.as_uri())
        yield opened


def test_what_a_bag_says_stays_text(page):
    assert page.title().startswith(EVIL[:20])
    assert page.locator("script").count() == 1
    assert page.locator("h1").text_content() == EVIL
    # Its own script runs, nothing else may, and nothing is asked of anybody.
    assert page.said == [] and set(page.asked) <= {"file", "data"}
    page.locator(".strip [data-t]").first.click()
    assert page.evaluate("document.querySelector('#video').paused") is False
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
        }"""
    )
    assert page.title() != "owned" and "Content Security Policy" in " ".join(page.said)


@pytest.mark.parametrize("width", [1400, 900, 390])
def test_it_is_as_wide_as_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("h1, dd, .lines, p").all():
        assert box.bounding_box()["width"] <= width
    table = page.locator("table").last
    assert table.bounding_box()["width"] <= width  # Faults are read without pushing them about.


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(page, scheme):
    page.emulate_media(color_scheme=scheme)
    assert faint_texts(page) == []
