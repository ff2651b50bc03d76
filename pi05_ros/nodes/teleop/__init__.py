"""The teleop node: leader arms, gamepads and hand poses in, commands for the bridge out."""
