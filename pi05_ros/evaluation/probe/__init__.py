"""Probe of a checkpoint: what it sees, says and does in scenes of mock homes."""
