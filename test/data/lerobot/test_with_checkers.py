"""Checkers that other people wrote find no error in the format of what we write.

PI05_LEROBOT_CHECKERS names the folder of the programs `lerobot-doctor` and `lelint`, installed
outside our environment (docs/design/lerobot.md). Without it these tests skip.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from fakes.drawn_episodes import drawn

from pi05_ros.data.lerobot.export import ExportSettings, export

PROGRAMS = os.environ.get("PI05_LEROBOT_CHECKERS", "")
pytestmark = [
    pytest.mark.skipif(not PROGRAMS, reason="PI05_LEROBOT_CHECKERS names no folder with checkers"),
    pytest.mark.slow,
    pytest.mark.timeout(600),  # Loading torch takes a minute on a busy machine.
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A dataset of ten episodes, half of them added later, whose joints all move smoothly."""
    folder = tmp_path_factory.mktemp("checked")
    episodes = [drawn(f"e{n}", rows=150 + 10 * n, seed=n, silent_rows=5) for n in range(10)]
    export(episodes[:5], folder / "set", ExportSettings())
    export(episodes, folder / "set", ExportSettings())
    return folder / "set"


def run(dataset, program, *arguments):
    """Run a checker on the dataset, without our paths and without the network."""
    bare = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    bare |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(dataset.parent / "cache")}
    return subprocess.run(
        [Path(PROGRAMS) / program, "check", dataset, *arguments],
        env=bare,
        capture_output=True,
        text=True,
        timeout=550,
        cwd=dataset.parent,
    )


def test_lerobot_doctor_fails_nothing(dataset):
    done = run(dataset, "lerobot-doctor", "--json")
    report = json.loads(done.stdout)
    found = {
        (check["name"], message["message"])
        for check in report["checks"]
        for message in check["messages"]
        if message["severity"] == "FAIL"
    }
    assert not found and done.returncode == 0, done.stderr


def test_lerobot_lint_has_no_error(dataset):
    target = dataset.parent / "lint.json"
    done = run(dataset, "lelint", "--json", str(target))
    assert target.exists(), done.stderr
    found = json.loads(target.read_text())["findings"]
    assert [one for one in found if one["severity"] == "error"] == []
    assert done.returncode in (0, 1), done.stdout  # 1: warnings only.
