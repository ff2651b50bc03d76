"""Stands in for ROS's cv_bridge where no distribution provides it: the class CvBridge alone."""

from cv_bridge.core import CvBridge
from cv_bridge.encodings import CvBridgeError

__all__ = ["CvBridge", "CvBridgeError"]
