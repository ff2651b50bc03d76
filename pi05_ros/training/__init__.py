"""Training of π0.5: batches and losses. Needs torch, and neither ROS nor a robot.

Read batch (samples as tensors), then losses (one pass over a batch, and its parts).
"""
