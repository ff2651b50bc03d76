"""Shared parts of the nodes: lifecycle base, event loop, parameters, QoS, conversions."""
