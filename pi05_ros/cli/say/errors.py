"""What can go wrong when an operator speaks."""

from pi05_ros.errors import Pi05Error


class SayError(Pi05Error):
    """The words did not reach the planner, or it did not take them."""
