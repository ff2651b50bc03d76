"""Bags and datasets in, training samples out; imports neither ROS nor torch."""
