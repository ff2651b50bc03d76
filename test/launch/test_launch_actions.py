"""The mapping from the graph to launch actions, against the real launch."""

import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("launch_ros")

import launch.logging
import yaml
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.event_handlers import OnProcessStart
from launch.launch_description_sources import PythonLaunchDescriptionSource

import launch
from pi05_ros.bringup import launch_actions
from pi05_ros.bringup.graph import NodeSpec
from pi05_ros.bringup.options import option_table
from pi05_ros.bringup.respawn import RespawnPolicy, RespawnRecord
from pi05_ros.platforms.platform import robot_names

ROOT = Path(__file__).parents[2]


def launch_file(platform):
    return PythonLaunchDescriptionSource(str(ROOT / "launch" / f"{platform}.launch.py"))


def run(entities, timeout_s=20):
    """Runs a launch to its end; returns its status."""
    launch.logging.reset()  # It keeps the streams of the test before.
    service = launch.LaunchService(noninteractive=True)
    timer = threading.Timer(timeout_s, service.shutdown)
    timer.start()
    try:
        service.include_launch_description(launch.LaunchDescription(entities))
        return service.run()
    finally:
        timer.cancel()


@pytest.mark.parametrize("platform", robot_names())
def test_each_platform_has_a_launch_file_with_every_option_described(platform):
    description = launch_file(platform).get_launch_description(launch.LaunchContext())
    arguments = [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]
    assert [a.name for a in arguments] == [o.name for o in option_table()]
    for argument, option in zip(arguments, option_table(), strict=True):
        assert option.description.rstrip(".") in argument.description
        default = "".join(part.text for part in argument.default_value)
        assert default == option.default
        assert tuple(argument.choices or ()) == option.choices


def test_any_robot_has_a_launch_file_that_asks_for_it(capfd):
    description = launch_file("platform").get_launch_description(launch.LaunchContext())
    arguments = [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]
    assert [a.name for a in arguments] == ["platform", *(o.name for o in option_table())]
    assert arguments[0].default_value is None
    assert run([IncludeLaunchDescription(launch_file("platform"))]) == 1
    assert "platform" in "".join(capfd.readouterr())
    words = {"platform": "/nowhere/robot.yaml"}.items()
    source = launch_file("platform")
    assert run([IncludeLaunchDescription(source, launch_arguments=words)]) == 1
    assert "/nowhere/robot.yaml: cannot be read" in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"brain": "exprt"}, 'Argument "brain" provided value "exprt" is not valid'),
        ({"brain": "expert"}, "option 'brain': the expert reads a mock home's state"),
        ({"home": "x"}, "option 'home': wanted a whole number, found 'x'"),
        ({"checkpoint": "/none"}, "option 'checkpoint': '/none' is not a folder"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_nothing_is_started(arguments, sentence, capfd):
    source = launch_file("mobile_18dof")
    assert run([IncludeLaunchDescription(source, launch_arguments=arguments.items())]) == 1
    captured = capfd.readouterr()
    assert sentence in captured.err + captured.out
    assert "process started" not in captured.err + captured.out
    assert "Traceback" not in captured.err + captured.out


@pytest.fixture
def program(tmp_path):
    """Makes a program for package "" specs."""

    def make(code):
        path = tmp_path / f"program{len(list(tmp_path.glob('program*')))}"
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_a_required_process_takes_the_launch_down(program, capfd):
    world = NodeSpec("world", program("exit 4"), package="", on_exit="shutdown")
    other = NodeSpec("other", program("sleep 60"), package="")
    actions = [a for spec in (other, world) for a in launch_actions.supervised_actions(spec)]
    began = time.monotonic()
    run(actions)
    assert time.monotonic() - began < 45  # Not the minute that the other would last.
    out = "".join(capfd.readouterr())
    assert "world ended (exit code 4) after " in out and "; the graph stops without it" in out


def test_a_process_that_keeps_dying_is_given_up(program, tmp_path, capfd):
    mark = tmp_path / "mark"
    spec = NodeSpec("bad", program(f"echo x >> {mark}; exit 3"), package="")
    record = RespawnRecord(RespawnPolicy(first_delay_s=0.05, max_delay_s=0.1, limit=3))
    run(launch_actions.supervised_actions(spec, record))
    assert mark.read_text() == "x\n" * 3
    sentence = "bad died 3 times in a row within 30 s of its start (last: exit code 3)"
    assert sentence in "".join(capfd.readouterr())


def test_a_process_that_has_done_its_work_changes_nothing(program, tmp_path):
    done = NodeSpec("done", program("exit 0"), package="", on_exit="ignore")
    mark = tmp_path / "mark"
    later = NodeSpec("later", program(f"sleep 0.5; touch {mark}"), package="", on_exit="shutdown")
    run([a for spec in (done, later) for a in launch_actions.supervised_actions(spec)])
    assert mark.exists()


def test_nodes_get_their_arguments_as_they_were_meant(monkeypatch):
    """The command that launch executes for a node of the suite."""
    commands, files = [], []

    def note(event, context):
        commands.append(event.cmd)
        path = event.cmd[event.cmd.index("--params-file") + 1]
        files.append(Path(path).read_text())
        os.kill(event.pid, signal.SIGKILL)

    spec = NodeSpec(
        name="planner",
        executable="planner",
        namespace="/a/b",
        parameters={"task": "12", "seed": 3, "use_sim_time": True, "managed_nodes": ["x", "y"]},
        remappings=(("in", "/out"),),
        log_level="a.b:=debug",
        on_exit="shutdown",
    )
    action = launch_actions.node_action(spec)
    handler = launch.actions.RegisterEventHandler(
        OnProcessStart(target_action=action, on_start=note)
    )
    run([handler, action])
    (command,), (text,) = commands, files
    joined = " ".join(command)
    assert command[0].endswith("lib/pi05_ros/planner")
    assert "--log-level a.b:=debug" in joined
    assert "-r __ns:=/a/b" in joined
    assert "-r in:=/out" in joined
    assert "__node:=" not in joined  # It would rename both nodes of the brain.
    (parameters,) = yaml.safe_load(text).values()
    assert parameters["ros__parameters"] == {
        "task": "12", "seed": 3, "use_sim_time": True, "managed_nodes": ["x", "y"],
    }  # fmt: skip
