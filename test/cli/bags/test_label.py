"""`./pi05 bags label` in the terminal, and what other verbs make of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from fakes.episode_bags import make_episode_bag

from pi05_ros.cli.bags import label, label_prompt
from pi05_ros.cli.main import main as pi05
from pi05_ros.data.bags.recovery import recover
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.label_file import FILE
from pi05_ros.labelling.episode_labels import EpisodeLabels


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return make_episode_bag(tmp_path_factory.mktemp("bags"), 2.0)


@pytest.fixture
def bag(recorded, tmp_path, monkeypatch):
    monkeypatch.setenv("PI05_CACHE", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    yield recorded
    (recorded / FILE).unlink(missing_ok=True)


def rows(bag):
    return [(x.start_row, x.stop_row, x.text, x.source) for x in BagEpisode(bag).labels]


OWN = [(0, 50, "pick up the cup", "model"), (50, 100, "pick up the fork", "human")]


def test_intervals_are_set_erased_and_shown(bag, capsys):
    words = ["--set", "0-0.5", "wave", "--set", "1.5-end", "nod", "--erase", "1-1.2"]
    assert pi05(["bags", "label", str(bag), *words, "--done", "1.9", "--author", "mia"]) == 0
    assert rows(bag) == [
        (0, 25, "wave", "human"),
        (25, 50, "pick up the cup", "model"),
        (60, 75, "pick up the fork", "human"),
        (75, 100, "nod", "human"),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["0.00", "0.50", "wave", "human"]
    assert lines[-1] == (
        "4 labels in labels.json; task done at 1.90 s; 90% of the driven rows have one; 2.00 s in "
        "all"
    )
    assert pi05(["bags", "label", str(bag), "--done", "no"]) == 0
    assert BagEpisode(bag).label_file.done_ns == ()
    assert BagEpisode(bag).label_file.author == "mia"
    assert pi05(["bags", "label", str(bag), "--clear"]) == 0
    assert rows(bag) == OWN
    assert pi05(["bags", "label", str(bag), "--clear"]) == 0
    assert "there were no labels" in capsys.readouterr().out


def test_what_is_erased_has_no_label_though_it_was_set(bag):
    words = ["--set", "0-end", "wave", "--erase", "1-1.2"]
    assert pi05(["bags", "label", str(bag), *words]) == 0
    assert rows(bag) == [(0, 50, "wave", "human"), (60, 100, "wave", "human")]


def test_showing_writes_nothing(bag, capsys):
    assert pi05(["bags", "label", str(bag), "--show"]) == 0
    assert "2 labels as recorded, no labels beside the bag" in capsys.readouterr().out
    assert not (bag / FILE).exists()


def test_a_file_is_imported(bag, tmp_path):
    (tmp_path / "x.csv").write_text("start,end,text\n0,1,wave\n")
    assert pi05(["bags", "label", str(bag), "--import", str(tmp_path / "x.csv")]) == 0
    assert rows(bag) == [(0, 50, "wave", "human")]


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (["--set", "3-2", "x"], 2, "wanted seconds, START-END"),
        (["--set", "1", "x"], 2, "wanted seconds, START-END"),
        (["--set", "0-nan", "x"], 2, "wanted seconds, START-END"),
        (["--erase", "x"], 2, "wanted seconds, START-END"),
        (["--done", "soon"], 2, "wanted seconds, or no"),
        (["--set", "0-9", "x"], 1, "9 s is not within the episode"),
        (["--set", "0-1", "a;b"], 1, "cannot be a subtask"),
        (["--done", "9"], 1, "9 s is not within the episode"),
    ],
)
def test_what_is_not_valid_writes_nothing(bag, capsys, words, status, problem):
    assert pi05(["bags", "label", str(bag), *words]) == status
    assert problem in capsys.readouterr().err
    assert not (bag / FILE).exists()


def test_a_broken_file_is_named_and_can_be_removed(bag, capsys):
    (bag / FILE).write_text("{")
    assert pi05(["bags", "label", str(bag), "--show"]) == 1
    assert "no valid file of labels" in capsys.readouterr().err
    assert pi05(["bags", "list", str(bag)]) == 0
    out = capsys.readouterr().out
    assert "broken labels" in out and "1: " in out
    assert pi05(["bags", "label", str(bag), "--clear"]) == 0
    assert rows(bag) == OWN


def test_the_list_marks_what_is_labelled(bag, capsys):
    assert pi05(["bags", "label", str(bag), "--set", "0-1.5", "wave"]) == 0
    capsys.readouterr()
    assert pi05(["bags", "list", str(bag), "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert item["subtasks"] == ["wave", "pick up the fork"]
    assert item["sources"] == {"human": 1.0}
    assert (item["labelled"], item["labels_problem"]) == (True, "")
    assert pi05(["bags", "list", str(bag)]) == 0
    assert "labelled: human" in capsys.readouterr().out


def test_a_repaired_bag_keeps_its_labels(tmp_path):
    bag = make_episode_bag(tmp_path, 1.0)
    labels = EpisodeLabels(bag)
    labels.set(0, 1, "wave")
    labels.save()
    (file,) = bag.glob("*.mcap")
    os.truncate(file, file.stat().st_size - 100)
    assert not recover(bag).was_whole
    assert [x.text for x in BagEpisode(bag).labels] == ["wave"]


def asked(bag, *lines, author=""):
    given = iter(lines)

    def read(prompt):
        try:
            return next(given)
        except StopIteration as end:
            raise EOFError from end

    return label_prompt.ask(EpisodeLabels(bag, author), read)


def test_the_prompt_saves_each_change(bag, capsys):
    asked(bag, "0-0.5 wave", "erase 1-end", "done 0.8", "undo", "show", "0.5-1 #2", "words")
    assert rows(bag) == [(0, 25, "wave", "human"), (25, 50, "pick up the fork", "human")]
    assert BagEpisode(bag).label_file.done_ns == ()
    out = capsys.readouterr().out
    assert "#1 pick up the cup" in out
    assert out.count("saved:") == 5
    assert out.splitlines()[-1].startswith(f"{bag}: 2 labels in labels.json")


def test_the_prompt_explains_and_goes_on(bag, capsys):
    asked(
        bag, "what", "0-9 wave", "0-1 #99", "done x", "undo", "0-1 a;b", "", "erase", "quit", "x"
    )
    out = capsys.readouterr().out
    for text in (
        "9 s is not within",
        "wanted #1 to #",
        "wanted seconds, or no",
        "nothing to undo",
        "cannot be a subtask",
        "wanted seconds, START-END",
    ):
        assert text in out
    assert not (bag / FILE).exists()


def test_the_prompt_notices_another_writer(bag, capsys):
    labels = EpisodeLabels(bag)
    other = EpisodeLabels(bag)
    other.set(0, 1, "wave")
    other.save()
    lines = iter(["1-2 nod", "1-2 nod", "quit"])
    label_prompt.ask(labels, lambda prompt: next(lines))
    assert "read again" in capsys.readouterr().out
    assert [text for *_, text, _ in rows(bag)] == ["wave", "nod"]


@pytest.mark.parametrize(
    ("text", "found"), [("0-3.2", (0, 3.2)), ("1.5-end", (1.5, float("inf")))]
)
def test_intervals(text, found):
    assert label.interval_of(text) == found


def test_ctrl_c_ends_the_page_and_says_what_is_saved(bag, tmp_path):
    command = [sys.executable, "-m", "pi05_ros", "bags", "label", str(bag), "--page"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert "open http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert out.splitlines()[-1].startswith(f"{bag}: 2 labels as recorded")
    assert "Traceback" not in err
