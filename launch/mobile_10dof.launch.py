"""Brings up mobile_10dof. Arguments: ros2 launch pi05_ros mobile_10dof.launch.py --show-args."""

from launch import LaunchDescription
from pi05_ros.bringup.launch_actions import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by launch."""
    return launch_description("mobile_10dof")
