"""Simulated robot in procedural homes: physics, controllers, cameras, scores."""
