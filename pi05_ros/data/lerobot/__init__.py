"""LeRobot datasets in and out: docs/design/lerobot.md."""
