"""Bags and datasets in, training samples out. Knows neither ROS nor torch."""
