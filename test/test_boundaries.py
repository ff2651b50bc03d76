"""Who may know whom: heavy libraries stay in their folders, imports point downwards.

A folder that appears is covered at once: it may load nothing heavy until a line here allows it.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pi05_ros"

# Libraries that cost seconds or need a robot's installation, and the folders that may load them.
MAY_LOAD = {
    "rclpy": {
        "nodes",
        "demo",
        "faults",
        "latency",
    },  # The demo watches the graph through a node of nodes/.
    "mujoco": {"sim", "evaluation", "nodes"},
    "torch": {"model", "inference", "training", "evaluation", "nodes", "checkpoints"},
    "pinocchio": {"inspection", "nodes"},
    "transformers": set(),  # The tests compare our model with it.
}

# Lower may not import higher. Folders of one rank may know each other.
RANK = {
    "model": 1,
    "control": 2,
    "data": 2,
    "inference": 2,
    "sim": 2,
    "evaluation": 3,
    "training": 3,
    "inspection": 3,
    "recording": 3,
    "bags": 4,
    "say": 4,
    "report": 4,
    "checkpoints": 4,
    "console": 4,
    "demo": 4,
    "faults": 4,
    "latency": 4,
    "nodes": 4,
}
# The set-up and its page know the command line only: they run before anything is installed.
APART = {"bootstrap", "doctor"}

FOLDERS = sorted(
    path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.rglob("*.py"))
)
TOP_MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))

LOOK = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""


def modules_of(folder):
    """Names of all modules of a folder."""
    names = []
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names.append(".".join(part for part in parts if part != "__init__"))
    return names


def loaded_by(modules):
    """Which of the libraries a fresh process has loaded after importing the modules."""
    command = [sys.executable, "-c", LOOK, json.dumps(modules), json.dumps(sorted(MAY_LOAD))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=100)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_loads_only_what_it_may(folder):
    if folder in MAY_LOAD["rclpy"]:
        pytest.importorskip("rclpy")
    allowed = {library for library, folders in MAY_LOAD.items() if folder in folders}
    assert loaded_by(modules_of(folder)) - allowed == set()


def test_modules_beside_the_folders_load_nothing_heavy():
    modules = [f"pi05_ros.{name}" for name in TOP_MODULES]
    # Only ros2 launch imports this one; launch_ros brings rclpy with it.
    modules.remove("pi05_ros.bringup.launch_actions")
    assert loaded_by(modules) == set()


@pytest.mark.parametrize("folder", [name for name in FOLDERS if name not in APART])
def test_imports_point_downwards(folder):
    assert folder in RANK, f"give pi05_ros/{folder} a rank"
    upwards = []
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for other in imported_folders(path):
            if other in APART or RANK.get(other, 0) > RANK[folder]:
                upwards.append(f"{path.relative_to(PACKAGE)} imports pi05_ros.{other}")
    assert upwards == []


@pytest.mark.parametrize("folder", sorted(APART))
def test_the_set_up_knows_nothing_that_must_be_installed(folder):
    known = APART | {"cli", "errors", "fastdds"}
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        assert imported_folders(path) <= known, path


def imported_folders(path):
    """Folders and modules of pi05_ros that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "pi05_ros" and len(part) > 1}
    return found
