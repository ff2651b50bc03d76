"""Modules that the system's Python must have where a distribution is used."""

import io
import sys

import pytest

from pi05_ros.bootstrap import distribution, system_packages
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal

JAZZY = RosSource("jazzy", (), from_wheels=False)


def test_modules_are_looked_for_without_being_imported(tmp_path):
    (tmp_path / "explosive.py").write_text("raise SystemExit('imported')")
    found = distribution.absent_modules(
        sys.executable, ["json", "explosive", "no_such_module"], {"PYTHONPATH": str(tmp_path)}
    )
    assert found == ["no_such_module"]


def test_what_rosdep_would_install_is_named_for_the_distribution(tmp_path, monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    monkeypatch.setattr(distribution, "absent_modules", lambda *_: ["cv2", "xacro"])
    context = SetupContext(Checkout(tmp_path), JAZZY, {}, Terminal(io.StringIO()))
    with pytest.raises(SetupError, match="lacks cv2, xacro") as caught:
        distribution.need_modules(context, distribution.MODULES)
    assert caught.value.fix.endswith("apt-get install python3-opencv ros-jazzy-xacro")


def test_a_complete_system_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(distribution, "absent_modules", lambda *_: [])
    monkeypatch.setattr(
        system_packages, "install", lambda *_: pytest.fail("nothing was to be installed")
    )
    context = SetupContext(Checkout(tmp_path), JAZZY, {}, Terminal(io.StringIO()))
    distribution.need_modules(context, distribution.MODULES)
