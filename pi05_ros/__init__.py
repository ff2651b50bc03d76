"""π0.5 on real mobile manipulators: from cameras to motion, from experience to training data."""

__version__ = "0.1.0"
