"""A run of the demo without its graph: when it may begin, and what report it leaves."""

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy")

from pi05_ros.bringup.options import BringupOptions
from pi05_ros.control.modes import Mode
from pi05_ros.demo import run as module
from pi05_ros.demo.run import DemoRun
from pi05_ros.demo.summary import DemoRequest
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.run_record import Bag, RunRecord
from pi05_ros.platforms.platform import load_platform


def ended_run(out, bag):
    """A run whose graph has ended, and which has recorded `bag`; empty: none."""
    record = RunRecord()
    record.bag = Bag(path=str(bag))
    platform = load_platform("mobile_18dof")
    options = BringupOptions(sim=True, brain="expert", task="t", record=True)
    request = DemoRequest(platform.name, 0, "t", "expert", "", 0, 10.0)
    return DemoRun(platform, options, request, out, record, lambda text: None, print)


def test_no_task_is_given_to_a_run_that_is_not_recorded(tmp_path, monkeypatch):
    run = ended_run(tmp_path, "")
    run._record.graph_state, run._record.bag = "active", Bag(message="no room for an episode")
    supervisor = SimpleNamespace(poll=lambda seconds: None, failure="")
    monitor = SimpleNamespace(node=SimpleNamespace(is_ready=True), failure="")  # Cannot begin.
    monkeypatch.setattr(module, "_BAG_S", -1.0)
    with pytest.raises(Pi05Error, match=r"^nothing is recorded: no room for .*: --no-record\)$"):
        run._come_up(supervisor, monitor)


def test_a_robot_that_is_faulted_before_its_task_ends_the_run(tmp_path):
    run = ended_run(tmp_path, "")
    run._record.robot_state(Mode.FAULTED, "rival publishes too")
    supervisor = SimpleNamespace(poll=lambda seconds: None, failure="")
    with pytest.raises(Pi05Error, match=r"^the robot is faulted: rival publishes too; the demo "):
        run._come_up(supervisor, SimpleNamespace(failure=""))


def test_a_failure_of_the_demos_own_node_ends_the_run(tmp_path):
    run = ended_run(tmp_path, "")
    supervisor = SimpleNamespace(poll=lambda seconds: None, failure="")
    with pytest.raises(Pi05Error, match="own node failed:\nTraceback"):
        run._come_up(supervisor, SimpleNamespace(failure="Traceback …"))


def test_it_says_what_the_task_waits_for(tmp_path):
    run = ended_run(tmp_path, "")
    record = run._record
    record.bag = Bag(message="no room yet")
    ready = "all nodes are active, waiting for"
    assert run._waits_for(False, True) == f"{ready} the recorder to begin (no room yet)"
    assert run._waits_for(False, False) == f"{ready} simulated time on /clock"
    record.simulation_waits_for = "policy"
    assert run._waits_for(False, False) == (
        f"{ready} simulated time on /clock (the simulation waits for policy)"
    )
    record.clock(1.0, 1.0)
    assert run._waits_for(False, False) == f"{ready} the planner's action execute_task"
    assert run._waits_for(True, False) == "the task is sent, waiting for the planner's answer"


@pytest.mark.parametrize("outcome", ["success", "failure", "discard"])
def test_an_episode_that_an_operator_graded_is_no_failure(tmp_path, outcome):
    run = ended_run(tmp_path, tmp_path / "bags" / "1")
    run._record.bag = Bag(path=run._record.bag.path, outcome=outcome)
    assert run._close_bag(SimpleNamespace(stopping=False), None) == ""


def test_an_episode_that_ended_by_itself_is_one(tmp_path):
    run = ended_run(tmp_path, tmp_path / "bags" / "1")
    run._record.bag = Bag(path=run._record.bag.path, message="the disk is full")
    problem = run._close_bag(SimpleNamespace(stopping=False), None)
    assert problem == "recording ended early: the disk is full"


def test_the_address_of_the_operators_page_is_told_once(tmp_path, capsys):
    run = ended_run(tmp_path, "")
    supervisor = SimpleNamespace(poll=lambda seconds: None, failure="")
    for page in ("", "http://127.0.0.1:1/", "", "http://127.0.0.1:1/", "http://127.0.0.1:2/"):
        run._record.page = page
        run._poll(supervisor, SimpleNamespace(failure=""), "")
    told = [line for line in capsys.readouterr().out.splitlines() if "page" in line]
    assert told == [
        "the operator's page: http://127.0.0.1:1/",
        "the operator's page: http://127.0.0.1:2/",
    ]


@pytest.fixture
def written(monkeypatch):
    """Arguments of the calls of write_report; `written.fail` raises in its middle."""

    class Written(list):
        fail = staticmethod(lambda: None)

    calls = Written()

    def write_report(bag, page, *, make_video, video, on_step):
        page.write_text("half")
        calls.fail()
        calls.append((bag, page, make_video, video))

    monkeypatch.setattr("pi05_ros.evaluation.report.writing.write_report", write_report)
    return calls


def test_a_recorded_run_has_a_report_with_its_video(tmp_path, written):
    (tmp_path / "video.mp4").touch()
    ended_run(tmp_path, tmp_path / "bags" / "1")._write_report()
    page, video = tmp_path / "report.html", tmp_path / "video.mp4"
    assert written == [(tmp_path / "bags" / "1", page, False, video)]


def test_an_interrupted_run_has_one_too(tmp_path, written):
    run = ended_run(tmp_path, tmp_path / "bags" / "1")
    run.interrupt()
    run._write_report()
    assert written == [(tmp_path / "bags" / "1", tmp_path / "report.html", False, None)]


def test_a_run_without_a_bag_has_none(tmp_path, written):
    ended_run(tmp_path, "")._write_report()
    assert written == []


def test_ctrl_c_gives_the_report_up_and_leaves_no_half_page(tmp_path, written, capsys):
    run = ended_run(tmp_path, tmp_path / "bags" / "1")
    written.fail = run.interrupt
    run._write_report()
    assert not (tmp_path / "report.html").exists()
    assert "there is no report: interrupted" in capsys.readouterr().out
    run.interrupt()  # What comes later ends the run as ever.


def test_a_bag_that_cannot_be_read_costs_the_report_alone(tmp_path, written, capsys):
    def fail():
        raise Pi05Error("the bag is empty")

    written.fail = fail
    ended_run(tmp_path, tmp_path / "bags" / "1")._write_report()
    assert not (tmp_path / "report.html").exists()
    assert "there is no report: the bag is empty" in capsys.readouterr().out
