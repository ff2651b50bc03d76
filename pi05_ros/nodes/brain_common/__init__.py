"""Shared parts of planner and policy: base class, brains, observation inputs."""
