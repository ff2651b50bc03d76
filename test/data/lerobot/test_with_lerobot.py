"""LeRobot's own reader reads what we write.

Its package pins other versions than ours, so it runs in a Python of its own: PI05_LEROBOT_PYTHON
names one that has `lerobot[dataset]` (docs/design/lerobot.md). Without it these tests skip.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fakes.drawn_episodes import drawn

from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.data.lerobot.export import ExportSettings, export

PYTHON = os.environ.get("PI05_LEROBOT_PYTHON", "")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="PI05_LEROBOT_PYTHON names no Python with lerobot"),
    pytest.mark.slow,
    pytest.mark.timeout(600),  # Loading torch takes a minute on a busy machine.
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The episodes, and the result of LeRobot's reader."""
    folder = tmp_path_factory.mktemp("lerobot")
    episodes = [
        drawn("a", rows=120, silent_rows=20, size=(120, 160)),
        drawn("b", rows=80, seed=1, outcome="failure", size=(120, 160)),
        drawn("c", rows=90, seed=2, task="clear the table", size=(120, 160)),
    ]
    settings = ExportSettings(EpisodeFilter(outcomes=("success", "failure")))
    export(episodes[:2], folder / "set", settings)
    export(episodes, folder / "set", settings)  # The third is added.
    script = Path(__file__).with_name("read_with_lerobot.py")
    bare = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    bare |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache")}
    done = subprocess.run(
        [PYTHON, script, folder / "set", folder / "seen.npz"],
        env=bare,
        capture_output=True,
        text=True,
        timeout=550,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return episodes, np.load(folder / "seen.npz")


def test_rows_and_episodes_are_all_there(seen):
    _, found = seen
    assert (int(found["episodes"]), int(found["loaded"])) == (3, 270)
    assert int(found["successes"]) == 2  # By its own filter, on our column.


def test_its_columns_equal_ours_bit_for_bit(seen):
    episodes, found = seen
    states = np.concatenate([one.states[one.silent_rows :] for one in episodes])
    actions = np.concatenate([one.actions[one.silent_rows :] for one in episodes])
    np.testing.assert_array_equal(found["states"], states, strict=True)
    np.testing.assert_array_equal(found["actions"], actions, strict=True)


def test_its_items_hold_chunks_texts_and_pictures(seen):
    episodes, found = seen
    rows = [(one, row) for one in episodes for row in range(one.silent_rows, len(one))]
    for index in found["rows"].tolist():
        episode, row = rows[index]
        left = len(episode) - row
        chunk = episode.actions[np.minimum(np.arange(row, row + 50), len(episode) - 1)]
        np.testing.assert_allclose(found[f"{index}/action"], chunk, rtol=1e-6)
        assert found[f"{index}/action_is_pad"].tolist() == [step >= left for step in range(50)]
        np.testing.assert_allclose(found[f"{index}/state"], episode.states[row], rtol=1e-6)
        assert int(found[f"{index}/time_ns"]) == episode.times_ns[row]
        assert str(found[f"{index}/task"]) == episode.facts.task
        assert str(found[f"{index}/outcome"]) == episode.facts.outcome
        label = next((one for one in episode.labels if one.start_row <= row < one.stop_row), None)
        assert str(found[f"{index}/subtask"]) == (label.text if label else "")
        for camera in episode.cameras:
            picture = found[f"{index}/observation.images.{camera}"] * 255
            shown = episode.frame_of_row(camera)[row]
            wanted = np.moveaxis(episode.picture(camera, shown).astype(float), 2, 0)
            assert 10 * np.log10(255**2 / np.mean((picture - wanted) ** 2)) > 36


def test_its_statistics_are_there(seen):
    _, found = seen
    statistics = json.loads(str(found["statistics"]))
    states = found["states"]
    np.testing.assert_allclose(statistics["observation.state"]["mean"], states.mean(0))
    np.testing.assert_allclose(
        statistics["action"]["q99"], np.quantile(found["actions"], 0.99, axis=0)
    )
    assert np.shape(statistics["observation.images.front"]["std"]) == (3, 1, 1)
