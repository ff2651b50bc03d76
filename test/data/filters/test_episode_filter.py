"""What the filter decides of hand-made episodes, row by row."""

import pickle
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering

from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_FAULTED,
    MODE_HOLDING,
    SubtaskLabel,
)
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import NO_FILTER, EpisodeFilter
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import load_yaml

FILTER = EpisodeFilter()
FACTS = layout_facts(("joint_0", "joint_1"), ("rad", "rad"), outcome="success", task="tidy up")


def moving(rows=500, **parts):
    """A successful episode at 50 Hz in which both joints move all the time."""
    parts.setdefault("facts", FACTS)
    found = wandering(rows, **parts)
    found.states[:] = found.actions[:] = np.arange(rows)[:, None] * 0.01
    return found


def hold(episode, start, stop, mode=MODE_HOLDING):
    episode.modes[start:stop] = mode
    episode.control_sources[start:stop] = CONTROL_NONE


def spans(episode, reason, which=FILTER):
    rows = which.row_reasons(episode) == reason
    edges = np.flatnonzero(np.diff(np.r_[0, rows.astype(int), 0]))
    return [tuple(pair) for pair in edges.reshape(-1, 2).tolist()]


def test_a_sound_episode_trains_whole():
    episode = moving()
    assert FILTER.rows(episode).all()
    judged = FILTER.judge(episode)
    assert judged.is_kept and (judged.kept, judged.rows, judged.left_out) == (500, 500, {})
    assert (judged.id, judged.task, judged.seconds) == ("e", "tidy up", pytest.approx(10.0))


@pytest.mark.parametrize(
    ("outcome", "outcomes", "reason"),
    [
        ("failure", ("success",), "outcome failure"),
        ("", ("success",), "outcome none"),
        ("", ("success", "none"), ""),
        ("failure", ("failure",), ""),
        ("success", ("failure",), "outcome success"),
    ],
)
def test_the_outcome_decides_and_a_missing_one_is_no_success(outcome, outcomes, reason):
    episode = moving(facts=replace(FACTS, outcome=outcome))
    chosen = EpisodeFilter(outcomes=outcomes)
    assert chosen.judge(episode).reason == reason
    assert chosen.rows(episode).all() == (reason == "")
    assert chosen.rows(episode).any() == (reason == "")


def test_an_ungraded_demonstration_trains_on_request_when_the_operator_drove_alone():
    chosen = EpisodeFilter(ungraded_teleop=True)
    episode = moving(facts=replace(FACTS, outcome=""))
    episode.control_sources[:] = CONTROL_TELEOP
    hold(episode, 0, 20)
    assert chosen.judge(episode).reason == ""
    assert FILTER.judge(episode).reason == "outcome none"
    episode.control_sources[100] = CONTROL_POLICY
    assert chosen.judge(episode).reason == "outcome none"
    failed = moving(facts=replace(FACTS, outcome="failure"))
    failed.control_sources[:] = CONTROL_TELEOP
    assert chosen.judge(failed).reason == "outcome failure"


def test_policy_rows_in_the_second_before_a_takeover_do_not_train():
    episode = moving()
    episode.control_sources[200:300] = CONTROL_TELEOP
    assert spans(episode, "before a takeover") == [(150, 200)]
    assert spans(episode, "") == [(0, 150), (200, 500)]
    none = replace(FILTER, before_takeover_s=0.0)
    assert spans(episode, "", none) == [(0, 500)]


def test_before_a_second_takeover_the_operators_own_rows_still_train():
    episode = moving()
    episode.control_sources[200:210] = CONTROL_TELEOP
    episode.control_sources[230:300] = CONTROL_TELEOP
    # The second before row 230 begins at 180: policy rows of it are 180 to 199 and 210 to 229.
    assert spans(episode, "before a takeover") == [(150, 200), (210, 230)]
    assert spans(episode, "") == [(0, 150), (200, 210), (230, 500)]


def test_a_chunk_does_not_lead_into_the_error_before_a_takeover():
    episode = moving()
    episode.control_sources[200:300] = CONTROL_TELEOP
    stops = FILTER.action_stops(episode)
    assert stops[[0, 149, 150, 199]].tolist() == [150, 150, 150, 199]
    assert stops[[200, 299, 300, 499]].tolist() == [500] * 4
    assert NO_FILTER.action_stops(episode)[0] == 500
    hold(episode, 400, 410)
    # Rows in the 0.3 s before a hold do not train, but chunks may end in them.
    assert FILTER.action_stops(episode)[[300, 390, 405, 410]].tolist() == [400, 400, 405, 500]


def test_a_demonstration_has_no_takeover():
    episode = moving()
    episode.control_sources[:] = CONTROL_TELEOP
    hold(episode, 100, 120)
    assert spans(episode, "before a takeover") == []


def test_either_source_can_be_left_out():
    episode = moving()
    episode.control_sources[200:300] = CONTROL_TELEOP
    assert spans(episode, "", replace(FILTER, policy_rows=False)) == [(200, 300)]
    found = spans(episode, "", replace(FILTER, teleop_rows=False))
    assert found == [(0, 150), (300, 500)]


@pytest.mark.parametrize("mode", [MODE_HOLDING, MODE_FAULTED])
def test_rows_in_the_0_3_s_before_a_hold_do_not_train(mode):
    episode = moving()
    hold(episode, 0, 10)  # Nothing was before it.
    hold(episode, 200, 230, mode)
    assert spans(episode, "not driven") == [(0, 10), (200, 230)]
    assert spans(episode, "before a hold") == [(185, 200)]
    assert spans(episode, "") == [(10, 185), (230, 500)]


def test_an_idle_stretch_does_not_train_and_its_rows_are_counted_once():
    episode = moving()
    episode.states[100:300] = episode.states[100]
    episode.actions[100:300] = episode.actions[100]
    hold(episode, 250, 270)  # Inside of it: not driven comes first, and before a hold second.
    judged = FILTER.judge(episode)
    # Row 99 is 0.01 rad from the standing ones; row 300 is 2 rad from them.
    assert judged.left_out == {"not driven": 20, "before a hold": 15, "idle": 201 - 35}
    assert judged.kept == 500 - 201
    assert replace(FILTER, idle_s=0.0).judge(episode).left_out == {
        "not driven": 20,
        "before a hold": 15,
    }
    assert "idle" not in replace(FILTER, idle_s=5.0).judge(episode).left_out


def test_rows_without_a_subtask_do_not_train_and_too_many_drop_the_episode():
    half = moving(labels=(SubtaskLabel(0, 250, "wave", "human"),))
    assert FILTER.judge(half).left_out == {"no subtask": 250}
    less = moving(labels=(SubtaskLabel(0, 249, "wave", "human"),))
    assert FILTER.judge(less).reason == "too few rows with a subtask"
    assert replace(FILTER, least_labelled=0.4).judge(less).kept == 249
    nothing = moving(labels=())
    assert NO_FILTER.judge(nothing).reason == "too few rows with a subtask"


def test_an_episode_in_which_nobody_drove_or_nothing_is_left_is_dropped():
    episode = moving()
    hold(episode, 0, 500)
    assert FILTER.judge(episode).reason == "nobody drove"
    still = moving()
    still.states[:] = still.actions[:] = 0.5
    assert FILTER.judge(still).reason == "no row is left (idle)"


def episodes_of(lengths, task="tidy up", **facts):
    return [moving(n, facts=replace(FACTS, id=f"{task} {n}", task=task, **facts)) for n in lengths]


def test_unusual_lengths_are_dropped_within_their_task():
    # Seconds: 8, 9, 10, 11, 12 and 30; median 10.5, deviations 2.5, 1.5, 0.5, 0.5, 1.5, 19.5.
    # Their median is 1.5, times 1.4826 is 2.2, so that 5 of them allow -0.6 to 21.6 s.
    episodes = episodes_of([400, 450, 500, 550, 600, 1500])
    other = episodes_of([1500], "wipe the table")
    failed = episodes_of([1500] * 6, outcome="failure")  # Of no weight for the median.
    judged = FILTER.judge_all(episodes + other + failed)
    assert [one.reason for one in judged[:7]] == ["", "", "", "", "", "unusually long", ""]
    assert {one.reason for one in judged[7:]} == {"outcome failure"}
    assert (judged[5].kept, judged[5].left_out) == (0, {})
    # 6, 9, 10, 10, 10 and 11 s: the median deviation 0.5 counts as 1, a tenth of the median.
    short = FILTER.judge_all([*episodes_of([300, 450, 500, 500, 500, 550])])
    assert [one.reason for one in short] == [""] * 6
    tight = replace(FILTER, length_deviations=2.0)
    judged = tight.judge_all(episodes_of([300, 450, 500, 500, 500, 550]))
    assert [one.reason for one in judged] == ["unusually short", "", "", "", "", ""]
    free = replace(FILTER, length_deviations=0.0).judge_all(episodes)
    assert [one.reason for one in free] == [""] * 6


def test_counts_are_printed_merged_and_stored():
    kept = moving()
    kept.control_sources[200:300] = CONTROL_TELEOP
    hold(kept, 0, 10)
    failed = moving(facts=replace(FACTS, outcome="failure"))
    counts = FilterCounts.of(FILTER.judge_all([kept, failed]))
    assert counts.lines() == [
        "train: 440 of 1000 rows, 1 of 2 episodes",
        "episodes left out, outcome failure: 1",
        "rows left out, before a takeover: 50",
        "rows left out, not driven: 10",
    ]
    assert (counts.all_rows_left_out, counts.rows_of_episodes_left_out) == (560, 500)
    counts.merge(FilterCounts.from_json(counts.to_json()))
    assert counts.episodes_left_out == Counter({"outcome failure": 2})
    assert counts.lines()[0] == "train: 880 of 2000 rows, 2 of 4 episodes"
    assert FilterCounts.from_json(counts.to_json()) == counts


def test_a_filter_is_written_as_yaml_and_pickled_as_a_function_of_rows(tmp_path):
    path = tmp_path / "filter.yaml"
    path.write_text("outcomes: [success, failure]\nidle_s: 2\nteleop_rows: false\n")
    found = load_yaml(path, EpisodeFilter)
    assert found == EpisodeFilter(("success", "failure"), idle_s=2.0, teleop_rows=False)
    rows = pickle.loads(pickle.dumps(found.rows))
    assert rows(moving()).all()
    path.write_text("idle: 2\n")
    with pytest.raises(ConfigError, match="unknown key 'idle'; did you mean 'idle_s'"):
        load_yaml(path, EpisodeFilter)
    path.write_text("outcomes: [sucess]\n")
    with pytest.raises(ConfigError, match="'sucess'; did you mean 'success'"):
        load_yaml(path, EpisodeFilter)


def test_the_documented_keys_are_all_there_with_their_defaults(tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "episodes.md").read_text(encoding="utf-8")
    (block,) = [part.split("```")[0] for part in text.split("```yaml\n")[1:] if "idle_s" in part]
    path = tmp_path / "filter.yaml"
    path.write_text(block)
    assert load_yaml(path, EpisodeFilter) == EpisodeFilter()
    for part in fields(EpisodeFilter):
        assert f"{part.name}: " in block


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"outcomes": ()}, "outcomes is empty"),
        ({"idle_s": -1.0}, "idle_s -1: wanted a number of at least 0"),
        ({"before_hold_s": float("nan")}, "before_hold_s nan"),
        ({"least_labelled": 1.5}, "least_labelled 1.5: wanted a share"),
        ({"policy_rows": False, "teleop_rows": False}, "both false"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        EpisodeFilter(**settings)
