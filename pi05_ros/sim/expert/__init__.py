"""Scripted expert: a brain that acts on the ground truth of a mock home."""
