"""Modes, checks and limits of the control bridge. No ROS."""
