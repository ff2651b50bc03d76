"""The doctor as a program, on a machine with nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_comes_up_where_nothing_is_set_up(tmp_path):
    """A copy of the checkout, the standard library only, an empty environment."""
    for name in ("pi05_ros", "requirements", "pi05_msgs", "underlay", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pi05", tmp_path / "pi05")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "pi05_ros.cli", "doctor"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stderr == ""
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (at,) = (i for i, line in enumerate(lines) if line.startswith("  MISSING  set-up"))
    assert "virtual environment .venv" in lines[at]
    assert lines[at + 1].strip() == "> ./pi05 setup"
    assert lines[-1].startswith("Missing: ")
    assert "Traceback" not in done.stdout
