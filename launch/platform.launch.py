"""Brings up any robot: ros2 launch pi05_ros platform.launch.py platform:=ROBOT.yaml.

Further arguments: ros2 launch pi05_ros platform.launch.py --show-args.
"""

from launch import LaunchDescription
from pi05_ros.bringup.launch_actions import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by launch."""
    return launch_description()
