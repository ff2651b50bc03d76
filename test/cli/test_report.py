"""`./pi05 report`: an episode on one page."""

import re
import warnings
from html.parser import HTMLParser

import av
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from fakes.bags import SECOND
from fakes.episode_bags import FACTS, Message, make_episode_bag

from pi05_msgs.msg import RobotState, TaskScore
from pi05_ros.cli.main import main as pi05
from pi05_ros.data.bags.mcap_source import McapSource
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.evaluation.report.contents import collect

START = FACTS.started_ns


def lively(messages):
    """The episode with a score, a warning that comes twice, and a second on hold."""
    for m in messages:
        if isinstance(m.message, RobotState) and 1.0 <= (m.time_ns - START) / SECOND < 2.0:
            m.message.mode, m.message.reason = RobotState.MODE_HOLDING, "camera 'front' is <late>"
    for k, points in enumerate((0.0, 1.0, 2.0)):
        score = TaskScore(task=FACTS.task, points=points, max_points=2.0)
        score.criteria, score.criterion_max = ["pick", "place"], [1.0, 1.0]
        score.criterion_points = [min(1.0, points), max(0.0, points - 1)]
        messages.append(Message("/pi05/task_score", START + k * SECOND, score))
    for k in range(2):
        status = DiagnosticStatus(level=b"\1", name="/pi05/policy", message=f"late by {k + 3} ms")
        status.values = [KeyValue(key="k", value="v")]
        fine = DiagnosticStatus(level=b"\0", name="/pi05/planner", message="planning")
        array = DiagnosticArray(status=[status, fine])
        messages.append(Message("/diagnostics", START + (k + 2) * SECOND, array))
    return sorted(messages, key=lambda m: m.time_ns)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    facts = {"task": "put <b>dishes</b> & cups in the sink", "operator_name": "mia"}
    return make_episode_bag(tmp_path_factory.mktemp("bags"), 4.0, lively, **facts)


def test_it_collects_what_happened(bag):
    with BagReader(bag) as reader:
        contents = collect(reader)
    assert [(s.text, s.kind, s.beside) for s in contents.subtasks] == [
        ("pick up the cup", "model", ""),
        ("pick up the fork", "human", "pick up the cup"),
    ]
    assert [s.start for s in contents.subtasks] == pytest.approx([0.0, 2.0])
    held = [(s.start, s.end, s.beside) for s in contents.modes if s.kind == "2"]
    assert held == [(pytest.approx(1.0), pytest.approx(2.0), "camera 'front' is <late>")]
    assert (contents.points, contents.most_points) == (2.0, 2.0)
    assert [(c.text, c.points, c.most) for c in contents.criteria] == [
        ("pick", 1.0, 1.0),
        ("place", 1.0, 1.0),
    ]
    (trouble,) = contents.troubles  # The figure in it changed; it is one trouble.
    assert (trouble.source, trouble.text, trouble.count) == ("/pi05/policy", "late by 3 ms", 2)
    assert trouble.first == pytest.approx(2.0)
    assert contents.latency is None and "ledger" in contents.latency_problem


def silent(messages):
    """On hold for a reason that tells a new age each time, then for two others."""
    for m in messages:
        at = (m.time_ns - START) / SECOND
        if isinstance(m.message, RobotState) and 1.0 <= at < 2.5:
            m.message.mode = RobotState.MODE_HOLDING
            m.message.reason = f"planner is silent for {at - 1:.2f} s"
            if at >= 2.0:
                m.message.reason = f"camera_{1 if at < 2.25 else 2} is late"
    return messages


def test_a_reason_with_a_figure_is_told_once_as_it_was_last(tmp_path):
    with BagReader(make_episode_bag(tmp_path, 4.0, silent)) as reader:
        contents = collect(reader)
    held = [
        (round(s.start, 2), round(s.end, 2), s.beside) for s in contents.modes if s.kind == "2"
    ]
    assert held == [
        (1.0, 2.0, "planner is silent for 0.98 s"),
        (2.0, 2.26, "camera_1 is late"),
        (2.26, 2.5, "camera_2 is late"),
    ]


class Page(HTMLParser):
    """Tags that are opened and closed, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.links = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href") and v]

    def handle_data(self, data):
        self.text.append(data.strip())


def test_the_page_needs_nothing_beside_it_and_escapes_what_people_wrote(bag, tmp_path, capsys):
    out = tmp_path / "new" / "run.html"
    assert pi05(["report", str(bag), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n{out.with_suffix('.mp4')}\n"
    html = out.read_text()
    page = Page(html)
    assert "put <b>dishes</b> & cups in the sink" in page.text and "<b>" not in html
    assert "holding for 1.0 s: camera 'front' is <late>" in page.text
    told = ("success", "2 of 2 points", "mia", "pick up the fork", "late by 3 ms", "(2 times)")
    for wanted in told:
        assert wanted in page.text, wanted
    assert page.tags.count("img") == 2 and page.tags.count("video") == 1
    assert page.tags.count("svg") == 1 + 4  # The score, and four kinds of units.
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert not re.search(r"url\((?!#)", html)
    # What the legends say stands in the page, not in the charts, which phones show small.
    assert {"left arm joint 1", "right gripper", "base wz"} <= set(page.text)
    with av.open(str(out.with_suffix(".mp4"))) as video:
        frames = [frame.pts for frame in video.decode(video=0)]
    assert len(frames) == 39  # 3.98 s at ten a second.


def test_the_bag_is_opened_once(bag, tmp_path, monkeypatch):
    opened = []
    for kind in (BagReader, McapSource):

        def counted(self, path, kind=kind, original=kind.__init__):
            opened.append(kind)
            original(self, path)

        monkeypatch.setattr(kind, "__init__", counted)
    assert pi05(["report", str(bag), "--out", str(tmp_path / "run.html")]) == 0
    assert opened == [BagReader, McapSource]


def test_without_a_video_the_page_has_none(bag, tmp_path):
    out = tmp_path / "run.html"
    assert pi05(["report", str(bag), "--out", str(out), "--no-video"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]
    assert "<video" not in out.read_text()


def uneven(messages):
    """Lively, but the last score has names that it gives no points for."""
    messages = lively(messages)
    last = next(m for m in reversed(messages) if isinstance(m.message, TaskScore))
    last.message.criteria, last.message.max_points = ["pick", "place", "close"], 0.0
    return messages


def test_strange_scores_and_times_are_told_and_the_rest_shown(tmp_path):
    bag = make_episode_bag(tmp_path, 4.0, uneven, started_ns=10**30)
    out = tmp_path / "run.html"
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert pi05(["report", str(bag), "--out", str(out), "--no-video"]) == 0
    page = Page(out.read_text())
    assert "names, points and maxima of the criteria differ in number: [3, 2, 2]" in page.text
    assert f"{10**30} ns, which is no time of the calendar" in page.text
    assert "2 of 0 points" in page.text and "place" in page.text


def test_a_run_of_one_row_has_a_page(tmp_path):
    bag = make_episode_bag(tmp_path, 0.02)
    out = tmp_path / "run.html"
    assert pi05(["report", str(bag), "--out", str(out)]) == 0
    assert "pick up the fork" in Page(out.read_text()).text


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["nothing"], 2, "neither a path nor a bag"),
        (["{bag}", "--out", "x.pdf"], 2, "wanted a file .html"),
        (["{folder}"], 1, "is no bag"),
    ],
)
def test_what_is_wrong_is_one_sentence(bag, tmp_path, capsys, arguments, status, why):
    arguments = [a.format(bag=bag, folder=tmp_path) for a in arguments]
    assert pi05(["report", *arguments]) == status
    assert why in capsys.readouterr().err
