"""Teleoperation without ROS: leader arms, gamepads and hand poses become targets of the robot."""
