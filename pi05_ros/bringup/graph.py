"""The node graph of a platform as data.

`launch/*.launch.py` turns it into launch actions (`bringup.launch_actions`), `pi05 up` and
`pi05 demo` into supervised processes (`bringup.processes`). Neither adds a node, a
parameter or a default of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.picture_size import picture_size
from pi05_ros.bringup.respawn import OnExit
from pi05_ros.bringup.rviz_file import rviz_file
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.fastdds import PROFILE_VARIABLE
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.description import (
    check_for_expert,
    check_for_mock_home,
    description_xml,
    load_urdf,
    platform_file,
)
from pi05_ros.platforms.platform import Platform, platform_names

# The recorder verifies a bag of many gigabytes before it ends [s].
_RECORDER_END_S = 30.0
# A mock home whose time waits for a node still publishes ten times a second: one that is silent
# for longer than this is dead or stopped [s, wall].
_SIM_CLOCK_TIMEOUT_S = 5.0

Parameter: TypeAlias = "bool | int | float | str | Sequence[str]"


@dataclass(frozen=True)
class NodeSpec:
    """One process of the graph."""

    name: str  # Of the process, unique in the graph; prefix of its log lines.
    executable: str  # In lib/PACKAGE of an installed package; "" package: a program on PATH.
    package: str = "pi05_ros"
    nodes: tuple[str, ...] = ()  # ROS nodes of the process, by name.
    managed: bool = False  # Whether the lifecycle manager activates them, in order.
    aside: bool = False  # Whether it does so apart from that order; see docs/design/bringup.md.
    namespace: str = ""  # Absolute namespace of its nodes; "": unchanged.
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    parameter_files: tuple[str, ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()  # (from, to)
    arguments: tuple[str, ...] = ()  # Before --ros-args.
    log_level: str = ""  # As `--log-level` takes it; "": the default.
    on_exit: OnExit = "respawn"
    end_s: float = 0.0  # Time to end after the request, if longer than usual [s].
    environment: Mapping[str, str] = field(default_factory=dict)  # On top of the caller's.

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "environment", MappingProxyType(dict(self.environment)))


def graph(
    platform: Platform, options: BringupOptions, environ: Mapping[str, str] = os.environ
) -> tuple[NodeSpec, ...]:
    """The processes that run `platform` under `options`.

    Managed nodes are in the order of their activation: the control bridge last.

    Args:
        platform: The robot.
        options: Options of the bring-up.
        environ: The caller's environment; a Fast DDS profile that it names is kept.

    Raises:
        ConfigError: A file is missing or not valid, or a robot that exists in simulation only is
            to start.
    """
    suite = _Suite(platform, options, fast_dds_environment(environ))
    specs: list[NodeSpec] = []
    if platform.simulation_only and not options.sim:
        raise ConfigError(
            f"platform '{platform.name}'", "exists in simulation only: start it with sim (--sim)"
        )
    if options.sim:
        check_for_mock_home(platform)
        if options.brain == "expert":
            check_for_expert(platform, load_urdf(platform))
        specs.append(suite.mock_home())
    if options.mock_hardware:
        specs += _mock_hardware(platform, suite.environment)
    specs.append(suite.camera_ingestion())
    specs += suite.brain()
    if options.teleop:
        specs.append(suite.teleop())
    if options.console_required:
        specs.append(suite.console())
    peers = ",".join(managed_nodes(specs))
    specs.append(suite.control_bridge(peers))
    managed = [name for spec in specs if spec.managed for name in spec.nodes]
    specs += [suite.recorder(), suite.inspector()]
    if options.console and not options.console_required:
        specs.append(suite.console())
    aside = [name for spec in specs if spec.aside for name in spec.nodes]
    manager: dict[str, Parameter] = {"managed_nodes": managed, "aside_nodes": aside}
    specs.append(suite.node("lifecycle_manager", manager))
    if options.rviz:
        specs.append(_rviz(platform, options, suite.environment))
    return tuple(specs)


def managed_nodes(specs: Sequence[NodeSpec]) -> tuple[str, ...]:
    """Names of the graph's managed nodes, in the order of their activation."""
    return tuple(name for spec in specs if spec.managed for name in spec.nodes)


def fast_dds_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that give Fast DDS a shared-memory segment large enough for pictures.

    Without it, one picture in ten is lost between processes (docs/design/timing.md). A profile
    that the user has set is left alone.
    """
    if environ.get(PROFILE_VARIABLE):
        return {}
    return {PROFILE_VARIABLE: str(resource_path("config/fastdds.xml"))}


@dataclass(frozen=True)
class _Suite:
    """Builds the nodes of the suite, with the same platform, clock, namespace and log level."""

    platform: Platform
    options: BringupOptions
    environment: Mapping[str, str]

    def node(
        self,
        executable: str,
        parameters: Mapping[str, Parameter],
        *,
        nodes: tuple[str, ...] = (),
        managed: bool = False,
        on_exit: OnExit = "respawn",
    ) -> NodeSpec:
        """One executable of this package. `nodes` are those in it; by default one of its name."""
        common: dict[str, Parameter] = {"use_sim_time": self.options.sim}
        if executable != "lifecycle_manager":  # It has no parameter `platform`.
            common["platform"] = platform_reference(self.platform)
        return NodeSpec(
            name=executable,
            executable=executable,
            nodes=nodes or (executable,),
            managed=managed,
            namespace=self.options.absolute_namespace,
            parameters={**common, **parameters},
            log_level=self.options.logger_level,
            on_exit=on_exit,
            environment=self.environment,
        )

    def mock_home(self) -> NodeSpec:
        """The simulated robot in its home, and the clock of the graph."""
        parameters: dict[str, Parameter] = {"home": self.options.home}
        if self.options.task:
            parameters["task"] = self.options.task
        if self.options.room:
            parameters["room"] = self.options.room
        if self.options.difficulty != "ideal":
            parameters["difficulty"] = self.options.difficulty
        return self.node("mock_home", parameters, on_exit="shutdown")

    def camera_ingestion(self) -> NodeSpec:
        """The cameras, with pictures of the size that the weights are given.

        Rendered pictures have no noise: in a scene at rest all are equal, so repeats are no
        fault. They are rendered one after the other on shared processors, so they may be late.
        """
        rendered: dict[str, Parameter] = {
            "repeats_warn": 0,
            "repeats_unfit": 0,
            "stale_after_s": 0.5,
            "max_offset_s": 0.4,
        }
        parameters = rendered if self.options.sim else {}
        if self.options.brain == "model":
            height, width = picture_size(self.options.checkpoint)
            parameters = {**parameters, "image_height_px": height, "image_width_px": width}
        return self.node("camera_ingestion", parameters, managed=True)

    def brain(self) -> list[NodeSpec]:
        """Planner and policy: in one process over one copy of the weights, or each alone.

        Without a brain it is the planner alone, which passes an operator's words on.
        """
        brain: dict[str, Parameter] = {
            "brain": self.options.brain,
            "checkpoint": self.options.checkpoint,
            "device": self.options.device,
            "dtype": self.options.dtype,
            "execution": self.options.execution,
            "seed": self.options.seed,
        }
        planner: dict[str, Parameter] = {**brain, "task": self.options.told_task}
        policy: dict[str, Parameter] = {**brain, "chunk_mode": self.options.chunk_mode}
        if self.options.brain == "none":  # Nothing acts by itself: there is no policy.
            return [self.node("planner", planner, managed=True)]
        if self.options.separate:
            return [
                self.node("planner", planner, managed=True),
                self.node("policy", policy, managed=True),
            ]
        both = {**planner, **policy}
        return [self.node("brain", both, nodes=("planner", "policy"), managed=True)]

    def control_bridge(self, peers: str) -> NodeSpec:
        """The bridge. In a mock home it arms itself, and tolerates a clock that waits."""
        parameters: dict[str, Parameter] = {"auto_arm": self.options.sim, "peers": peers}
        if self.options.sim:
            parameters["clock_timeout_s"] = _SIM_CLOCK_TIMEOUT_S
        return self.node("control_bridge", parameters, managed=True)

    def teleop(self) -> NodeSpec:
        """The operator's devices; see docs/teleop.md.

        Raises:
            ConfigError: The platform has no section `teleop`.
        """
        if self.platform.teleop is None:
            raise ConfigError(
                "option 'teleop'",
                f"{self.platform.source or self.platform.name} has no section `teleop`, which "
                "names the devices; docs/teleop.md has examples",
            )
        return self.node("teleop", {}, managed=True)

    def recorder(self) -> NodeSpec:
        """The recorder runs in every graph; the robot never waits for it."""
        parameters: dict[str, Parameter] = {
            "bags": str(Path(self.options.bags).expanduser().absolute()),
            "record": self.options.record,
            "task": self.options.told_task,
            "home": str(self.options.home) if self.options.sim else "",
            "brain": self.options.brain,
            "checkpoint": self.options.checkpoint,
        }
        spec = self.node("recorder", parameters, on_exit="persist")
        return replace(spec, aside=True, end_s=_RECORDER_END_S)

    def console(self) -> NodeSpec:
        """The operator's page. The robot waits for it only with `console_required`."""
        required = self.options.console_required
        parameters: dict[str, Parameter] = {
            "host": self.options.console_host,
            "port": self.options.console_port,
            "require_operator": required,
        }
        if required:
            return self.node("console", parameters, managed=True)
        return replace(self.node("console", parameters, on_exit="persist"), aside=True)

    def inspector(self) -> NodeSpec:
        """The inspector runs in every graph; without subscribers it is idle."""
        return replace(self.node("inspector", {}, on_exit="persist"), aside=True)


def platform_reference(platform: Platform) -> str:
    """Value of the parameter `platform`: the name of a shipped platform, else its file."""
    shipped = platform.name in platform_names() and platform.source == str(
        resource_path(f"config/platforms/{platform.name}.yaml").resolve()
    )
    return platform.name if shipped or not platform.source else platform.source


def _robot_state_publisher(platform: Platform, environment: Mapping[str, str]) -> NodeSpec:
    """Robot description and link frames, which a robot or a mock home would publish itself.

    Raises:
        ConfigError: The platform has several topics of joint states.
    """
    if len(platform.joint_states_topics) != 1:
        raise ConfigError(
            f"platform '{platform.name}'",
            f"has the joint states {', '.join(platform.joint_states_topics) or '(none)'}, mock "
            "hardware publishes one topic: name one joint_states_topic for the dry run",
        )
    return NodeSpec(
        name="robot_state_publisher",
        executable="robot_state_publisher",
        package="robot_state_publisher",
        nodes=("robot_state_publisher",),
        parameters={
            "robot_description": description_xml(platform, use_mock_hardware=True),
        },
        remappings=(("joint_states", platform.joint_states_topics[0]),),
        environment=environment,
    )


def _rviz(platform: Platform, options: BringupOptions, environment: Mapping[str, str]) -> NodeSpec:
    """RViz. Closing its window does not stop the robot."""
    return NodeSpec(
        name="rviz",
        executable="rviz2",
        package="rviz2",
        arguments=("-d", str(rviz_file(platform))),
        parameters={"use_sim_time": options.sim},
        remappings=_shown_in(options.absolute_namespace, platform),
        on_exit="ignore",
        environment=environment,
    )


def _shown_in(namespace: str, platform: Platform) -> tuple[tuple[str, str], ...]:
    """Remappings of the topics in config/rviz, for another namespace than the default."""
    default = BringupOptions().absolute_namespace
    if namespace == default:
        return ()
    outputs = ["markers", *(f"{name}/annotated" for name in platform.camera_names)]
    return tuple(
        (f"{default}/inspector/{name}", f"{namespace.rstrip('/')}/inspector/{name}")
        for name in outputs
    )


def controllers_file(platform: Platform) -> Path:
    """Path of the parameters of a platform's controllers, with which mock_hardware starts them.

    Raises:
        ConfigError: The platform's YAML names none, or one that does not exist.
    """
    if platform.controllers:
        return platform_file(platform, "controllers", platform.controllers)
    try:
        return resource_path(f"config/controllers/{platform.name}.yaml")
    except ConfigError as error:
        raise ConfigError(
            platform.source or platform.name,
            "mock_hardware needs the parameters of the robot's controllers: write `controllers: "
            "FILE.yaml` here, a file like config/controllers/mobile_10dof.yaml of the suite",
        ) from error


def _mock_hardware(platform: Platform, environment: Mapping[str, str]) -> list[NodeSpec]:
    """ros2_control with mock components and the platform's controllers: a dry run, no robot."""
    controllers = str(controllers_file(platform))
    publisher = _robot_state_publisher(platform, environment)
    manager = NodeSpec(
        name="controller_manager",
        executable="ros2_control_node",
        package="controller_manager",
        nodes=("controller_manager",),
        parameter_files=(controllers,),
        remappings=(("~/robot_description", "/robot_description"),),
        on_exit="shutdown",
        environment=environment,
    )
    bases = platform.groups_of("base_velocity")
    others = [g.controller.name for g in platform.groups if g not in bases]
    spawner = NodeSpec(
        name="spawner",
        executable="spawner",
        package="controller_manager",
        arguments=("joint_state_broadcaster", *others, "--param-file", controllers),
        on_exit="ignore",
        environment=environment,
    )
    # Base controllers publish odometry below their own name.
    base_spawners = [
        replace(
            spawner,
            name=f"{base.name}_spawner",
            arguments=(
                *(base.controller.name, "--param-file", controllers),
                *("--controller-ros-args", f"-r ~/odom:={platform.odom_topic}"),
            ),
        )
        for base in bases
    ]
    return [publisher, manager, spawner, *base_spawners]
