"""The doctor's checks, on patients whose programs answer as told."""

import json
from collections import namedtuple
from pathlib import Path

import pytest

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.doctor import computing, machine, ros
from pi05_ros.bootstrap.doctor.findings import Patient, Status
from pi05_ros.bootstrap.ros_source import RosSource

WHEELS = RosSource("jazzy", (), from_wheels=True)
DISTRIBUTION = RosSource("jazzy", (Path("/opt/ros/jazzy"),), from_wheels=False)


class Told(Patient):
    """A patient whose child processes are a table: a word of the command to (output, reason)."""

    answers = {}

    def run(self, command, extra=None):
        for word, answer in self.answers.items():
            if any(word in part for part in command):
                return answer
        return None, "not there"


def told(answers, source=WHEELS, environ=None, root=None):
    patient = Told(Checkout(root) if root else None, source, environ or {}, "python")
    object.__setattr__(patient, "answers", answers)
    return patient


def by_name(findings):
    return {finding.name: finding for finding in findings}


def test_a_gpu_that_torch_cannot_use_lies_idle(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    answers = {"nvidia-smi": ("H100, 80 GB, 570\n", ""), "cuda": ('["", [], 2]', "")}
    found = by_name(computing.gpu(told(answers)))
    assert found["GPU"].value == "H100, 80 GB, 570"
    assert found["torch"].status is Status.NOTE
    assert "built for the processor: the GPU lies idle" in found["torch"].value


def test_no_gpu_is_no_fault(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: None)
    findings = computing.gpu(told({"cuda": ('["12.8", [], 8]', "")}))
    assert [f.status for f in findings] == [Status.GOOD, Status.GOOD]


def test_a_broken_torch_is_missing(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: None)
    found = by_name(computing.gpu(told({"cuda": (None, "ImportError: libcudart.so")})))
    assert found["torch"].status is Status.MISSING
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
    found = by_name(computing.packages(told(answers, root=root)))
    assert found["versions"].value == "numpy 2.0.0, torch 2.13.0+cpu"
    assert found["not as pinned"].value == "numpy 2.0.0 instead of 2.2.6"
    assert (found["not installed"].value, found["not installed"].status) == (
        "mink",
        Status.MISSING,
    )


def test_a_distribution_may_have_its_own_versions(tmp_path):
    """Debian's python3-opencv brings cv2 and no metadata that pip would know."""
    answers = {"metadata": ('{"numpy": "1.26.4"}', ""), "find_spec": ("[]", "")}
    root = pins(tmp_path, **{"numpy": "2.2.6", "opencv-python-headless": "4.12.0.88"})
    findings = computing.packages(told(answers, DISTRIBUTION, root=root))
    assert [f.name for f in findings] == ["versions"]
    assert findings[0].value == "numpy 1.26.4, opencv-python-headless the system's"


def test_one_kind_of_opengl_that_draws_is_enough():
    found = by_name(computing.drawing(told({"render_probe": ("llvmpipe (LLVM 15)\n", "")})))
    assert found["OpenGL (egl)"].value == "llvmpipe (LLVM 15), in software"
    assert "OpenGL (osmesa)" not in found


def test_no_opengl_is_missing_and_apt_mends_it(monkeypatch):
    monkeypatch.setattr(computing.shutil, "which", lambda _: "/usr/bin/apt-get")
    found = by_name(computing.drawing(told({"render_probe": (None, "no libEGL")})))
    assert found["OpenGL"].status is Status.MISSING
    assert "no libEGL" in found["OpenGL"].value
    assert "apt-get install libegl1" in found["OpenGL"].remedy


def test_no_mujoco_is_mended_by_the_set_up():
    told_so = (None, "ModuleNotFoundError: No module named 'mujoco'")
    found = by_name(computing.drawing(told({"render_probe": told_so})))
    assert found["OpenGL"].remedy == "./pi05 setup"


def test_ros_that_does_not_load_is_missing_and_each_source_has_its_remedy():
    for source, remedy in ((WHEELS, "./pi05 setup"), (DISTRIBUTION, "source /opt/ros/jazzy")):
        (found,) = ros.source(told({"rclpy": (None, "ImportError: x")}, source))
        assert found.status is Status.MISSING
        assert "ImportError: x" in found.value
        assert found.remedy.startswith(remedy)


def test_ros_that_loads_names_its_middleware():
    found = by_name(ros.source(told({"rclpy": ('["/v/rclpy", "rmw_fastrtps_cpp"]', "")})))
    assert found["source"].value == "jazzy (wheels) at /v/rclpy"
    assert found["middleware"].value == "rmw_fastrtps_cpp"


def test_an_interface_of_an_old_distribution_is_named():
    found = by_name(ros.interfaces(told({"control_msgs": (None, "no attribute")}, DISTRIBUTION)))
    assert found["control_msgs"].status is Status.MISSING
    assert found["control_msgs"].remedy == "sudo apt-get install ros-jazzy-control-msgs"
    assert found["pi05_msgs"].remedy == "./pi05 setup"


def test_a_missing_profile_is_noted():
    found = by_name(ros.middleware(told({}, environ={})))
    assert found["Fast DDS profile"].status is Status.NOTE
    assert "pictures will be lost" in found["Fast DDS profile"].value
    assert found["domain"].value == "0, discovery range SUBNET"


@pytest.mark.parametrize(
    ("free", "status"), [(64 * 2**20, Status.NOTE), (512 * 2**20, Status.GOOD)]
)
def test_small_shared_memory_is_noted(monkeypatch, free, status):
    usage = namedtuple("usage", "total used free")(free, 0, free)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    found = by_name(machine.room(told({})))
    assert found["shared memory"].status is status
    assert ("--shm-size" in found["shared memory"].remedy) == (status is Status.NOTE)


def test_real_time_is_noted_where_it_is_not_allowed():
    (found,) = machine.timing(told({"sched_setscheduler": (None, "PermissionError")}))
    assert found.status is Status.NOTE
    assert "rtprio" in found.remedy
    (found,) = machine.timing(told({"sched_setscheduler": ("1\n", "")}))
    assert found.status is Status.GOOD
