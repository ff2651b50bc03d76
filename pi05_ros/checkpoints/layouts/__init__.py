"""The forms in which checkpoints come: ours, LeRobot's, openpi's. Each is read into `Contents`."""
