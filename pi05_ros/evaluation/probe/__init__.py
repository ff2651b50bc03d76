"""Probe of a checkpoint: its subtasks and actions in scenes of mock homes."""
