"""Figures of held-out samples: losses, action errors in units, answers of the high level."""
