"""A managed node that prints what it is told: `python lifecycle_node.py NAME [--ros-args …]`."""

import contextlib
import sys

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn


class Told(LifecycleNode):
    """Prints each transition."""

    def tell(self, what):
        print(what, flush=True)
        return TransitionCallbackReturn.SUCCESS

    def on_configure(self, state):
        return self.tell("configure")

    def on_activate(self, state):
        return self.tell("activate")

    def on_deactivate(self, state):
        return self.tell("deactivate")


def main():
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Told(sys.argv[1]))


if __name__ == "__main__":
    main()
