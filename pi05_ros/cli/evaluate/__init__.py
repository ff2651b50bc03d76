"""The verb `pi05 eval`: evaluations in mock homes."""
