"""Launch tests need launch, launch_ros and launch_pytest; see docs/development.md."""

import os
import stat
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXECUTABLES = (
    "brain", "camera_ingestion", "control_bridge", "lifecycle_manager", "mock_home", "planner",
    "policy",
)  # fmt: skip


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """The package as launch finds it: a prefix that runs this checkout, if none is installed."""
    packages = pytest.importorskip("ament_index_python.packages")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    try:
        packages.get_package_prefix("pi05_ros")
        return
    except packages.PackageNotFoundError:
        pass
    folder = tmp_path / "lib" / "pi05_ros"
    folder.mkdir(parents=True)
    for name in EXECUTABLES:
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m pi05_ros.nodes {name} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "pi05_ros").touch()
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}{os.pathsep}{prefixes}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
