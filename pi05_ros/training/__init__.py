"""Training of π0.5: recipes, sources, the loop, validation. Needs torch, and no ROS.

Read recipes (what a run does), sources (samples and their mixture), objective (one pass over a
batch and its losses), runs (the loop and its states), then `train`.
"""
