"""Import and export of LeRobot datasets; see docs/design/lerobot.md."""
