"""`./pi05 bags list`, `recover` and `grade`."""

import json
import os
from pathlib import Path

import pytest
from fakes.bags import SECOND, encode, make_bag, text

from pi05_ros.cli.bags.command import main
from pi05_ros.cli.main import main as pi05
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.metadata import read
from pi05_ros.data.bags.overview import BagState, overview
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, BagWriter

START = 1_700_000_000 * SECOND
pytestmark = pytest.mark.skipif(
    not any(
        Path(p, "share/pi05_msgs/msg/Subtask.msg").exists()
        for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
        if p
    ),
    reason="pi05_msgs is not installed",
)


def subtask(words, source):
    return encode("pi05_msgs/msg/Subtask", text=words, source=source)


@pytest.fixture
def folder(tmp_path):
    """Bags of every kind."""
    facts = EpisodeFacts(id="a-dishes", task="dishes into the sink", platform="mobile_18dof")
    words = BagTopic("/words", "std_msgs/msg/String")
    make_bag(
        tmp_path / "a-dishes",
        [BagTopic("/pi05/subtask", "pi05_msgs/msg/Subtask"), words],
        [
            ("/words", text("begin"), START),
            ("/pi05/subtask", subtask("pick up the cup", "model"), START + 1 * SECOND),
            ("/pi05/subtask", subtask("pick up the cup", "model"), START + 2 * SECOND),
            ("/pi05/subtask", subtask("pick up the plate", "human"), START + 4 * SECOND),
            ("/pi05/subtask", subtask("", "human"), START + 5 * SECOND),
            ("/words", text("end"), START + 65 * SECOND),
        ],
        facts,
    )
    torn = BagWriter(tmp_path / "b-torn", EpisodeFacts(id="b-torn", task="make the bed"))
    torn.add_topic(words)
    torn.write("/words", text("x" * 2_000_000), START, START)
    torn.abandon()
    make_bag(tmp_path / "c-empty", [words], [])
    make_bag(tmp_path / "d-broken", [words], [("/words", text("a"), START)])
    (tmp_path / "d-broken/metadata.yaml").write_text("rosbag2_bagfile_information: [")
    make_bag(tmp_path / "e-foreign", [words], [("/words", text("a"), START)])
    metadata = (tmp_path / "e-foreign/metadata.yaml").read_text()
    head = metadata[: metadata.index("  custom_data:")]
    (tmp_path / "e-foreign/metadata.yaml").write_text(head + "  custom_data:\n")
    (tmp_path / "no-bag").mkdir()
    return tmp_path


def test_an_overview_of_a_whole_bag(folder):
    seen = overview(folder / "a-dishes")
    assert (seen.state, seen.problem) == (BagState.WHOLE, "")
    assert (seen.seconds, seen.messages) == (65.0, 6)
    assert seen.subtasks == ("pick up the cup", "pick up the plate")
    assert seen.sources == {"model": 0.75, "human": 0.25}
    assert seen.facts.platform == "mobile_18dof"
    assert seen.size == sum(path.stat().st_size for path in (folder / "a-dishes").iterdir())


def test_list_tells_every_bag_and_what_is_wrong_with_it(folder, capsys):
    assert main(["list", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[1]: line for line in lines if line.split()[0].isdecimal()}
    whole = rows["a-dishes"]
    for words in ("1:05.0", "pick up the cup", "model 75%, human 25%", "whole", "mobile_18dof"):
        assert words in whole
    text_of_all = " ".join(" ".join(lines).split())
    assert "make the bed" in rows["b-torn"] and "incomplete" in rows["b-torn"]
    assert "bags recover" in text_of_all
    assert "broken" in rows["c-empty"] and "holds no messages" in text_of_all
    assert "broken" in rows["d-broken"]
    assert "not ours" in rows["e-foreign"]
    assert len(rows) == 5
    reasons = [line for line in lines if line.startswith(("2: ", "3: ", "4: "))]
    assert lines[-3:] == reasons and f"./pi05 bags recover {folder / 'b-torn'}" in reasons[0]


def test_words_of_others_do_nothing_to_a_terminal(tmp_path, capsys):
    said = [("/pi05/subtask", subtask("wipe\x1b]0;mine\x07 it\n" + "x" * 999, "model"), START)]
    topics = [BagTopic("/pi05/subtask", "pi05_msgs/msg/Subtask")]
    make_bag(tmp_path / "a", topics, said, EpisodeFacts(id="a", task="tidy\x1b[31m up"))
    assert main(["list", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "tidy [31m up" in shown and "\x1b" not in shown and "\x07" not in shown
    assert 200 < shown.count("x") < 300


def test_list_as_json_has_the_same(folder, capsys):
    assert main(["list", "--json", str(folder)]) == 0
    told = {Path(item["path"]).name: item for item in json.loads(capsys.readouterr().out)}
    assert told["a-dishes"]["sources"] == {"model": 0.75, "human": 0.25}
    assert told["a-dishes"]["facts"]["pi05.task"] == "dishes into the sink"
    assert [told[name]["state"] for name in sorted(told)] == [
        *("whole", "incomplete", "broken", "broken", "not ours")
    ]
    assert "its metadata.yaml is broken" in told["d-broken"]["problem"]


def test_many_bags_are_listed_by_several_processes_in_their_order(tmp_path, capsys):
    words = BagTopic("/words", "std_msgs/msg/String")
    for i in range(12):
        make_bag(tmp_path / f"bag{i:02}", [words], [("/words", text("a"), START)])
    assert main(["list", "--json", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(item["path"]).name for item in told] == [f"bag{i:02}" for i in range(12)]


def test_a_folder_nobody_may_look_into_hides_no_other(folder, capsys, monkeypatch):
    secret = folder / "secret"
    secret.mkdir()
    stat = Path.stat

    def refuse(self, **options):
        if secret in self.parents:  # Root may read everything, so it is played.
            raise PermissionError(13, "Permission denied", str(self))
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr("pi05_ros.cli.bags.list._FEW", 99)  # In this process.
    assert main(["list", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "a-dishes" in said
    assert f"{secret} cannot be read (Permission denied)" in said
    with pytest.raises(BagError, match="secret cannot be read"):
        BagReader(secret)


def test_list_of_a_folder_that_does_not_exist(tmp_path, capsys):
    assert main(["list", str(tmp_path / "nothing")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_bag_that_is_being_recorded_is_listed_as_such(tmp_path):
    writer = BagWriter(tmp_path / "live", EpisodeFacts(id="live", task="wipe"))
    seen = overview(tmp_path / "live")
    assert (seen.state, seen.facts.task) == (BagState.RECORDING, "wipe")
    writer.abandon()


def test_recover_mends_and_says_so_and_then_has_nothing_to_do(folder, capsys):
    assert main(["recover", str(folder / "b-torn")]) == 0
    said = capsys.readouterr().out
    assert "b-torn: 1 message, 0 bytes lost; as they were: b-torn_0.mcap.torn" in said
    assert overview(folder / "b-torn").state == BagState.RECOVERED
    assert main(["recover", str(folder / "b-torn")]) == 0
    assert "whole already, 1 message; nothing was changed" in capsys.readouterr().out


def test_recover_all_takes_only_those_that_need_it(folder, capsys):
    assert main(["recover", "--all", str(folder), "--delete-torn"]) == 0
    assert capsys.readouterr().out.count("bytes lost") == 1
    assert not list(folder.rglob("*.torn"))
    assert main(["recover", "--all", str(folder)]) == 0
    assert "every bag was closed" in capsys.readouterr().out


def test_recover_all_of_a_folder_that_does_not_exist(tmp_path, capsys):
    assert pi05(["bags", "recover", "--all", str(tmp_path / "bogs")]) == 1
    assert f"there is no folder {tmp_path / 'bogs'}" in capsys.readouterr().err


def test_recover_goes_on_after_what_it_cannot_mend(folder, capsys):
    assert main(["recover", str(folder / "no-bag"), str(folder / "b-torn")]) == 1
    said = capsys.readouterr().out
    assert "no-bag is no bag" in said and "b-torn: 1 message" in said


def test_grade_changes_the_outcome_in_metadata_yaml_alone(folder, capsys):
    bag = folder / "a-dishes"
    before, files = read(bag), (bag / "a-dishes_0.mcap").read_bytes()
    assert main(["grade", str(bag), "success", "--notes", "a cup fell"]) == 0
    assert "a-dishes: success" in capsys.readouterr().out
    assert main(["grade", str(bag), "failure", "--notes", "twice"]) == 0
    after = read(bag)
    changed = {k for k, v in after.custom_data.items() if before.custom_data[k] != v}
    assert changed == {"pi05.outcome", "pi05.notes"}
    assert (after.files, after.topics) == (before.files, before.topics)
    assert (bag / "a-dishes_0.mcap").read_bytes() == files
    for path in (bag, bag / "a-dishes_0.mcap"):  # metadata.yaml wins over the file's own record
        with BagReader(path) as reader:
            assert (reader.facts.outcome, reader.facts.notes) == ("failure", "a cup fell\ntwice")


def test_grade_keeps_what_it_does_not_know(folder):
    path = folder / "a-dishes/metadata.yaml"
    path.write_text(path.read_text() + "  from_the_future: 7\n")
    assert main(["grade", str(folder / "a-dishes"), "success"]) == 0
    assert "from_the_future: 7" in path.read_text()


def test_grade_refuses_what_is_no_episode_of_ours(folder, capsys):
    for name, why in (("e-foreign", "no episode of the suite"), ("b-torn", "was not closed")):
        assert pi05(["bags", "grade", str(folder / name), "success"]) == 1
        assert why in capsys.readouterr().err
