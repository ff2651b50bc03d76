"""The virtual environment's rules, on folders that look like one."""

import io
import itertools
from pathlib import Path

import pytest

from pi05_ros.bootstrap import distribution, virtual_env
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal
from pi05_ros.bootstrap.virtual_env import BASE, TOOLS


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a finished `.venv` whose interpreter is a link to a file."""
    made = Checkout(tmp_path / "repo")
    made.requirements.mkdir(parents=True)
    for name in virtual_env.BASE.exact + virtual_env.TOOLS.exact:
        (made.requirements / f"{name}.txt").write_text(f"# why\n{name}-package==1.0  # reason\n")
    (tmp_path / "python3.11").touch()
    made.python.parent.mkdir(parents=True)
    made.python.symlink_to(tmp_path / "python3.11")
    made.stamps.mkdir()
    (made.stamps / "begun").write_text(virtual_env.wheels_key(made, True, BASE))
    return made


def test_the_key_of_the_wheels_is_the_lists_without_comments(checkout):
    before = virtual_env.wheels_key(checkout, True, TOOLS)
    assert "tools-package==1.0" in before.splitlines()
    assert "#" not in before
    tools = checkout.requirements / "tools.txt"
    tools.write_text(f"{tools.read_text()}# another word\n")
    assert virtual_env.wheels_key(checkout, True, TOOLS) == before
    tools.write_text("tools-package==1.1\n")
    assert virtual_env.wheels_key(checkout, True, TOOLS) != before


def test_a_distribution_gets_no_ros_wheel(checkout):
    assert "ros-jazzy-package==1.0" in virtual_env.wheels_key(checkout, True, BASE)
    assert virtual_env.wheels_key(checkout, False, BASE) == "robot-package==1.0"
    assert virtual_env.wheels_key(checkout, False, TOOLS) == "tools-package==1.0"


def test_a_moved_folder_is_another_environment(checkout, tmp_path):
    before = virtual_env.identity(checkout, True)
    assert before
    checkout.root.rename(tmp_path / "elsewhere")
    after = virtual_env.identity(Checkout(tmp_path / "elsewhere"), True)
    assert after
    assert after != before


def test_without_its_interpreter_there_is_no_environment(checkout, tmp_path):
    (tmp_path / "python3.11").unlink()
    assert virtual_env.identity(checkout, True) == ""


def test_a_replaced_interpreter_is_another_environment(checkout, tmp_path):
    before = virtual_env.identity(checkout, True)
    (tmp_path / "python3.12").touch()
    checkout.python.unlink()
    checkout.python.symlink_to(tmp_path / "python3.12")
    assert virtual_env.identity(checkout, True) != before


def test_lists_that_changed_ask_for_a_new_environment(checkout):
    (checkout.requirements / "closure.txt").write_text("closure-package==2.0\n")
    assert virtual_env.identity(checkout, True) == ""


def test_changed_tools_keep_the_environment(checkout):
    before = virtual_env.identity(checkout, True)
    (checkout.requirements / "tools.txt").write_text("tools-package==2.0\n")
    assert virtual_env.identity(checkout, True) == before


def test_files_that_nothing_uses_are_removed(checkout):
    site = checkout.venv / "lib" / "python3.11" / "site-packages"
    unused = ("cmeel.prefix/include/boost/any.hpp", "torch/test/a_test", "torch/bin/test_api")
    used = ("cmeel.prefix/lib/libcoal.so", "torch/bin/torch_shm_manager", "torch/testing/a.py")
    for name in unused + used:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch()
    virtual_env.remove_unused(checkout.venv)
    assert [name for name in unused + used if (site / name).exists()] == list(used)
    assert not (site / "cmeel.prefix" / "include").exists()


class RecordingContext(SetupContext):
    """A context that records the requirement lists of each pip instead of running it."""

    def run(self, command, log_name, env=None):
        words = [str(word) for word in command]
        assert words[1:4] == ["-m", "pip", "install"]
        lists = [Path(w).stem for o, w in itertools.pairwise(words) if o == "-r"]
        self.ran.append(("--no-deps" in words, lists))


@pytest.mark.parametrize(
    ("source", "base", "tools"),
    [
        (
            RosSource("jazzy", (), from_wheels=True),
            [(True, ["ros-jazzy", "build", "rosdep", "robot", "closure"]), (False, ["robot"])],
            [(True, ["tools-rosdep", "tools", "tools-closure"])],
        ),
        (
            RosSource("jazzy", (Path("/opt/ros/jazzy"),), from_wheels=False),
            [(False, ["robot"])],
            [(False, ["tools"])],
        ),
    ],
    ids=["wheels", "distribution"],
)
def test_each_step_installs_its_own_lists(checkout, monkeypatch, source, base, tools):
    needed = []
    monkeypatch.setattr(virtual_env, "_include_folder", lambda _: "/usr/include")
    monkeypatch.setattr(distribution, "need_modules", lambda _, modules: needed.extend(modules))
    (checkout.venv / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    context = RecordingContext(checkout, source, {}, Terminal(io.StringIO()))
    context.ran = []
    virtual_env.fill(context)
    assert context.ran == base
    assert "pytest" not in needed
    context.ran = []
    virtual_env.add_tools(context)
    assert context.ran == tools
    assert ("pytest" in needed) == (not source.from_wheels)


def test_wheels_and_distribution_do_not_share_an_environment(checkout):
    assert virtual_env.identity(checkout, False) == ""


def test_somebody_elses_environment_is_not_removed(checkout):
    for file in checkout.stamps.iterdir():
        file.unlink()
    checkout.stamps.rmdir()
    with pytest.raises(SetupError, match="did not make it"):
        virtual_env.remove(checkout)
    assert checkout.python.is_symlink()


def test_our_environment_is_removed_whole(checkout):
    virtual_env.remove(checkout)
    assert not checkout.venv.exists()
    assert not list(checkout.scratch.iterdir())


def test_a_wheel_torn_by_an_interruption_is_forgotten(checkout):
    site = checkout.venv / "lib" / "python3.11" / "site-packages"
    whole, torn = site / "whole-1.0.dist-info", site / "torn-1.0.dist-info"
    for folder in (whole, torn):
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Name: x")
        (folder / "RECORD").touch()
    (whole / "INSTALLER").write_text("pip")
    virtual_env.drop_torn_wheels(checkout.venv)
    assert whole.is_dir()
    assert not torn.exists()


def test_cmake_files_point_to_this_environment(checkout):
    site = checkout.venv / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    share = checkout.venv / "share" / "std_msgs" / "cmake"
    share.mkdir(parents=True)
    file = share / "std_msgsExport.cmake"
    file.write_text(
        'INTERFACE_INCLUDE_DIRECTORIES "/opt/python/cp311-cp311/include/python3.11;'
        '/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include"\n'
    )
    (share / "other.cmake").write_text("set(X 1)\n")
    assert virtual_env.repair_cmake_files(checkout.venv, "/usr/include/python3.11") == [file]
    assert file.read_text() == (
        f'INTERFACE_INCLUDE_DIRECTORIES "/usr/include/python3.11;{site}/numpy/_core/include"\n'
    )
    assert virtual_env.repair_cmake_files(checkout.venv, "/usr/include/python3.11") == []
