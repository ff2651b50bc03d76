"""`./pi05 bags export`: from a folder of real bags to a dataset, and what it says."""

import numpy as np
import pytest
from fakes.model_bags import episode_bag, jpeg

from pi05_ros.cli.bags import command
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import ConfigError


@pytest.fixture
def bags(tmp_path, monkeypatch):
    """Three graded episodes, one that is not, and one that a crash cut."""
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "bags"
    episode_bag(folder / "a", 40, outcome="success", task="wipe the table")
    episode_bag(folder / "b", 30, outcome="success", task="wipe the table", draw=jpeg)
    episode_bag(folder / "c", 20, outcome="failure", task="wipe the table")
    episode_bag(folder / "d", 20, outcome="")
    episode_bag(folder / "e", 20, outcome="success")
    (folder / "e" / "INCOMPLETE").touch()
    return folder


def test_bags_become_a_dataset_and_what_is_left_out_is_said(tmp_path, bags, capsys):
    assert command.main(["export", str(bags), str(tmp_path / "set")]) == 0
    said = capsys.readouterr().out
    assert "2 episodes (2 new), 70 rows at 50 Hz, 1.4 s" in said
    assert "tasks: tidy up\n" in said  # What the planner served, not what was announced.
    assert "outcomes: success 2 episodes (100 %)" in said
    assert "episodes left out, outcome failure: 1 (c)" in said
    assert "episodes left out, outcome none: 1 (d)" in said
    assert "not readable" in said and "was not closed" in said
    of_bags, of_set = open_episodes(bags / "a")[0], open_episodes(tmp_path / "set")[0]
    np.testing.assert_array_equal(of_set.states, of_bags.states)
    np.testing.assert_array_equal(of_set.actions, of_bags.actions)
    assert of_set.labels == of_bags.labels
    assert of_set.facts == of_bags.facts
    assert of_set.cameras == of_bags.cameras


def test_more_outcomes_are_added_and_the_rest_is_there_already(tmp_path, bags, capsys):
    words = ["export", str(bags), str(tmp_path / "set")]
    command.main(words)
    capsys.readouterr()
    assert command.main([*words, "--outcome", "all"]) == 0
    said = capsys.readouterr().out
    assert "4 episodes (2 new), 110 rows" in said
    assert "in the dataset already: 2 (a, b)" in said


def test_the_filter_chooses_and_says_so(tmp_path, bags, capsys):
    path = tmp_path / "filter.yaml"
    path.write_text("outcomes: [success, none]\nleast_labelled: 1.0\n")
    words = ["export", str(bags), str(tmp_path / "set"), "--filter", str(path)]
    assert command.main(words) == 0
    said = capsys.readouterr().out
    assert "3 episodes (3 new), 90 rows" in said  # a, b and d.
    assert "episodes left out, outcome failure: 1 (c)" in said
    path.write_text("outcome: success\n")
    with pytest.raises(ConfigError, match="unknown key 'outcome'; did you mean 'outcomes'"):
        command.main(words)


def test_rows_that_the_filter_drops_are_told(tmp_path, bags, capsys):
    path = tmp_path / "filter.yaml"
    path.write_text("teleop_rows: true\npolicy_rows: false\n")
    assert command.main(["export", str(bags), str(tmp_path / "set"), "--filter", str(path)]) == 1
    said = capsys.readouterr().out
    assert "episodes left out, no row is left (driven by the policy): 2 (a, b)" in said


def test_nothing_to_export_is_an_error(tmp_path, bags, capsys):
    assert command.main(["export", str(bags / "c"), str(tmp_path / "set")]) == 1
    assert "0 episodes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outcome", "sucess"], "no outcome 'sucess'; did you mean 'success'?"),
        (["--crf", "60"], "crf 60 is not between 0 and 51"),
        (["--fps", "0"], "fps 0.0 is no rate above 0"),
        (["--fps", "nan"], "fps nan is no rate above 0"),
        (["--fps", "inf"], "fps inf is no rate above 0"),
        (["--workers", "0"], "workers 0 is not at least 1"),
    ],
)
def test_a_wrong_command_line_is_refused(tmp_path, bags, capsys, words, said):
    try:
        status = command.main(["export", str(bags), str(tmp_path / "set"), *words])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "set").exists()
