"""Which folder may import which: every folder has a rank, and imports point to lower ranks only.

Heavy libraries stay in the folders that need them. A folder that is new fails here until it has a
place in LAYERS, and may load nothing heavy until MAY_LOAD allows it.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pi05_ros"

# Every folder that holds Python files, lowest first. A file imports from its own folder and from
# lines above it, never from a line below. docs/design/layout.md says what belongs where.
LAYERS = """
foundation
bootstrap
bootstrap/doctor
platforms
cameras
brain
planning
chunking
control
model
model/text
checkpoints/storage
checkpoints/layouts
checkpoints
inference
data/bags
data/episodes
data/foreign
data/filters
data/lerobot
data/checks
data/statistics
data
training/objective
training/recipes
training/sources
training/preparation
training/loading
training/optimization
training/runs
recording
inspection
training/validation
training/reporting
training/memory
training
console
labelling
sim/homes
sim/tasks
sim/controllers
sim
sim/expert
teleop
evaluation
evaluation/collection
evaluation/latency
evaluation/report
evaluation/trials
evaluation/eval_report
evaluation/probe
evaluation/gates
evaluation/reproduction
evaluation/shipping
bringup
nodes/common
nodes/brain_common
nodes/planner
nodes/policy
nodes/brain
nodes/camera_ingestion
nodes/control_bridge
nodes/console
nodes/inspector
nodes/lifecycle_manager
nodes/mock_home
nodes/recorder
nodes/teleop
nodes/demo_monitor
nodes/instruct_client
nodes/latency_listener
nodes
demo
cli/common
cli/bags
cli/homes
cli/evaluate
cli/say
cli
""".split()
RANK = {folder: rank for rank, folder in enumerate(LAYERS)}

# Libraries that cost seconds or need a robot's installation, and the folders that may load them,
# with all below them.
MAY_LOAD = {
    "rclpy": {"nodes", "demo", "cli"},  # A verb watches the graph through a node of its own.
    "mujoco": {
        *("sim", "teleop", "evaluation", "nodes/mock_home", "nodes/brain_common"),
        *("cli/homes", "cli/evaluate"),
    },
    "torch": {"model", "checkpoints", "inference", "training", "evaluation", "nodes/brain_common"},
    "pinocchio": {"inspection"},
    "transformers": set(),  # The tests compare our model with it.
}
# Runs before anything is installed: standard library only.
BARE = {"bootstrap", "bootstrap/doctor"}
AT_THE_ROOT = {"__init__.py", "__main__.py", "errors.py"}

LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""


def folders():
    """Every folder of the package that holds a Python file, as a path below it."""
    holding = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    # A folder that only holds folders (and its docstring) has nothing to rank.
    return sorted(
        str(folder.relative_to(PACKAGE))
        for folder in holding
        if [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        or not any(other.parent == folder for other in holding)
    )


def files(folder):
    return sorted((PACKAGE / folder).glob("*.py"))


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_modules(path):
    """Modules of pi05_ros that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("pi05_ros", "system", "fakes")}


def folder_of(module):
    """Folder of an imported name: of the module, or of the module that defines the name."""
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        path = PACKAGE.joinpath(*parts[:length])
        if path.is_dir():
            return "/".join(parts[:length])
        if path.with_suffix(".py").is_file():
            return "/".join(parts[: length - 1])
    return ""


def wrong_imports(folder):
    """Sentences on what a folder imports although its rank does not allow it."""
    found = []
    for path in files(folder):
        for module in sorted(imported_modules(path)):
            where = path.relative_to(PACKAGE)
            other = folder_of(module)
            if not module.startswith("pi05_ros"):
                found.append(f"{where} imports {module}, which is of the tests")
            elif other not in ("", folder) and RANK.get(other, len(RANK)) > RANK[folder]:
                found.append(f"{where} imports pi05_ros/{other}, which stands above {folder}")
    return found


def test_every_folder_has_a_rank():
    unranked = [name for name in folders() if name not in RANK]
    assert not unranked, f"give {unranked} a place in LAYERS (test/test_boundaries.py)"
    gone = [name for name in LAYERS if name not in folders()]
    assert not gone, f"LAYERS names folders that do not exist: {gone}"
    assert len(RANK) == len(LAYERS), "LAYERS names a folder twice"


@pytest.mark.parametrize("folder", LAYERS)
def test_imports_point_to_lower_ranks(folder):
    assert wrong_imports(folder) == []


def test_the_root_holds_no_subject():
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_ROOT
    assert imported_modules(PACKAGE / "errors.py") == set()


@pytest.mark.parametrize("folder", sorted(BARE))
def test_the_set_up_knows_nothing_that_must_be_installed(folder):
    known = BARE | {"foundation", ""}
    for path in files(folder):
        assert {folder_of(module) for module in imported_modules(path)} <= known, path
        for module in imported_modules(path):
            assert folder_of(module) != "foundation" or module.split(".")[2] == "fastdds", path


def loaded_by(modules):
    """Which of the heavy libraries a fresh process has loaded after importing the modules."""
    command = [sys.executable, "-c", LOADED, json.dumps(modules), json.dumps(sorted(MAY_LOAD))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=100)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def may_load(library, folder):
    return any(folder == name or folder.startswith(f"{name}/") for name in MAY_LOAD[library])


def loadable_modules(folder):
    # ros2 launch alone imports this one, and launch_ros brings rclpy with it.
    modules = [module_name(path) for path in files(folder) if path.stem != "launch_actions"]
    return [name for name in modules if not name.endswith("__main__")]


def allowances():
    """Folders by what they may load: those of one group are loaded in one process."""
    groups = {}
    for folder in LAYERS:
        allowed = frozenset(library for library in MAY_LOAD if may_load(library, folder))
        groups.setdefault(allowed, []).append(folder)
    return groups


@pytest.mark.parametrize("allowed", allowances(), ids=lambda names: "+".join(sorted(names)) or "-")
def test_folders_load_only_what_they_may(allowed):
    """A process for each group, since torch takes seconds; what is wrong is then looked for."""
    if "rclpy" in allowed:
        pytest.importorskip("rclpy")
    group = allowances()[allowed]
    wrong = loaded_by([name for folder in group for name in loadable_modules(folder)]) - allowed
    culprits = {}
    for folder in group if wrong else ():
        if found := loaded_by(loadable_modules(folder)) - allowed:
            culprits[folder] = found
    assert not wrong, f"{culprits or group} load {wrong}"
