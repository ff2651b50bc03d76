"""Layouts of checkpoints: ours, LeRobot's, openpi's. Each is read into `Contents`."""
