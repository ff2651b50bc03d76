"""`./pi05 say` against a real planner node."""

import io

import pytest

pytest.importorskip("rclpy")

from fakes.brain import FakeBrain, FakeSource
from fakes.eyes import Eyes
from fakes.graph import Graph, wait_for
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_ros.cli.main import main as pi05
from pi05_ros.cli.say import prompt
from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.nodes.instruct_client.instruct_client import InstructClient
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
TASK = "put the dishes in the sink"


class Scene:
    """A planner with a task and a brain that always says the same."""

    def __init__(self, graph: Graph) -> None:
        self.eyes = Eyes(graph.plain("eyes"), PLATFORM)
        source = FakeSource(FakeBrain(PLATFORM))
        self.planner = graph.add(
            lambda **a: Planner(brain_source=source, **a), task=TASK, period_s=0.2
        )
        assert self.planner.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.planner.trigger_activate() == TransitionCallbackReturn.SUCCESS

    @property
    def standing(self) -> tuple[str, str]:
        subtask = self.planner._planning.keeper.subtask
        return (subtask.text, subtask.source) if subtask else ("", "")

    def wait(self, text: str, source: str) -> None:
        wait_for(lambda: self.standing == (text, source), f"{text} ({source})")


@pytest.fixture
def graph(monkeypatch, tmp_path):
    made = Graph()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(made.context.get_domain_id()))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield made
    made.close()


def test_a_spoken_subtask_stands_until_it_is_handed_back(graph, capsys):
    scene = Scene(graph)
    scene.wait("pick up the cup", "model")
    assert pi05(["say", "pick", "up", "the", "fork"]) == 0
    assert scene.standing == ("pick up the fork", "human")
    assert capsys.readouterr().out == "subtask is now: pick up the fork\n"
    assert pi05(["say", "--back"]) == 0
    assert capsys.readouterr().out == "the brain decides again\n"
    scene.wait("pick up the cup", "model")


def test_lines_of_a_pipe_are_said_one_after_the_other(graph, capsys, monkeypatch):
    scene = Scene(graph)
    long = "x" * 300
    monkeypatch.setattr("sys.stdin", io.StringIO(f"pick up the fork\n{long}\nput it down\n"))
    assert pi05(["say"]) == 1
    assert scene.standing == ("put it down", "human")
    told = capsys.readouterr()
    assert told.out == "subtask is now: pick up the fork\nsubtask is now: put it down\n"
    assert "it has 300 characters" in told.err


def test_the_prompt_says_and_tells_what_still_stands(graph, capsys):
    scene = Scene(graph)
    phrases = Phrases(["pick up the fork"])
    with InstructClient("/pi05", phrases.add) as client, create_pipe_input() as keys:
        keys.send_text("pick up the fork\r")
        keys.send_text("/nonsense\r")
        keys.send_text("/quit\r")
        assert prompt.run(client, phrases, input=keys, output=DummyOutput()) == 0
        told = capsys.readouterr().out
        assert "  subtask is now: pick up the fork\n" in told
        assert "there is no /nonsense" in told
        assert scene.standing == ("pick up the fork", "human")
        wait_for(lambda: client.subtask.model_text, "what the model would have said")
        line = prompt.subtask_line(client.subtask)
        assert line.startswith("pick up the fork  (human)")
        assert line.endswith("the model would have chosen: pick up the cup")
        keys.send_text("/quit\r")
        prompt.run(client, phrases, input=keys, output=DummyOutput())
        assert "'pick up the fork' stays in force" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "completions"), [("for", ["pick up the fork"]), ("/b", ["/back"]), ("xyz", [])]
)
def test_the_prompt_completes_phrases_and_commands(typed, completions):
    completer = prompt.PhraseCompleter(Phrases(["pick up the fork", "pick up the cup"]))
    found = list(completer.get_completions(Document(typed), None))
    assert [completion.text for completion in found] == completions
    assert {completion.start_position for completion in found} <= {-len(typed)}


def test_without_a_planner_it_says_what_it_waited_for(graph, capsys):
    assert pi05(["say", "wait", "--wait", "0.2"]) == 1
    assert "no planner offers /pi05/instruct (waited 0.2 s)" in capsys.readouterr().err


def test_a_namespace_that_is_none_is_said(capsys):
    assert pi05(["say", "wait", "--namespace", "bad name!"]) == 1
    assert "'/bad name!' is no namespace: wanted letters" in capsys.readouterr().err


def test_a_line_of_a_pipe_that_is_no_utf8_is_not_said(graph, capsys, monkeypatch):
    scene = Scene(graph)
    pipe = io.TextIOWrapper(io.BytesIO(b"a\xffb\nput it down\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", pipe)
    assert pi05(["say"]) == 1
    assert scene.standing == ("put it down", "human")
    assert "pi05 say: not sent: it must be UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["wait", "--back"], "give a subtask or --back, not both"),
        (["two\nlines"], "it must be one line"),
        (["wait", "--platform", "mobile_17dof"], "there is none of that name"),
        (["wait", "--wait", "nan"], "--wait: wanted a time above 0, found nan"),
        (["wait", "--wait", "-1"], "--wait: wanted a time above 0, found -1"),
        (["a\udcffb"], "not sent: it must be UTF-8"),
        (["cup;", "plate"], "not sent: it has ';', which parts two boxes in the model's answers"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments, why, capsys):
    assert pi05(["say", *arguments]) == 2
    assert why in capsys.readouterr().err
