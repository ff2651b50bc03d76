"""What planner and policy share: their base node, the brains they load, observations."""
