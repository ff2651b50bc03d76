"""The graph as launch actions. Only this module and the files in launch/ import launch.

`launch/*.launch.py` name a platform; the graph, its options and their defaults come from
`pi05_ros.bringup.graph`.
"""

from __future__ import annotations

import time

from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from pi05_ros.bringup.graph import NodeSpec, Parameter, graph
from pi05_ros.bringup.options import BringupOptions, option_table
from pi05_ros.bringup.respawn import RespawnPolicy, RespawnRecord
from pi05_ros.bringup.supervisor import StopPolicy, describe_exit
from pi05_ros.platforms.platform import load_platform, platform_names


def launch_description(platform: str = "") -> LaunchDescription:
    """The launch description of a platform.

    Args:
        platform: Its name, or the path of its YAML file; "": the launch argument `platform`.
    """
    arguments = [
        DeclareLaunchArgument(
            option.name,
            default_value=option.default,
            description=option.description,
            choices=list(option.choices) or None,
        )
        for option in option_table()
    ]
    if not platform:
        names = ", ".join(platform_names())
        described = f"The robot: {names}, or the path of a YAML file."
        arguments.insert(0, DeclareLaunchArgument("platform", description=described))
    return LaunchDescription(
        [*arguments, OpaqueFunction(function=_bring_up, kwargs={"platform": platform})]
    )


def _bring_up(context: LaunchContext, platform: str) -> list[Action]:
    """Build the graph from the values of the arguments; a wrong one stops the launch."""
    platform = platform or LaunchConfiguration("platform").perform(context)
    values = {o.name: LaunchConfiguration(o.name).perform(context) for o in option_table()}
    specs = graph(load_platform(platform), BringupOptions.parse(values))
    stop = StopPolicy()
    return [
        SetLaunchConfiguration("sigterm_timeout", str(stop.sigterm_after_s)),
        SetLaunchConfiguration(
            "sigkill_timeout", str(stop.sigkill_after_s - stop.sigterm_after_s)
        ),
        *(action for spec in specs for action in supervised_actions(spec)),
    ]


def supervised_actions(spec: NodeSpec, record: RespawnRecord | None = None) -> list[Action]:
    """A process of the graph, with the handler of its exit.

    Args:
        spec: The process.
        record: Its earlier deaths, where it is started again.
    """
    record = record or RespawnRecord(RespawnPolicy())
    action, started = node_action(spec), time.monotonic()

    def exited(event: ProcessExited, context: LaunchContext) -> list[Action]:
        how = describe_exit(event.returncode)
        if context.is_shutdown:
            return []
        lived = time.monotonic() - started
        reaction = record.react(spec.name, spec.on_exit, how, lived)
        if reaction.failure:
            return [LogInfo(msg=reaction.failure), Shutdown(reason=reaction.failure)]
        if reaction.delay_s is None:
            return []
        again = OpaqueFunction(function=lambda _: supervised_actions(spec, record))
        return [TimerAction(period=reaction.delay_s, actions=[again])]

    return [
        RegisterEventHandler(OnProcessExit(target_action=action, on_exit=exited)),
        action,
    ]


def node_action(spec: NodeSpec) -> Action:
    """One process of the graph as a launch action."""
    common = {
        "output": "screen",
        "emulate_tty": True,  # Unbuffered lines, in colour.
        "additional_env": dict(spec.environment),
    }
    if spec.end_s:
        # launch counts from SIGTERM.
        common["sigkill_timeout"] = str(spec.end_s - StopPolicy().sigterm_after_s)
    if not spec.package:
        return ExecuteProcess(cmd=[spec.executable, *spec.arguments], name=spec.name, **common)
    return Node(
        package=spec.package,
        executable=spec.executable,
        exec_name=spec.name,
        namespace=spec.namespace or None,
        parameters=[
            *spec.parameter_files,
            {name: _typed(value) for name, value in spec.parameters.items()},
        ],
        remappings=list(spec.remappings),
        arguments=list(spec.arguments),
        ros_arguments=["--log-level", spec.log_level] if spec.log_level else None,
        **common,
    )


def _typed(value: Parameter) -> ParameterValue:
    """A parameter with its type: launch would parse a task called "12" as a number."""
    if isinstance(value, (bool, int, float, str)):
        return ParameterValue(value, value_type=type(value))
    return ParameterValue(list(value), value_type=list[str])
