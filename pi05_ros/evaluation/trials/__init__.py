"""Trials of an evaluation, tasks × homes × modes × checkpoints: run, stored, merged, summed up."""
