"""When the next chunk is asked for, what it goes on from, and when its rows are due.

Pure Python and numpy, on a clock that the caller turns: no ROS, no torch.
"""
