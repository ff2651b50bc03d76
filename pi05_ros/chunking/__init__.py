"""Scheduling of chunks: when to request the next one, what it continues, when its rows are due.

Pure Python and numpy: no ROS, no torch. The caller passes the time.
"""
