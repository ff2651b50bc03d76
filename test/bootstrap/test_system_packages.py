"""System packages and tools: what is installed, what is only said."""

import io
import subprocess

import pytest

from pi05_ros.bootstrap import interfaces, pythons, system_packages
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal

WHEELS = RosSource("jazzy", (), from_wheels=True)


@pytest.fixture
def context(tmp_path):
    """A context that records the programs instead of running them."""

    class Noting(SetupContext):
        def run(self, command, log_name, env=None):
            self.ran.append(" ".join(map(str, command)))
            if self.fail_first:
                self.fail_first -= 1
                raise SetupError("no such package", "x")

    made = Noting(
        Checkout(tmp_path), WHEELS, {"PATH": str(tmp_path / "bin")}, Terminal(io.StringIO())
    )
    made.ran, made.fail_first = [], 0
    (tmp_path / "bin").mkdir()
    return made


def programs(context, *names):
    for name in names:
        path = context.checkout.root / "bin" / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)


@pytest.mark.parametrize(
    ("is_root", "has_apt", "line"),
    [
        (True, True, "apt-get install make cmake"),
        (False, True, "sudo apt-get install make cmake"),
        (False, False, "install with your package manager what Debian calls make cmake"),
    ],
)
def test_the_line_to_type(is_root, has_apt, line):
    assert system_packages.install_line(["make", "cmake"], is_root, has_apt) == line


def test_what_may_not_be_installed_is_said_with_its_line(context, monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    with pytest.raises(SetupError, match="No GL") as caught:
        system_packages.install(context, ["libegl1"], "No GL")
    assert caught.value.fix.endswith("libegl1")
    assert context.ran == []


def test_what_may_be_installed_is_and_stale_lists_are_refreshed(context, monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: True)
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 0)
    context.fail_first = 1
    system_packages.install(context, ["libegl1"], "No GL")
    add = "apt-get install -y --no-install-recommends libegl1"
    assert context.ran == [add, "apt-get update", add]


def test_apt_can_be_forbidden(monkeypatch):
    monkeypatch.setenv("PI05_APT", "0")
    assert not system_packages.may_install()


@pytest.mark.parametrize(("status", "allowed"), [(1, False), (0, True)])
def test_sudo_that_would_ask_is_not_used(monkeypatch, status, allowed):
    monkeypatch.delenv("PI05_APT", raising=False)
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    done = subprocess.CompletedProcess([], status)
    monkeypatch.setattr(system_packages.subprocess, "run", lambda *_, **__: done)
    assert system_packages.may_install() is allowed


@pytest.mark.parametrize(
    ("there", "missing", "packages"),
    [
        (("cmake", "make"), "a C++ compiler", "g++"),
        (("clang++", "make"), "CMake", "cmake"),
        (("c++", "cmake"), "make", "make"),
        ((), "a C++ compiler, CMake, make", "g++ cmake make"),
    ],
)
def test_missing_tools_are_named_all_at_once(context, monkeypatch, there, missing, packages):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    monkeypatch.setattr(pythons, "need_headers", lambda *_: None)
    programs(context, *there)
    with pytest.raises(
        SetupError, match=f"needs {missing.replace('+', '.')}, not found"
    ) as caught:
        interfaces.check_tools(context, None)
    assert caught.value.fix.endswith(f" {packages}")


def test_complete_tools_are_silent(context, monkeypatch):
    monkeypatch.setattr(pythons, "need_headers", lambda *_: None)
    programs(context, "g++", "cmake", "make")
    interfaces.check_tools(context, None)


def test_the_compiler_that_the_caller_names_must_be_there(context, monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    programs(context, "g++", "cmake", "make")
    context.environ["CXX"] = "icpx -std=c++17"
    with pytest.raises(SetupError, match="needs a C.. compiler"):
        interfaces.check_tools(context, None)


def test_a_distribution_builds_with_its_own_colcon(context, monkeypatch):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    programs(context, "g++", "cmake", "make")
    context.source = RosSource("jazzy", (), from_wheels=False)
    with pytest.raises(SetupError, match="needs colcon") as caught:
        interfaces.check_tools(context, None)
    assert caught.value.fix.endswith("python3-colcon-common-extensions")


def test_headers_are_looked_for_where_the_interpreter_says(context, monkeypatch, tmp_path):
    monkeypatch.setattr(system_packages, "may_install", lambda: False)
    fake = tmp_path / "python"
    fake.write_text(
        f'#!/bin/sh\ncase "$2" in *INCLUDEPY*) echo {tmp_path};; *) echo python3.11;; esac\n'
    )
    fake.chmod(0o755)
    with pytest.raises(SetupError, match="C headers are missing") as caught:
        pythons.need_headers(context, fake)
    assert caught.value.fix.endswith("python3.11-dev")
    (tmp_path / "Python.h").touch()
    pythons.need_headers(context, fake)
