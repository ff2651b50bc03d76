"""The doctor's checks, on installations whose programs give canned answers."""

import json
from collections import namedtuple
from pathlib import Path

import pytest

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.doctor import computing, machine, ros
from pi05_ros.bootstrap.doctor.installation import Installation
from pi05_ros.bootstrap.doctor.results import CheckStatus
from pi05_ros.bootstrap.ros_source import RosSource

WHEELS = RosSource("jazzy", (), from_wheels=True)
DISTRIBUTION = RosSource("jazzy", (Path("/opt/ros/jazzy"),), from_wheels=False)


class Canned(Installation):
    """An installation whose child processes are a table: part of a command: (output, reason)."""

    answers = {}

    def run(self, command, extra=None):
        for word, answer in self.answers.items():
            if any(word in part for part in command):
                return answer
        return None, "not there"


def canned(answers, source=WHEELS, environ=None, root=None):
    installation = Canned(Checkout(root) if root else None, source, environ or {}, "python")
    object.__setattr__(installation, "answers", answers)
    return installation


def by_name(results):
    return {result.name: result for result in results}


def test_a_gpu_that_torch_cannot_use_is_noted(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    answers = {"nvidia-smi": ("H100, 80 GB, 570\n", ""), "cuda": ('["", [], 2]', "")}
    found = by_name(computing.gpu(canned(answers)))
    assert found["GPU"].value == "H100, 80 GB, 570"
    assert found["torch"].status is CheckStatus.NOTE
    assert "built for the processor: the GPU is not used" in found["torch"].value


def test_no_gpu_is_no_fault(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: None)
    results = computing.gpu(canned({"cuda": ('["12.8", [], 8]', "")}))
    assert [f.status for f in results] == [CheckStatus.GOOD, CheckStatus.GOOD]


def test_a_broken_torch_is_missing(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: None)
    found = by_name(computing.gpu(canned({"cuda": (None, "ImportError: libcudart.so")})))
    assert found["torch"].status is CheckStatus.MISSING
    assert found["torch"].value == "ImportError: libcudart.so"


def pins(tmp_path, **versions):
    folder = tmp_path / "requirements"
    folder.mkdir()
    (folder / "rosdep.txt").write_text("# comment\n")
    lines = [f"{name}=={version}  # why" for name, version in versions.items()]
    (folder / "robot.txt").write_text("\n".join(lines))
    return tmp_path


def test_versions_are_held_against_the_pins(tmp_path):
    versions = json.dumps({"numpy": "2.0.0", "torch": "2.13.0+cpu"})
    answers = {"metadata": (versions, ""), "find_spec": ('["mink"]', "")}
    root = pins(tmp_path, numpy="2.2.6", torch="2.13.0", mink="1.3.0")
    found = by_name(computing.packages(canned(answers, root=root)))
    assert found["versions"].value == "numpy 2.0.0, torch 2.13.0+cpu"
    assert found["not as pinned"].value == "numpy 2.0.0 instead of 2.2.6"
    assert (found["not installed"].value, found["not installed"].status) == (
        "mink",
        CheckStatus.MISSING,
    )


def test_a_distribution_may_have_its_own_versions(tmp_path):
    """Debian's python3-opencv brings cv2 and no metadata that pip would know."""
    answers = {"metadata": ('{"numpy": "1.26.4"}', ""), "find_spec": ("[]", "")}
    root = pins(tmp_path, **{"numpy": "2.2.6", "opencv-python-headless": "4.12.0.88"})
    results = computing.packages(canned(answers, DISTRIBUTION, root=root))
    assert [f.name for f in results] == ["versions"]
    assert results[0].value == "numpy 1.26.4, opencv-python-headless the system's"


def test_one_kind_of_opengl_that_draws_is_enough():
    found = by_name(computing.drawing(canned({"render_probe": ("llvmpipe (LLVM 15)\n", "")})))
    assert found["OpenGL (egl)"].value == "llvmpipe (LLVM 15), in software"
    assert "OpenGL (osmesa)" not in found


def test_no_opengl_is_missing_and_apt_installs_it(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: "/usr/bin/apt-get")
    found = by_name(computing.drawing(canned({"render_probe": (None, "no libEGL")})))
    assert found["OpenGL"].status is CheckStatus.MISSING
    assert "no libEGL" in found["OpenGL"].value
    assert "apt-get install libegl1" in found["OpenGL"].fix


def test_no_mujoco_is_fixed_by_the_set_up():
    absent = (None, "ModuleNotFoundError: No module named 'mujoco'")
    found = by_name(computing.drawing(canned({"render_probe": absent})))
    assert found["OpenGL"].fix == "./pi05 setup"


def test_ros_that_does_not_load_is_missing_and_each_source_has_its_fix():
    for source, fix in ((WHEELS, "./pi05 setup"), (DISTRIBUTION, "source /opt/ros/jazzy")):
        (found,) = ros.source(canned({"rclpy": (None, "ImportError: x")}, source))
        assert found.status is CheckStatus.MISSING
        assert "ImportError: x" in found.value
        assert found.fix.startswith(fix)


def test_ros_that_loads_names_its_middleware():
    found = by_name(ros.source(canned({"rclpy": ('["/v/rclpy", "rmw_fastrtps_cpp"]', "")})))
    assert found["source"].value == "jazzy (wheels) at /v/rclpy"
    assert found["middleware"].value == "rmw_fastrtps_cpp"


def test_an_interface_of_an_old_distribution_is_named():
    found = by_name(ros.interfaces(canned({"control_msgs": (None, "no attribute")}, DISTRIBUTION)))
    assert found["control_msgs"].status is CheckStatus.MISSING
    assert found["control_msgs"].fix == "sudo apt-get install ros-jazzy-control-msgs"
    assert found["pi05_msgs"].fix == "./pi05 setup"


def test_a_missing_profile_is_noted():
    found = by_name(ros.middleware(canned({}, environ={})))
    assert found["Fast DDS profile"].status is CheckStatus.NOTE
    assert "pictures will be lost" in found["Fast DDS profile"].value
    assert found["domain"].value == "0, discovery range SUBNET"


@pytest.mark.parametrize(
    ("free", "status"), [(64 * 2**20, CheckStatus.NOTE), (512 * 2**20, CheckStatus.GOOD)]
)
def test_small_shared_memory_is_noted(monkeypatch, free, status):
    usage = namedtuple("usage", "total used free")(free, 0, free)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    found = by_name(machine.room(canned({})))
    assert found["shared memory"].status is status
    assert ("--shm-size" in found["shared memory"].fix) == (status is CheckStatus.NOTE)


def test_real_time_is_noted_where_it_is_not_allowed():
    (found,) = machine.timing(canned({"sched_setscheduler": (None, "PermissionError")}))
    assert found.status is CheckStatus.NOTE
    assert "rtprio" in found.fix
    (found,) = machine.timing(canned({"sched_setscheduler": ("1\n", "")}))
    assert found.status is CheckStatus.GOOD
