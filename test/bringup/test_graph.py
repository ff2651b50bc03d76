"""The node graph as data."""

import dataclasses
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fakes.robots import RobotKind, make_robot

from pi05_ros.bringup.graph import (
    fast_dds_environment,
    graph,
    managed_nodes,
    platform_reference,
)
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.fastdds import PROFILE_VARIABLE, profile_problem
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform, platform_names, robot_names

SET = {PROFILE_VARIABLE: "/mine.xml"}
IN_ORDER = ("camera_ingestion", "planner", "policy", "control_bridge")


def build(platform="mobile_18dof", **options):
    specs = graph(load_platform(platform), BringupOptions(**options), SET)
    return {spec.name: spec for spec in specs}


def test_a_robot_that_does_not_exist_is_started_in_a_mock_home_only():
    assert "mock_home" in build("single_8dof", sim=True)
    with pytest.raises(ConfigError, match=r"single_8dof.*exists in simulation only"):
        build("single_8dof")


@pytest.mark.parametrize("platform", robot_names())
def test_on_a_robot_nothing_is_simulated_and_nothing_moves_by_itself(platform):
    specs = build(platform)
    assert list(specs) == [
        "camera_ingestion", "brain", "control_bridge", "recorder", "inspector",
        "lifecycle_manager",
    ]  # fmt: skip
    for name, spec in specs.items():
        assert spec.parameters["use_sim_time"] is False
        assert spec.namespace == "/pi05"
        assert spec.on_exit == ("persist" if name in ("recorder", "inspector") else "respawn")
    assert specs["control_bridge"].parameters["auto_arm"] is False
    assert "repeats_unfit" not in specs["camera_ingestion"].parameters
    assert specs["brain"].parameters["platform"] == platform


def test_a_mock_home_runs_all_on_its_clock_and_arms_itself():
    specs = build(sim=True, brain="expert", home=4, task="make the bed")
    assert list(specs)[0] == "mock_home"
    assert all(spec.parameters["use_sim_time"] is True for spec in specs.values())
    assert specs["control_bridge"].parameters["auto_arm"] is True
    assert specs["camera_ingestion"].parameters["repeats_unfit"] == 0
    assert specs["camera_ingestion"].parameters["stale_after_s"] == 0.5
    home = specs["mock_home"]
    assert (home.parameters["home"], home.parameters["task"]) == (4, "make the bed")
    assert "difficulty" not in home.parameters, "the node's own default"
    assert home.on_exit == "shutdown"
    assert not home.managed
    assert specs["brain"].parameters["brain"] == "expert"
    assert specs["brain"].parameters["task"] == "make the bed"


def test_a_mock_home_is_the_room_that_is_asked_for():
    assert "room" not in build(sim=True)["mock_home"].parameters, "the one that the task needs"
    assert build(sim=True, room="bedroom")["mock_home"].parameters["room"] == "bedroom"


def test_a_mock_home_gets_its_difficulty():
    specs = build(sim=True, difficulty="hard,shadows=0")
    assert specs["mock_home"].parameters["difficulty"] == "hard,shadows=0"


@pytest.mark.parametrize("separate", [False, True])
def test_the_policy_is_told_how_chunks_follow_each_other(separate):
    specs = build(separate=separate, chunk_mode="rtc")
    assert specs["policy" if separate else "brain"].parameters["chunk_mode"] == "rtc"
    if separate:
        assert "chunk_mode" not in specs["planner"].parameters


@pytest.mark.parametrize("separate", [False, True])
def test_the_bridge_is_activated_last_and_the_manager_knows_the_order(separate):
    specs = build(separate=separate)
    assert managed_nodes(tuple(specs.values())) == IN_ORDER
    assert tuple(specs["lifecycle_manager"].parameters["managed_nodes"]) == IN_ORDER
    assert ("brain" in specs) is not separate
    assert ("planner" in specs and "policy" in specs) is separate


def test_teleop_is_a_peer_of_the_bridge_and_is_activated_before_it():
    specs = build(teleop=True)
    assert managed_nodes(tuple(specs.values())) == (*IN_ORDER[:-1], "teleop", "control_bridge")
    assert specs["control_bridge"].parameters["peers"].endswith(",policy,teleop")
    assert specs["teleop"].parameters == {"use_sim_time": False, "platform": "mobile_18dof"}
    assert "teleop" not in build()


def test_teleop_needs_the_section_of_the_platform(tmp_path):
    text = Path(load_platform("mobile_10dof").source).read_text()
    start, end = text.index("\n# Devices of teleoperation"), text.index("\n# Subtasks that")
    path = tmp_path / "robot.yaml"
    path.write_text(text[:start] + text[end:])
    with pytest.raises(ConfigError, match="option 'teleop': .*robot.yaml has no section `teleop`"):
        build(str(path), teleop=True)


def test_without_a_brain_the_planner_passes_words_on_and_there_is_no_policy():
    specs = build(teleop=True, brain="none", task="tidy up")
    assert managed_nodes(tuple(specs.values())) == (
        *("camera_ingestion", "planner", "teleop", "control_bridge"),
    )
    assert specs["planner"].parameters["brain"] == "none"
    assert specs["planner"].parameters["task"] == "tidy up"
    assert specs["recorder"].parameters["brain"] == "none"


def test_a_task_by_its_name_is_told_as_text():
    specs = build(sim=True, brain="expert", home=4, task="laundry")
    assert specs["mock_home"].parameters["task"] == "laundry"
    assert specs["brain"].parameters["task"] == "put the laundry in the basket"
    assert specs["recorder"].parameters["task"] == "put the laundry in the basket"
    assert build(task="laundry")["brain"].parameters["task"] == "laundry"  # On a robot.


def test_the_policy_alone_is_told_no_task():
    policy = build(separate=True, task="make the bed")["policy"]
    assert "task" not in policy.parameters


def test_names_of_processes_are_unique_whatever_is_asked_for():
    for options in ({"sim": True, "rviz": True, "record": True}, {"record": True}):
        specs = graph(load_platform("mobile_18dof"), BringupOptions(**options), SET)
        names = [spec.name for spec in specs]
        assert len(names) == len(set(names))


def test_namespace_and_log_level_reach_the_suites_nodes_only():
    specs = build(sim=True, rviz=True, namespace="fleet/r2", log_level="debug")
    for name, spec in specs.items():
        own = name != "rviz"
        assert spec.namespace == ("/fleet/r2" if own else "")
        assert spec.log_level == ("fleet.r2:=debug" if own else "")


def test_the_fast_dds_profile_is_set_for_all_unless_the_user_set_one():
    assert fast_dds_environment(SET) == {}
    for spec in graph(load_platform("mobile_18dof"), BringupOptions(record=True), {}):
        assert profile_problem(spec.environment) == ""


@pytest.mark.parametrize("record", [False, True])
def test_the_recorder_is_always_there_and_nobody_waits_for_it(record, tmp_path):
    specs = build(
        sim=True, brain="expert", home=3, task="wash up", record=record, bags=str(tmp_path)
    )
    recorder = specs["recorder"]
    assert recorder.on_exit == "persist"
    assert (recorder.managed, recorder.aside) == (False, True)
    assert recorder.parameters == {
        "use_sim_time": True,
        "platform": "mobile_18dof",
        "bags": str(tmp_path),
        "record": record,
        "task": "wash up",
        "home": "3",
        "brain": "expert",
        "checkpoint": "",
    }
    manager = specs["lifecycle_manager"].parameters
    assert manager["aside_nodes"] == ["recorder", "inspector"]
    assert "recorder" not in manager["managed_nodes"]
    assert "recorder" not in specs["control_bridge"].parameters["peers"]


def test_the_inspector_is_always_there_and_nobody_waits_for_it():
    specs = build(sim=True, brain="expert")
    assert specs["inspector"].on_exit == "persist"
    assert (specs["inspector"].managed, specs["inspector"].aside) == (False, True)
    assert "inspector" not in specs["lifecycle_manager"].parameters["managed_nodes"]
    assert "inspector" not in specs["control_bridge"].parameters["peers"]


def test_rviz_finds_the_inspector_in_whatever_namespace():
    assert build(rviz=True)["rviz"].remappings == ()
    moved = dict(build(rviz=True, namespace="fleet/r2")["rviz"].remappings)
    assert moved["/pi05/inspector/markers"] == "/fleet/r2/inspector/markers"
    assert moved["/pi05/inspector/front/annotated"] == "/fleet/r2/inspector/front/annotated"
    assert len(moved) == 5


def test_bags_go_below_the_present_folder_unless_told_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert build()["recorder"].parameters["bags"] == str(tmp_path / "bags")
    assert build(bags="x/y")["recorder"].parameters["bags"] == str(tmp_path / "x" / "y")
    monkeypatch.setenv("HOME", "/home/me")
    assert build(bags="~/b")["recorder"].parameters["bags"] == "/home/me/b"
    assert build()["recorder"].parameters["home"] == ""


def test_a_shipped_platform_goes_by_name_and_another_by_its_file(tmp_path):
    assert platform_reference(load_platform("mobile_18dof")) == "mobile_18dof"
    text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    assert platform_reference(load_platform(str(mine))) == str(mine)


@pytest.mark.parametrize("platform", platform_names())
def test_the_description_that_rviz_gets_is_the_platforms(platform):
    root = ET.fromstring(description_xml(load_platform(platform), True))
    joints = {joint.get("name") for joint in root.iter("joint")}
    moving = [d for d in load_platform(platform).dimensions if not d.is_velocity]
    assert {d.joint_name for d in moving} <= joints
    assert root.find(".//plugin").text == "mock_components/GenericSystem"


def test_a_dry_run_starts_ros2_control_with_every_controller():
    platform = load_platform("mobile_18dof")
    specs = build(mock_hardware=True)
    spawned = specs["spawner"].arguments
    spawned += specs["base_spawner"].arguments
    assert {g.controller.name for g in platform.groups} < set(spawned)
    assert "-r ~/odom:=/odom" in spawned
    assert "joint_state_broadcaster" in spawned
    assert specs["control_bridge"].parameters["auto_arm"] is False
    assert specs["controller_manager"].remappings == (
        ("~/robot_description", "/robot_description"),
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"arm_joint_2"', '"arm_joint_two"', "the URDF has no joint 'arm_joint_2'"),
        ('"front_optical"', '"front"', "camera 'front': the URDF has no link 'front_optical'"),
        ('"base_link"', '"base"', "is not the root link of the URDF: write base_frame: base"),
        ("<box size=", '<mesh filename="package://gone/a.stl" y=', "package 'gone' is not found"),
    ],
)
def test_a_mock_home_of_a_robot_that_lacks_something_is_refused_before_it_starts(
    old, new, said, tmp_path
):
    platform = make_robot(tmp_path)
    options = BringupOptions(sim=True)
    assert graph(platform, options, SET)
    text = (tmp_path / "robot.urdf").read_text()
    (tmp_path / "robot.urdf").write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        graph(platform, options, SET)


def test_the_expert_of_a_robot_without_a_gripper_is_refused_before_it_starts(tmp_path):
    platform = make_robot(tmp_path, RobotKind(base=""))
    assert graph(platform, BringupOptions(sim=True, brain="expert"), SET)
    groups = tuple(g for g in platform.groups if g.kind != "parallel_gripper")
    bare = dataclasses.replace(platform, groups=groups)
    object.__setattr__(bare, "source", platform.source)
    with pytest.raises(ConfigError, match="an arm with a gripper, found no gripper"):
        graph(bare, BringupOptions(sim=True, brain="expert"), SET)


def test_specs_cannot_be_changed():
    spec = build()["brain"]
    with pytest.raises(TypeError):
        spec.parameters["task"] = "other"


def test_the_console_comes_when_asked_for_and_nobody_waits_for_it():
    assert "console" not in build()
    specs = build(console=True, console_port=9000)
    console = specs["console"]
    assert (console.on_exit, console.managed, console.aside) == ("persist", False, True)
    assert console.parameters == {
        "use_sim_time": False,
        "platform": "mobile_18dof",
        "host": "127.0.0.1",
        "port": 9000,
        "require_operator": False,
    }
    assert specs["lifecycle_manager"].parameters["aside_nodes"] == [
        "recorder",
        "inspector",
        "console",
    ]
    assert "console" not in specs["control_bridge"].parameters["peers"]


@pytest.mark.parametrize("also", [{}, {"console": True}])
def test_a_required_operator_makes_the_console_a_peer_of_the_bridge(also):
    specs = build(console_required=True, **also)
    console = specs["console"]
    assert (console.on_exit, console.managed, console.aside) == ("respawn", True, False)
    assert console.parameters["require_operator"] is True
    manager = specs["lifecycle_manager"].parameters
    assert manager["managed_nodes"][-2:] == ["console", "control_bridge"]
    assert manager["aside_nodes"] == ["recorder", "inspector"]
    assert specs["control_bridge"].parameters["peers"].split(",")[-1] == "console"
