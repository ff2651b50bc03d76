"""The controllers that stand on a robot, as they behave there: what works here works there."""
